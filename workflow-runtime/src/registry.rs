//! The workflows of a program, found by name.
//!
//! The linker collects them, in any order, so they are sorted by name here, and two of one name are refused.

use std::fmt;
use std::sync::Arc;

use workflow_graph::Graph;

use crate::runner::{Kind, Typed};
use crate::workflow::{Shared, Workflow};

/// Every workflow of the program that was registered, sorted by name.
///
/// A workflow is registered with `#[workflow(register = path)]`, where `path` names a function that builds it, or,
/// if it is generic, with [`register!`](crate::register) for each type it is used with.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::Registry;
///
/// struct Greet {
///     greeting: String,
/// }
///
/// #[workflow(register = Greet::polite)]
/// impl Greet {
///     #[step]
///     fn greet(&self, Start(name): Start<String>) -> Stop<String> {
///         Stop(format!("{}, {name}!", self.greeting))
///     }
/// }
///
/// impl Greet {
///     fn polite() -> Self {
///         Self { greeting: "Good day".to_owned() }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::collect()?;
/// let greet = registry.get("Greet").and_then(|found| found.build_as::<Greet>()).ok_or("not registered")?;
/// assert_eq!(greet.run("Ada".to_owned()).await?, "Good day, Ada!");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    registrations: Vec<&'static Registration>,
}

impl Registry {
    /// Collects the workflows that are linked into this program.
    ///
    /// # Errors
    /// Two of them have one name.
    pub fn collect() -> Result<Self, DuplicateWorkflow> {
        Self::of(inventory::iter::<Registration>.into_iter().collect())
    }

    fn of(mut registrations: Vec<&'static Registration>) -> Result<Self, DuplicateWorkflow> {
        registrations.sort_by_key(|registration| (registration.name(), registration.location));
        let twice = registrations.windows(2).find_map(|pair| match pair {
            [first, second] if first.name() == second.name() => Some((first, second)),
            _ => None,
        });
        match twice {
            Some((first, second)) => Err(DuplicateWorkflow {
                name: first.name().to_owned(),
                first: first.location,
                second: second.location,
            }),
            None => Ok(Self { registrations }),
        }
    }

    /// The workflow of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static Registration> {
        let found = self.registrations.binary_search_by_key(&name, |registration| registration.name());
        found.ok().and_then(|index| self.registrations.get(index)).copied()
    }

    /// The workflows, by name.
    pub fn iter(&self) -> impl Iterator<Item = &'static Registration> {
        self.registrations.iter().copied()
    }
}

/// One workflow of the program.
pub struct Registration {
    graph: &'static Graph,
    location: Location,
    build: fn() -> __register::Built,
    kind: fn(__register::Built) -> Option<Arc<dyn Kind>>,
}

impl Registration {
    /// Not public API: what [`register!`](crate::register) submits.
    #[doc(hidden)]
    pub const fn new<W: Workflow>(build: fn() -> __register::Built, file: &'static str, line: u32) -> Self {
        Self { graph: W::GRAPH, location: Location { file, line }, build, kind: kind::<W> }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        &self.graph.name
    }

    /// Its graph.
    #[must_use]
    pub fn graph(&self) -> &'static Graph {
        self.graph
    }

    /// Where it was registered.
    #[must_use]
    pub fn location(&self) -> Location {
        self.location
    }

    /// Builds it, for a runner. `None` if the function that it was registered with builds something else.
    pub(crate) fn kind(&self) -> Option<Arc<dyn Kind>> {
        (self.kind)((self.build)())
    }

    /// Builds it, with the function it was registered with; `None` if it is no `W`.
    #[must_use]
    pub fn build_as<W: Workflow + Send + Sync>(&self) -> Option<Arc<W>> {
        Some((self.build)().downcast::<Shared<W>>().ok()?.to_arc())
    }
}

fn kind<W: Workflow>(built: __register::Built) -> Option<Arc<dyn Kind>> {
    Some(Arc::new(Typed(Shared::clone(&*built.downcast::<Shared<W>>().ok()?))))
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("name", &self.name())
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

inventory::collect!(Registration);

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Location {
    /// The file, as the compiler was given it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Two workflows of the program have one name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "two workflows are called `{name}`: one at {first}, one at {second}; rename one with `name = \"..\"`"
)]
#[non_exhaustive]
pub struct DuplicateWorkflow {
    /// The name.
    pub name: String,
    /// Where the one was registered.
    pub first: Location,
    /// Where the other was registered.
    pub second: Location,
}

/// Registers a workflow, so that programs find it by name through the [`Registry`](crate::Registry).
///
/// `#[workflow(register = path)]` does it for workflows that are not generic. This is for those that are, once for
/// each type they are used with; give them different names with `name = ".."` on types of their own, because one
/// name can be registered once.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// struct Echo<T>(std::marker::PhantomData<T>);
///
/// #[workflow]
/// impl<T: Event + workflow_runtime::Saved + Clone> Echo<T> {
///     #[step]
///     fn echo(&self, Start(value): Start<T>) -> Stop<T> {
///         Stop(value)
///     }
/// }
///
/// #[event]
/// struct Word(String);
///
/// fn words() -> Echo<Word> {
///     Echo(std::marker::PhantomData)
/// }
///
/// workflow_runtime::register!(Echo<Word>, words);
///
/// assert!(workflow_runtime::Registry::collect().unwrap().get("Echo").is_some());
/// ```
#[macro_export]
macro_rules! register {
    ($workflow:ty, $build:path $(,)?) => {
        $crate::__register::inventory::submit! {
            $crate::Registration::new::<$workflow>(
                {
                    // A name of our own, because `$build` is looked up in here, too.
                    fn __build() -> $crate::__register::Built {
                        use $crate::__private::Otherwise as _;
                        $crate::__private::Of::<$workflow>::built($build())
                    }
                    __build
                },
                $crate::__register::file!(),
                $crate::__register::line!(),
            )
        }
    };
}

/// What the expansion of [`register!`](crate::register) needs. Not public API.
#[doc(hidden)]
pub mod __register {
    pub use std::sync::Arc;
    pub use std::{file, line};

    pub use inventory;

    pub type Built = Arc<dyn std::any::Any + Send + Sync>;
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn leaked(name: &'static str, line: u32) -> &'static Registration {
        let graph = Graph {
            name: Cow::Borrowed(name),
            docs: Cow::Borrowed(""),
            events: Cow::Borrowed(&[]),
            steps: Cow::Borrowed(&[]),
            points: Cow::Borrowed(&[]),
        };
        Box::leak(Box::new(Registration {
            graph: Box::leak(Box::new(graph)),
            location: Location { file: "src/flows.rs", line },
            build: || Arc::new(()),
            kind: |_| None,
        }))
    }

    #[test]
    fn workflows_are_sorted_by_name_whatever_order_the_linker_has_them_in() {
        let registry = Registry::of(vec![leaked("C", 1), leaked("A", 2), leaked("B", 3)]).unwrap();
        assert_eq!(registry.iter().map(Registration::name).collect::<Vec<_>>(), ["A", "B", "C"]);
        assert_eq!(registry.get("B").unwrap().location().line, 3);
        assert!(registry.get("D").is_none());
    }

    #[test]
    fn two_of_one_name_are_refused_with_both_places() {
        let error = Registry::of(vec![leaked("A", 7), leaked("B", 8), leaked("A", 3)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "two workflows are called `A`: one at src/flows.rs:3, one at src/flows.rs:7; rename one with `name = \
             \"..\"`"
        );
    }
}
