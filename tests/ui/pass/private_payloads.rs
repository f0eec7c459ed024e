//! Types as private as the workflow, and more private events in a public workflow.

#![deny(warnings)]
#![deny(private_interfaces, private_bounds, unreachable_pub, unused_qualifications, clippy::all)]

mod inner {
    use workflow_runtime::prelude::*;

    #[data]
    struct Order(u8);

    #[data]
    struct Receipt(u8);

    #[event]
    struct Priced(u8);

    #[prompt(response = Answer)]
    struct Question;

    #[data]
    struct Answer(u8);

    struct Private;

    #[workflow]
    impl Private {
        #[step]
        fn begin(&self, Start(order): Start<Order>) -> Priced {
            Priced(order.0)
        }

        #[step]
        fn ask(&self, ev: Priced) -> OneOf<InputRequired<Question>, Stop<Receipt>> {
            if ev.0 > 3 { OneOf::new(InputRequired::new(Question)) } else { OneOf::new(Stop(Receipt(ev.0))) }
        }

        #[step]
        fn answered(&self, answer: HumanResponse<Question>) -> Stop<Receipt> {
            Stop(Receipt(answer.response.0))
        }
    }

    pub(crate) struct Public;

    #[workflow(prompts = Asked)]
    impl Public {
        #[step]
        fn begin(&self, _: Start) -> Priced {
            Priced(1)
        }

        #[step]
        async fn ask(&self, _: &Priced) -> InputRequired<Question> {
            InputRequired::new(Question)
        }

        #[step]
        async fn answered(&self, answer: HumanResponse<Question>) -> Stop<u8> {
            Stop(answer.response.0)
        }
    }

    pub(crate) async fn run() -> u8 {
        let run = Public.run(());
        let ask = loop {
            if let Ok(ask) = run.pending().one::<Question>() {
                break ask;
            }
            tokio::task::yield_now().await;
        };
        let _: Asked = Asked::Question(Question);
        run.respond(&ask, Answer(5)).await.unwrap();
        Private.run(Order(1)).await.unwrap().0 + run.await.unwrap()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(inner::run().await, 6);
}
