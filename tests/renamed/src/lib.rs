//! Every macro where the runtime has another name, and where it is reached through a module.

/// The runtime, reached through another crate's module.
pub mod reexported {
    pub use flow as runtime;
}

/// Two workflows that use every macro.
pub mod workflows {
    use flow::prelude::*;

    /// An event of every kind, as the derive makes it.
    #[derive(Clone, serde::Serialize, serde::Deserialize, Event)]
    #[event(crate = flow)]
    pub struct Draft {
        /// Its text.
        pub text: String,
    }

    /// An event, as the attribute makes it.
    #[event(crate = crate::reexported::runtime)]
    pub struct Final {
        /// Its text.
        pub text: String,
    }

    /// A question, as the attribute makes it.
    #[prompt(response = Verdict, validate = has_reason, crate = flow)]
    pub struct Publish {
        /// What to publish.
        pub text: String,
    }

    /// A question, as the derive makes it.
    #[derive(Clone, serde::Serialize, serde::Deserialize, Prompt)]
    #[prompt(response = String, crate = flow)]
    pub struct Title;

    /// The answer.
    #[data(crate = flow)]
    #[derive(Debug, PartialEq, Eq)]
    pub enum Verdict {
        /// Publish it.
        Yes,
        /// Do not.
        No(String),
    }

    fn has_reason(_: &Publish, verdict: &Verdict) -> Result<(), &'static str> {
        match verdict {
            Verdict::No(reason) if reason.is_empty() => Err("say why"),
            _ => Ok(()),
        }
    }

    /// Publishes a text.
    #[derive(Debug)]
    pub struct Review;

    #[workflow(crate = flow, register = Review::new)]
    impl Review {
        fn new() -> Self {
            Self
        }

        #[step]
        async fn draft(&self, Start(text): Start<String>) -> Vec<Draft> {
            vec![Draft { text }]
        }

        #[step]
        fn ask(&self, Draft { text }: Draft) -> InputRequired<Publish> {
            InputRequired::new(Publish { text })
        }

        #[step]
        fn judge(&self, answer: HumanResponse<Publish>) -> Option<Final> {
            (answer.response == Verdict::Yes).then(|| Final { text: answer.prompt.text.clone() })
        }

        #[step]
        async fn publish(&self, all: Vec<&Final>) -> Stop<usize> {
            Stop(all.len())
        }
    }

    /// Asks for a title; conditional, so that it goes through the helper.
    #[derive(Debug)]
    pub struct Titles;

    #[workflow(crate = crate::reexported::runtime, prompts = Questions)]
    impl Titles {
        #[cfg(not(any()))]
        #[step]
        async fn begin(&self, _: Start) -> InputRequired<Title> {
            InputRequired::new(Title)
        }

        #[step]
        async fn end(&self, answer: HumanResponse<Title>) -> Stop<String> {
            Stop(answer.response)
        }
    }
}

#[cfg(test)]
mod tests {
    use flow::prelude::*;

    use crate::workflows::{Publish, Review, Title, Titles, Verdict};

    async fn opened<W: Asks<Q>, Q: Prompt>(run: &Run<W>) -> Ask<Q> {
        let mut events = run.events();
        while let Some(Ok(event)) = events.next().await {
            if let Some(ask) = event.ask::<Q>() {
                return ask;
            }
        }
        panic!("the run ended without the question");
    }

    #[tokio::test]
    async fn a_workflow_runs_under_another_name() {
        let run = Review.run("text".to_owned());
        let ask = opened::<_, Publish>(&run).await;
        assert!(run.respond(&ask, Verdict::No(String::new())).await.is_err());
        run.respond(&ask, Verdict::Yes).await.unwrap();
        assert_eq!(run.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_conditional_workflow_runs_under_another_name() {
        let run = Titles.run(());
        let ask = opened::<_, Title>(&run).await;
        run.respond(&ask, "Titles".to_owned()).await.unwrap();
        assert_eq!(run.await.unwrap(), "Titles");
    }

    #[test]
    fn it_is_registered() {
        let registry = flow::Registry::collect().unwrap();
        assert!(registry.get("Review").is_some());
    }
}
