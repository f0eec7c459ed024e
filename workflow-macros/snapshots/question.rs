/// Greets.
impl Greet {
    /// Asks for a name.
    fn ask(&self, _: Start) -> InputRequired {
        InputRequired::text("What is your name?")
    }
    async fn greet(
        &self,
        HumanResponse { response, .. }: HumanResponse,
    ) -> Stop<String> {
        Stop(format!("Hello, {response}!"))
    }
}
/// Every question that `Greet` asks.
#[allow(private_interfaces, unreachable_pub, clippy::large_enum_variant)]
pub enum GreetPrompt {
    /// The question `Text`.
    Text(::workflow_runtime::Text),
}
#[doc(hidden)]
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    dead_code,
    deprecated,
    missing_docs,
    non_camel_case_types,
    private_interfaces,
    unreachable_code,
    unreachable_patterns,
    unreachable_pub,
    unused_imports,
    unused_qualifications,
    unused_variables
)]
const _: () = {
    use ::workflow_runtime::__private::{self, Otherwise as _};
    const fn __checks() -> __private::bool {
        let _ = || {
            __private::form::<Start, __private::Start<_>>();
            __private::form::<InputRequired, __private::InputRequired<_>>();
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
    trait EveryEventHasOneName {}
    pub enum __GreetEvents {
        Start(__Checked<Start>),
        InputRequiredText(__Checked<InputRequired>),
        HumanResponseText(__Checked<HumanResponse>),
        StopString(__Checked<Stop<String>>),
    }
    #[automatically_derived]
    impl __private::Clone for __GreetEvents {
        fn clone(&self) -> Self {
            match self {
                Self::Start(__event) => {
                    Self::Start(__private::Of::<Start>::new().copy(__event))
                }
                Self::InputRequiredText(__event) => {
                    Self::InputRequiredText(
                        __private::Of::<InputRequired>::new().copy(__event),
                    )
                }
                Self::HumanResponseText(__event) => {
                    Self::HumanResponseText(
                        __private::Of::<HumanResponse>::new().copy(__event),
                    )
                }
                Self::StopString(__event) => {
                    Self::StopString(__private::Of::<Stop<String>>::new().copy(__event))
                }
            }
        }
    }
    #[automatically_derived]
    impl __private::Payload for __GreetEvents {
        fn event(&self) -> __private::graph::EventId {
            __private::graph::EventId(
                match self {
                    Self::Start(_) => 0u16,
                    Self::InputRequiredText(_) => 1u16,
                    Self::HumanResponseText(_) => 2u16,
                    Self::StopString(_) => 3u16,
                },
            )
        }
        fn unanswered(
            &self,
            __request: __private::RequestId,
            __event: __private::graph::EventId,
        ) -> __private::Option<Self> {
            __private::default_answer(self, __request, __event)
        }
        fn expires_in(&self) -> __private::Option<__private::u64> {
            match self {
                Self::InputRequiredText(__event) => {
                    __private::Of::<InputRequired>::new().expires_in(__event)
                }
                _ => __private::None,
            }
        }
    }
    #[automatically_derived]
    impl __private::Events for __GreetEvents {
        fn encode(
            &self,
        ) -> __private::Result<
            __private::Box<__private::RawValue>,
            __private::JsonError,
        > {
            match self {
                Self::Start(__event) => __private::Of::<Start>::new().encode(__event),
                Self::InputRequiredText(__event) => {
                    __private::Of::<InputRequired>::new().encode(__event)
                }
                Self::HumanResponseText(__event) => {
                    __private::Of::<HumanResponse>::new().encode(__event)
                }
                Self::StopString(__event) => {
                    __private::Of::<Stop<String>>::new().encode(__event)
                }
            }
        }
        fn decode(
            __event: __private::graph::EventId,
            __json: &__private::RawValue,
        ) -> __private::Result<Self, __private::JsonError> {
            match __event.0 {
                0u16 => {
                    __private::Result::map(
                        __private::Of::<Start>::new().decode(__json),
                        |__event| Self::Start(__event),
                    )
                }
                1u16 => {
                    __private::Result::map(
                        __private::Of::<InputRequired>::new().decode(__json),
                        |__event| Self::InputRequiredText(__event),
                    )
                }
                2u16 => {
                    __private::Result::map(
                        __private::Of::<HumanResponse>::new().decode(__json),
                        |__event| Self::HumanResponseText(__event),
                    )
                }
                3u16 => {
                    __private::Result::map(
                        __private::Of::<Stop<String>>::new().decode(__json),
                        |__event| Self::StopString(__event),
                    )
                }
                _ => __private::no_such_event(__event),
            }
        }
    }
    #[automatically_derived]
    impl __private::Clone for GreetPrompt {
        fn clone(&self) -> Self {
            match self {
                Self::Text(__prompt) => {
                    Self::Text(
                        __private::Of::<::workflow_runtime::Text>::new().copy(__prompt),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl __private::Serialize for GreetPrompt {
        fn serialize<__S: __private::Serializer>(
            &self,
            __serializer: __S,
        ) -> __private::Result<__S::Ok, __S::Error> {
            match self {
                Self::Text(__prompt) => {
                    __private::Of::<::workflow_runtime::Text>::new()
                        .serialize(__prompt, "GreetPrompt", 0u32, "Text", __serializer)
                }
            }
        }
    }
    #[automatically_derived]
    impl __private::Asks<
        ::workflow_runtime::Text,
        <__Checked<::workflow_runtime::Text> as __private::Prompt>::Response,
    > for Greet {
        fn pick(
            __prompt: &<Self as __private::Workflow>::Prompt,
        ) -> __private::Option<&::workflow_runtime::Text> {
            match __prompt {
                GreetPrompt::Text(__prompt) => __private::Some(__prompt),
            }
        }
        fn answer(
            __asked: &<Self as __private::Workflow>::Event,
            __request: __private::RequestId,
            __response: <__Checked<
                ::workflow_runtime::Text,
            > as __private::Prompt>::Response,
        ) -> __private::Result<
            <Self as __private::Workflow>::Event,
            __private::AnswerError,
        > {
            match __asked {
                __GreetEvents::InputRequiredText(__event) => {
                    __private::Result::map(
                        __private::Of::<::workflow_runtime::Text>::new()
                            .answer(
                                __private::Of::<InputRequired>::new().asked(__event),
                                __request,
                                __response,
                            ),
                        |__answer| __GreetEvents::HumanResponseText(__answer),
                    )
                }
                __other => {
                    __private::other_prompt(
                        <Self as __private::Workflow>::GRAPH,
                        __other,
                        "Text",
                    )
                }
            }
        }
    }
    /**The steps, what each accepts, and what it emits:
```text
ask    Start                → asks Text
greet  HumanResponse<Text>  → Stop<String>
```*/
    #[automatically_derived]
    impl __private::Workflow for Greet {
        type Input = __Checked<()>;
        type Output = __Checked<String>;
        type State = ();
        type Progress = ();
        type Prompt = __Checked<GreetPrompt>;
        type Event = __GreetEvents;
        const GRAPH: &'static __private::graph::Graph = &__private::graph::Graph {
            name: __private::Cow::Borrowed("Greet"),
            docs: __private::Cow::Borrowed("Greets."),
            events: {
                const LIST: &[__private::graph::Event] = &[
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Start"),
                        role: __private::graph::Role::Start,
                        accepted_by: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(0u16),
                                    param: 0u16,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                    },
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("InputRequired<Text>"),
                        role: __private::graph::Role::Prompt {
                            response: __private::Some(__private::graph::EventId(2u16)),
                            expired: __private::None,
                        },
                        accepted_by: __private::Cow::Borrowed(&[]),
                    },
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("HumanResponse<Text>"),
                        role: __private::graph::Role::Response {
                            prompt: __private::Some(__private::graph::EventId(1u16)),
                        },
                        accepted_by: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(1u16),
                                    param: 0u16,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                    },
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Stop<String>"),
                        role: __private::graph::Role::Stop,
                        accepted_by: __private::Cow::Borrowed(&[]),
                    },
                ];
                __private::Cow::Borrowed(LIST)
            },
            steps: {
                const LIST: &[__private::graph::Step] = &[
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("ask"),
                        docs: __private::Cow::Borrowed("Asks for a name."),
                        was: __private::None,
                        params: {
                            const LIST: &[__private::graph::Param] = &[
                                __private::graph::Param {
                                    events: {
                                        const LIST: &[__private::graph::EventId] = &[
                                            __private::graph::EventId(0u16),
                                        ];
                                        __private::Cow::Borrowed(LIST)
                                    },
                                    form: __private::graph::ParamForm::One,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                        tools: __private::Cow::Borrowed(&[]),
                        returns: __private::graph::Returns {
                            fallible: false,
                            optional: false,
                            alternatives: {
                                const LIST: &[__private::graph::Alternative] = &[
                                    __private::graph::Alternative::One(
                                        __private::graph::EventId(1u16),
                                    ),
                                ];
                                __private::Cow::Borrowed(LIST)
                            },
                        },
                        options: __private::graph::StepOptions::NONE,
                    },
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("greet"),
                        docs: __private::Cow::Borrowed(""),
                        was: __private::None,
                        params: {
                            const LIST: &[__private::graph::Param] = &[
                                __private::graph::Param {
                                    events: {
                                        const LIST: &[__private::graph::EventId] = &[
                                            __private::graph::EventId(2u16),
                                        ];
                                        __private::Cow::Borrowed(LIST)
                                    },
                                    form: __private::graph::ParamForm::One,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                        tools: __private::Cow::Borrowed(&[]),
                        returns: __private::graph::Returns {
                            fallible: false,
                            optional: false,
                            alternatives: {
                                const LIST: &[__private::graph::Alternative] = &[
                                    __private::graph::Alternative::One(
                                        __private::graph::EventId(3u16),
                                    ),
                                ];
                                __private::Cow::Borrowed(LIST)
                            },
                        },
                        options: __private::graph::StepOptions::NONE,
                    },
                ];
                __private::Cow::Borrowed(LIST)
            },
            points: __private::Cow::Borrowed(&[]),
        };
        fn start(__input: Self::Input) -> Self::Event {
            __GreetEvents::Start(__private::Of::<Start>::new().start(__input))
        }
        fn output(__event: Self::Event) -> __private::Result<Self::Output, Self::Event> {
            match __event {
                __GreetEvents::StopString(__event) => {
                    __private::Ok(__private::Of::<Stop<String>>::new().output(__event))
                }
                __other => __private::Err(__other),
            }
        }
        fn prompt(__asked: &Self::Event) -> __private::Option<Self::Prompt> {
            match __asked {
                __GreetEvents::InputRequiredText(__event) => {
                    __private::Some(
                        GreetPrompt::Text(
                            __private::Of::<::workflow_runtime::Text>::new()
                                .copy(__private::Of::<InputRequired>::new().asked(__event)),
                        ),
                    )
                }
                _ => __private::None,
            }
        }
        fn answer_json(
            __asked: &Self::Event,
            __request: __private::RequestId,
            __response: &__private::RawValue,
        ) -> __private::Result<Self::Event, __private::AnswerError> {
            match __asked {
                __GreetEvents::InputRequiredText(__event) => {
                    __private::Result::map(
                        __private::Of::<::workflow_runtime::Text>::new()
                            .answer_json(
                                __private::Of::<InputRequired>::new().asked(__event),
                                __request,
                                __response,
                            ),
                        |__answer| __GreetEvents::HumanResponseText(__answer),
                    )
                }
                _ => __private::no_question(),
            }
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
            __private::called(
                match __step.0 {
                    0u16 => {
                        fn __step(
                            __input: __private::Input<__GreetEvents>,
                            __context: __private::Context<Greet>,
                            __room: &mut __private::Room<__GreetEvents>,
                        ) -> __private::Called<__GreetEvents> {
                            __private::Ok(
                                __private::done(move || {
                                    let __part0 = __private::one(__input, "ask")?;
                                    let __arg0 = match __part0 {
                                        __GreetEvents::Start(__event) => __event,
                                        _ => return __private::misrouted("ask"),
                                    };
                                    let __out = <__Checked<
                                        Greet,
                                    >>::ask(__context.workflow(), __arg0);
                                    __private::Ok({
                                        __private::Emitted::One(
                                            __GreetEvents::InputRequiredText(__out),
                                        )
                                    })
                                }),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    1u16 => {
                        fn __step(
                            __input: __private::Input<__GreetEvents>,
                            __context: __private::Context<Greet>,
                            __room: &mut __private::Room<__GreetEvents>,
                        ) -> __private::Called<__GreetEvents> {
                            let __part0 = __private::one(__input, "greet")?;
                            let __arg0 = match __part0 {
                                __GreetEvents::HumanResponseText(__event) => __event,
                                _ => return __private::misrouted("greet"),
                            };
                            __private::Ok(
                                __private::Of::<
                                    Greet,
                                >::every_step_is_send(
                                    async move {
                                        let __out = <__Checked<
                                            Greet,
                                        >>::greet(__context.workflow(), __arg0)
                                            .await;
                                        __private::Ok({
                                            __private::Emitted::One(__GreetEvents::StopString(__out))
                                        })
                                    },
                                    __room,
                                ),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    _ => __private::no_such_step(__step),
                },
            )
        }
        fn schemas() -> __private::Vec<__private::Schema> {
            let mut __list = __private::Vec::new();
            __private::Of::<()>::new().schema("Start", &mut __list);
            __private::Of::<::workflow_runtime::Text>::new()
                .schema("InputRequired<Text>", &mut __list);
            __private::Of::<::workflow_runtime::Text>::new()
                .response_schema("HumanResponse<Text>", &mut __list);
            __private::Of::<String>::new().schema("Stop<String>", &mut __list);
            __list
        }
    }
    #[step(__used)]
    const _: () = ();
};
