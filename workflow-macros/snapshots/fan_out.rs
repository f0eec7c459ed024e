impl Check {
    fn split(&self, Start(rows): Start<Vec<Row>>) -> Vec<Row> {
        rows
    }
    async fn prices(&self, row: &Row) -> Price {
        self.price(row).await
    }
    async fn limits(&self, row: &Row) -> Limit {
        self.limit(row).await
    }
    fn judge(&self, price: Price, limit: &Limit) -> OneOf<Fine, Doubtful> {
        OneOf::new(Fine)
    }
    fn first(&self, all: Vec<OneOf<Fine, &Doubtful>>) {}
    fn report(&self, all: Vec<OneOf<Fine, Doubtful>>) -> Stop<Report> {
        Stop(Report::of(all))
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
    use ::workflow_runtime::__private::{self, Otherwise as _};
    const fn __checks() -> __private::bool {
        let _ = || {
            __private::form::<Start<Vec<Row>>, __private::Start<_>>();
            __private::Of::<Row>::event::<Row>();
            __private::Of::<Row>::event::<Row>();
            __private::Of::<Price>::event::<Price>();
            __private::Of::<Row>::event::<Row>();
            __private::Of::<Limit>::event::<Limit>();
            __private::Of::<Price>::event::<Price>();
            __private::Of::<Limit>::event::<Limit>();
            __private::Of::<Fine>::event::<Fine>();
            __private::Of::<Doubtful>::event::<Doubtful>();
            __private::Of::<Fine>::event::<Fine>();
            __private::Of::<Doubtful>::event::<Doubtful>();
            __private::Of::<Fine>::event::<Fine>();
            __private::Of::<Doubtful>::event::<Doubtful>();
            __private::form::<Stop<Report>, __private::Stop<_>>();
            __private::Of::<Vec<Row>>::else_saved::<Row>();
            __private::Of::<(Row,)>::then_saved::<Vec<Row>>();
            __private::Of::<
                <Vec<
                    Row,
                > as __private::Checked<
                    { __private::Of::<Vec<Row>>::EVENT_IS_DEFINED },
                >>::Type,
            >::is_shareable::<Vec<Row>>();
            __private::Of::<Report>::saved::<Report>();
            __private::Of::<
                <Report as __private::Checked<
                    { __private::Of::<Report>::EVENT_IS_DEFINED },
                >>::Type,
            >::is_shareable::<Report>();
            __private::Of::<Report>::is_copied::<Report>();
            __private::form::<Vec<Row>, __private::Vec<Row>>();
            __private::form::<OneOf<Fine, Doubtful>, __private::OneOf<Fine, Doubtful>>();
            __private::form::<
                OneOf<Fine, &Doubtful>,
                __private::OneOf<Fine, &Doubtful>,
            >();
            __private::form::<
                Vec<OneOf<Fine, &Doubtful>>,
                __private::Vec<OneOf<Fine, &Doubtful>>,
            >();
            __private::form::<OneOf<Fine, Doubtful>, __private::OneOf<Fine, Doubtful>>();
            __private::form::<
                Vec<OneOf<Fine, Doubtful>>,
                __private::Vec<OneOf<Fine, Doubtful>>,
            >();
            __private::Of::<Start<Vec<Row>>>::is_taken::<Start<Vec<Row>>>();
            __private::Of::<Row>::event_is_saved::<Row>();
            __private::Of::<
                <Row as __private::Checked<
                    { __private::Of::<Row>::EVENT_IS_DEFINED },
                >>::Type,
            >::event_is_shareable::<Row>();
            __private::Of::<Price>::event_is_saved::<Price>();
            __private::Of::<
                <Price as __private::Checked<
                    { __private::Of::<Price>::EVENT_IS_DEFINED },
                >>::Type,
            >::event_is_shareable::<Price>();
            __private::Of::<Price>::event_is_taken::<Price>();
            __private::Of::<Limit>::event_is_saved::<Limit>();
            __private::Of::<
                <Limit as __private::Checked<
                    { __private::Of::<Limit>::EVENT_IS_DEFINED },
                >>::Type,
            >::event_is_shareable::<Limit>();
            __private::Of::<Fine>::event_is_saved::<Fine>();
            __private::Of::<
                <Fine as __private::Checked<
                    { __private::Of::<Fine>::EVENT_IS_DEFINED },
                >>::Type,
            >::event_is_shareable::<Fine>();
            __private::Of::<Fine>::event_is_taken::<Fine>();
            __private::Of::<Doubtful>::event_is_saved::<Doubtful>();
            __private::Of::<
                <Doubtful as __private::Checked<
                    { __private::Of::<Doubtful>::EVENT_IS_DEFINED },
                >>::Type,
            >::event_is_shareable::<Doubtful>();
            __private::Of::<Doubtful>::event_is_taken::<Doubtful>();
        };
        true
    }
    type __Checked<__T> = <__T as __private::Checked<{ __checks() }>>::Type;
    fn __shared() {
        __private::shared_by_runs::<Check>();
    }
    trait EveryEventHasOneName {}
    impl EveryEventHasOneName for Row {}
    impl EveryEventHasOneName for Price {}
    impl EveryEventHasOneName for Limit {}
    impl EveryEventHasOneName for Fine {}
    impl EveryEventHasOneName for Doubtful {}
    pub enum __CheckEvents {
        StartVecRow(__Checked<Start<Vec<Row>>>),
        Row(__private::Arc<__Checked<Row>>),
        Price(__Checked<Price>),
        Limit(__private::Arc<__Checked<Limit>>),
        Fine(__Checked<Fine>),
        Doubtful(__private::Arc<__Checked<Doubtful>>),
        StopReport(__Checked<Stop<Report>>),
    }
    #[automatically_derived]
    impl __private::Clone for __CheckEvents {
        fn clone(&self) -> Self {
            match self {
                Self::StartVecRow(__event) => {
                    Self::StartVecRow(
                        __private::Of::<Start<Vec<Row>>>::new().copy(__event),
                    )
                }
                Self::Row(__event) => Self::Row(__private::Arc::clone(__event)),
                Self::Price(__event) => {
                    Self::Price(__private::Of::<Price>::new().copy(__event))
                }
                Self::Limit(__event) => Self::Limit(__private::Arc::clone(__event)),
                Self::Fine(__event) => {
                    Self::Fine(__private::Of::<Fine>::new().copy(__event))
                }
                Self::Doubtful(__event) => Self::Doubtful(__private::Arc::clone(__event)),
                Self::StopReport(__event) => {
                    Self::StopReport(__private::Of::<Stop<Report>>::new().copy(__event))
                }
            }
        }
    }
    #[automatically_derived]
    impl __private::Payload for __CheckEvents {
        fn event(&self) -> __private::graph::EventId {
            __private::graph::EventId(
                match self {
                    Self::StartVecRow(_) => 0u16,
                    Self::Row(_) => 1u16,
                    Self::Price(_) => 2u16,
                    Self::Limit(_) => 3u16,
                    Self::Fine(_) => 4u16,
                    Self::Doubtful(_) => 5u16,
                    Self::StopReport(_) => 6u16,
                },
            )
        }
    }
    #[automatically_derived]
    impl __private::Events for __CheckEvents {
        fn encode(
            &self,
        ) -> __private::Result<
            __private::Box<__private::RawValue>,
            __private::JsonError,
        > {
            match self {
                Self::StartVecRow(__event) => {
                    __private::Of::<Start<Vec<Row>>>::new().encode(__event)
                }
                Self::Row(__event) => __private::Of::<Row>::new().encode(__event),
                Self::Price(__event) => __private::Of::<Price>::new().encode(__event),
                Self::Limit(__event) => __private::Of::<Limit>::new().encode(__event),
                Self::Fine(__event) => __private::Of::<Fine>::new().encode(__event),
                Self::Doubtful(__event) => {
                    __private::Of::<Doubtful>::new().encode(__event)
                }
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
                        __private::Of::<Start<Vec<Row>>>::new().decode(__json),
                        |__event| Self::StartVecRow(__event),
                    )
                }
                1u16 => {
                    __private::Result::map(
                        __private::Of::<Row>::new().decode(__json),
                        |__event| Self::Row(__private::Arc::new(__event)),
                    )
                }
                2u16 => {
                    __private::Result::map(
                        __private::Of::<Price>::new().decode(__json),
                        |__event| Self::Price(__event),
                    )
                }
                3u16 => {
                    __private::Result::map(
                        __private::Of::<Limit>::new().decode(__json),
                        |__event| Self::Limit(__private::Arc::new(__event)),
                    )
                }
                4u16 => {
                    __private::Result::map(
                        __private::Of::<Fine>::new().decode(__json),
                        |__event| Self::Fine(__event),
                    )
                }
                5u16 => {
                    __private::Result::map(
                        __private::Of::<Doubtful>::new().decode(__json),
                        |__event| Self::Doubtful(__private::Arc::new(__event)),
                    )
                }
                6u16 => {
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
split   Start<Vec<Row>>            → each Row
prices  Row                        → Price
limits  Row                        → Limit
judge   Price + Limit              → Fine | Doubtful
first   first 3 (Fine | Doubtful)  → nothing
report  all (Fine | Doubtful)      → Stop<Report>
```*/
    #[automatically_derived]
    impl __private::Workflow for Check {
        type Input = __Checked<Vec<Row>>;
        type Output = __Checked<Report>;
        type State = ();
        type Progress = ();
        type Prompt = __Checked<__private::NoPrompt>;
        type Event = __CheckEvents;
        const GRAPH: &'static __private::graph::Graph = &__private::graph::Graph {
            name: __private::Cow::Borrowed("Check"),
            docs: __private::Cow::Borrowed(""),
            events: {
                const LIST: &[__private::graph::Event] = &[
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Start<Vec<Row>>"),
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
                        name: __private::Cow::Borrowed("Row"),
                        role: __private::graph::Role::Event,
                        accepted_by: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(1u16),
                                    param: 0u16,
                                },
                                __private::graph::Slot {
                                    step: __private::graph::StepId(2u16),
                                    param: 0u16,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                    },
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Price"),
                        role: __private::graph::Role::Event,
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
                        name: __private::Cow::Borrowed("Limit"),
                        role: __private::graph::Role::Event,
                        accepted_by: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(3u16),
                                    param: 1u16,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                    },
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Fine"),
                        role: __private::graph::Role::Event,
                        accepted_by: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(4u16),
                                    param: 0u16,
                                },
                                __private::graph::Slot {
                                    step: __private::graph::StepId(5u16),
                                    param: 0u16,
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                    },
                    __private::graph::Event {
                        name: __private::Cow::Borrowed("Doubtful"),
                        role: __private::graph::Role::Event,
                        accepted_by: {
                            const LIST: &[__private::graph::Slot] = &[
                                __private::graph::Slot {
                                    step: __private::graph::StepId(4u16),
                                    param: 0u16,
                                },
                                __private::graph::Slot {
                                    step: __private::graph::StepId(5u16),
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
                        name: __private::Cow::Borrowed("split"),
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
                        name: __private::Cow::Borrowed("prices"),
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
                                ];
                                __private::Cow::Borrowed(LIST)
                            },
                        },
                        options: __private::graph::StepOptions {
                            workers: __private::Some(4u32),
                            take: __private::None,
                            cancel_rest: true,
                            catches: __private::None,
                            max_recoveries: __private::None,
                            skip: __private::graph::Skip {
                                reachability: false,
                                dead_end: false,
                                outside: false,
                                join: false,
                            },
                        },
                    },
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("limits"),
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
                                        __private::graph::EventId(3u16),
                                    ),
                                ];
                                __private::Cow::Borrowed(LIST)
                            },
                        },
                        options: __private::graph::StepOptions {
                            workers: __private::Some({
                                const __COUNT: __private::u32 = __private::at_least_one(
                                    WORKERS,
                                );
                                __COUNT
                            }),
                            take: __private::None,
                            cancel_rest: true,
                            catches: __private::None,
                            max_recoveries: __private::None,
                            skip: __private::graph::Skip {
                                reachability: false,
                                dead_end: false,
                                outside: false,
                                join: false,
                            },
                        },
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
                                            __private::graph::EventId(2u16),
                                        ];
                                        __private::Cow::Borrowed(LIST)
                                    },
                                    form: __private::graph::ParamForm::One,
                                },
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
                        name: __private::Cow::Borrowed("first"),
                        docs: __private::Cow::Borrowed(""),
                        was: __private::None,
                        params: {
                            const LIST: &[__private::graph::Param] = &[
                                __private::graph::Param {
                                    events: {
                                        const LIST: &[__private::graph::EventId] = &[
                                            __private::graph::EventId(4u16),
                                            __private::graph::EventId(5u16),
                                        ];
                                        __private::Cow::Borrowed(LIST)
                                    },
                                    form: __private::graph::ParamForm::Gather {
                                        failures: false,
                                    },
                                },
                            ];
                            __private::Cow::Borrowed(LIST)
                        },
                        tools: __private::Cow::Borrowed(&[]),
                        returns: __private::graph::Returns {
                            fallible: false,
                            optional: true,
                            alternatives: __private::Cow::Borrowed(&[]),
                        },
                        options: __private::graph::StepOptions {
                            workers: __private::None,
                            take: __private::Some(3u32),
                            cancel_rest: false,
                            catches: __private::None,
                            max_recoveries: __private::None,
                            skip: __private::graph::Skip {
                                reachability: false,
                                dead_end: false,
                                outside: false,
                                join: false,
                            },
                        },
                    },
                    __private::graph::Step {
                        name: __private::Cow::Borrowed("report"),
                        docs: __private::Cow::Borrowed(""),
                        was: __private::None,
                        params: {
                            const LIST: &[__private::graph::Param] = &[
                                __private::graph::Param {
                                    events: {
                                        const LIST: &[__private::graph::EventId] = &[
                                            __private::graph::EventId(4u16),
                                            __private::graph::EventId(5u16),
                                        ];
                                        __private::Cow::Borrowed(LIST)
                                    },
                                    form: __private::graph::ParamForm::Gather {
                                        failures: false,
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
                                        __private::graph::EventId(6u16),
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
                                    step: __private::graph::StepId(4u16),
                                    param: 0u16,
                                },
                                __private::graph::Slot {
                                    step: __private::graph::StepId(5u16),
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
            __CheckEvents::StartVecRow(
                __private::Of::<Start<Vec<Row>>>::new().start(__input),
            )
        }
        fn output(__event: Self::Event) -> __private::Result<Self::Output, Self::Event> {
            match __event {
                __CheckEvents::StopReport(__event) => {
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
                            __input: __private::Input<__CheckEvents>,
                            __context: __private::Context<Check>,
                            __room: &mut __private::Room<__CheckEvents>,
                        ) -> __private::Called<__CheckEvents> {
                            __private::Ok(
                                __private::done(move || {
                                    let __part0 = __private::one(__input, "split")?;
                                    let __arg0 = match __part0 {
                                        __CheckEvents::StartVecRow(__event) => __event,
                                        _ => return __private::misrouted("split"),
                                    };
                                    let __out = <__Checked<
                                        Check,
                                    >>::split(__context.workflow(), __arg0);
                                    __private::Ok({
                                        __private::Emitted::Many(
                                            __private::graph::PointId(0u16),
                                            __private::Iterator::collect(
                                                __private::Iterator::map(
                                                    __private::IntoIterator::into_iter(
                                                        <__Checked<
                                                            Vec<Row>,
                                                        > as __private::Form<__private::Vec<Row>>>::into_ours(__out),
                                                    ),
                                                    |__out| __CheckEvents::Row(__private::Arc::new(__out)),
                                                ),
                                            ),
                                        )
                                    })
                                }),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    1u16 => {
                        fn __step(
                            __input: __private::Input<__CheckEvents>,
                            __context: __private::Context<Check>,
                            __room: &mut __private::Room<__CheckEvents>,
                        ) -> __private::Called<__CheckEvents> {
                            let __part0 = __private::one(__input, "prices")?;
                            __private::Ok(
                                __private::Of::<
                                    Check,
                                >::every_step_is_send(
                                    async move {
                                        let __arg0 = match &__part0 {
                                            __CheckEvents::Row(__event) => &**__event,
                                            _ => return __private::misrouted("prices"),
                                        };
                                        let __out = <__Checked<
                                            Check,
                                        >>::prices(__context.workflow(), __arg0)
                                            .await;
                                        __private::Ok({
                                            __private::Emitted::One(__CheckEvents::Price(__out))
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
                            __input: __private::Input<__CheckEvents>,
                            __context: __private::Context<Check>,
                            __room: &mut __private::Room<__CheckEvents>,
                        ) -> __private::Called<__CheckEvents> {
                            let __part0 = __private::one(__input, "limits")?;
                            __private::Ok(
                                __private::Of::<
                                    Check,
                                >::every_step_is_send(
                                    async move {
                                        let __arg0 = match &__part0 {
                                            __CheckEvents::Row(__event) => &**__event,
                                            _ => return __private::misrouted("limits"),
                                        };
                                        let __out = <__Checked<
                                            Check,
                                        >>::limits(__context.workflow(), __arg0)
                                            .await;
                                        __private::Ok({
                                            __private::Emitted::One(
                                                __CheckEvents::Limit(__private::Arc::new(__out)),
                                            )
                                        })
                                    },
                                    __room,
                                ),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    3u16 => {
                        fn __step(
                            __input: __private::Input<__CheckEvents>,
                            __context: __private::Context<Check>,
                            __room: &mut __private::Room<__CheckEvents>,
                        ) -> __private::Called<__CheckEvents> {
                            __private::Ok(
                                __private::done(move || {
                                    let [__part0, __part1] = __private::parts(
                                        __input,
                                        "judge",
                                    )?;
                                    let __part0 = __private::part(__part0, "judge")?;
                                    let __part1 = __private::part(__part1, "judge")?;
                                    let __arg0 = match __part0 {
                                        __CheckEvents::Price(__event) => __event,
                                        _ => return __private::misrouted("judge"),
                                    };
                                    let __arg1 = match &__part1 {
                                        __CheckEvents::Limit(__event) => &**__event,
                                        _ => return __private::misrouted("judge"),
                                    };
                                    let __out = <__Checked<
                                        Check,
                                    >>::judge(__context.workflow(), __arg0, __arg1);
                                    __private::Ok({
                                        match <__Checked<
                                            OneOf<Fine, Doubtful>,
                                        > as __private::Form<
                                            __private::OneOf<Fine, Doubtful>,
                                        >>::into_ours(__out) {
                                            __private::OneOf::A(__out) => {
                                                __private::Emitted::One(__CheckEvents::Fine(__out))
                                            }
                                            __private::OneOf::B(__out) => {
                                                __private::Emitted::One(
                                                    __CheckEvents::Doubtful(__private::Arc::new(__out)),
                                                )
                                            }
                                        }
                                    })
                                }),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    4u16 => {
                        fn __step(
                            __input: __private::Input<__CheckEvents>,
                            __context: __private::Context<Check>,
                            __room: &mut __private::Room<__CheckEvents>,
                        ) -> __private::Called<__CheckEvents> {
                            __private::Ok(
                                __private::done(move || {
                                    let [__part0] = __private::parts(__input, "first")?;
                                    let __part0 = __private::all(__part0, "first")?;
                                    let __arg0 = <__Checked<
                                        Vec<OneOf<Fine, &Doubtful>>,
                                    > as __private::Form<
                                        __private::Vec<OneOf<Fine, &Doubtful>>,
                                    >>::from_ours({
                                        let mut __list = __private::Vec::with_capacity(
                                            __part0.len(),
                                        );
                                        for __member in &__part0 {
                                            __list
                                                .push(
                                                    <__Checked<
                                                        OneOf<Fine, &Doubtful>,
                                                    > as __private::Form<
                                                        __private::OneOf<Fine, &Doubtful>,
                                                    >>::from_ours(
                                                        match __member {
                                                            __CheckEvents::Fine(__event) => {
                                                                __private::OneOf::A(
                                                                    __private::Of::<Fine>::new().copy(__event),
                                                                )
                                                            }
                                                            __CheckEvents::Doubtful(__event) => {
                                                                __private::OneOf::B(&**__event)
                                                            }
                                                            _ => return __private::misrouted("first"),
                                                        },
                                                    ),
                                                );
                                        }
                                        __list
                                    });
                                    let __out = <__Checked<
                                        Check,
                                    >>::first(__context.workflow(), __arg0);
                                    __private::Ok({
                                        let () = __out;
                                        __private::Emitted::None
                                    })
                                }),
                            )
                        }
                        __step(__input, __context, __room)
                    }
                    5u16 => {
                        fn __step(
                            __input: __private::Input<__CheckEvents>,
                            __context: __private::Context<Check>,
                            __room: &mut __private::Room<__CheckEvents>,
                        ) -> __private::Called<__CheckEvents> {
                            __private::Ok(
                                __private::done(move || {
                                    let [__part0] = __private::parts(__input, "report")?;
                                    let __part0 = __private::all(__part0, "report")?;
                                    let __arg0 = <__Checked<
                                        Vec<OneOf<Fine, Doubtful>>,
                                    > as __private::Form<
                                        __private::Vec<OneOf<Fine, Doubtful>>,
                                    >>::from_ours({
                                        let mut __list = __private::Vec::with_capacity(
                                            __part0.len(),
                                        );
                                        for __member in __part0 {
                                            __list
                                                .push(
                                                    <__Checked<
                                                        OneOf<Fine, Doubtful>,
                                                    > as __private::Form<
                                                        __private::OneOf<Fine, Doubtful>,
                                                    >>::from_ours(
                                                        match __member {
                                                            __CheckEvents::Fine(__event) => __private::OneOf::A(__event),
                                                            __CheckEvents::Doubtful(__event) => {
                                                                __private::OneOf::B(
                                                                    __private::Of::<Doubtful>::new().unshare(__event),
                                                                )
                                                            }
                                                            _ => return __private::misrouted("report"),
                                                        },
                                                    ),
                                                );
                                        }
                                        __list
                                    });
                                    let __out = <__Checked<
                                        Check,
                                    >>::report(__context.workflow(), __arg0);
                                    __private::Ok({
                                        __private::Emitted::One(__CheckEvents::StopReport(__out))
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
            __private::Of::<Vec<Row>>::new().schema("Start<Vec<Row>>", &mut __list);
            __private::Of::<Report>::new().schema("Stop<Report>", &mut __list);
            __list
        }
    }
    #[step(__used)]
    const _: () = ();
};
