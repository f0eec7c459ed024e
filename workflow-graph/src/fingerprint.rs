//! One number for "the same steps and events".
//!
//! Snapshots carry the fingerprint of the graph that wrote them, and stores keep each graph once. So the
//! numbers are stable for ever: the algorithm here never changes, whatever becomes of the model. A new
//! fact about a graph may only add to what is hashed where it departs from what all older graphs had.
//!
//! The hash is FNV-1a with 64 bits. What goes in is free of ambiguity: every text and every list says its
//! length first, every choice its number.

use crate::{Alternative, Catches, EventId, Graph, Param, ParamForm, PointId, Role, Step, Tool};

impl Graph {
    /// The same for two graphs exactly if their steps have the same names, in the same order, and accept
    /// and emit the same events in the same forms; and if their error handlers catch the same steps.
    ///
    /// Documentation, old names and the other options do not count, nor does the name of the workflow,
    /// whether a step returns a `Result`, or the order in which events are numbered or steps listed in
    /// `catches(..)`. The order of steps does count: it decides in which order a run starts what one event
    /// sets going.
    ///
    /// With equal fingerprints a saved run fits without a further look.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.hash_of(|_, _| {}).0
    }

    /// As [`Graph::fingerprint`], and with all else that decides how a run goes on or is taken up: the options
    /// `workers`, `take`, `cancel_rest` and `max_recoveries`, what steps were called before (`was`), and the name of
    /// the workflow.
    ///
    /// With equal numbers here, two graphs do the same at every tick, and the same saved runs fit them, so a journal
    /// can be replayed under either.
    #[must_use]
    pub fn replay_fingerprint(&self) -> u64 {
        let mut hash = self.hash_of(|hash, step| {
            let options = &step.options;
            for number in [options.workers, options.take, options.max_recoveries] {
                hash.number(u64::from(number.is_some()));
                hash.number(number.unwrap_or_default().into());
            }
            hash.number(options.cancel_rest.into());
            hash.number(u64::from(step.was.is_some()));
            hash.text(step.was.as_deref().unwrap_or_default());
        });
        hash.text(&self.name);
        hash.0
    }

    fn hash_of(&self, options: impl Fn(&mut Fnv, &Step)) -> Fnv {
        let mut hash = Fnv::NEW;
        hash.length(self.steps.len());
        for step in self.steps.iter() {
            hash.text(&step.name);
            hash.list(&step.params, |hash, param| self.add_param(hash, param));
            hash.list(&step.tools, |hash, tool| self.add_tool(hash, tool));
            hash.number(step.returns.optional.into());
            hash.list(&step.returns.alternatives, |hash, it| self.add_alternative(hash, it));
            self.add_catches(&mut hash, step);
            options(&mut hash, step);
        }
        hash
    }

    fn add_param(&self, hash: &mut Fnv, param: &Param) {
        hash.number(match param.form {
            ParamForm::One => 0,
            ParamForm::Gather { failures: false } => 1,
            ParamForm::Gather { failures: true } => 2,
            ParamForm::Failed => 3,
        });
        hash.list(&param.events, |hash, event| self.add_event(hash, *event));
    }

    fn add_tool(&self, hash: &mut Fnv, tool: &Tool) {
        match *tool {
            Tool::Emitter(point) => {
                hash.number(0);
                self.add_items(hash, point);
            }
            Tool::Asker(event) => {
                hash.number(1);
                self.add_event(hash, event);
            }
            Tool::Inbox(event) => {
                hash.number(2);
                self.add_event(hash, event);
            }
        }
    }

    fn add_alternative(&self, hash: &mut Fnv, alternative: &Alternative) {
        match *alternative {
            Alternative::One(event) => {
                hash.number(0);
                self.add_event(hash, event);
            }
            Alternative::Many(point) => {
                hash.number(1);
                self.add_items(hash, point);
            }
        }
    }

    fn add_items(&self, hash: &mut Fnv, point: PointId) {
        hash.list(self.items(point), |hash, event| self.add_event(hash, *event));
    }

    fn add_catches(&self, hash: &mut Fnv, step: &Step) {
        match &step.options.catches {
            None => hash.number(0),
            Some(Catches::Rest) => hash.number(1),
            Some(Catches::Steps(steps)) => {
                hash.number(2);
                let mut names: Vec<&str> =
                    steps.iter().filter_map(|step| self.step(*step)).map(|step| &*step.name).collect();
                names.sort_unstable();
                hash.list(&names, |hash, name| hash.text(name));
            }
        }
    }

    fn add_event(&self, hash: &mut Fnv, event: EventId) {
        let Some(event) = self.event(event) else { return hash.number(u64::MAX) };
        hash.number(match event.role {
            Role::Start => 0,
            Role::Event => 1,
            Role::Prompt { .. } => 2,
            Role::Response { .. } => 3,
            Role::Expired { .. } => 4,
            Role::Signal => 5,
            Role::Stop => 6,
        });
        hash.text(&event.name);
    }
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
struct Fnv(u64);

impl Fnv {
    const NEW: Self = Self(0xcbf2_9ce4_8422_2325);

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes(text.as_bytes());
    }

    fn list<T>(&mut self, list: &[T], add: impl Fn(&mut Self, &T)) {
        self.length(list.len());
        list.iter().for_each(|it| add(self, it));
    }
}

#[cfg(test)]
mod tests {
    use crate::Graph;
    use crate::sketch::graph;

    const CHECKOUT: &str = "price: Start<Order> -> Priced
         triage: Priced -> Stop<Receipt> | ?ApproveOrder
         decide: HumanResponse<ApproveOrder> -> Stop<Receipt>";

