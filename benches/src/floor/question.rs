//! Two steps with a question in between, that can be saved as JSON: by hand.

use std::future::{Future, poll_fn};
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// What is saved: as much as the runtime saves of such a run.
#[derive(Serialize, Deserialize)]
pub struct Saved {
    format: u32,
    workflow: String,
    graph: String,
    run: String,
    status: String,
    ticks: u64,
    now: u64,
    last_id: u64,
    next_event: u64,
    requests: Vec<Request>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Request {
    id: u64,
    step: String,
    prompt: (String, Prompt),
    asked_at: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Prompt {
    text: String,
}

enum Event {
    Start(String),
    Asked(Prompt),
    Answered(Prompt, bool),
    Stop(u64),
    /// From outside.
    Answer(bool),
    Save(oneshot::Sender<Saved>),
    Gone,
}

/// How steps are done.
#[derive(Clone, Copy)]
pub enum Way {
    Spawn,
    Inline,
}

/// A run that somebody holds. It ends when it is dropped, unless it has its output.
pub struct Held {
    events: mpsc::UnboundedSender<Event>,
    questions: mpsc::UnboundedReceiver<String>,
    ends: JoinHandle<Option<u64>>,
}

impl Held {
    #[must_use]
    pub fn start(way: Way, text: String) -> Self {
        Self::go(way, Some(Event::Start(text)), None)
    }

    #[must_use]
    pub fn restore(way: Way, saved: Saved) -> Self {
        Self::go(way, None, saved.requests.into_iter().next().map(|request| request.prompt.1))
    }

    fn go(way: Way, first: Option<Event>, open: Option<Prompt>) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        let (asks, questions) = mpsc::unbounded_channel();
        let ends = tokio::spawn(control(way, first, open, inbox, events.clone(), asks));
        Self { events, questions, ends }
    }

    /// Waits until the question is asked.
    pub async fn asked(&mut self) -> String {
        self.questions.recv().await.unwrap()
    }

    pub async fn save(&self) -> Saved {
        let (reply, saved) = oneshot::channel();
        let _ = self.events.send(Event::Save(reply));
        saved.await.unwrap()
    }

    pub fn answer(&self, answer: bool) {
        let _ = self.events.send(Event::Answer(answer));
    }

    pub async fn output(mut self) -> u64 {
        (&mut self.ends).await.unwrap().unwrap()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.events.send(Event::Gone);
    }
}

async fn step(event: Event) -> Event {
    match event {
        Event::Start(text) => Event::Asked(Prompt { text }),
        Event::Answered(prompt, answer) => Event::Stop(if answer { prompt.text.len() as u64 } else { 0 }),
        other => other,
    }
}

async fn control(
    way: Way,
    first: Option<Event>,
    mut open: Option<Prompt>,
    mut inbox: mpsc::UnboundedReceiver<Event>,
    events: mpsc::UnboundedSender<Event>,
    asks: mpsc::UnboundedSender<String>,
) -> Option<u64> {
    let mut ready = first;
    loop {
        let event = match (ready.take(), way) {
            (None, _) => inbox.recv().await?,
            (Some(event), Way::Spawn) => {
                let events = events.clone();
                tokio::spawn(async move {
                    let _ = events.send(step(event).await);
                });
                continue;
            }
            (Some(event), Way::Inline) => {
                let mut step: Pin<Box<dyn Future<Output = Event> + Send>> = Box::pin(step(event));
                poll_fn(|poller| step.as_mut().poll(poller)).await
            }
        };
        match event {
            Event::Asked(prompt) => {
                let _ = asks.send(prompt.text.clone());
                open = Some(prompt);
            }
            Event::Save(reply) => {
                let _ = reply.send(save(open.clone()));
            }
            Event::Answer(answer) => ready = open.take().map(|prompt| Event::Answered(prompt, answer)),
            Event::Stop(output) => return Some(output),
            Event::Gone => return None,
            event => ready = Some(event),
        }
    }
}

fn save(open: Option<Prompt>) -> Saved {
    let request = |prompt| Request {
        id: 2,
        step: "draft".to_owned(),
        prompt: ("InputRequired<Review>".to_owned(), prompt),
        asked_at: 1_790_000_000_000,
    };
    Saved {
        format: 1,
        workflow: "Asks".to_owned(),
        graph: "0123456789abcdef0123456789abcdef".to_owned(),
        run: "0123456789abcdef0123456789abcdef".to_owned(),
        status: "running".to_owned(),
        ticks: 2,
        now: 1_790_000_000_000,
        last_id: 2,
        next_event: 4,
        requests: open.map(request).into_iter().collect(),
    }
}
