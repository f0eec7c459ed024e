//! Each rule by what it says, and by what it leaves alone.

use super::{Place, Violation};
use crate::sketch::graph;
use crate::{Alternative, EventId, Graph, PointId, Tool};

/// What `check` says, as `place: message` lines with the second places indented.
fn said(text: &str) -> String {
    let graph = graph(text);
    told(&graph, &graph.check())
}

fn told(graph: &Graph, violations: &[Violation]) -> String {
    let mut out = String::new();
    for it in violations {
        out += &format!("{}: {}\n", place(graph, it.at), it.message);
        for (at, message) in &it.also {
            out += &format!("  {}: {message}\n", place(graph, *at));
        }
    }
    out
}

fn place(graph: &Graph, place: Place) -> String {
    let Some(step) = place.step().and_then(|step| graph.step(step)) else { return "workflow".to_owned() };
    let name = |event: Option<&EventId>| {
        event.and_then(|event| graph.event(*event)).map_or("?", |event| &event.name)
    };
    let items = |point: PointId| graph.point(point).unwrap().items.clone();
    match place {
        Place::Workflow => "workflow".to_owned(),
        Place::Step(_) => step.name.to_string(),
        Place::Param { param, alternative, .. } => {
            let param = step.params.get(usize::from(param)).unwrap();
            format!("{} takes {}", step.name, name(param.events.get(usize::from(alternative))))
        }
        Place::Returned { alternative, item, .. } => {
            let event = match step.returns.alternatives.get(usize::from(alternative)).unwrap() {
                Alternative::One(event) => Some(*event),
                Alternative::Many(point) => items(*point).get(usize::from(item)).copied(),
            };
            format!("{} returns {}", step.name, name(event.as_ref()))
        }
        Place::Tool { tool, .. } => match step.tools.get(usize::from(tool)).unwrap() {
            Tool::Emitter(_) => format!("emitter of {}", step.name),
            Tool::Asker(_) => format!("asker of {}", step.name),
            Tool::Inbox(_) => format!("inbox of {}", step.name),
        },
        Place::Catches { position: None, .. } => format!("catches of {}", step.name),
        Place::Catches { position: Some(position), .. } => format!("catches {position} of {}", step.name),
        Place::Option { name, .. } => format!("{name} of {}", step.name),
    }
}

fn assert_fine(text: &str) {
    assert_eq!(said(text), "");
}