    const EVERYTHING: &str = "plan: Start -> Plan with Asker<Budget>
         split: Plan -> Vec<Task|Note> | None
         work: Task -> Done | ?Help with Emitter<Line>
         helped: HumanResponse<Help> | Expired<Help> -> Done
         log: Line -> () with Inbox<Quiet>
         merge: Plan, Vec!<Done|Note> -> Stop
         fast [take=2]: Vec<Done> -> ()
         close: Signal<Close> -> Stop
         retry [catches=work,split]: Failed -> ()
         typed [catches=log]: Failed<Line> -> ()
         rest: Failed -> ()";

    fn fingerprint(text: &str) -> u64 {
        graph(text).fingerprint()
    }

    /// These numbers stand in saved runs. A test that fails here is right, and the code is wrong.
    #[test]
    fn fingerprints_are_stable_for_ever() {
        assert_eq!(fingerprint(""), 0xa8c7_f832_281a_39c5);
        assert_eq!(fingerprint(CHECKOUT), 0x9005_c352_b262_52e6);
        assert_eq!(fingerprint(EVERYTHING), 0x919e_b062_f85b_26ac);
        assert_eq!(graph(CHECKOUT).replay_fingerprint(), 0x06e8_6b85_608e_39e5);
        assert_eq!(graph(EVERYTHING).replay_fingerprint(), 0x56d9_9bf3_791c_22a8);
    }

    #[test]
    fn what_changes_nothing_for_a_saved_run_keeps_the_fingerprint() {
        let edited = |edit: fn(&mut Graph)| {
            let mut graph = graph(EVERYTHING);
            edit(&mut graph);
            graph.fingerprint()
        };
        let before = fingerprint(EVERYTHING);
        assert_eq!(before, edited(|graph| graph.docs = "New words.".into()));
        assert_eq!(before, edited(|graph| graph.name = "Renamed".into()));
        assert_eq!(before, edited(|graph| graph.steps.to_mut()[0].docs = "New words.".into()));
        assert_eq!(before, edited(|graph| graph.steps.to_mut()[0].was = Some("older".into())));
        assert_eq!(before, edited(|graph| graph.steps.to_mut()[0].options.workers = Some(4)));
        assert_eq!(before, edited(|graph| graph.steps.to_mut()[0].options.skip.join = true));
        assert_eq!(before, edited(|graph| graph.steps.to_mut()[6].options.take = Some(3)));
        assert_eq!(before, edited(|graph| graph.steps.to_mut()[0].returns.fallible = true));
        assert_eq!(before, fingerprint(&EVERYTHING.replace("catches=work,split", "catches=split,work")));
    }

    #[test]
    fn a_replay_depends_on_what_decides_how_a_run_goes_on_or_is_taken_up() {
        let edited = |edit: fn(&mut Graph)| {
            let mut graph = graph(EVERYTHING);
            edit(&mut graph);
            graph.replay_fingerprint()
        };
        let before = edited(|_| {});
        assert_eq!(before, edited(|graph| graph.docs = "New words.".into()));
        assert_eq!(before, edited(|graph| graph.steps.to_mut()[0].options.skip.join = true));
        let after = [
            edited(|graph| graph.steps.to_mut()[0].options.workers = Some(4)),
            edited(|graph| graph.steps.to_mut()[6].options.take = Some(3)),
            edited(|graph| graph.steps.to_mut()[6].options.take = None),
            edited(|graph| graph.steps.to_mut()[6].options.cancel_rest = false),
            edited(|graph| graph.steps.to_mut()[8].options.max_recoveries = Some(0)),
            edited(|graph| graph.steps.to_mut()[0].was = Some("older".into())),
            edited(|graph| graph.name = "Renamed".into()),
        ];
        for (position, changed) in after.iter().enumerate() {
            assert_ne!(before, *changed, "change {position}");
            assert!(!after[..position].contains(changed), "change {position}");
        }
    }

    #[test]
    fn every_change_of_form_changes_the_fingerprint() {
        let changes = [
            ("close: Signal", "shut: Signal"),
            ("-> Plan with", "-> Plan | None with"),
            ("Asker<Budget>", "Asker<Money>"),
            ("Vec<Task|Note>", "Vec<Note|Task>"),
            ("Vec<Task|Note> | None", "Vec<Task> | Vec<Note> | None"),
            ("Emitter<Line>", "Emitter<Line>, Asker<Q>"),
            ("with Emitter<Line>", ""),
            ("| Expired<Help>", ""),
            ("Inbox<Quiet>", "Inbox<Loud>"),
            ("Vec!<Done|Note>", "Vec<Done|Note>"),
            ("Plan, Vec!<Done|Note>", "Vec!<Done|Note>, Plan"),
            ("Plan, Vec!<Done|Note>", "Plan, Done|Note"),
            ("Signal<Close>", "Close"),
            ("catches=work,split", "catches=work"),
            ("Failed<Line>", "Failed"),
            ("rest: Failed -> ()", ""),
        ];
        let mut seen = vec![fingerprint(EVERYTHING)];
        for (from, to) in changes {
            let text = EVERYTHING.replacen(from, to, 1);
            assert_ne!(text, EVERYTHING, "{from}");
            let changed = fingerprint(&text);
            assert!(!seen.contains(&changed), "{from} to {to}");
            seen.push(changed);
        }
    }

    #[test]
    fn the_order_of_steps_counts_and_the_order_of_events_does_not() {
        let one = "a: Start -> B\n b: B -> Stop\n c: B -> C\n d: C -> ()";
        let other = "a: Start -> B\n c: B -> C\n b: B -> Stop\n d: C -> ()";
        assert_ne!(fingerprint(one), fingerprint(other));

        let mut builder = crate::build::Builder::new("Sketch");
        for name in ["C", "B"] {
            builder.event(name);
        }
        assert_eq!(builder.build().fingerprint(), fingerprint(""));
    }
}
