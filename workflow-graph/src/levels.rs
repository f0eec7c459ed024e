//! At which depth of fan-out each step runs.
//!
//! A *level* is a stack of fan-out points: `[]` is outside every fan-out, `[a, b]` is inside a scope of `b`
//! that was opened inside a scope of `a`. [`Levels`] says at which levels each event arrives, as the least
//! solution of these equations:
//!
//! - `Start` and signals arrive at `[]`.
//! - A step runs where all its parameters can be met: at the intersection, over the parameters, of the
//!   union over the parameter's alternatives.
//! - What it returns stays at its level; what it fans out is pushed, see below.
//! - A question becomes its answer, or its expiry, at its own level.
//! - A gather runs where the scopes of its points were opened. A point belongs to a gather when something
//!   the gather takes arrives directly inside that point; the gather then fires once for *each* scope of
//!   the point, also where nothing arrives.
//! - An error handler runs where the steps that it catches run, and where their questions expire.
//!
//! To push a point on a level that has it already is to cut the level back to it. So a recursive workflow
//! has finitely many levels, each standing for many depths. The level of a branch follows from the branch
//! alone: two events of one branch always share a level, which is what makes it safe to refuse a join whose
//! inputs share none. The other direction does not hold, and need not.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::flow::Flow;
use crate::{EventId, Graph, Param, ParamForm, PointId, Role, Slot, Step, StepId};

/// How many levels are looked at. Beyond that the rules about fan-out stay silent.
pub const MOST_LEVELS: usize = 4096;

/// The levels at which the events of a graph arrive and its steps run.
#[derive(Clone, Debug)]
pub struct Levels {
    stacks: Vec<Option<Frame>>,
    numbers: HashMap<Frame, usize>,
    events: Vec<Set>,
    steps: Vec<Set>,
    /// Per point, the levels from which a scope of it is opened.
    openers: Vec<Set>,
    complete: bool,
}

/// The innermost point of a level, on the level below it. `[]` is the level without a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Frame {
    below: usize,
    point: PointId,
}

pub(crate) const OUTSIDE: usize = 0;

impl Levels {
    /// Solves the equations for a graph.
    #[must_use]
    pub fn of(graph: &Graph) -> Self {
        Self::of_flow(&Flow::of(graph))
    }

    pub(crate) fn of_flow(flow: &Flow<'_>) -> Self {
        Question::about(flow).solve()
    }

    /// Whether everything was looked at. If not, there were more than [`MOST_LEVELS`], and what the other
    /// methods say is a part of the truth.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The levels at which a step runs, each from the outermost point to the innermost.
    #[must_use]
    pub fn of_step(&self, step: StepId) -> Vec<Vec<PointId>> {
        self.stacks_of(self.steps.get(step.index()))
    }

    /// The levels at which an event arrives, each from the outermost point to the innermost.
    #[must_use]
    pub fn of_event(&self, event: EventId) -> Vec<Vec<PointId>> {
        self.stacks_of(self.events.get(event.index()))
    }

    pub(crate) fn at_event(&self, event: EventId) -> Set {
        self.events.get(event.index()).cloned().unwrap_or_default()
    }

    pub(crate) fn at_step(&self, step: StepId) -> Set {
        self.steps.get(step.index()).cloned().unwrap_or_default()
    }

    pub(crate) fn opened(&self, point: PointId) -> Set {
        self.openers.get(point.index()).cloned().unwrap_or_default()
    }

    /// The innermost fan-out of a level.
    pub(crate) fn innermost(&self, level: usize) -> Option<PointId> {
        self.stacks.get(level).copied().flatten().map(|frame| frame.point)
    }

    /// The points directly inside which an event arrives.
    pub(crate) fn directly_inside(&self, event: EventId) -> BTreeSet<PointId> {
        self.events
            .get(event.index())
            .into_iter()
            .flat_map(Set::iter)
            .filter_map(|it| self.innermost(it))
            .collect()
    }

    fn stacks_of(&self, set: Option<&Set>) -> Vec<Vec<PointId>> {
        let stack = |level| {
            let frames = std::iter::successors(self.stacks.get(level).copied().flatten(), |frame: &Frame| {
                self.stacks.get(frame.below).copied().flatten()
            });
            let mut stack: Vec<PointId> = frames.map(|frame| frame.point).collect();
            stack.reverse();
            stack
        };
        set.into_iter().flat_map(Set::iter).map(stack).collect()
    }
}