/// Compares line by line, so that expectations can be indented.
fn assert_said(text: &str, expected: &str) {
    let lines = |text: &str| {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let said = said(text);
    assert_eq!(lines(&said), lines(expected), "\n{said}");
}

mod ends {
    use super::{assert_fine, assert_said};

    #[test]
    fn a_question_in_the_middle_is_fine() {
        assert_fine(
            "price: Start<Order> -> Priced
             triage: Priced -> Stop<Receipt> | ?ApproveOrder
             decide: HumanResponse<ApproveOrder> -> Stop<Receipt>",
        );
    }

    #[test]
    fn a_workflow_starts_and_stops() {
        assert_said(
            "",
            "workflow: no step takes `Start`; let the first step take `Start<Input>`
             workflow: no step returns `Stop`; let the last step return `Stop<Output>`",
        );
    }

    #[test]
    fn two_inputs_disagree() {
        assert_said(
            "a: Start<Order> -> Stop
             b: Start<Item> -> Stop",
            "b takes Start<Item>: a workflow has one input type, but this step takes `Start<Item>` and another takes `Start<Order>`; use one type
             a takes Start<Order>: `Start<Order>` is here",
        );
    }

    #[test]
    fn two_outputs_disagree() {
        assert_said(
            "a: Start -> Stop | B
             b: B -> Stop<u8>",
            "b returns Stop<u8>: a workflow has one output type, but this step returns `Stop<u8>` and another returns `Stop`; use one type
             a returns Stop: `Stop` is here",
        );
    }

    #[test]
    fn an_island_is_reported_once() {
        assert_said(
            "a: Start -> Stop
             b: Blue -> Green
             c: Green -> Blue | Red
             d: Red -> Stop",
            "b: step `b` is never reached: `Blue` is only emitted by `c`, which is never reached either; emit it on the way from `Start`
             c returns Blue: `Blue` is emitted here",
        );
    }

    #[test]
    fn a_step_that_only_reaches_itself_is_not_reached() {
        assert_said(
            "a: Start -> Stop
             again: Tick -> Tick | Stop",
            "again: step `again` is never reached: only `again` itself emits `Tick`; emit it on the way from `Start`
             again returns Tick: `Tick` is emitted here",
        );
    }

    #[test]
    fn signals_and_handlers_are_ways_in() {
        assert_fine(
            "a: Start -> ()
             b: Signal<Close> -> Closing
             c: Closing -> Stop
             d: Failed -> Report
             e: Report -> ()",
        );
    }

    #[test]
    fn reachability_can_be_skipped_and_covers_what_follows() {
        assert_fine(
            "a: Start -> Stop
             b [skip=reachability]: Blue -> Green
             c: Green -> Blue | Stop",
        );
        assert_fine(
            "a: Start -> Stop
             old [skip=reachability]: Removed -> Green
             c: Green -> Stop",
        );
    }

    #[test]
    fn a_loop_without_a_way_out_is_reported_once() {
        assert_said(
            "a: Start -> Stop | B
             b: B -> C
             c: C -> D
             d: D -> C",
            "c: step `c` never reaches an end: the loop of `c`, `d` has no way out; let one of its steps return `Stop<..>` or `Option<..>`
             d: part of the loop",
        );
    }

    #[test]
    fn a_loop_ends_by_stop_by_option_or_by_nothing() {
        assert_fine(
            "a: Start -> B
             b: B -> B | Stop",
        );
        assert_fine(
            "a: Start -> Stop | B
             b: B -> B | None",
        );
        assert_fine(
            "a: Start -> Stop | B
             b: B -> B | C
             c: C -> ()",
        );
        assert_fine(
            "a: Start -> Stop | B
             b [skip=dead_end]: B -> B",
        );
    }

    #[test]
    fn a_handler_is_no_way_out_of_a_loop() {
        assert_said(
            "a: Start -> Stop | B
             b: B -> B
             c: Failed -> Stop",
            "b: step `b` never reaches an end: it only leads back to itself; let one of its steps return `Stop<..>` or `Option<..>`",
        );
    }

    #[test]
    fn a_stop_that_only_failures_reach_is_not_enough() {
        assert_said(
            "a: Start -> ()
             b: Failed -> Stop",
            "a takes Start: no `Stop` is within reach of `Start`, so no run can complete; let a step on the way return `Stop<..>`
             b returns Stop: only a failure leads here",
        );
    }

    #[test]
    fn a_signal_may_bring_the_stop() {
        assert_fine(
            "a: Start -> ()
             b: Signal<Close> -> Stop",
        );
    }
}

mod names {
    use super::{assert_fine, assert_said, told};
    use crate::build::Builder;
    use crate::sketch::graph;

    #[test]
    fn an_emitted_event_is_accepted() {
        assert_said(
            "a: Start -> Draft | B
             b: B -> Stop | Draft",
            "a returns Draft: event `Draft` is emitted here but no step accepts it; add a step that takes `Draft` or stop with it
             b returns Draft: `Draft` is also emitted here",
        );
    }

    #[test]
    fn elements_and_what_emitters_send_are_emitted_too() {
        assert_said(
            "a: Start -> Vec<Task|Note> with Emitter<Line>
             b: Task -> Stop",
            "emitter of a: event `Line` is emitted here but no step accepts it; add a step that takes `Line` or stop with it
             a returns Note: event `Note` is emitted here but no step accepts it; add a step that takes `Note` or stop with it",
        );
    }

    #[test]
    fn an_accepted_event_is_emitted() {
        assert_said(
            "a: Start -> Stop
             publish: Approved -> Published
             archive: Published -> Stop",
            "publish takes Approved: step `publish` is never reached: nothing emits `Approved`; return `Approved` from a step",
        );
        assert_said(
            "a: Start -> B
             b: B, C -> Stop
             c: B | C -> Stop",
            "b takes C: step `b` takes `C`, but nothing emits it; return `C` from a step
             c takes C: `C` is also taken here",
        );
    }

    #[test]
    fn a_name_that_is_nearly_right_is_suggested_at_both_ends() {
        assert_said(
            "write: Start -> Draft
             publish: Drafted -> Stop",
            "write returns Draft: event `Draft` is emitted here but no step accepts it; did you mean `Drafted`?
               publish takes Drafted: `Drafted` is taken here
             publish takes Drafted: step `publish` is never reached: nothing emits `Drafted`; did you mean `Draft`?
               write returns Draft: `Draft` comes from here",
        );
    }

    #[test]
    fn a_question_needs_a_step_that_takes_its_answer() {
        assert_said(
            "a: Start -> Stop | ?Approve",
            "a returns InputRequired<Approve>: `InputRequired<Approve>` is emitted here but no step accepts the answer; \
             add a step that takes `HumanResponse<Approve>`",
        );
        assert_fine("a: Start -> Stop with Asker<Approve>");
    }

    #[test]
    fn an_answer_needs_its_question() {
        assert_said(
            "a: Start -> Stop
             b: HumanResponse<Approve> -> Stop
             c: Expired<Approve> -> Stop",
            "b takes HumanResponse<Approve>: step `b` takes `HumanResponse<Approve>`, but no step asks; return `InputRequired<Approve>` from a step
             c takes Expired<Approve>: step `c` takes `Expired<Approve>`, but no step asks; return `InputRequired<Approve>` from a step",
        );
    }

    #[test]
    fn an_asker_takes_the_answer_itself() {
        assert_said(
            "a: Start -> Stop with Asker<Approve>
             b: HumanResponse<Approve> -> Stop",
            "b takes HumanResponse<Approve>: step `b` takes `HumanResponse<Approve>`, but no step asks; return `InputRequired<Approve>` from a step
               asker of a: an `Asker` takes the answer itself",
        );
    }

    #[test]
    fn names_are_used_once() {
        assert_said(
            "a: Start -> B
             a: B -> Stop",
            "a: two steps are called `a`; rename one
               a: the other one",
        );
        assert_said(
            "a: Start -> B
             b [was=a]: B -> C
             c [was=old]: C -> D
             d [was=old]: D -> Stop",
            "was of b: `a` is the name of a step of today; `was` says what `b` was called before
               a: `a` is here
             was of d: two steps were called `old`; keep `was` on the one that goes on where it stopped
               was of c: the other one",
        );
    }

    #[test]
    fn many_mistakes_are_all_reported_in_source_order() {
        assert_said(
            "a [workers=0]: Start -> Lost
             b: Never -> Stop
             c: Blue -> Blue",
            "a returns Lost: event `Lost` is emitted here but no step accepts it; add a step that takes `Lost` or stop with it
             workers of a: with `workers = 0` the step would never run; give at least 1, or leave the option out for no limit
             b takes Never: step `b` is never reached: nothing emits `Never`; return `Never` from a step
             c: step `c` is never reached: only `c` itself emits `Blue`; emit it on the way from `Start`
               c returns Blue: `Blue` is emitted here
             c: step `c` never reaches an end: it only leads back to itself; let one of its steps return `Stop<..>` or `Option<..>`",
        );
    }

    #[test]
    fn numbers_that_lead_nowhere_are_the_only_thing_reported() {
        let mut builder = Builder::new("Broken");
        let mut step = crate::build::StepDecl::new("a");
        step.params.push(crate::Param::new(crate::ParamForm::One, [crate::EventId(7)]));
        builder.step(step);
        let broken = builder.build();
        assert_eq!(
            told(&broken, &broken.check()),
            "workflow: step 0 mentions event 7, which is not there; build the graph again\n"
        );

        let mut stale = graph("a: Start -> Stop");
        stale.events.to_mut().iter_mut().for_each(|event| event.accepted_by = Vec::new().into());
        assert_eq!(
            told(&stale, &stale.check()),
            "workflow: what the graph derives does not follow from its steps; call `relink`\n"
        );
    }
}

mod forms {
    use super::{assert_fine, assert_said};

    #[test]
    fn a_step_takes_events() {
        assert_said(
            "a: Start -> Stop
             b:  -> Stop",
            "b: step `b` takes no event, so nothing would run it; let it take the event it waits for",
        );
    }

    #[test]
    fn what_only_a_step_emits_is_not_taken() {
        assert_said(
            "a: Start -> Stop | ?Q
             b: Stop -> ()
             c: ?Q -> ()
             d: HumanResponse<Q> -> Stop
             e: Vec<Start> -> ()",
            "b takes Stop: a step cannot take `Stop`: the run is over when it is emitted; take the event before it
             c takes InputRequired<Q>: a step cannot take `InputRequired<Q>`: it goes to a person; take `HumanResponse<Q>`
             e takes Start: `Start` cannot be gathered: it arrives outside every fan-out; take `Start` itself",
        );
    }

    #[test]
    fn what_comes_from_outside_is_not_emitted() {
        assert_said(
            "a: Start -> Start | Signal<T> | Vec<Stop|B>
             b: B | Signal<T> -> Stop",
            "a returns Start: a step cannot emit `Start`: it comes from outside; emit an event of your own
             a returns Signal<T>: a step cannot emit `Signal<T>`: it comes from outside; emit an event of your own
             a returns Stop: `Stop` ends the run, so it cannot be one of many; return it as an alternative of its own",
        );
    }

    #[test]
    fn alternatives_are_different_and_at_most_eight() {
        assert_said(
            "a: Start -> B | B | Vec<C|C>
             b: B | B -> Stop
             c: C -> D1 | D2 | D3 | D4 | D5 | D6 | D7 | D8 | D9
             d: D1 | D2 | D3 | D4 | D5 | D6 | D7 | D8 | D9 -> Stop",
            "a returns B: `B` stands here twice; keep one, or use an event of its own for each meaning
               a returns B: the first one
             a returns C: `C` stands here twice; keep one, or use an event of its own for each meaning
             b takes B: `B` stands here twice; keep one, or use an event of its own for each meaning
               b takes B: the first one
             c returns D9: a `OneOf` has at most 8 alternatives; put some of them in one event enum
             d takes D9: a `OneOf` has at most 8 alternatives; put some of them in one event enum",
        );
    }

    #[test]
    fn a_join_takes_different_events() {
        assert_said(
            "a: Start -> B
             b: B, B -> Stop",
            "b takes B: this join takes `B` twice; wrap one of them in an event of its own
               b takes B: the first one",
        );
    }

    #[test]
    fn a_failure_stands_alone() {
        assert_said(
            "a: Start -> Stop | B
             b: Failed, B -> Stop",
            "b takes ?: `StepFailed` stands alone: a failure joins with nothing; take the other events in a step of their own",
        );
    }

    #[test]
    fn options_fit_their_step() {
        assert_said(
            "a [workers=0 take=0 max_recoveries=1]: Start -> Stop
             b [cancel_rest=false]: Signal<T> -> ()",
            "max_recoveries of a: `max_recoveries` is for an error handler; take a `StepFailed`, or leave the option out
             take of a: `take = 0` would wait for nothing; give at least 1
             take of a: `take` is for a step that gathers; take a `Vec<..>`, or leave the option out
             workers of a: with `workers = 0` the step would never run; give at least 1, or leave the option out for no limit
             cancel_rest of b: `cancel_rest` says what becomes of the rest after `take`; add `take = n`, or leave the option out",
        );
        assert_fine(
            "a [workers=2]: Start -> Vec<B>
             b [take=1 cancel_rest=false]: Vec<B> -> Stop
             c [max_recoveries=3]: Failed -> Stop",
        );
    }

    #[test]
    fn a_failure_has_one_handler() {
        assert_said(
            "a: Start -> Stop
             h1 [catches=a]: Failed -> Stop
             h2 [catches=a]: Failed -> Stop
             h3: Failed -> Stop
             h4: Failed -> Stop",
            "catches 0 of h2: `a` is caught already; a failure has one handler
               catches 0 of h1: the first one
             catches of h4: `h4` and `h3` both catch every step that no other handler claims; name the steps of one with `catches(..)`
               catches of h3: the other one",
        );
    }

    #[test]
    fn a_handler_catches_steps_that_are_no_handlers() {
        assert_said(
            "a [catches=a]: Start -> Stop
             h1 [catches=h2]: Failed -> Stop
             h2 [catches=]: Failed -> Stop",
            "catches of a: `catches(..)` is for an error handler; let `a` take a `StepFailed`
             catches 0 of a: `a` is an error handler, and no handler catches the failure of another; leave it out
               a: the handler
             catches 0 of h1: `h2` is an error handler, and no handler catches the failure of another; leave it out
               h2: the handler
             catches of h2: `catches()` names no step; name one, or leave the option out to catch all that no other handler claims",
        );
    }

    #[test]
    fn a_typed_handler_catches_steps_that_take_the_type() {
        assert_said(
            "a: Start -> B
             b: B -> Stop
             h [catches=a,b]: Failed<B> -> Stop",
            "h takes B: `h` catches `a`, which does not take `B`; take a plain `StepFailed`, or name only steps that do
               a: takes something else",
        );
        assert_fine(
            "a: Start -> B
             b: B -> Stop
             h [catches=b]: Failed<B> -> Stop",
        );
    }

    #[test]
    fn a_signal_goes_to_steps_or_to_inboxes() {
        assert_said(
            "a: Start -> Stop with Inbox<T>
             b: Signal<T> -> ()",
            "inbox of a: `Signal<T>` goes to a step already, so an `Inbox` would never get it; use one or the other
               b takes Signal<T>: `Signal<T>` is taken here",
        );
        assert_fine("a: Start -> Stop with Inbox<T>");
    }
}

mod fan_out {
    use super::{assert_fine, assert_said};

    #[test]
    fn a_gather_after_a_fan_out_is_fine() {
        assert_fine(
            "split: Start -> Vec<Task>
             work: Task -> Done
             merge: Vec<Done> -> Stop",
        );
        assert_fine(
            "split: Start -> () with Emitter<Task>
             merge: Vec<Task> -> Stop",
        );
    }

    #[test]
    fn a_gather_without_a_fan_out_is_refused() {
        assert_said(
            "a: Start -> Done
             merge: Vec<Done> -> Stop",
            "merge takes Done: step `merge` gathers `Done`, but no step fans out on the way to it; take `Done`, or return a `Vec` upstream
               a returns Done: `Done` arrives outside any fan-out from here",
        );
    }

    #[test]
    fn a_gather_that_also_misses_events_outside_is_refused_unless_skipped() {
        assert_said(
            "split: Start -> Vec<Task> | Done
             work: Task -> Done
             merge: Vec<Done> -> Stop",
            "merge takes Done: `Done` can also arrive outside any fan-out (step `split` returns it directly), where no gather can take it; \
             return a `Vec` there too, or say `skip(outside)` on `merge`
               split returns Done: `Done` arrives outside any fan-out from here",
        );
        assert_fine(
            "split: Start -> Vec<Task> | Done
             work: Task -> Done
             merge [skip=outside]: Vec<Done> -> Stop
             direct: Done -> ()",
        );
    }

    #[test]
    fn the_second_gather_of_one_scope_is_outside() {
        assert_said(
            "split: Start -> Vec<Task>
             work: Task -> Done
             merge: Vec<Done> -> Sum
             again: Vec<Sum> -> Stop",
            "again takes Sum: step `again` gathers `Sum`, but no step fans out on the way to it; take `Sum`, or return a `Vec` upstream
               merge returns Sum: `Sum` arrives outside any fan-out from here",
        );
    }

    #[test]
    fn each_alternative_of_a_gather_is_judged() {
        assert_said(
            "split: Start -> Vec<Task> | Note
             merge: Vec<Task|Note> -> Stop",
            "merge takes Note: step `merge` gathers `Note`, but no step fans out on the way to it; take `Note`, or return a `Vec` upstream
               split returns Note: `Note` arrives outside any fan-out from here",
        );
    }

    #[test]
    fn answers_are_gathered_where_the_questions_fanned_out() {
        assert_fine(
            "split: Start -> Vec<?Vote>
             count: Vec<HumanResponse<Vote>|Expired<Vote>> -> Stop",
        );
    }
}

mod joins {
    use super::{assert_fine, assert_said};

    #[test]
    fn what_two_steps_make_of_one_event_joins() {
        assert_fine(
            "a: Start -> B
             c: B -> C
             d: B -> D
             e: C, D -> Stop",
        );
    }

    #[test]
    fn an_event_joins_with_what_follows_from_it() {
        assert_fine(
            "a: Start -> B
             c: B -> C
             e: B, C -> Stop",
        );
    }

    #[test]
    fn a_join_per_element_is_fine() {
        assert_fine(
            "split: Start -> Vec<Task>
             left: Task -> L
             right: Task -> R
             both: L, R -> Done
             merge: Vec<Done> -> Stop",
        );
    }

    #[test]
    fn inputs_at_different_depths_are_refused() {
        assert_said(
            "plan: Start -> Plan
             split: Plan -> Vec<Task>
             work: Task -> Done
             merge: Plan, Done -> Stop",
            "merge takes Done: step `merge` can never fire: `Plan` is outside every fan-out, `Done` is inside the fan-out of `split`; gather it with `Vec<Done>`
               merge takes Plan: does not meet `Plan`",
        );
        assert_fine(
            "plan: Start -> Plan
             split: Plan -> Vec<Task>
             work: Task -> Done
             merge: Plan, Vec<Done> -> Stop",
        );
    }

    #[test]
    fn inputs_in_different_fan_outs_are_refused() {
        assert_said(
            "one: Start -> Vec<A>
             two: Start -> Vec<B>
             merge: A, B -> Stop",
            "merge takes B: step `merge` can never fire: `A` is inside the fan-out of `one`, `B` is inside the fan-out of `two`; bring both into one branch
               merge takes A: does not meet `A`",
        );
    }

    #[test]
    fn alternatives_of_one_step_exclude_each_other() {
        assert_said(
            "split: Start -> A | B
             a: A -> A2
             merge: A2, B -> Stop",
            "merge takes B: step `merge` can never fire: `split` emits either `A` or `B`, never both; take them in two steps, or emit both
               merge takes A2: does not meet `A2`",
        );
    }

    #[test]
    fn a_loop_brings_both_alternatives_in_turn() {
        assert_fine(
            "a: Start -> Go
             split: Go -> A | B
             again: A -> Go
             merge: A, B -> Stop",
        );
    }

    #[test]
    fn an_answer_and_an_expiry_exclude_each_other() {
        assert_said(
            "ask: Start -> ?Q
             merge: HumanResponse<Q>, Expired<Q> -> Stop",
            "merge takes Expired<Q>: step `merge` can never fire: `InputRequired<Q>` is either answered or expires, never both; take them in two steps, or emit both
               merge takes HumanResponse<Q>: does not meet `HumanResponse<Q>`",
        );
    }

    #[test]
    fn a_return_and_a_failure_exclude_each_other() {
        assert_said(
            "fetch: Start -> Page
             failed: Failed -> Fallback
             merge: Page, Fallback -> Stop",
            "merge takes Fallback: step `merge` can never fire: `fetch` either emits `Page` or fails, never both; take them in two steps, or emit both
               merge takes Page: does not meet `Page`",
        );
    }

    #[test]
    fn elements_of_one_fan_out_are_in_branches_of_their_own() {
        assert_said(
            "split: Start -> Vec<A|B>
             merge: A, B -> Done
             end: Vec<Done> -> Stop",
            "merge takes B: step `merge` can never fire: `split` emits `A` and `B` as elements of one fan-out, each in a branch of its own; take them in two steps, or emit both
               merge takes A: does not meet `A`",
        );
        assert_fine(
            "split: Start -> Vec<A|B>
             as_: Vec<A> -> A2
             bs: Vec<B> -> B2
             merge: A2, B2 -> Stop",
        );
        assert_fine(
            "split: Start -> Vec<A|B>
             merge: Vec<A>, Vec<B> -> Stop",
        );
    }

    #[test]
    fn an_emitter_and_the_return_of_its_step_both_happen() {
        assert_fine(
            "read: Start -> Summary with Emitter<Line>
             merge: Summary, Vec<Line> -> Stop",
        );
    }

    #[test]
    fn signals_meet_anything_outside() {
        assert_fine(
            "a: Start -> A
             merge: A, Signal<Go> -> Stop",
        );
        assert_fine(
            "a: Start -> ()
             s: Signal<Go> -> A | B
             merge: A, B -> Stop",
        );
    }

    #[test]
    fn a_signal_never_meets_a_branch() {
        assert_said(
            "split: Start -> Vec<A>
             merge: A, Signal<Go> -> Stop",
            "merge takes Signal<Go>: step `merge` can never fire: `A` is inside the fan-out of `split`, `Signal<Go>` is outside every fan-out; gather it with `Vec<A>`
               merge takes A: does not meet `A`",
        );
    }

    #[test]
    fn a_join_that_waits_for_itself_is_refused() {
        assert_said(
            "a: Start -> P
             merge: P, Q -> R | Stop
             again: R -> Q",
            "merge takes Q: step `merge` can never fire: `Q` is only emitted after this step has run; take them in two steps
               again returns Q: emitted here",
        );
        assert_fine(
            "a: Start -> P
             early: P -> R
             merge: P, Q -> R | Stop
             again: R -> Q",
        );
    }

    #[test]
    fn two_joins_that_wait_for_each_other_are_reported_once_without_what_follows() {
        assert_said(
            "a: Start -> A
             c: A -> C
             d: A -> D
             one: C, Y -> X
             two: D, X -> Y | Z
             after: A, Z -> Stop",
            "one takes Y: step `one` can never fire: `Y` is only emitted after step `two` has run, which waits for this one; take them in two steps
               two returns Y: emitted here",
        );
    }

    #[test]
    fn what_waits_behind_a_bad_join_is_not_reported() {
        assert_said(
            "a: Start -> A | B
             merge: A, B -> C
             after: A, C -> Stop",
            "merge takes B: step `merge` can never fire: `a` emits either `A` or `B`, never both; take them in two steps, or emit both
               merge takes A: does not meet `A`",
        );
        assert_said(
            "a: Start -> A
             split: A -> Vec<T>
             merge: A, T -> C
             fan: C -> Vec<D>
             gather: Vec<D> -> E
             after: A, E -> Stop",
            "merge takes T: step `merge` can never fire: `A` is outside every fan-out, `T` is inside the fan-out of `split`; gather it with `Vec<T>`
               merge takes A: does not meet `A`",
        );
    }

    #[test]
    fn what_waits_behind_a_bad_gather_is_not_reported() {
        assert_said(
            "a: Start -> A
             bad: Vec<A> -> B
             after: A, B -> Stop",
            "bad takes A: step `bad` gathers `A`, but no step fans out on the way to it; take `A`, or return a `Vec` upstream
               a returns A: `A` arrives outside any fan-out from here",
        );
    }

    #[test]
    fn a_join_can_be_skipped() {
        assert_fine(
            "split: Start -> A | B | Stop
             merge [skip=join]: A, B -> Stop",
        );
    }

    #[test]
    fn one_alternative_that_meets_is_enough() {
        assert_fine(
            "a: Start -> A | B
             c: B -> C
             merge: A | B, C -> Stop",
        );
    }

    #[test]
    fn recursion_folds_and_joins_per_element() {
        assert_fine(
            "a: Start -> Node
             visit: Node -> Vec<Node> | Leaf
             mark: Leaf -> Mark
             both: Leaf, Mark -> Done
             up [skip=outside]: Vec<Done|Up> -> Up
             root: Up -> Stop | None
             single: Done -> None | Stop",
        );
    }

    #[test]
    fn a_gather_that_stays_empty_can_feed_the_join_that_feeds_it() {
        // `c` gathers what only `both` emits, but fires without any when an inner scope closes.
        assert_fine(
            "root: Start -> Vec<T> | Stop
             visit: T -> Vec<T> | None
             a: Vec<T> -> A | A2
             c [skip=outside]: Vec<C> -> B
             both: A, B | A2 -> C
             alone: C -> ()",
        );
    }

    #[test]
    fn a_failure_in_a_branch_joins_in_that_branch() {
        assert_fine(
            "split: Start -> Vec<Task>
             note: Task -> Note
             work: Task -> Done
             repair [catches=work]: Failed<Task> -> Repaired
             both: Note, Repaired | Done -> Result
             merge: Vec<Result> -> Stop",
        );
    }
}
