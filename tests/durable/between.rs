//! A store with somebody between it and those who use it: who watches, fails, waits or kills.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use workflow_runtime::store::{
    Append, Claim, Claimed, Created, Cursor, Due, Filter, Fork, Interest, Json, Lease, Message, MessageId,
    NewMessage, NewRun, Put, Record, Refusal, Renewed, Retention, RunDetails, RunPage, Store, StoreError,
    StoreFuture, StoredEvent, StoredRun, Verdict, Watch,
};
use workflow_runtime::{RunId, Time};

/// What a store is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Create,
    Claim,
    ClaimDue,
    Renew,
    Release,
    Leave,
    /// With how many items.
    Append(usize),
    Put,
    Verdict,
    Inbox,
    Show,
    Other,
}

pub type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Who stands in between.
pub trait Hooks: Send + Sync + fmt::Debug + 'static {
    /// Before the store is asked. An error keeps it from being asked.
    fn before(&self, asked: Asked) -> Waiting<'_> {
        let _ = asked;
        Box::pin(async { Ok(()) })
    }

    /// After the store has done it, before anybody learns of that.
    fn after(&self, asked: Asked) -> Waiting<'_> {
        let _ = asked;
        Box::pin(async { Ok(()) })
    }

    /// A run has come into the hands of that owner.
    fn claimed(&self, run: &RunId, epoch: u64, position: u64) {
        let _ = (run, epoch, position);
    }
}

#[derive(Debug)]
pub struct Between<H> {
    pub store: Arc<dyn Store>,
    pub hooks: H,
}

impl<H: Hooks> Between<H> {
    pub fn new(store: Arc<dyn Store>, hooks: H) -> Arc<Self> {
        Arc::new(Self { store, hooks })
    }

    fn ask<'a, T: Send + 'a>(&'a self, asked: Asked, answer: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        Box::pin(async move {
            self.hooks.before(asked).await?;
            let answer = answer.await?;
            self.hooks.after(asked).await?;
            Ok(answer)
        })
    }

    fn note(&self, run: &StoredRun) {
        self.hooks.claimed(&run.run, run.epoch, run.position);
    }
}

impl<H: Hooks> Store for Between<H> {
    fn create(&self, run: NewRun) -> StoreFuture<'_, Created> {
        let (id, leased) = (run.run.clone(), run.lease.is_some());
        let created = self.ask(Asked::Create, self.store.create(run));
        Box::pin(async move {
            let created = created.await?;
            if let (Created::New { epoch }, true) = (&created, leased) {
                self.hooks.claimed(&id, *epoch, 0);
            }
            Ok(created)
        })
    }

    fn put_graph<'a>(&'a self, fingerprint: &'a str, graph: Json) -> StoreFuture<'a, ()> {
        self.ask(Asked::Other, self.store.put_graph(fingerprint, graph))
    }

    fn graph<'a>(&'a self, fingerprint: &'a str) -> StoreFuture<'a, Option<Json>> {
        self.ask(Asked::Other, self.store.graph(fingerprint))
    }

    fn claim<'a>(&'a self, run: &'a RunId, lease: Lease, now: Time) -> StoreFuture<'a, Claim> {
        let claim = self.ask(Asked::Claim, self.store.claim(run, lease, now));
        Box::pin(async move {
            let claim = claim.await?;
            if let Claim::Claimed(claimed) = &claim {
                self.note(&claimed.run);
            }
            Ok(claim)
        })
    }

    fn claim_due<'a>(
        &'a self,
        workflows: &'a [&'a str],
        most: usize,
        lease: Lease,
        now: Time,
    ) -> StoreFuture<'a, Vec<Claimed>> {
        let claimed = self.ask(Asked::ClaimDue, self.store.claim_due(workflows, most, lease, now));
        Box::pin(async move {
            let claimed = claimed.await?;
            claimed.iter().for_each(|claimed| self.note(&claimed.run));
            Ok(claimed)
        })
    }

    fn next_due<'a>(&'a self, workflows: &'a [&'a str]) -> StoreFuture<'a, Option<Time>> {
        self.ask(Asked::Other, self.store.next_due(workflows))
    }

    fn renew<'a>(&'a self, lease: Lease, held: &'a [(RunId, u64)]) -> StoreFuture<'a, Renewed> {
        self.ask(Asked::Renew, self.store.renew(lease, held))
    }

    fn release<'a>(&'a self, run: &'a RunId, epoch: u64, due: Option<Due>) -> StoreFuture<'a, bool> {
        self.ask(Asked::Release, self.store.release(run, epoch, due))
    }

    fn leave<'a>(&'a self, owner: &'a str) -> StoreFuture<'a, u64> {
        self.ask(Asked::Leave, self.store.leave(owner))
    }

    fn append(&self, batch: Vec<Append>) -> StoreFuture<'_, Vec<Result<(), Refusal>>> {
        // The inner store begins when it is polled first, which is after `before`.
        self.ask(Asked::Append(batch.len()), self.store.append(batch))
    }

    fn put(&self, message: NewMessage) -> StoreFuture<'_, Put> {
        self.ask(Asked::Put, self.store.put(message))
    }

    fn verdict<'a>(&'a self, run: &'a RunId, message: MessageId) -> StoreFuture<'a, Verdict> {
        self.ask(Asked::Verdict, self.store.verdict(run, message))
    }

    fn inbox<'a>(&'a self, owner: &'a str, limit: usize) -> StoreFuture<'a, Vec<Message>> {
        self.ask(Asked::Inbox, self.store.inbox(owner, limit))
    }

    fn records<'a>(&'a self, run: &'a RunId, after: u64, limit: usize) -> StoreFuture<'a, Vec<Record>> {
        self.ask(Asked::Other, self.store.records(run, after, limit))
    }

    fn events<'a>(&'a self, run: &'a RunId, after: u64, limit: usize) -> StoreFuture<'a, Vec<StoredEvent>> {
        self.ask(Asked::Other, self.store.events(run, after, limit))
    }

    fn list<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> StoreFuture<'a, RunPage> {
        self.ask(Asked::Other, self.store.list(filter, after, limit))
    }

    fn show<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<RunDetails>> {
        self.ask(Asked::Show, self.store.show(run))
    }

    fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, bool> {
        self.ask(Asked::Other, self.store.delete(run))
    }

    fn retain<'a>(&'a self, retention: &'a Retention) -> StoreFuture<'a, u64> {
        self.ask(Asked::Other, self.store.retain(retention))
    }

    fn fork_after(&self, fork: Fork) -> StoreFuture<'_, ()> {
        self.ask(Asked::Other, self.store.fork_after(fork))
    }

    fn watch(&self, interest: Interest) -> Watch {
        self.store.watch(interest)
    }
}
