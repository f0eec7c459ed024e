/// Greets.
impl Greet {
    /// Asks for a name.
    fn ask(&self, _: Start) -> (InputRequired, Other) {
        InputRequired::text("What is your name?")
    }
    async fn greet(
        &self,
        HumanResponse { response, .. }: HumanResponse,
    ) -> Stop<String> {
        Stop(format!("Hello, {response}!"))
    }
}
#[doc(hidden)]
#[allow(
    clippy::all,
    dead_code,
    private_interfaces,
    unreachable_patterns,
    unused_imports,
    unused_variables
)]
const _: () = {
    use ::workflow_runtime::__private::{self, Otherwise as _};
    const fn __mistakes() -> __private::bool {
        ::core::compile_error! {
            "a step cannot return a tuple; list the alternatives in `OneOf<..>`, or return one event and let two steps take it"
        }
        true
    }
    const fn __checks() -> __private::bool {
        let _ = || {
            __private::form::<Start, __private::Start<_>>();
            __private::form::<Stop<String>, __private::Stop<_>>();
            {
                type __Written = HumanResponse;
                __private::form::<__Written, __private::HumanResponse<_, _>>();
            }
            __private::Of::<String>::saved::<String>();
            __private::Of::<
                <String as __private::Checked<
                    { __private::Of::<String>::EVENT_IS_DEFINED },
                >>::Type,
            >::is_shareable::<String>();
            __private::Of::<String>::is_copied::<String>();
        };
        true
    }
    type __Checked<__T> = <__T as __private::Checked<{ __checks() }>>::Type;
    fn __shared() {
        __private::shared_by_runs::<Greet>();
    }
    #[automatically_derived]
    impl __private::Workflow for Greet {
        type Input = __Checked<()>;
        type Output = __Checked<String>;
        type State = ();
        type Progress = ();
        type Prompt = __Checked<__private::NoPrompt>;
        type Event = __private::Unfinished;
        const GRAPH: &'static __private::graph::Graph = __private::NO_GRAPH;
        fn start(__input: Self::Input) -> Self::Event {
            __private::unfinished()
        }
        fn output(__event: Self::Event) -> __private::Result<Self::Output, Self::Event> {
            __private::Err(__event)
        }
        fn prompt(__asked: &Self::Event) -> __private::Option<Self::Prompt> {
            __private::None
        }
        fn answer_json(
            __asked: &Self::Event,
            __request: __private::RequestId,
            __response: &__private::RawValue,
        ) -> __private::Result<Self::Event, __private::AnswerError> {
            __private::no_question()
        }
        fn share(self: __private::Arc<Self>) -> __private::Shared<Self> {
            __private::Of::<Self>::share(self)
        }
        fn call(
            __step: __private::graph::StepId,
            __input: __private::Input<Self::Event>,
            __context: __private::Context<Self>,
            __room: &mut __private::Room<Self::Event>,
        ) -> __private::StepCall<Self::Event> {
            __private::called(__private::no_such_step(__step))
        }
    }
    #[step(__used)]
    const _: () = ();
};
