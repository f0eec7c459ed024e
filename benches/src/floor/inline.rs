//! One task, in which steps are polled in place.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use super::Work;

/// Runs from the first event to the end.
pub async fn run<W: Work>(mut work: W, first: W::Event) -> W::Output {
    let mut ready = VecDeque::from([first]);
    let mut parked: Vec<Pin<Box<dyn Future<Output = W::Event> + Send>>> = Vec::new();
    loop {
        let event = match ready.pop_front() {
            Some(event) => {
                let mut step: Pin<Box<dyn Future<Output = W::Event> + Send>> = Box::pin(W::step(event));
                match poll_fn(|poller| Poll::Ready(step.as_mut().poll(poller))).await {
                    Poll::Ready(event) => event,
                    Poll::Pending => {
                        parked.push(step);
                        continue;
                    }
                }
            }
            None => {
                poll_fn(|poller| {
                    for at in 0..parked.len() {
                        if let Poll::Ready(event) = parked[at].as_mut().poll(poller) {
                            drop(parked.swap_remove(at));
                            return Poll::Ready(event);
                        }
                    }
                    Poll::Pending
                })
                .await
            }
        };
        if let Some(output) = work.route(event, &mut ready) {
            return output;
        }
    }
}
