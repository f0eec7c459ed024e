//! A control loop, and a task per step.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::Work;

/// Runs from the first event to the end.
pub async fn run<W: Work>(mut work: W, first: W::Event) -> W::Output {
    let (done, mut results) = mpsc::unbounded_channel();
    let mut ready = VecDeque::from([first]);
    loop {
        for event in ready.drain(..) {
            let done = done.clone();
            tokio::spawn(async move {
                // The run may have ended.
                let _ = done.send(W::step(event).await);
            });
        }
        let event = results.recv().await.unwrap();
        if let Some(output) = work.route(event, &mut ready) {
            return output;
        }
    }
}
