//! Holding a run: what runs goes on, and nothing else starts.

use std::sync::Arc;

use super::{Afterwards, Host, Live};
use crate::workflow::Workflow;

/// While it lives, no step of the run starts.
pub(crate) struct Hold<W: Workflow> {
    host: Arc<Host<W>>,
}

impl<W: Workflow> Host<W> {
    /// Lets no step start.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold<W> {
        self.lock().holds += 1;
        Hold { host: Arc::clone(self) }
    }

    /// Waits until nothing is at work but what waits for an answer or a signal, while the run is held.
    pub(crate) async fn quiet(&self) {
        loop {
            // Listens before it looks, so that nothing is missed in between.
            let mut told = std::pin::pin!(self.quiet.get_or_init(Box::default).notified());
            told.as_mut().enable();
            if self.lock().is_quiet() {
                return;
            }
            told.await;
        }
    }
}

impl<W: Workflow> Live<W> {
    /// Whether every step that was started waits for an answer or a signal.
    pub(super) fn is_quiet(&self) -> bool {
        let state = self.engine.state();
        let not_started = self.ready.iter().filter(|invoke| state.waits(invoke.invocation)).count();
        self.at_work + not_started <= state.how_many_wait()
    }
}

impl<W: Workflow> Drop for Hold<W> {
    fn drop(&mut self) {
        let mut afterwards = Afterwards::default();
        {
            let mut live = self.host.lock();
            live.holds -= 1;
            live.want_lane(&mut afterwards);
        }
        self.host.finish(afterwards);
    }
}
