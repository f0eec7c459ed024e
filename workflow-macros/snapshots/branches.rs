impl Review {
    async fn draft(
        &self,
        Start(topic): Start<Topic>,
        ctx: &Context<Self>,
    ) -> Result<Draft, WriteError> {
        ctx.publish(1);
        self.write(topic).await
    }
    async fn judge(&self, draft: &Draft) -> OneOf<Good, Bad> {
        self.judge(draft).await
    }
    fn either(
        &self,
        verdict: OneOf<&Good, Bad>,
    ) -> Result<Option<OneOf<Draft, Stop<Report>>>, String> {
        Ok(None)
    }
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
    use flow::__private::{self, Otherwise as _};
    const fn __checks() -> __private::bool {
        let _ = || {
            __private::Of::<u32>::saved::<u32>();
            __private::Of::<u32>::is_shareable::<u32>();
            __private::Of::<u32>::is_copied::<u32>();
            __private::form::<Start<Topic>, __private::Start<_>>();
            __private::Of::<Draft>::event::<Draft>();
            __private::Of::<Draft>::event::<Draft>();
            __private::Of::<Good>::event::<Good>();
            __private::Of::<Bad>::event::<Bad>();
            __private::Of::<Good>::event::<Good>();
            __private::Of::<Bad>::event::<Bad>();
            __private::Of::<Draft>::event::<Draft>();
            __private::form::<Stop<Report>, __private::Stop<_>>();
            __private::Of::<Topic>::saved::<Topic>();
            __private::Of::<
                <Topic as __private::Checked<
                    { __private::Of::<Topic>::EVENT_IS_DEFINED },
                >>::Type,
            >::is_shareable::<Topic>();
            __private::Of::<Report>::saved::<Report>();
            __private::Of::<
                <Report as __private::Checked<
                    { __private::Of::<Report>::EVENT_IS_DEFINED },
                >>::Type,
            >::is_shareable::<Report>();
            __private::Of::<Report>::is_copied::<Report>();
            __private::fallible::<Result<Draft, WriteError>, Draft>();
            __private::form::<OneOf<Good, Bad>, __private::OneOf<Good, Bad>>();
            __private::form::<OneOf<&Good, Bad>, __private::OneOf<&Good, Bad>>();
            __private::form::<
                OneOf<Draft, Stop<Report>>,
                __private::OneOf<Draft, Stop<Report>>,
            >();
            __private::form::<
                Option<OneOf<Draft, Stop<Report>>>,
                __private::Option<OneOf<Draft, Stop<Report>>>,
            >();
            __private::fallible::<
                Result<Option<OneOf<Draft, Stop<Report>>>, String>,
                Option<OneOf<Draft, Stop<Report>>>,
            >();
            __private::Of::<Start<Topic>>::is_taken::<Start<Topic>>();
            __private::Of::<Draft>::event_is_saved::<Draft>();
            __private::Of::<
                <Draft as __private::Checked<
                    { __private::Of::<Draft>::EVENT_IS_DEFINED },
                >>::Type,
            >::event_is_shareable::<Draft>();
            __private::Of::<Good>::event_is_saved::<Good>();
            __private::Of::<
                <Good as __private::Checked<
                    { __private::Of::<Good>::EVENT_IS_DEFINED },
                >>::Type,
            >::event_is_shareable::<Good>();
            __private::Of::<Bad>::event_is_saved::<Bad>();
            __private::Of::<
                <Bad as __private::Checked<
                    { __private::Of::<Bad>::EVENT_IS_DEFINED },
                >>::Type,
            >::event_is_shareable::<Bad>();
            __private::Of::<Bad>::event_is_taken::<Bad>();
        };
        true
    }
    type __Checked<__T> = <__T as __private::Checked<{ __checks() }>>::Type;
    fn __shared() {
        __private::shared_by_runs::<Review>();
    }
    trait EveryEventHasOneName {}
    impl EveryEventHasOneName for Draft {}
    impl EveryEventHasOneName for Good {}
    impl EveryEventHasOneName for Bad {}
    pub enum __ReviewEvents {
        StartTopic(__Checked<Start<Topic>>),
        Draft(__private::Arc<__Checked<Draft>>),
        Good(__private::Arc<__Checked<Good>>),
        Bad(__Checked<Bad>),
        StopReport(__Checked<Stop<Report>>),
    }
    #[automatically_derived]
    impl __private::Clone for __ReviewEvents {
        fn clone(&self) -> Self {
            match self {
                Self::StartTopic(__event) => {
                    Self::StartTopic(__private::Of::<Start<Topic>>::new().copy(__event))
                }
                Self::Draft(__event) => Self::Draft(__private::Arc::clone(__event)),
                Self::Good(__event) => Self::Good(__private::Arc::clone(__event)),
                Self::Bad(__event) => {
                    Self::Bad(__private::Of::<Bad>::new().copy(__event))
                }
                Self::StopReport(__event) => {
                    Self::StopReport(__private::Of::<Stop<Report>>::new().copy(__event))
                }
            }
        }
    }
    #[automatically_derived]
    impl __private::Payload for __ReviewEvents {
        fn event(&self) -> __private::graph::EventId {
            __private::graph::EventId(
                match self {
                    Self::StartTopic(_) => 0u16,
                    Self::Draft(_) => 1u16,
                    Self::Good(_) => 2u16,
                    Self::Bad(_) => 3u16,
                    Self::StopReport(_) => 4u16,
                },
            )
        }
    }
    #[automatically_derived]
    impl __private::Events for __ReviewEvents {
        fn encode(
            &self,
        ) -> __private::Result<
            __private::Box<__private::RawValue>,
            __private::JsonError,
        > {
            match self {
                Self::StartTopic(__event) => {
                    __private::Of::<Start<Topic>>::new().encode(__event)
                }
                Self::Draft(__event) => __private::Of::<Draft>::new().encode(__event),
                Self::Good(__event) => __private::Of::<Good>::new().encode(__event),
                Self::Bad(__event) => __private::Of::<Bad>::new().encode(__event),
                Self::StopReport(__event) => {
                    __private::Of::<Stop<Report>>::new().encode(__event)
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
                        __private::Of::<Start<Topic>>::new().decode(__json),
                        |__event| Self::StartTopic(__event),
                    )
                }
                1u16 => {
                    __private::Result::map(
                        __private::Of::<Draft>::new().decode(__json),
                        |__event| Self::Draft(__private::Arc::new(__event)),
                    )
                }
                2u16 => {
                    __private::Result::map(
                        __private::Of::<Good>::new().decode(__json),
                        |__event| Self::Good(__private::Arc::new(__event)),
                    )
                }
                3u16 => {
                    __private::Result::map(
                        __private::Of::<Bad>::new().decode(__json),
                        |__event| Self::Bad(__event),
                    )
                }
                4u16 => {
                    __private::Result::map(
                        __private::Of::<Stop<Report>>::new().decode(__json),
                        |__event| Self::StopReport(__event),
                    )
                }
                _ => __private::no_such_event(__event),
            }
        }
    }
    /**The steps, what each accepts, and what it emits:
```text
draft   Start<Topic>  → Draft
judge   Draft         → Good | Bad
either  Good | Bad    → Draft | Stop<Report> | nothing
```*/
    #[automatically_derived]
    impl __private::Workflow for Review {
        type Input = __Checked<Topic>;
        type Output = __Checked<Report>;
        type State = ();
        type Progress = __Checked<u32>;
        type Prompt = __Checked<__private::NoPrompt>;
        type Event = __ReviewEvents;
        const GRAPH: &'static __private::graph::Graph = &__private::graph::Graph {
            name: __private::Cow::Borrowed("review"),
            docs: __private::Cow::Borrowed(""),
            events: {
                const LIST: &[__private::graph::Event] = &[
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Start<Topic>"),
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
                        name: __private::Cow::Borrowed("Draft"),
                        role: __private::graph::Role::Event,
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
                        name: __private::Cow::Borrowed("Good"),
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
                        name: __private::Cow::Borrowed("Bad"),
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
                        name: __private::Cow::Borrowed("Stop<Report>"),
                        role: __private::graph::Role::Stop,
                        accepted_by: __private::Cow::Borrowed(&[]),
                    },
                ];
                __private::Cow::Borrowed(LIST)
            },
            steps: {
                const LIST: &[__private::graph::Step] = &[
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("draft"),
                        docs: __private::Cow::Borrowed(""),
                        was: __private::Some(__private::Cow::Borrowed("begin")),
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
                        name: __private::Cow::Borrowed("judge"),
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
                                        __private::graph::EventId(2u16),
                                    ),
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
                        name: __private::Cow::Borrowed("either"),
                        docs: __private::Cow::Borrowed(""),
                        was: __private::None,
                        params: {
                            const LIST: &[__private::graph::Param] = &[
                                __private::graph::Param {
                                    events: {
                                        const LIST: &[__private::graph::EventId] = &[
                                            __private::graph::EventId(2u16),
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
                            fallible: true,
                            optional: true,
                            alternatives: {
                                const LIST: &[__private::graph::Alternative] = &[
                                    __private::graph::Alternative::One(
                                        __private::graph::EventId(1u16),
                                    ),
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
            __ReviewEvents::StartTopic(
                __private::Of::<Start<Topic>>::new().start(__input),
            )
        }
        fn output(__event: Self::Event) -> __private::Result<Self::Output, Self::Event> {
            match __event {
                __ReviewEvents::StopReport(__event) => {
                    __private::Ok(__private::Of::<Stop<Report>>::new().output(__event))
                }
                __other => __private::Err(__other),
            }
        }
        fn prompt(__asked: &Self::Event) -> __private::Option<Self::Prompt> {
            match __asked {
                _ => __private::None,
            }
        }
        fn answer_json(
            __asked: &Self::Event,
            __request: __private::RequestId,
            __response: &__private::RawValue,
        ) -> __private::Result<Self::Event, __private::AnswerError> {
            match __asked {
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
                            __input: __private::Input<__ReviewEvents>,
                            __context: __private::Context<Review>,
                            __room: &mut __private::Room<__ReviewEvents>,
                        ) -> __private::Called<__ReviewEvents> {
                            let __part0 = __private::one(__input, "draft")?;
                            let __arg0 = match __part0 {
                                __ReviewEvents::StartTopic(__event) => __event,
                                _ => return __private::misrouted("draft"),
                            };
                            __private::Ok(
                                __private::Of::<
                                    Review,
                                >::every_step_is_send(
                                    async move {
                                        let __out = <__Checked<
                                            Review,
                                        >>::draft(
                                                __context.workflow(),
                                                __arg0,
                                                <Context<
                                                    Review,
                                                > as __private::Form<
                                                    __private::Context<Review>,
                                                >>::from_ours_ref(&__context),
                                            )
                                            .await;
                                        __private::Ok({
                                            let __out = <__Checked<
                                                Result<Draft, WriteError>,
                                            > as __private::Fallible<Draft>>::into_step_result(__out)?;
                                            __private::Emitted::One(
                                                __ReviewEvents::Draft(__private::Arc::new(__out)),
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
                            __input: __private::Input<__ReviewEvents>,
                            __context: __private::Context<Review>,
                            __room: &mut __private::Room<__ReviewEvents>,
                        ) -> __private::Called<__ReviewEvents> {
                            let __part0 = __private::one(__input, "judge")?;
                            __private::Ok(
                                __private::Of::<
                                    Review,
                                >::every_step_is_send(
                                    async move {
                                        let __arg0 = match &__part0 {
                                            __ReviewEvents::Draft(__event) => &**__event,
                                            _ => return __private::misrouted("judge"),
                                        };
                                        let __out = <__Checked<
                                            Review,
                                        >>::judge(__context.workflow(), __arg0)
                                            .await;
                                        __private::Ok({
                                            match <__Checked<
                                                OneOf<Good, Bad>,
                                            > as __private::Form<
                                                __private::OneOf<Good, Bad>,
                                            >>::into_ours(__out) {
                                                __private::OneOf::A(__out) => {
                                                    __private::Emitted::One(
                                                        __ReviewEvents::Good(__private::Arc::new(__out)),
                                                    )
                                                }
                                                __private::OneOf::B(__out) => {
                                                    __private::Emitted::One(__ReviewEvents::Bad(__out))
                                                }
                                            }
                                        })
                                    },
                                    __room,
                                ),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    2u16 => {
                        fn __step(
                            __input: __private::Input<__ReviewEvents>,
                            __context: __private::Context<Review>,
                            __room: &mut __private::Room<__ReviewEvents>,
                        ) -> __private::Called<__ReviewEvents> {
                            __private::Ok(
                                __private::done(move || {
                                    let __part0 = __private::one(__input, "either")?;
                                    let __arg0 = <__Checked<
                                        OneOf<&Good, Bad>,
                                    > as __private::Form<
                                        __private::OneOf<&Good, Bad>,
                                    >>::from_ours(
                                        match &__part0 {
                                            __ReviewEvents::Good(__event) => {
                                                __private::OneOf::A(&**__event)
                                            }
                                            __ReviewEvents::Bad(__event) => {
                                                __private::OneOf::B(
                                                    __private::Of::<Bad>::new().copy(__event),
                                                )
                                            }
                                            _ => return __private::misrouted("either"),
                                        },
                                    );
                                    let __out = <__Checked<
                                        Review,
                                    >>::either(__context.workflow(), __arg0);
                                    __private::Ok({
                                        let __out = <__Checked<
                                            Result<Option<OneOf<Draft, Stop<Report>>>, String>,
                                        > as __private::Fallible<
                                            Option<OneOf<Draft, Stop<Report>>>,
                                        >>::into_step_result(__out)?;
                                        match <__Checked<
                                            Option<OneOf<Draft, Stop<Report>>>,
                                        > as __private::Form<
                                            __private::Option<OneOf<Draft, Stop<Report>>>,
                                        >>::into_ours(__out) {
                                            __private::Some(__out) => {
                                                match <__Checked<
                                                    OneOf<Draft, Stop<Report>>,
                                                > as __private::Form<
                                                    __private::OneOf<Draft, Stop<Report>>,
                                                >>::into_ours(__out) {
                                                    __private::OneOf::A(__out) => {
                                                        __private::Emitted::One(
                                                            __ReviewEvents::Draft(__private::Arc::new(__out)),
                                                        )
                                                    }
                                                    __private::OneOf::B(__out) => {
                                                        __private::Emitted::One(__ReviewEvents::StopReport(__out))
                                                    }
                                                }
                                            }
                                            __private::None => __private::Emitted::None,
                                        }
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
            __private::Of::<Topic>::new().schema("Start<Topic>", &mut __list);
            __private::Of::<Report>::new().schema("Stop<Report>", &mut __list);
            __list
        }
    }
    #[step(__used)]
    const _: () = ();
    fn __registered() -> Review {
        __private::built_by(build)
    }
    flow::register!(Review, __registered);
};
