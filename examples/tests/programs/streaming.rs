//! `streaming`.

use std::path::Path;

use crate::process::run;

#[test]
fn progress_appears_in_order_between_start_and_end_of_the_step() {
    let ended = run::<&str>(Path::new("."), env!("CARGO_BIN_EXE_streaming"), &[], "");
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
    let expected = "\
list starts
list is done
copy starts
  letters.txt   0 %
  letters.txt  50 %
  letters.txt 100 %
  photos.zip   0 %
  photos.zip  50 %
  photos.zip 100 %
copy is done
2 files are safe.
";
    assert_eq!(ended.out, expected);
}
