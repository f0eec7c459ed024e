impl Offer {
    async fn fetch(&self, Start(id): &Start<u64>) -> Result<Vec<Page>, FetchError> {
        self.fetch(id).await
    }
    fn refetch(&self, failed: StepFailed<&Start<u64>>) -> InputRequired<Sure> {
        self.ask()
    }
    fn all(&self, all: Vec<Result<&Page, StepFailed>>) -> InputRequired<Sure> {
        self.ask()
    }
    fn late(&self, _: OneOf<Expired<Sure>, Signal<Hurry>>) -> Stop {
        Stop(())
    }
    fn sure(&self, _: HumanResponse<Sure>) -> Stop {
        Stop(())
    }
}
/// Every question that `Offer` asks.
#[allow(private_interfaces, unreachable_pub, clippy::large_enum_variant)]
pub enum OfferPrompt {
    /// The question `Sure`.
    Sure(Sure),
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
            __private::form::<Start<u64>, __private::Start<_>>();
            __private::Of::<Page>::event::<Page>();
            __private::form::<Start<u64>, __private::Start<_>>();
            __private::form::<InputRequired<Sure>, __private::InputRequired<_>>();
            __private::Of::<Sure>::prompt::<Sure>();
            __private::Of::<Page>::event::<Page>();
            __private::form::<InputRequired<Sure>, __private::InputRequired<_>>();
            __private::Of::<Sure>::prompt::<Sure>();
            __private::form::<Expired<Sure>, __private::Expired<_>>();
            __private::Of::<Sure>::prompt::<Sure>();
            __private::form::<Signal<Hurry>, __private::Signal<_>>();
            __private::form::<Stop, __private::Stop<_>>();
            __private::form::<Stop, __private::Stop<_>>();
            {
                type __Written = HumanResponse<Sure>;
                __private::form::<__Written, __private::HumanResponse<_, _>>();
            }
            __private::Of::<u64>::saved::<u64>();
            __private::Of::<
                <u64 as __private::Checked<
                    { __private::Of::<u64>::EVENT_IS_DEFINED },
                >>::Type,
            >::is_shareable::<u64>();
            __private::form::<Vec<Page>, __private::Vec<Page>>();
            __private::fallible::<Result<Vec<Page>, FetchError>, Vec<Page>>();
            __private::form::<
                StepFailed<&Start<u64>>,
                __private::StepFailed<&Start<u64>>,
            >();
            __private::form::<
                Vec<Result<&Page, StepFailed>>,
                __private::Vec<__private::Result<&Page, __private::StepFailed>>,
            >();
            __private::form::<
                OneOf<Expired<Sure>, Signal<Hurry>>,
                __private::OneOf<Expired<Sure>, Signal<Hurry>>,
            >();
            __private::Of::<Page>::event_is_saved::<Page>();
            __private::Of::<
                <Page as __private::Checked<
                    { __private::Of::<Page>::EVENT_IS_DEFINED },
                >>::Type,
            >::event_is_shareable::<Page>();
            __private::Of::<Sure>::prompt_is_saved::<Sure>();
            __private::Of::<
                <Sure as __private::Checked<
                    { __private::Of::<Sure>::PROMPT_IS_DEFINED },
                >>::Type,
            >::response_is_saved::<Sure>();
            __private::Of::<
                <Sure as __private::Checked<
                    { __private::Of::<Sure>::PROMPT_IS_DEFINED },
                >>::Type,
            >::prompt_is_shareable::<Sure>();
            __private::Of::<Hurry>::saved::<Hurry>();
            __private::Of::<
                <Hurry as __private::Checked<
                    { __private::Of::<Hurry>::EVENT_IS_DEFINED },
                >>::Type,
            >::is_shareable::<Hurry>();
            __private::Of::<Signal<Hurry>>::is_taken::<Signal<Hurry>>();
            __private::Of::<Sure>::answer_is_taken::<HumanResponse<Sure>>();
        };
        true
    }
    type __Checked<__T> = <__T as __private::Checked<{ __checks() }>>::Type;
    fn __shared() {
        __private::shared_by_runs::<Offer>();
    }
    trait EveryEventHasOneName {}
    impl EveryEventHasOneName for Page {}
    pub enum __OfferEvents {
        Startu64(__private::Arc<__Checked<Start<u64>>>),
        Page(__private::Arc<__Checked<Page>>),
        InputRequiredSure(__Checked<InputRequired<Sure>>),
        ExpiredSure(__Checked<Expired<Sure>>),
        SignalHurry(__Checked<Signal<Hurry>>),
        Stop(__Checked<Stop>),
        HumanResponseSure(__Checked<__private::HumanResponse<__Checked<Sure>>>),
    }
    #[automatically_derived]
    impl __private::Clone for __OfferEvents {
        fn clone(&self) -> Self {
            match self {
                Self::Startu64(__event) => Self::Startu64(__private::Arc::clone(__event)),
                Self::Page(__event) => Self::Page(__private::Arc::clone(__event)),
                Self::InputRequiredSure(__event) => {
                    Self::InputRequiredSure(
                        __private::Of::<InputRequired<Sure>>::new().copy(__event),
                    )
                }
                Self::ExpiredSure(__event) => {
                    Self::ExpiredSure(
                        __private::Of::<Expired<Sure>>::new().copy(__event),
                    )
                }
                Self::SignalHurry(__event) => {
                    Self::SignalHurry(
                        __private::Of::<Signal<Hurry>>::new().copy(__event),
                    )
                }
                Self::Stop(__event) => {
                    Self::Stop(__private::Of::<Stop>::new().copy(__event))
                }
                Self::HumanResponseSure(__event) => {
                    Self::HumanResponseSure(
                        __private::Of::<__private::HumanResponse<__Checked<Sure>>>::new()
                            .copy(__event),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl __private::Payload for __OfferEvents {
        fn event(&self) -> __private::graph::EventId {
            __private::graph::EventId(
                match self {
                    Self::Startu64(_) => 0u16,
                    Self::Page(_) => 1u16,
                    Self::InputRequiredSure(_) => 2u16,
                    Self::ExpiredSure(_) => 3u16,
                    Self::SignalHurry(_) => 4u16,
                    Self::Stop(_) => 5u16,
                    Self::HumanResponseSure(_) => 6u16,
                },
            )
        }
        fn expired(
            &self,
            __request: __private::RequestId,
            _: __private::graph::EventId,
        ) -> __private::Option<Self> {
            match self {
                Self::InputRequiredSure(__event) => {
                    __private::Some(
                        Self::ExpiredSure(
                            __private::Of::<Expired<Sure>>::new()
                                .expired(__event, __request),
                        ),
                    )
                }
                _ => __private::None,
            }
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
                Self::InputRequiredSure(__event) => {
                    __private::Of::<InputRequired<Sure>>::new().expires_in(__event)
                }
                _ => __private::None,
            }
        }
    }
    #[automatically_derived]
    impl __private::Events for __OfferEvents {
        fn encode(
            &self,
        ) -> __private::Result<
            __private::Box<__private::RawValue>,
            __private::JsonError,
        > {
            match self {
                Self::Startu64(__event) => {
                    __private::Of::<Start<u64>>::new().encode(__event)
                }
                Self::Page(__event) => __private::Of::<Page>::new().encode(__event),
                Self::InputRequiredSure(__event) => {
                    __private::Of::<InputRequired<Sure>>::new().encode(__event)
                }
                Self::ExpiredSure(__event) => {
                    __private::Of::<Expired<Sure>>::new().encode(__event)
                }
                Self::SignalHurry(__event) => {
                    __private::Of::<Signal<Hurry>>::new().encode(__event)
                }
                Self::Stop(__event) => __private::Of::<Stop>::new().encode(__event),
                Self::HumanResponseSure(__event) => {
                    __private::Of::<__private::HumanResponse<__Checked<Sure>>>::new()
                        .encode(__event)
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
                        __private::Of::<Start<u64>>::new().decode(__json),
                        |__event| Self::Startu64(__private::Arc::new(__event)),
                    )
                }
                1u16 => {
                    __private::Result::map(
                        __private::Of::<Page>::new().decode(__json),
                        |__event| Self::Page(__private::Arc::new(__event)),
                    )
                }
                2u16 => {
                    __private::Result::map(
                        __private::Of::<InputRequired<Sure>>::new().decode(__json),
                        |__event| Self::InputRequiredSure(__event),
                    )
                }
                3u16 => {
                    __private::Result::map(
                        __private::Of::<Expired<Sure>>::new().decode(__json),
                        |__event| Self::ExpiredSure(__event),
                    )
                }
                4u16 => {
                    __private::Result::map(
                        __private::Of::<Signal<Hurry>>::new().decode(__json),
                        |__event| Self::SignalHurry(__event),
                    )
                }
                5u16 => {
                    __private::Result::map(
                        __private::Of::<Stop>::new().decode(__json),
                        |__event| Self::Stop(__event),
                    )
                }
                6u16 => {
                    __private::Result::map(
                        __private::Of::<__private::HumanResponse<__Checked<Sure>>>::new()
                            .decode(__json),
                        |__event| Self::HumanResponseSure(__event),
                    )
                }
                _ => __private::no_such_event(__event),
            }
        }
    }
    #[automatically_derived]
    impl __private::Clone for OfferPrompt {
        fn clone(&self) -> Self {
            match self {
                Self::Sure(__prompt) => {
                    Self::Sure(__private::Of::<Sure>::new().copy(__prompt))
                }
            }
        }
    }
    #[automatically_derived]
    impl __private::Serialize for OfferPrompt {
        fn serialize<__S: __private::Serializer>(
            &self,
            __serializer: __S,
        ) -> __private::Result<__S::Ok, __S::Error> {
            match self {
                Self::Sure(__prompt) => {
                    __private::Of::<Sure>::new()
                        .serialize(__prompt, "OfferPrompt", 0u32, "Sure", __serializer)
                }
            }
        }
    }
    #[automatically_derived]
    impl __private::Asks<Sure, <__Checked<Sure> as __private::Prompt>::Response>
    for Offer {
        fn pick(
            __prompt: &<Self as __private::Workflow>::Prompt,
        ) -> __private::Option<&Sure> {
            match __prompt {
                OfferPrompt::Sure(__prompt) => __private::Some(__prompt),
            }
        }
        fn answer(
            __asked: &<Self as __private::Workflow>::Event,
            __request: __private::RequestId,
            __response: <__Checked<Sure> as __private::Prompt>::Response,
        ) -> __private::Result<
            <Self as __private::Workflow>::Event,
            __private::AnswerError,
        > {
            match __asked {
                __OfferEvents::InputRequiredSure(__event) => {
                    __private::Result::map(
                        __private::Of::<Sure>::new()
                            .answer(
                                __private::Of::<InputRequired<Sure>>::new().asked(__event),
                                __request,
                                __response,
                            ),
                        |__answer| __OfferEvents::HumanResponseSure(__answer),
                    )
                }
                __other => {
                    __private::other_prompt(
                        <Self as __private::Workflow>::GRAPH,
                        __other,
                        "Sure",
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl __private::Signals<Hurry> for Offer {
        fn signal(__signal: Hurry) -> <Self as __private::Workflow>::Event {
            __OfferEvents::SignalHurry(
                __private::Of::<Signal<Hurry>>::new().signal(__signal),
            )
        }
    }
    /**The steps, what each accepts, and what it emits:
```text
fetch    Start<u64>                     → each Page
refetch  failed fetch                   → asks Sure
all      all Page or failed             → asks Sure
late     Expired<Sure> | Signal<Hurry>  → Stop
sure     HumanResponse<Sure>            → Stop
```*/
    #[automatically_derived]
    impl __private::Workflow for Offer {
        type Input = __Checked<u64>;
        type Output = __Checked<()>;
        type State = ();
        type Progress = ();
        type Prompt = __Checked<OfferPrompt>;
        type Event = __OfferEvents;
        const GRAPH: &'static __private::graph::Graph = &__private::graph::Graph {
            name: __private::Cow::Borrowed("Offer"),
            docs: __private::Cow::Borrowed(""),
            events: {
                const LIST: &[__private::graph::Event] = &[
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Start<u64>"),
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
                        name: __private::Cow::Borrowed("Page"),
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
                        name: __private::Cow::Borrowed("InputRequired<Sure>"),
                        role: __private::graph::Role::Prompt {
                            response: __private::Some(__private::graph::EventId(6u16)),
                            expired: __private::Some(__private::graph::EventId(3u16)),
                        },
                        accepted_by: __private::Cow::Borrowed(&[]),
                    },
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Expired<Sure>"),
                        role: __private::graph::Role::Expired {
                            prompt: __private::Some(__private::graph::EventId(2u16)),
                        },
                        accepted_by: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(3u16),
                                    param: 0u16,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                    },
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Signal<Hurry>"),
                        role: __private::graph::Role::Signal,
                        accepted_by: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(3u16),
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
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("HumanResponse<Sure>"),
                        role: __private::graph::Role::Response {
                            prompt: __private::Some(__private::graph::EventId(2u16)),
                        },
                        accepted_by: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(4u16),
                                    param: 0u16,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                    },
                ];
                __private::Cow::Borrowed(LIST)
            },
            steps: {
                const LIST: &[__private::graph::Step] = &[
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("fetch"),
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
                            fallible: true,
                            optional: false,
                            alternatives: {
                                const LIST: &[__private::graph::Alternative] = &[
                                    __private::graph::Alternative::Many(
                                        __private::graph::PointId(0u16),
                                    ),
                                ];
                                __private::Cow::Borrowed(LIST)
                            },
                        },
                        options: __private::graph::StepOptions::NONE,
                    },
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("refetch"),
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
                                    form: __private::graph::ParamForm::Failed,
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
                                        __private::graph::EventId(2u16),
                                    ),
                                ];
                                __private::Cow::Borrowed(LIST)
                            },
                        },
                        options: __private::graph::StepOptions {
                            workers: __private::None,
                            take: __private::None,
                            cancel_rest: true,
                            catches: __private::Some(
                                __private::graph::Catches::Steps({
                                    const LIST: &[__private::graph::StepId] = &[
                                        __private::graph::StepId(0u16),
                                    ];
                                    __private::Cow::Borrowed(LIST)
                                }),
                            ),
                            max_recoveries: __private::Some(2u32),
                            skip: __private::graph::Skip {
                                reachability: false,
                                dead_end: false,
                                outside: false,
                                join: false,
                            },
                        },
                    },
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("all"),
                        docs: __private::Cow::Borrowed(""),
                        was: __private::None,
                        params: {
                            const LIST: &[__private::graph::Param] = &[
                                __private::graph::Param {
                                    events: {
                                        const LIST: &[__private::graph::EventId] = &[
                                            __private::graph::EventId(1u16),
                                        ];
                                        __private::Cow::Borrowed(LIST)
                                    },
                                    form: __private::graph::ParamForm::Gather {
                                        failures: true,
                                    },
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
                                        __private::graph::EventId(2u16),
                                    ),
                                ];
                                __private::Cow::Borrowed(LIST)
                            },
                        },
                        options: __private::graph::StepOptions::NONE,
                    },
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("late"),
                        docs: __private::Cow::Borrowed(""),
                        was: __private::None,
                        params: {
                            const LIST: &[__private::graph::Param] = &[
                                __private::graph::Param {
                                    events: {
                                        const LIST: &[__private::graph::EventId] = &[
                                            __private::graph::EventId(3u16),
                                            __private::graph::EventId(4u16),
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
                                        __private::graph::EventId(5u16),
                                    ),
                                ];
                                __private::Cow::Borrowed(LIST)
                            },
                        },
                        options: __private::graph::StepOptions::NONE,
                    },
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("sure"),
                        docs: __private::Cow::Borrowed(""),
                        was: __private::None,
                        params: {
                            const LIST: &[__private::graph::Param] = &[
                                __private::graph::Param {
                                    events: {
                                        const LIST: &[__private::graph::EventId] = &[
                                            __private::graph::EventId(6u16),
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
                                        __private::graph::EventId(5u16),
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
            points: {
                const LIST: &[__private::graph::Point] = &[
                    __private::graph::Point {
                        step: __private::graph::StepId(0u16),
                        origin: __private::graph::Origin::Returned(0u16),
                        items: {
                            const LIST: &[__private::graph::EventId] = &[
                                __private::graph::EventId(1u16),
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                        gathers: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(2u16),
                                    param: 0u16,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                    },
                ];
                __private::Cow::Borrowed(LIST)
            },
        };
        fn start(__input: Self::Input) -> Self::Event {
            __OfferEvents::Startu64(
                __private::Arc::new(__private::Of::<Start<u64>>::new().start(__input)),
            )
        }
        fn output(__event: Self::Event) -> __private::Result<Self::Output, Self::Event> {
            match __event {
                __OfferEvents::Stop(__event) => {
                    __private::Ok(__private::Of::<Stop>::new().output(__event))
                }
                __other => __private::Err(__other),
            }
        }
        fn prompt(__asked: &Self::Event) -> __private::Option<Self::Prompt> {
            match __asked {
                __OfferEvents::InputRequiredSure(__event) => {
                    __private::Some(
                        OfferPrompt::Sure(
                            __private::Of::<Sure>::new()
                                .copy(
                                    __private::Of::<InputRequired<Sure>>::new().asked(__event),
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
                __OfferEvents::InputRequiredSure(__event) => {
                    __private::Result::map(
                        __private::Of::<Sure>::new()
                            .answer_json(
                                __private::Of::<InputRequired<Sure>>::new().asked(__event),
                                __request,
                                __response,
                            ),
                        |__answer| __OfferEvents::HumanResponseSure(__answer),
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
                            __input: __private::Input<__OfferEvents>,
                            __context: __private::Context<Offer>,
                            __room: &mut __private::Room<__OfferEvents>,
                        ) -> __private::Called<__OfferEvents> {
                            let __part0 = __private::one(__input, "fetch")?;
                            __private::Ok(
                                __private::Of::<
                                    Offer,
                                >::every_step_is_send(
                                    async move {
                                        let __arg0 = match &__part0 {
                                            __OfferEvents::Startu64(__event) => &**__event,
                                            _ => return __private::misrouted("fetch"),
                                        };
                                        let __out = <__Checked<
                                            Offer,
                                        >>::fetch(__context.workflow(), __arg0)
                                            .await;
                                        __private::Ok({
                                            let __out = <__Checked<
                                                Result<Vec<Page>, FetchError>,
                                            > as __private::Fallible<
                                                Vec<Page>,
                                            >>::into_step_result(__out)?;
                                            __private::Emitted::Many(
                                                __private::graph::PointId(0u16),
                                                __private::Iterator::collect(
                                                    __private::Iterator::map(
                                                        __private::IntoIterator::into_iter(
                                                            <__Checked<
                                                                Vec<Page>,
                                                            > as __private::Form<
                                                                __private::Vec<Page>,
                                                            >>::into_ours(__out),
                                                        ),
                                                        |__out| __OfferEvents::Page(__private::Arc::new(__out)),
                                                    ),
                                                ),
                                            )
                                        })
                                    },
                                    __room,
                                ),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    1u16 => {
                        fn __step(
                            __input: __private::Input<__OfferEvents>,
                            __context: __private::Context<Offer>,
                            __room: &mut __private::Room<__OfferEvents>,
                        ) -> __private::Called<__OfferEvents> {
                            __private::Ok(
                                __private::done(move || {
                                    let [__part0] = __private::parts(__input, "refetch")?;
                                    let (__failure, __part0) = __private::failed(
                                        __part0,
                                        "refetch",
                                    )?;
                                    let __part0 = __private::given(
                                        __part0,
                                        &[__private::graph::EventId(0u16)],
                                        "refetch",
                                    )?;
                                    let __arg0 = <__Checked<
                                        StepFailed<&Start<u64>>,
                                    > as __private::Form<
                                        __private::StepFailed<&Start<u64>>,
                                    >>::from_ours(
                                        __private::StepFailed::new(
                                            __failure,
                                            match &__part0 {
                                                __OfferEvents::Startu64(__event) => &**__event,
                                                _ => return __private::misrouted("refetch"),
                                            },
                                        ),
                                    );
                                    let __out = <__Checked<
                                        Offer,
                                    >>::refetch(__context.workflow(), __arg0);
                                    __private::Ok({
                                        __private::Emitted::One(
                                            __OfferEvents::InputRequiredSure(__out),
                                        )
                                    })
                                }),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    2u16 => {
                        fn __step(
                            __input: __private::Input<__OfferEvents>,
                            __context: __private::Context<Offer>,
                            __room: &mut __private::Room<__OfferEvents>,
                        ) -> __private::Called<__OfferEvents> {
                            __private::Ok(
                                __private::done(move || {
                                    let [__part0] = __private::parts(__input, "all")?;
                                    let __part0 = __private::all_or_failed(__part0, "all")?;
                                    let __arg0 = <__Checked<
                                        Vec<Result<&Page, StepFailed>>,
                                    > as __private::Form<
                                        __private::Vec<
                                            __private::Result<&Page, __private::StepFailed>,
                                        >,
                                    >>::from_ours({
                                        let mut __list = __private::Vec::with_capacity(
                                            __part0.len(),
                                        );
                                        for __member in &__part0 {
                                            __list
                                                .push(
                                                    match __member {
                                                        __private::Ok(__member) => {
                                                            __private::Ok(
                                                                match __member {
                                                                    __OfferEvents::Page(__event) => &**__event,
                                                                    _ => return __private::misrouted("all"),
                                                                },
                                                            )
                                                        }
                                                        __private::Err(__failure) => {
                                                            __private::Err(
                                                                __private::StepFailed::new(
                                                                    *__private::Clone::clone(__failure),
                                                                    (),
                                                                ),
                                                            )
                                                        }
                                                    },
                                                );
                                        }
                                        __list
                                    });
                                    let __out = <__Checked<
                                        Offer,
                                    >>::all(__context.workflow(), __arg0);
                                    __private::Ok({
                                        __private::Emitted::One(
                                            __OfferEvents::InputRequiredSure(__out),
                                        )
                                    })
                                }),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    3u16 => {
                        fn __step(
                            __input: __private::Input<__OfferEvents>,
                            __context: __private::Context<Offer>,
                            __room: &mut __private::Room<__OfferEvents>,
                        ) -> __private::Called<__OfferEvents> {
                            __private::Ok(
                                __private::done(move || {
                                    let __part0 = __private::one(__input, "late")?;
                                    let __arg0 = <__Checked<
                                        OneOf<Expired<Sure>, Signal<Hurry>>,
                                    > as __private::Form<
                                        __private::OneOf<Expired<Sure>, Signal<Hurry>>,
                                    >>::from_ours(
                                        match __part0 {
                                            __OfferEvents::ExpiredSure(__event) => {
                                                __private::OneOf::A(__event)
                                            }
                                            __OfferEvents::SignalHurry(__event) => {
                                                __private::OneOf::B(__event)
                                            }
                                            _ => return __private::misrouted("late"),
                                        },
                                    );
                                    let __out = <__Checked<
                                        Offer,
                                    >>::late(__context.workflow(), __arg0);
                                    __private::Ok({
                                        __private::Emitted::One(__OfferEvents::Stop(__out))
                                    })
                                }),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    4u16 => {
                        fn __step(
                            __input: __private::Input<__OfferEvents>,
                            __context: __private::Context<Offer>,
                            __room: &mut __private::Room<__OfferEvents>,
                        ) -> __private::Called<__OfferEvents> {
                            __private::Ok(
                                __private::done(move || {
                                    let __part0 = __private::one(__input, "sure")?;
                                    let __arg0 = match __part0 {
                                        __OfferEvents::HumanResponseSure(__event) => __event,
                                        _ => return __private::misrouted("sure"),
                                    };
                                    let __out = <__Checked<
                                        Offer,
                                    >>::sure(__context.workflow(), __arg0);
                                    __private::Ok({
                                        __private::Emitted::One(__OfferEvents::Stop(__out))
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
        fn policy(__step: __private::graph::StepId) -> __private::StepPolicy {
            match __step.0 {
                0u16 => {
                    __private::StepPolicy {
                        retry: __private::Some({
                            const __RETRY: __private::Retry = <Offer>::RETRY;
                            __RETRY
                        }),
                        timeout: __private::Some({
                            const __TIMEOUT: __private::Duration = __private::timeout(
                                "10s",
                            );
                            __TIMEOUT
                        }),
                    }
                }
                _ => __private::StepPolicy::NONE,
            }
        }
        fn schemas() -> __private::Vec<__private::Schema> {
            let mut __list = __private::Vec::new();
            __private::Of::<u64>::new().schema("Start<u64>", &mut __list);
            __private::Of::<Sure>::new().schema("InputRequired<Sure>", &mut __list);
            __private::Of::<Hurry>::new().schema("Signal<Hurry>", &mut __list);
            __private::Of::<()>::new().schema("Stop", &mut __list);
            __private::Of::<Sure>::new()
                .response_schema("HumanResponse<Sure>", &mut __list);
            __list
        }
    }
    #[step(__used)]
    const _: () = ();
};