/// The gathers of each point, which is [`Point::gathers`](crate::Point::gathers).
///
/// The engine needs them for every graph, so one with too many levels is looked at again with the innermost
/// point only. That finds all gathers and perhaps some too many, which then fire with an empty `Vec`.
pub(crate) fn gathered_points(graph: &Graph) -> Vec<Vec<Slot>> {
    let flow = Flow::of(graph);
    let mut levels = Question::about(&flow).solve();
    if !levels.complete {
        levels = Question { innermost_only: true, ..Question::about(&flow) }.solve();
    }
    let mut gathers = vec![Vec::new(); graph.points.len()];
    for (id, step) in graph.numbered_steps() {
        for (param, it) in (0..).zip(step.params.iter()).filter(|(_, param)| param.is_gather()) {
            let points: BTreeSet<PointId> =
                it.events.iter().flat_map(|it| levels.directly_inside(*it)).collect();
            for point in points {
                if let Some(gathers) = gathers.get_mut(point.index()) {
                    gathers.push(Slot { step: id, param });
                }
            }
        }
    }
    gathers
}

impl Param {
    pub(crate) fn is_gather(&self) -> bool {
        matches!(self.form, ParamForm::Gather { .. })
    }
}

/// What [`Levels`] to solve for: all of the graph, or the graph with something changed.
pub(crate) struct Question<'q> {
    pub(crate) flow: &'q Flow<'q>,
    /// The graph as it is before this step has ever run.
    pub(crate) without: Option<StepId>,
    /// Which points belong to a gather: as the graph says, or found on the way. Without a step, a gather
    /// still has all its points: it fires when their scopes close, whatever that step would have sent.
    pub(crate) gathers_are_known: bool,
    /// Joins that run wherever any of their parameters can be met.
    pub(crate) loose: BTreeSet<StepId>,
    /// Levels of one point, so that their number is bounded by the number of points.
    pub(crate) innermost_only: bool,
}

impl<'q> Question<'q> {
    pub(crate) fn about(flow: &'q Flow<'q>) -> Self {
        Self { flow, without: None, gathers_are_known: false, loose: BTreeSet::new(), innermost_only: false }
    }

    pub(crate) fn solve(&self) -> Levels {
        let graph = self.flow.graph;
        let mut solver = Solver {
            question: self,
            levels: Levels {
                stacks: vec![None],
                numbers: HashMap::new(),
                events: vec![Set::default(); graph.events.len()],
                steps: vec![Set::default(); graph.steps.len()],
                openers: vec![Set::default(); graph.points.len()],
                complete: true,
            },
            gathers: vec![BTreeSet::new(); graph.points.len()],
            queued: vec![false; graph.steps.len()],
            queue: VecDeque::new(),
        };
        solver.levels.complete = solver.run().is_some();
        solver.levels
    }
}

struct Solver<'q> {
    question: &'q Question<'q>,
    levels: Levels,
    /// Per point, the steps that gather it.
    gathers: Vec<BTreeSet<StepId>>,
    queued: Vec<bool>,
    queue: VecDeque<StepId>,
}

/// More than [`MOST_LEVELS`] levels end the search, by `?`.
type Within<T> = Option<T>;

