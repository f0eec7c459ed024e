//! What is no event at all is all that is said of a graph that it does not fit into.

use workflow_runtime::prelude::*;

#[event]
struct Row(u32);

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn split(&self, lines: Vec<String>, out: Emitter<u64>) -> Vec<bool> {
        drop((lines, out));
        Vec::new()
    }

    #[step]
    fn row(&self, _: OneOf<&str, ::std::primitive::i64>) -> Option<OneOf<Row, char>> {
        None
    }

    #[step]
    fn all(&self, numbers: Vec<f64>) -> f64 {
        numbers.into_iter().sum()
    }
}

fn main() {}
