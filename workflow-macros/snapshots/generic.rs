impl<L: Llm, const N: usize> agents::Agent<L, N>
where
    Self: Debug,
{
    fn ask(
        &self,
        Start(prompt): Start<Prompt<Self>>,
    ) -> InputRequired<Improve<L::Message>> {
        InputRequired::new(Improve(prompt))
    }
    fn improved(
        &self,
        answer: &HumanResponse<crate::Improve<L::Message>>,
    ) -> events::Done<N> {
        Done
    }
    fn done(&self, done: Done<N>) -> Stop {
        Stop(())
    }
}
/// Every question that `Agent` asks.
#[allow(private_interfaces, unreachable_pub, clippy::large_enum_variant)]
pub enum Questions<L: Llm>
where
    L: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
        + 'static,
{
    /// The question `Improve<Message>`.
    ImproveMessage(Improve<L::Message>),
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
            __private::form::<Stop, __private::Stop<_>>();
        };
        true
    }
    type __Checked<__T> = <__T as __private::Checked<{ __checks() }>>::Type;
    fn __checks_of_parameters<L: Llm, const N: usize>()
    where
        agents::Agent<L, N>: Debug,
        L: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        agents::Agent<
            L,
            N,
        >: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
    {
        __private::form::<Start<Prompt<agents::Agent<L, N>>>, __private::Start<_>>();
        __private::form::<
            InputRequired<Improve<L::Message>>,
            __private::InputRequired<_>,
        >();
        __private::Of::<Improve<L::Message>>::prompt::<Improve<L::Message>>();
        __private::Of::<events::Done<N>>::event::<events::Done<N>>();
        __private::form::<
            HumanResponse<crate::Improve<L::Message>>,
            __private::HumanResponse<_, _>,
        >();
        __private::Of::<Done<N>>::event::<Done<N>>();
        __private::Of::<Prompt<agents::Agent<L, N>>>::else_saved::<L>();
        __private::Of::<Prompt<agents::Agent<L, N>>>::else_saved::<N>();
        __private::Of::<(L, N)>::then_saved::<Prompt<agents::Agent<L, N>>>();
        __private::Of::<
            Prompt<agents::Agent<L, N>>,
        >::is_shareable::<Prompt<agents::Agent<L, N>>>();
        __private::Of::<
            Start<Prompt<agents::Agent<L, N>>>,
        >::is_taken::<Start<Prompt<agents::Agent<L, N>>>>();
        __private::Of::<Improve<L::Message>>::prompt_is_saved::<Improve<L::Message>>();
        __private::Of::<Improve<L::Message>>::response_is_saved::<Improve<L::Message>>();
        __private::Of::<
            Improve<L::Message>,
        >::prompt_is_shareable::<Improve<L::Message>>();
        __private::Of::<events::Done<N>>::event_is_saved::<events::Done<N>>();
        __private::Of::<events::Done<N>>::event_is_shareable::<events::Done<N>>();
        __private::Of::<events::Done<N>>::event_is_taken::<Done<N>>();
    }
    trait EveryEventHasOneName {}
    pub enum __AgentEvents<L: Llm, const N: usize>
    where
        agents::Agent<L, N>: Debug,
        L: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        agents::Agent<
            L,
            N,
        >: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        Prompt<
            agents::Agent<L, N>,
        >: __private::Saved + __private::Send + __private::Sync + 'static,
        events::Done<N>: __private::Event + __private::Saved + 'static,
        Done<N>: __private::Event + __private::Saved + 'static,
    {
        StartPromptAgentLN(__Checked<Start<Prompt<agents::Agent<L, N>>>>),
        InputRequiredImproveMessage(__Checked<InputRequired<Improve<L::Message>>>),
        HumanResponseImproveMessage(
            __private::Arc<
                __Checked<
                    __private::HumanResponse<__Checked<crate::Improve<L::Message>>>,
                >,
            >,
        ),
        DoneN(__Checked<events::Done<N>>),
        Stop(__Checked<Stop>),
        __Parameters(
            __private::Never,
            __private::PhantomData<fn() -> agents::Agent<L, N>>,
        ),
    }
    #[automatically_derived]
    impl<L: Llm, const N: usize> __private::Clone for __AgentEvents<L, N>
    where
        agents::Agent<L, N>: Debug,
        L: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        agents::Agent<
            L,
            N,
        >: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        Prompt<
            agents::Agent<L, N>,
        >: __private::Saved + __private::Send + __private::Sync + 'static,
        events::Done<N>: __private::Event + __private::Saved + 'static,
        Done<N>: __private::Event + __private::Saved + 'static,
    {
        fn clone(&self) -> Self {
            match self {
                Self::StartPromptAgentLN(__event) => {
                    Self::StartPromptAgentLN(
                        __private::Of::<Start<Prompt<agents::Agent<L, N>>>>::new()
                            .copy(__event),
                    )
                }
                Self::InputRequiredImproveMessage(__event) => {
                    Self::InputRequiredImproveMessage(
                        __private::Of::<InputRequired<Improve<L::Message>>>::new()
                            .copy(__event),
                    )
                }
                Self::HumanResponseImproveMessage(__event) => {
                    Self::HumanResponseImproveMessage(__private::Arc::clone(__event))
                }
                Self::DoneN(__event) => {
                    Self::DoneN(__private::Of::<events::Done<N>>::new().copy(__event))
                }
                Self::Stop(__event) => {
                    Self::Stop(__private::Of::<Stop>::new().copy(__event))
                }
                Self::__Parameters(__never, _) => match *__never {}
            }
        }
    }
    #[automatically_derived]
    impl<L: Llm, const N: usize> __private::Payload for __AgentEvents<L, N>
    where
        agents::Agent<L, N>: Debug,
        L: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        agents::Agent<
            L,
            N,
        >: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        Prompt<
            agents::Agent<L, N>,
        >: __private::Saved + __private::Send + __private::Sync + 'static,
        events::Done<N>: __private::Event + __private::Saved + 'static,
        Done<N>: __private::Event + __private::Saved + 'static,
    {
        fn event(&self) -> __private::graph::EventId {
            __private::graph::EventId(
                match self {
                    Self::StartPromptAgentLN(_) => 0u16,
                    Self::InputRequiredImproveMessage(_) => 1u16,
                    Self::HumanResponseImproveMessage(_) => 2u16,
                    Self::DoneN(_) => 3u16,
                    Self::Stop(_) => 4u16,
                    Self::__Parameters(__never, _) => match *__never {}
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
                Self::InputRequiredImproveMessage(__event) => {
                    __private::Of::<InputRequired<Improve<L::Message>>>::new()
                        .expires_in(__event)
                }
                _ => __private::None,
            }
        }
    }
    #[automatically_derived]
    impl<L: Llm, const N: usize> __private::Events for __AgentEvents<L, N>
    where
        agents::Agent<L, N>: Debug,
        L: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        agents::Agent<
            L,
            N,
        >: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        Prompt<
            agents::Agent<L, N>,
        >: __private::Saved + __private::Send + __private::Sync + 'static,
        events::Done<N>: __private::Event + __private::Saved + 'static,
        Done<N>: __private::Event + __private::Saved + 'static,
    {
        fn encode(
            &self,
        ) -> __private::Result<
            __private::Box<__private::RawValue>,
            __private::JsonError,
        > {
            match self {
                Self::StartPromptAgentLN(__event) => {
                    __private::Of::<Start<Prompt<agents::Agent<L, N>>>>::new()
                        .encode(__event)
                }
                Self::InputRequiredImproveMessage(__event) => {
                    __private::Of::<InputRequired<Improve<L::Message>>>::new()
                        .encode(__event)
                }
                Self::HumanResponseImproveMessage(__event) => {
                    __private::Of::<
                        __private::HumanResponse<__Checked<crate::Improve<L::Message>>>,
                    >::new()
                        .encode(__event)
                }
                Self::DoneN(__event) => {
                    __private::Of::<events::Done<N>>::new().encode(__event)
                }
                Self::Stop(__event) => __private::Of::<Stop>::new().encode(__event),
                Self::__Parameters(__never, _) => match *__never {}
            }
        }
        fn decode(
            __event: __private::graph::EventId,
            __json: &__private::RawValue,
        ) -> __private::Result<Self, __private::JsonError> {
            match __event.0 {
                0u16 => {
                    __private::Result::map(
                        __private::Of::<Start<Prompt<agents::Agent<L, N>>>>::new()
                            .decode(__json),
                        |__event| Self::StartPromptAgentLN(__event),
                    )
                }
                1u16 => {
                    __private::Result::map(
                        __private::Of::<InputRequired<Improve<L::Message>>>::new()
                            .decode(__json),
                        |__event| Self::InputRequiredImproveMessage(__event),
                    )
                }
                2u16 => {
                    __private::Result::map(
                        __private::Of::<
                            __private::HumanResponse<
                                __Checked<crate::Improve<L::Message>>,
                            >,
                        >::new()
                            .decode(__json),
                        |__event| Self::HumanResponseImproveMessage(
                            __private::Arc::new(__event),
                        ),
                    )
                }
                3u16 => {
                    __private::Result::map(
                        __private::Of::<events::Done<N>>::new().decode(__json),
                        |__event| Self::DoneN(__event),
                    )
                }
                4u16 => {
                    __private::Result::map(
                        __private::Of::<Stop>::new().decode(__json),
                        |__event| Self::Stop(__event),
                    )
                }
                _ => __private::no_such_event(__event),
            }
        }
    }
    #[automatically_derived]
    impl<L: Llm> __private::Clone for Questions<L>
    where
        L: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
    {
        fn clone(&self) -> Self {
            match self {
                Self::ImproveMessage(__prompt) => {
                    Self::ImproveMessage(
                        __private::Of::<Improve<L::Message>>::new().copy(__prompt),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl<L: Llm> __private::Serialize for Questions<L>
    where
        L: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
    {
        fn serialize<__S: __private::Serializer>(
            &self,
            __serializer: __S,
        ) -> __private::Result<__S::Ok, __S::Error> {
            match self {
                Self::ImproveMessage(__prompt) => {
                    __private::Of::<Improve<L::Message>>::new()
                        .serialize(
                            __prompt,
                            "Questions",
                            0u32,
                            "ImproveMessage",
                            __serializer,
                        )
                }
            }
        }
    }
    #[automatically_derived]
    impl<
        L: Llm,
        const N: usize,
    > __private::Asks<
        Improve<L::Message>,
        <__Checked<Improve<L::Message>> as __private::Prompt>::Response,
    > for agents::Agent<L, N>
    where
        agents::Agent<L, N>: Debug,
        L: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        agents::Agent<
            L,
            N,
        >: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        Prompt<
            agents::Agent<L, N>,
        >: __private::Saved + __private::Send + __private::Sync + 'static,
        events::Done<N>: __private::Event + __private::Saved + 'static,
        Done<N>: __private::Event + __private::Saved + 'static,
    {
        fn pick(
            __prompt: &<Self as __private::Workflow>::Prompt,
        ) -> __private::Option<&Improve<L::Message>> {
            match __prompt {
                Questions::ImproveMessage(__prompt) => __private::Some(__prompt),
            }
        }
        fn answer(
            __asked: &<Self as __private::Workflow>::Event,
            __request: __private::RequestId,
            __response: <__Checked<Improve<L::Message>> as __private::Prompt>::Response,
        ) -> __private::Result<
            <Self as __private::Workflow>::Event,
            __private::AnswerError,
        > {
            match __asked {
                __AgentEvents::InputRequiredImproveMessage(__event) => {
                    __private::Result::map(
                        __private::Of::<Improve<L::Message>>::new()
                            .answer(
                                __private::Of::<InputRequired<Improve<L::Message>>>::new()
                                    .asked(__event),
                                __request,
                                __response,
                            ),
                        |__answer| __AgentEvents::HumanResponseImproveMessage(
                            __private::Arc::new(
                                <HumanResponse<
                                    crate::Improve<L::Message>,
                                > as __private::SameEvent<
                                    __private::HumanResponse<Improve<L::Message>>,
                                >>::from_first(__answer),
                            ),
                        ),
                    )
                }
                __other => {
                    __private::other_prompt(
                        <Self as __private::Workflow>::GRAPH,
                        __other,
                        "Improve<Message>",
                    )
                }
            }
        }
    }
    /**The steps, what each accepts, and what it emits:
```text
ask       Start<Prompt<Agent<L, N>>>       → asks Improve<Message>
improved  HumanResponse<Improve<Message>>  → Done<N>
done      Done<N>                          → Stop
```*/
    #[automatically_derived]
    impl<L: Llm, const N: usize> __private::Workflow for agents::Agent<L, N>
    where
        agents::Agent<L, N>: Debug,
        L: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        agents::Agent<
            L,
            N,
        >: ::workflow_runtime::__private::Send + ::workflow_runtime::__private::Sync
            + 'static,
        Prompt<
            agents::Agent<L, N>,
        >: __private::Saved + __private::Send + __private::Sync + 'static,
        events::Done<N>: __private::Event + __private::Saved + 'static,
        Done<N>: __private::Event + __private::Saved + 'static,
    {
        type Input = __Checked<Prompt<agents::Agent<L, N>>>;
        type Output = __Checked<()>;
        type State = ();
        type Progress = ();
        type Prompt = __Checked<Questions<L>>;
        type Event = __AgentEvents<L, N>;
        const GRAPH: &'static __private::graph::Graph = &__private::graph::Graph {
            name: __private::Cow::Borrowed("Agent"),
            docs: __private::Cow::Borrowed(""),
            events: {
                const LIST: &[__private::graph::Event] = &[
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Start<Prompt<Agent<L, N>>>"),
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
                        name: __private::Cow::Borrowed(
                            "InputRequired<Improve<Message>>",
                        ),
                        role: __private::graph::Role::Prompt {
                            response: __private::Some(__private::graph::EventId(2u16)),
                            expired: __private::None,
                        },
                        accepted_by: __private::Cow::Borrowed(&[]),
                    },
                    __private::graph::Event {
                        name: __private::Cow::Borrowed(
                            "HumanResponse<Improve<Message>>",
                        ),
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
                        name: __private::Cow::Borrowed("Done<N>"),
                        role: __private::graph::Role::Event,
                        accepted_by: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(2u16),
                                    param: 0u16,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                    },
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Stop"),
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
                        docs: __private::Cow::Borrowed(""),
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
                        name: __private::Cow::Borrowed("improved"),
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
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("done"),
                        docs: __private::Cow::Borrowed(""),
                        was: __private::None,
                        params: {
                            const LIST: &[__private::graph::Param] = &[
                                __private::graph::Param {
                                    events: {
                                        const LIST: &[__private::graph::EventId] = &[
                                            __private::graph::EventId(3u16),
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
                                        __private::graph::EventId(4u16),
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
            __AgentEvents::StartPromptAgentLN(
                __private::Of::<Start<Prompt<agents::Agent<L, N>>>>::new().start(__input),
            )
        }
        fn output(__event: Self::Event) -> __private::Result<Self::Output, Self::Event> {
            match __event {
                __AgentEvents::Stop(__event) => {
                    __private::Ok(__private::Of::<Stop>::new().output(__event))
                }
                __other => __private::Err(__other),
            }
        }
        fn prompt(__asked: &Self::Event) -> __private::Option<Self::Prompt> {
            match __asked {
                __AgentEvents::InputRequiredImproveMessage(__event) => {
                    __private::Some(
                        Questions::ImproveMessage(
                            __private::Of::<Improve<L::Message>>::new()
                                .copy(
                                    __private::Of::<InputRequired<Improve<L::Message>>>::new()
                                        .asked(__event),
                                ),
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
                __AgentEvents::InputRequiredImproveMessage(__event) => {
                    __private::Result::map(
                        __private::Of::<Improve<L::Message>>::new()
                            .answer_json(
                                __private::Of::<InputRequired<Improve<L::Message>>>::new()
                                    .asked(__event),
                                __request,
                                __response,
                            ),
                        |__answer| __AgentEvents::HumanResponseImproveMessage(
                            __private::Arc::new(
                                <HumanResponse<
                                    crate::Improve<L::Message>,
                                > as __private::SameEvent<
                                    __private::HumanResponse<Improve<L::Message>>,
                                >>::from_first(__answer),
                            ),
                        ),
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
                        fn __step<L: Llm, const N: usize>(
                            __input: __private::Input<__AgentEvents<L, N>>,
                            __context: __private::Context<agents::Agent<L, N>>,
                            __room: &mut __private::Room<__AgentEvents<L, N>>,
                        ) -> __private::Called<__AgentEvents<L, N>>
                        where
                            agents::Agent<L, N>: Debug,
                            L: ::workflow_runtime::__private::Send
                                + ::workflow_runtime::__private::Sync + 'static,
                            agents::Agent<
                                L,
                                N,
                            >: ::workflow_runtime::__private::Send
                                + ::workflow_runtime::__private::Sync + 'static,
                            Prompt<
                                agents::Agent<L, N>,
                            >: __private::Saved + __private::Send + __private::Sync
                                + 'static,
                            events::Done<
                                N,
                            >: __private::Event + __private::Saved + 'static,
                            Done<N>: __private::Event + __private::Saved + 'static,
                        {
                            __private::Ok(
                                __private::done(move || {
                                    let __part0 = __private::one(__input, "ask")?;
                                    let __arg0 = match __part0 {
                                        __AgentEvents::StartPromptAgentLN(__event) => __event,
                                        _ => return __private::misrouted("ask"),
                                    };
                                    let __out = <__Checked<
                                        agents::Agent<L, N>,
                                    >>::ask(__context.workflow(), __arg0);
                                    __private::Ok({
                                        __private::Emitted::One(
                                            __AgentEvents::InputRequiredImproveMessage(__out),
                                        )
                                    })
                                }),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    1u16 => {
                        fn __step<L: Llm, const N: usize>(
                            __input: __private::Input<__AgentEvents<L, N>>,
                            __context: __private::Context<agents::Agent<L, N>>,
                            __room: &mut __private::Room<__AgentEvents<L, N>>,
                        ) -> __private::Called<__AgentEvents<L, N>>
                        where
                            agents::Agent<L, N>: Debug,
                            L: ::workflow_runtime::__private::Send
                                + ::workflow_runtime::__private::Sync + 'static,
                            agents::Agent<
                                L,
                                N,
                            >: ::workflow_runtime::__private::Send
                                + ::workflow_runtime::__private::Sync + 'static,
                            Prompt<
                                agents::Agent<L, N>,
                            >: __private::Saved + __private::Send + __private::Sync
                                + 'static,
                            events::Done<
                                N,
                            >: __private::Event + __private::Saved + 'static,
                            Done<N>: __private::Event + __private::Saved + 'static,
                        {
                            __private::Ok(
                                __private::done(move || {
                                    let __part0 = __private::one(__input, "improved")?;
                                    let __arg0 = match &__part0 {
                                        __AgentEvents::HumanResponseImproveMessage(__event) => {
                                            &**__event
                                        }
                                        _ => return __private::misrouted("improved"),
                                    };
                                    let __out = <__Checked<
                                        agents::Agent<L, N>,
                                    >>::improved(__context.workflow(), __arg0);
                                    __private::Ok({
                                        __private::Emitted::One(__AgentEvents::DoneN(__out))
                                    })
                                }),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    2u16 => {
                        fn __step<L: Llm, const N: usize>(
                            __input: __private::Input<__AgentEvents<L, N>>,
                            __context: __private::Context<agents::Agent<L, N>>,
                            __room: &mut __private::Room<__AgentEvents<L, N>>,
                        ) -> __private::Called<__AgentEvents<L, N>>
                        where
                            agents::Agent<L, N>: Debug,
                            L: ::workflow_runtime::__private::Send
                                + ::workflow_runtime::__private::Sync + 'static,
                            agents::Agent<
                                L,
                                N,
                            >: ::workflow_runtime::__private::Send
                                + ::workflow_runtime::__private::Sync + 'static,
                            Prompt<
                                agents::Agent<L, N>,
                            >: __private::Saved + __private::Send + __private::Sync
                                + 'static,
                            events::Done<
                                N,
                            >: __private::Event + __private::Saved + 'static,
                            Done<N>: __private::Event + __private::Saved + 'static,
                        {
                            __private::Ok(
                                __private::done(move || {
                                    let __part0 = __private::one(__input, "done")?;
                                    let __arg0 = match __part0 {
                                        __AgentEvents::DoneN(__event) => {
                                            <Done<
                                                N,
                                            > as __private::SameEvent<
                                                events::Done<N>,
                                            >>::from_first(__event)
                                        }
                                        _ => return __private::misrouted("done"),
                                    };
                                    let __out = <__Checked<
                                        agents::Agent<L, N>,
                                    >>::done(__context.workflow(), __arg0);
                                    __private::Ok({
                                        __private::Emitted::One(__AgentEvents::Stop(__out))
                                    })
                                }),
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
            __private::Of::<()>::new().schema("Stop", &mut __list);
            __list
        }
    }
    #[step(__used)]
    const _: () = ();
};