impl Solver<'_> {
    fn run(&mut self) -> Within<()> {
        let flow = self.question.flow;
        for (id, event) in flow.graph.event_ids().zip(flow.graph.events.iter()) {
            if matches!(event.role, Role::Start | Role::Signal) {
                self.arrives(id, &Set::from_iter([OUTSIDE]));
            }
        }
        // A gather that is known to have a point fires also where nothing it takes ever arrives.
        let gathers = |(id, step): (StepId, &Step)| step.params.iter().any(Param::is_gather).then_some(id);
        self.revisit(flow.steps().filter_map(gathers));
        while let Some(step) = self.queue.pop_front() {
            if let Some(queued) = self.queued.get_mut(step.index()) {
                *queued = false;
            }
            self.visit(step)?;
        }
        Some(())
    }

    fn visit(&mut self, id: StepId) -> Within<()> {
        let flow = self.question.flow;
        let Some(step) = flow.graph.step(id) else { return Some(()) };
        let runs = self.runs_at(id, step);
        let Some(known) = self.levels.steps.get_mut(id.index()) else { return Some(()) };
        let new = known.add(&runs);
        if new.is_empty() {
            return Some(());
        }
        self.revisit(flow.handler_of(id));
        for emission in flow.emitted_by(id) {
            match emission.point {
                None => self.arrives(emission.event, &new),
                Some(point) => {
                    let mut inside = Set::default();
                    for level in new.iter() {
                        inside.insert(self.push(level, point)?);
                    }
                    self.opens(point, &new);
                    self.arrives(emission.event, &inside);
                }
            }
        }
        Some(())
    }

    fn runs_at(&mut self, id: StepId, step: &Step) -> Set {
        let loose = self.question.loose.contains(&id);
        let params = (0..).zip(step.params.iter()).map(|(position, param)| match param.form {
            ParamForm::Failed => self.fails_at(id),
            ParamForm::One => self.arrivals(&param.events),
            ParamForm::Gather { .. } => {
                let closes = self.closes_at(Slot { step: id, param: position }, param);
                if loose && closes.is_empty() { self.arrivals(&param.events) } else { closes }
            }
        });
        let either = |mut all: Set, one: Set| {
            all.add(&one);
            all
        };
        let both = |all: Set, one: Set| all.shared(&one);
        if loose { params.reduce(either) } else { params.reduce(both) }.unwrap_or_default()
    }

    fn arrivals(&self, events: &[EventId]) -> Set {
        let mut all = Set::default();
        for arrivals in events.iter().filter_map(|event| self.levels.events.get(event.index())) {
            all.add(arrivals);
        }
        all
    }

    fn closes_at(&mut self, slot: Slot, param: &Param) -> Set {
        let points: BTreeSet<PointId> = if self.question.gathers_are_known {
            let points = self.question.flow.graph.numbered_points();
            points.filter(|(_, point)| point.gathers.contains(&slot)).map(|(id, _)| id).collect()
        } else {
            param.events.iter().flat_map(|event| self.levels.directly_inside(*event)).collect()
        };
        let mut all = Set::default();
        for point in points {
            if let (Some(waiting), Some(openers)) =
                (self.gathers.get_mut(point.index()), self.levels.openers.get(point.index()))
            {
                waiting.insert(slot.step);
                all.add(openers);
            }
        }
        all
    }

    fn fails_at(&self, handler: StepId) -> Set {
        let flow = self.question.flow;
        let mut all = Set::default();
        for step in flow.caught_by(handler) {
            if let Some(runs) = self.levels.steps.get(step.index()) {
                all.add(runs);
            }
            // A question that expires, and whose expiry no step takes, fails in its own branch.
            let asked = flow.emitted_by(step).iter().map(|emission| emission.event);
            for event in asked.filter(|event| matches!(flow.graph.role(*event), Some(Role::Prompt { .. }))) {
                all.add(&self.arrivals(&[event]));
            }
        }
        all
    }

    fn push(&mut self, level: usize, point: PointId) -> Within<usize> {
        if self.question.innermost_only {
            return Some(self.number_of(Frame { below: OUTSIDE, point }));
        }
        let mut at = level;
        while let Some(frame) = self.levels.stacks.get(at).copied().flatten() {
            if frame.point == point {
                return Some(at);
            }
            at = frame.below;
        }
        let number = self.number_of(Frame { below: level, point });
        (number < MOST_LEVELS).then_some(number)
    }

    fn number_of(&mut self, frame: Frame) -> usize {
        *self.levels.numbers.entry(frame).or_insert_with(|| {
            self.levels.stacks.push(Some(frame));
            self.levels.stacks.len() - 1
        })
    }

    fn opens(&mut self, point: PointId, from: &Set) {
        let Some(openers) = self.levels.openers.get_mut(point.index()) else { return };
        if !openers.add(from).is_empty() {
            let waiting = self.gathers.get(point.index()).cloned().unwrap_or_default();
            self.revisit(waiting);
        }
    }

    fn arrives(&mut self, event: EventId, at: &Set) {
        let flow = self.question.flow;
        if let Some(Role::Prompt { .. }) = flow.graph.role(event) {
            if let Some(known) = self.levels.events.get_mut(event.index()) {
                known.add(at);
            }
            self.revisit(flow.emissions(event).iter().filter_map(|emission| flow.handler_of(emission.step)));
        }
        for event in flow.becomes(event) {
            let Some(known) = self.levels.events.get_mut(event.index()) else { continue };
            if !known.add(at).is_empty() {
                self.revisit(flow.acceptances(event).iter().map(|acceptance| acceptance.slot.step));
            }
        }
    }

    fn revisit(&mut self, steps: impl IntoIterator<Item = StepId>) {
        for step in steps {
            if let Some(queued @ false) = self.queued.get_mut(step.index()) {
                if self.question.without != Some(step) {
                    *queued = true;
                    self.queue.push_back(step);
                }
            }
        }
    }
}

