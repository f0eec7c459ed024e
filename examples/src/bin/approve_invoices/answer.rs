//! Answers: as they are typed, and as they stand in a file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use crate::flow::Decision;

/// `17 yes`, `5 no wrong supplier`; without a number it is about the first open question.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) line: Option<u64>,
    pub(crate) decision: Decision,
}

impl FromStr for Answer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, rest) = first_word(text);
        let (line, said) = match first.trim_end_matches([':', '.']).parse() {
            Ok(line) => (Some(line), rest),
            Err(_) => (None, text.trim()),
        };
        let (verdict, words) = first_word(said);
        let words = words.to_owned();
        let decision = match &*verdict.to_lowercase() {
            "yes" | "y" => Decision::Approve { note: words },
            "no" | "n" => Decision::Reject { reason: words },
            _ => return Err(format!("`{}` is neither `NUMBER yes` nor `NUMBER no REASON`", text.trim())),
        };
        Ok(Self { line, decision })
    }
}

fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace).map_or((text, ""), |(first, rest)| (first, rest.trim()))
}

/// Reads a file of answers: one per line, as they are typed, all with their numbers. Empty lines and lines that
/// begin with `#` do not count.
pub(crate) fn read(path: &Path) -> Result<BTreeMap<u64, Decision>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut answers = BTreeMap::new();
    let lines = (1..).zip(text.lines().map(str::trim));
    for (at, text) in lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
        let about = |problem: String| format!("{}, line {at}: {problem}", path.display());
        let Answer { line, decision } = text.parse().map_err(about)?;
        let line = line.ok_or_else(|| about(format!("`{text}` lacks the number of the question")))?;
        if answers.insert(line, decision).is_some() {
            return Err(about(format!("question {line} is answered twice")));
        }
    }
    Ok(answers)
}
