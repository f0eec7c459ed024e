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
        self.hash_of(|_, _| {})
    }

    /// As [`Graph::fingerprint`], and with the options that change how a run goes on: `workers`, `take`,
    /// `cancel_rest` and `max_recoveries`.
    ///
    /// With equal numbers here, two graphs do the same at every tick, so a journal can be replayed under
    /// either.
    #[must_use]
    pub fn replay_fingerprint(&self) -> u64 {
        self.hash_of(|hash, step| {
            let options = &step.options;
            for number in [options.workers, options.take, options.max_recoveries] {
                hash.number(u64::from(number.is_some()));
                hash.number(number.unwrap_or_default().into());
            }
            hash.number(options.cancel_rest.into());
        })
    }

    fn hash_of(&self, options: impl Fn(&mut Fnv, &Step)) -> u64 {
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
        hash.0
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
