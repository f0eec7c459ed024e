//! What our attributes derive for types of every shape.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use workflow_runtime::prelude::*;

/// Pointers to what has no size, and borrows that are never made.
#[data]
struct Book {
    title: Box<str>,
    subtitle: Cow<'static, str>,
    pages: Box<[u8]>,
    path: Option<Box<Path>>,
    kind: PhantomData<&'static str>,
    chapters: Vec<Book>,
}

/// Parameters of the type, in forms that depend on them.
#[event]
enum Shelf<T, const N: usize> {
    Empty,
    One(T),
    Many { books: Vec<(T, Book)>, marks: [Option<u8>; 2] },
    Sizes(PhantomData<[T; N]>),
}

/// Not ours to save: what serde skips may still be read by several threads.
#[event]
struct Cached {
    #[serde(skip)]
    shared: Arc<std::sync::Mutex<u8>>,
    key: u64,
}

/// One of the attributes does what the other would do again.
#[data]
#[event]
struct Twice(u8);

#[event]
#[prompt(response = Shelf<u8, 3>)]
struct Which;

#[prompt(response = Book)]
#[derive(Event)]
#[event(crate = workflow_runtime)]
struct Also {
    about: Book,
}

/// By hand.
#[data]
struct Plain;

impl Event for Plain {}

impl Prompt for Plain {
    type Response = Twice;
}

fn is_event<T: Event + Clone + workflow_runtime::Saved>() {}

fn is_prompt<Q: Prompt<Response: Send + Sync + workflow_runtime::Saved>>() {}

/// An event goes from thread to thread, and who says `Event` need not say that.
fn goes_to_threads<T: Event>(event: T) -> impl Send + Sync + 'static {
    event
}

fn main() {
    is_event::<Shelf<u8, 3>>();
    is_event::<Cached>();
    is_event::<Twice>();
    is_event::<Which>();
    is_event::<Also>();
    is_event::<Plain>();
    is_prompt::<Which>();
    is_prompt::<Also>();
    is_prompt::<Plain>();
    let _ = goes_to_threads(Twice(1));
}
