//! At which depth of fan-out each step runs.

use crate::{Graph, Slot};

pub(crate) fn gathered_points(graph: &Graph) -> Vec<Vec<Slot>> {
    vec![Vec::new(); graph.points.len()]
}