/// A set of levels: one bit each, because unions and intersections are most of the work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    words: Vec<u64>,
}

impl Set {
    pub(crate) fn insert(&mut self, level: usize) {
        let word = level / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= 1 << (level % 64);
        }
    }

    /// Adds all of `other` and gives what was new.
    pub(crate) fn add(&mut self, other: &Self) -> Self {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        let words = self.words.iter_mut().zip(&other.words).map(|(mine, other)| {
            let new = other & !*mine;
            *mine |= new;
            new
        });
        Self { words: words.collect() }
    }

    pub(crate) fn shared(&self, other: &Self) -> Self {
        Self { words: self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect() }
    }

    pub(crate) fn contains(&self, level: usize) -> bool {
        self.words.get(level / 64).is_some_and(|word| word & (1 << (level % 64)) != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let bits = |word: u64| (0..64).filter(move |bit| word & (1 << bit) != 0);
        self.words
            .iter()
            .enumerate()
            .flat_map(move |(position, word)| bits(*word).map(move |bit| position * 64 + bit))
    }
}

impl FromIterator<usize> for Set {
    fn from_iter<I: IntoIterator<Item = usize>>(levels: I) -> Self {
        let mut set = Self::default();
        levels.into_iter().for_each(|level| set.insert(level));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::{Levels, MOST_LEVELS};
    use crate::sketch::{graph, step};
    use crate::{Graph, Origin, PointId};

    /// The levels of a step by the names of the steps that fan out; `/` is outside.
    fn levels(graph: &Graph, name: &str) -> Vec<String> {
        let point = |id: &PointId| {
            let point = graph.point(*id).unwrap();
            let name = &graph.step(point.step).unwrap().name;
            match point.origin {
                Origin::Returned(0) => name.to_string(),
                Origin::Returned(position) => format!("{name}.{position}"),
                Origin::Emitter(_) => format!("{name}.sent"),
            }
        };
        let text =
            |stack: &Vec<PointId>| format!("/{}", stack.iter().map(point).collect::<Vec<_>>().join("/"));
        let mut levels: Vec<String> = Levels::of(graph).of_step(step(graph, name)).iter().map(text).collect();
        levels.sort();
        levels
    }

    /// The steps that gather the fan-outs of a step.
    fn gathers(graph: &Graph, name: &str) -> Vec<Vec<String>> {
        let of_step = graph.points.iter().filter(|point| point.step == step(graph, name));
        let names = |point: &crate::Point| {
            point
                .gathers
                .iter()
                .map(|slot| format!("{}.{}", graph.step(slot.step).unwrap().name, slot.param))
                .collect()
        };
        of_step.map(names).collect()
    }

    #[test]
    fn fan_outs_nest_and_gathers_lead_back() {
        let graph = graph(
            "books: Start -> Vec<Book>
             pages: Book -> Vec<Page>
             read: Page -> Words
             book: Vec<Words> -> Sum
             all: Vec<Sum> -> Stop",
        );
        assert_eq!(levels(&graph, "pages"), ["/books"]);
        assert_eq!(levels(&graph, "read"), ["/books/pages"]);
        assert_eq!(levels(&graph, "book"), ["/books"]);
        assert_eq!(levels(&graph, "all"), ["/"]);
        assert_eq!(gathers(&graph, "books"), [["all.0"]]);
        assert_eq!(gathers(&graph, "pages"), [["book.0"]]);
    }

    #[test]
    fn several_gathers_of_one_fan_out_stand_in_source_order() {
        let graph = graph(
            "last: X, Vec<A> -> Stop
             split: Start -> Vec<A|B>
             merge: Vec<B> -> X",
        );
        assert_eq!(gathers(&graph, "split"), [["last.1", "merge.0"]]);
        assert_eq!(levels(&graph, "last"), ["/"]);
    }

    #[test]
    fn each_alternative_and_each_emitter_is_a_fan_out_of_its_own() {
        let graph = graph(
            "split: Start -> Vec<A> | Vec<B> with Emitter<C>
             a: Vec<A> -> Stop
             b: Vec<B> -> Stop
             c: Vec<C> -> ()
             both: C -> ()",
        );
        assert_eq!(levels(&graph, "both"), ["/split.sent"]);
        assert_eq!(gathers(&graph, "split"), [["c.0"], ["a.0"], ["b.0"]]);
    }

    #[test]
    fn a_loop_opens_new_scopes_at_the_same_level() {
        let graph = graph(
            "split: Start | More -> Vec<Task>
             work: Task -> Done
             merge: Vec<Done> -> More | Stop",
        );
        assert_eq!(levels(&graph, "split"), ["/"]);
        assert_eq!(levels(&graph, "work"), ["/split"]);
        assert_eq!(levels(&graph, "merge"), ["/"]);
    }

    #[test]
    fn recursion_folds() {
        let graph = graph(
            "plant: Start -> Vec<Node>
             visit: Node -> Vec<Node> | Leaf
             up: Vec<Leaf|Up> -> Up
             end [skip=outside]: Up -> Stop",
        );
        assert_eq!(levels(&graph, "visit"), ["/plant", "/plant/visit"]);
        assert_eq!(levels(&graph, "up"), ["/", "/plant", "/plant/visit"]);
        assert_eq!(gathers(&graph, "visit"), [["up.0"]]);
    }

    #[test]
    fn recursion_through_two_points_cuts_back_to_the_first() {
        let graph = graph(
            "a: Start | B -> Vec<A>
             b: A -> Vec<B> | Stop",
        );
        assert_eq!(levels(&graph, "b"), ["/a"]);
        assert_eq!(levels(&graph, "a"), ["/", "/a/b"]);
    }

    #[test]
    fn a_join_runs_where_its_inputs_meet() {
        let graph = graph(
            "plan: Start -> Plan
             split: Plan -> Vec<Task>
             task: Task | Plan -> L
             other: Task -> R
             both: L, R -> Done
             merge: Vec<Done> -> Stop",
        );
        assert_eq!(levels(&graph, "task"), ["/", "/split"]);
        assert_eq!(levels(&graph, "both"), ["/split"]);
    }

    #[test]
    fn a_handler_runs_where_its_steps_run_and_where_their_questions_expire() {
        let graph = graph(
            "split: Start -> Vec<Task>
             work: Task -> Done
             ask: Done -> Vec<?Q>
             end: Vec<HumanResponse<Q>> -> Ok
             merge: Vec<Ok> -> Stop
             of_work [catches=work]: Failed -> ()
             of_ask [catches=ask]: Failed -> ()
             rest: Failed -> ()",
        );
        assert_eq!(levels(&graph, "of_work"), ["/split"]);
        assert_eq!(levels(&graph, "of_ask"), ["/split", "/split/ask"]);
        assert_eq!(levels(&graph, "rest"), ["/", "/split"]);
    }

    #[test]
    fn answers_and_expiries_stay_with_their_question() {
        let graph = graph(
            "split: Start -> Vec<?Q>
             yes: HumanResponse<Q> -> A
             no: Expired<Q> -> A
             merge: Vec<A> -> Stop",
        );
        assert_eq!(levels(&graph, "yes"), ["/split"]);
        assert_eq!(levels(&graph, "no"), ["/split"]);
    }

    #[test]
    fn signals_arrive_outside() {
        let graph = graph(
            "a: Start -> Stop
             b: Signal<T> -> Vec<X>
             c: Vec<X> -> ()",
        );
        assert_eq!(levels(&graph, "b"), ["/"]);
        assert_eq!(gathers(&graph, "b"), [["c.0"]]);
    }

    #[test]
    fn what_never_arrives_has_no_level() {
        let graph = graph(
            "a: Start -> Stop
             b: Never -> Vec<X>
             c: Vec<X> -> Stop",
        );
        assert!(levels(&graph, "c").is_empty());
        assert_eq!(gathers(&graph, "b"), [Vec::<String>::new()]);
    }

    #[test]
    fn too_many_levels_are_given_up_but_gathers_are_still_found() {
        // Ten steps that fan out into each other in any order: as many levels as arrangements.
        let all: Vec<String> = (0..10).map(|n| format!("E{n}")).collect();
        let mut text = format!("start: Start -> Vec<{}>\n", all.join("|"));
        for n in 0..10 {
            text += &format!("s{n}: E{n} -> Vec<{}> | Done\n", all.join("|"));
        }
        text += "merge: Vec<Done> -> Stop\n join: Done, Start -> ()\n";
        let graph = graph(&text);
        let levels = Levels::of(&graph);
        assert!(!levels.is_complete());
        assert!(levels.of_step(step(&graph, "s0")).len() <= MOST_LEVELS);
        assert!(graph.points.iter().all(|point| point.gathers.len() == 1));
        assert_eq!(graph.check().into_iter().filter(|it| it.rule == crate::Rule::JoinCanFire).count(), 0);
    }
}
