//! Which graph a snapshot was written under.

use std::cell::RefCell;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use workflow_graph::Graph;

use crate::engine::GraphRef;

/// The fingerprint of a graph. Stands in JSON as sixteen hexadecimal digits; with another form of it, a snapshot would be of
/// another format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(u64);

/// So many graphs are remembered by each thread. Few programs have more workflows.
const MOST_REMEMBERED: usize = 64;

impl Fingerprint {
    /// To reckon one takes as long as to write a small run, and longer the more steps there are. So those of constants,
    /// which stay as they are and where they are, are remembered. (It tells a person what was saved; whether a snapshot fits
    /// is found out without it.)
    pub(super) fn of(graph: &GraphRef) -> Self {
        thread_local! {
            static REMEMBERED: RefCell<Vec<(*const Graph, u64)>> = const { RefCell::new(Vec::new()) };
        }
        let GraphRef::Static(graph) = graph else { return Self(graph.fingerprint()) };
        let address = std::ptr::from_ref::<Graph>(graph);
        let remembered = REMEMBERED.try_with(|remembered| {
            let mut remembered = remembered.borrow_mut();
            if let Some((_, fingerprint)) = remembered.iter().find(|(known, _)| *known == address) {
                return *fingerprint;
            }
            if remembered.len() == MOST_REMEMBERED {
                remembered.clear();
            }
            let fingerprint = graph.fingerprint();
            remembered.push((address, fingerprint));
            fingerprint
        });
        // There is nothing to remember where the thread ends.
        Self(remembered.unwrap_or_else(|_| graph.fingerprint()))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;

        impl Visitor<'_> for Digits {
            type Value = Fingerprint;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the fingerprint of a graph, in hexadecimal")
            }

            fn visit_str<E: Error>(self, digits: &str) -> Result<Fingerprint, E> {
                let number = u64::from_str_radix(digits, 16);
                number
                    .map(Fingerprint)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(digits), &self))
            }
        }

        deserializer.deserialize_str(Digits)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use workflow_graph::build::{Builder, StepDecl};

    use super::*;

    fn graph(name: &str) -> Graph {
        let mut builder = Builder::new("Any");
        builder.step(StepDecl::new(name));
        builder.build()
    }

    #[test]
    fn each_graph_has_its_own_also_when_they_are_remembered() {
        let graphs: Vec<&'static Graph> = (0..3 * MOST_REMEMBERED)
            .map(|number| &*Box::leak(Box::new(graph(&format!("step_{number}")))))
            .collect();
        for _ in 0..2 {
            for graph in &graphs {
                let remembered = Fingerprint::of(&GraphRef::Static(graph));
                assert_eq!(remembered, Fingerprint(graph.fingerprint()));
                assert_eq!(remembered, Fingerprint::of(&GraphRef::Static(graph)));
                assert_eq!(remembered, Fingerprint::of(&GraphRef::Shared(Arc::new(Graph::clone(graph)))));
            }
        }
    }

    #[test]
    fn it_stands_in_json_as_sixteen_digits() {
        let json = serde_json::to_string(&Fingerprint(0xab)).unwrap();
        assert_eq!(json, r#""00000000000000ab""#);
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), Fingerprint(0xab));
        let error = serde_json::from_str::<Fingerprint>(r#""none""#).unwrap_err().to_string();
        assert!(
            error.contains(r#"invalid value: string "none", expected the fingerprint of a graph"#),
            "{error}"
        );
    }
}
