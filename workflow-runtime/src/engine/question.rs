//! Questions: asked, answered, or expired.

use workflow_graph::Role;

use super::command::Notice;
use super::delivery::Way;
use super::members::Member;
use super::notes::Noted;
use super::payload::Payload;
use super::state::{Request, Timer};
use super::turn::Turn;
use crate::error::{StepError, StepErrorKind};
use crate::event::RequestId;

impl<E: Payload> Turn<'_, E> {
    pub(super) fn ask(&mut self, prompt: E, way: &Way) {
        if !self.state.scopes.contains_key(&way.branch.scope) {
            return;
        }
        let recoveries = way.recoveries.clone();
        let request = Request::outside(way.from, way.branch, prompt, self.state.now);
        let id = self.open_request(Request { recoveries, ..request });
        self.join_scope(way.branch.scope, Member::Request(id));
    }

    pub(super) fn answer(&mut self, id: RequestId, response: E) {
        let Some(request) = self.close_request(id) else { return };
        self.publish(Notice::InputReceived { request: id });
        if let Some(waiter) = request.asker {
            return self.settle_wait(&waiter, Noted::Answered(response));
        }
        let way = Way { branch: request.branch, from: request.step, recoveries: request.recoveries };
        self.deliver(response, &way);
        self.leave(request.branch.scope, Member::Request(id));
    }

    /// Nobody has answered in time. If no step takes that, it is a failure of the step that asked.
    pub(super) fn expire(&mut self, id: RequestId) {
        let Some(request) = self.state.requests.get(&id) else { return };
        if let Some(waiter) = request.asker.clone() {
            self.state.requests.remove(&id);
            self.publish(Notice::InputExpired { request: id });
            return self.settle_wait(&waiter, Noted::Expired(id));
        }
        let way = Way { branch: request.branch, from: request.step, recoveries: request.recoveries.clone() };
        let (answer, expired) = match self.role(&request.prompt) {
            Some(Role::Prompt { response, expired }) => (response, expired),
            _ => (None, None),
        };
        let by_default = answer.and_then(|event| request.prompt.unanswered(id, event));
        let becomes = by_default.or_else(|| request.prompt.expired(id, expired?));
        if let Some(event) = becomes {
            self.state.requests.remove(&id);
            self.publish(Notice::InputExpired { request: id });
            self.deliver(event, &way);
            return self.leave(way.branch.scope, Member::Request(id));
        }
        self.publish(Notice::InputExpired { request: id });
        let error = StepError::of_kind(
            StepErrorKind::Expired,
            format_args!("nobody answered question {id} of step `{}` in time", self.step_name(way.from)),
        );
        self.question_failed(id, &way, error);
    }

    /// Takes a question out, with its timer.
    pub(super) fn close_request(&mut self, id: RequestId) -> Option<Request<E>> {
        let request = self.state.requests.remove(&id)?;
        self.state.stop_timer(request.expires_at, Timer::Expiry(id));
        Some(request)
    }
}
