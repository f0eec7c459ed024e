//! A workflow may hold runs, of its own and of others that hold runs of it.

use std::sync::Mutex;

use workflow_runtime::prelude::*;

#[event]
struct Page;

#[prompt(response = bool)]
struct Deeper;

#[derive(Default)]
struct Crawl {
    others: Mutex<Vec<Run<Crawl>>>,
    searches: Mutex<Vec<Run<Search<Html>>>>,
}

#[workflow]
impl Crawl {
    #[step]
    async fn fetch(&self, _: Start) -> Page {
        Page
    }

    #[step]
    async fn follow(&self, _: Page) -> InputRequired<Deeper> {
        InputRequired::new(Deeper)
    }

    #[step]
    async fn end(&self, answer: HumanResponse<Deeper>) -> Stop<bool> {
        self.others.lock().unwrap().clear();
        self.searches.lock().unwrap().clear();
        Stop(answer.response)
    }
}

trait Format: Send + Sync + 'static {
    type Word: Event + Clone + workflow_runtime::Saved;
}

struct Html;

impl Format for Html {
    type Word = Page;
}

struct Search<F: Format> {
    format: F,
    crawls: Mutex<Vec<Run<Crawl>>>,
}

#[workflow]
impl<F: Format> Search<F> {
    #[step]
    fn begin(&self, Start(word): Start<F::Word>) -> Option<Stop<F::Word>> {
        self.crawls.lock().unwrap().clear();
        let _ = &self.format;
        Some(Stop(word))
    }

    #[step]
    fn again(&self, Signal(word): Signal<F::Word>) -> Stop<F::Word> {
        Stop(word)
    }
}

/// Without knowing the format.
async fn search<F: Format>(search: Search<F>, word: F::Word) -> Result<F::Word, RunError> {
    let run = search.run(word.clone());
    drop(run.send(word).await);
    run.await
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let run = Crawl::default().run(());
    let mut events = run.events();
    while let Some(event) = events.next().await {
        if let Some(ask) = event.unwrap().ask::<Deeper>() {
            run.respond(&ask, false).await.unwrap();
        }
    }
    assert!(!run.await.unwrap());
    assert!(search(Search { format: Html, crawls: Mutex::default() }, Page).await.is_ok());
}
