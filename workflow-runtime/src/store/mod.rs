//! Where runs outlive their process: the [`Store`] trait, and what goes into a store and comes out of it.
//!
//! A store keeps runs as rows. It knows nothing of workflows: records, snapshots, events and messages are opaque
//! JSON beside the few columns that it needs to find them. It reads no clock either: every time is given by the
//! caller. So a store is simple to write, and every driver means the same by it.
//!
//! # What is kept of a run
//! - what it was created with: its id, workflow, input and the fingerprint of its graph;
//! - **records**: what happened, at positions 1, 2, 3 and so on, never changed and never renumbered;
//! - **the latest snapshot**: the run as it was after one of these positions, so that loading it does not read
//!   everything;
//! - **events**: its stream, by number;
//! - **the inbox**: messages from whoever has no hold of the run, and what became of them;
//! - where it stands: status, open questions, when it is to be taken up again, output or error.
//!
//! # Who may write
//! Whoever wants to advance a run [claims](Store::claim) it. That raises the run's **epoch**, and everything that is
//! appended names the epoch and the position after which it comes. Both are compared in the transaction that stores
//! it. This is what keeps two processes from advancing one run: however late a process notices that it was replaced,
//! what it appends is refused as [`Refusal::Lost`] and changes nothing.
//!
//! The **lease** only says when a run may be claimed from an owner that shows no sign of life. It belongs to the owner
//! as a whole: one [`renew`](Store::renew) extends it for all its runs, however many they are. An owner that
//! comes back late still has every run that nobody has claimed meanwhile. Owners are names that processes choose; each
//! start of a process takes a new one.
//!
//! Everybody else [puts](Store::put) a message into the run's inbox. The owner decides about it and stores the
//! verdict together with what the message led to.
//!
//! # What is durable
//! What a method has returned is stored: it survives the end of the process and, as far as the store's settings promise,
//! of the machine. A method that returns an error has changed nothing, unless the store could not find out
//! ([`StoreError::Io`]); so after an error from [`append`](Store::append), load the run again.
//!
//! # Writing a store
//! [`Store`] says what each method must do; with the feature `testing`, the module `contract` says the same as tests,
//! and the macro `store_contract!` runs them all against a store. [`Notices`] is a ready-made change notice.

mod append;
#[cfg(feature = "testing")]
pub mod contract;
mod error;
mod inbox;
mod list;
mod notice;
mod run;

use std::fmt;
use std::pin::Pin;

use serde_json::value::RawValue;

pub use append::{Append, Record, Refusal, StoredEvent, Taken};
pub use error::{Corrupt, Source, StoreError};
pub use inbox::{Message, MessageId, NewMessage, Put, Verdict};
pub use list::{Cursor, Filter, Order, Retention, RunPage};
pub use notice::{Change, Interest, Notices, Watch};
pub use run::{
    Claim, Claimed, Created, Due, Fork, History, Lease, NewRun, OpenQuestion, RunDetails, RunStatus,
    SavedSnapshot, StoredRun,
};

use crate::engine::Time;
use crate::handle::RunId;

/// JSON that the store keeps as it is.
pub type Json = Box<RawValue>;

/// What the methods of a [`Store`] return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps runs. The [module](self) says what that means.
///
/// It is used as an `Arc<dyn Store>`, from any number of tasks.
///
/// # Cancel safety
/// A method that only reads can be dropped at any time. One that writes may have begun when its future was first
/// polled, and dropping the future does not take it back: it takes effect as a whole or not at all, and the caller does
/// not learn which. Asking again is safe for [`create`](Self::create), [`put_graph`](Self::put_graph),
/// [`put`](Self::put) with a key, [`renew`](Self::renew), [`release`](Self::release), [`leave`](Self::leave),
/// [`delete`](Self::delete) and [`retain`](Self::retain). After an abandoned [`append`](Self::append), claim the run
/// anew; an abandoned claim shows up in [`Renewed::unlisted`].
pub trait Store: Send + Sync + fmt::Debug + 'static {
    /// Creates a run, unless there is one of its id.
    ///
    /// With a [lease](NewRun::lease), the new run belongs to that owner from the start, at epoch 1; otherwise it
    /// has no owner, its epoch is 0, and it can be claimed.
    /// A run that exists is left as it is, whoever owns it; the answer says whether it was created with the same input.
    ///
    /// # Errors
    /// [`StoreError::NoSuchGraph`] unless its graph was [put](Self::put_graph) before.
    fn create(&self, run: NewRun) -> StoreFuture<'_, Created>;

    /// Keeps a graph under its fingerprint. One that is known already is left as it is.
    fn put_graph<'a>(&'a self, fingerprint: &'a str, graph: Json) -> StoreFuture<'a, ()>;

    /// The graph of a fingerprint; `None` if it was never put.
    fn graph<'a>(&'a self, fingerprint: &'a str) -> StoreFuture<'a, Option<Json>>;

    /// Claims one run, whether or not it is due.
    ///
    /// It is claimed if nobody owns it, if its owner's lease has lapsed at `now`, or if its owner is the same: so an
    /// owner that has thrown a run away loads it again. That raises its epoch, and extends the lease of the owner to
    /// the given time (never shortens it).
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`].
    fn claim<'a>(&'a self, run: &'a RunId, lease: Lease, now: Time) -> StoreFuture<'a, Claim>;

    /// Claims runs that are due: at most `most` runs of these workflows that nobody owns, or whose owner's lease has
    /// lapsed at `now`, and whose [`Due`] says so. Runs that are due at once come first, then those whose time came
    /// first.
    ///
    /// A run that cannot be loaded is claimed all the same, and its [history](Claimed::history) says why it could not
    /// be; it would be due for ever if its claimant did not put it aside.
    ///
    /// The cost depends on what is claimed, not on how many runs wait.
    fn claim_due<'a>(
        &'a self,
        workflows: &'a [&'a str],
        most: usize,
        lease: Lease,
        now: Time,
    ) -> StoreFuture<'a, Vec<Claimed>>;

    /// When the next run of these workflows that nobody owns is due by its time; `None` if none is. A time that has
    /// passed if one is due already. It changes with [`Interest::Work`].
    ///
    /// Runs whose owner's lease lapses are due at other times, which this does not say.
    fn next_due<'a>(&'a self, workflows: &'a [&'a str]) -> StoreFuture<'a, Option<Time>>;

    /// Extends the lease of an owner, for all its runs, to the given time (never shortens it).
    ///
    /// `held` is what the owner believes to own, with the epochs; the answer says where it is mistaken.
    fn renew<'a>(&'a self, lease: Lease, held: &'a [(RunId, u64)]) -> StoreFuture<'a, Renewed>;

    /// Gives one run back, so that anybody can claim it, and says when it is due from now on (`None`: as before).
    /// False if it was not held at that epoch any more.
    fn release<'a>(&'a self, run: &'a RunId, epoch: u64, due: Option<Due>) -> StoreFuture<'a, bool>;

    /// Gives back every run of an owner and forgets the owner. For a process that ends, and for whoever knows for
    /// certain that a process has ended and does not want to wait for its lease.
    ///
    /// Gives back how many runs there were.
    fn leave<'a>(&'a self, owner: &'a str) -> StoreFuture<'a, u64>;

    /// Stores what happened in some runs, in one transaction. Each item is stored as a whole or refused as a whole, by
    /// itself; the answers are in the order of the items. Of several items for one run, the later ones come after the
    /// earlier ones.
    ///
    /// The cost of an item depends on what is in it, not on how long the run is or how many there are.
    ///
    /// # Errors
    /// Nothing was stored of any item, as far as the store knows.
    fn append(&self, batch: Vec<Append>) -> StoreFuture<'_, Vec<Result<(), Refusal>>>;

    /// Puts a message into the inbox of a run, whoever owns it. The run is due then, unless it is
    /// [put aside](Due::Aside).
    ///
    /// If a message or a record of the run has the same key, nothing is put, and the answer is about that one.
    /// A run that has ended takes messages like any other; whoever claims it decides about them.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`].
    fn put(&self, message: NewMessage) -> StoreFuture<'_, Put>;

    /// What has become of a message. To wait for a verdict, [watch](Self::watch) the run first, then look.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`], [`StoreError::NoSuchMessage`].
    fn verdict<'a>(&'a self, run: &'a RunId, message: MessageId) -> StoreFuture<'a, Verdict>;

    /// The messages without a verdict in the runs of an owner, oldest first, at most `limit`. It gives the same ones
    /// again until they are [taken](Append::taken).
    fn inbox<'a>(&'a self, owner: &'a str, limit: usize) -> StoreFuture<'a, Vec<Message>>;

    /// The records of a run that come after a position, in order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`].
    fn records<'a>(&'a self, run: &'a RunId, after: u64, limit: usize) -> StoreFuture<'a, Vec<Record>>;

    /// The events of a run that come after a number, in order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`].
    fn events<'a>(&'a self, run: &'a RunId, after: u64, limit: usize) -> StoreFuture<'a, Vec<StoredEvent>>;

    /// One page of the runs that match, by their creation.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`].
    fn list<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> StoreFuture<'a, RunPage>;

    /// One run, with its input and outcome; `None` if there is none of that id.
    fn show<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<RunDetails>>;

    /// Deletes a run with everything that belongs to it, whatever its status and whoever owns it: what its owner
    /// appends afterwards is refused as [`Refusal::NoSuchRun`]. False if there was none.
    fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, bool>;

    /// Deletes runs that are not to be kept any longer, at most [`Retention::most`] of them, and gives back how many
    /// it deleted: if that is as many, there may be more.
    fn retain<'a>(&'a self, retention: &'a Retention) -> StoreFuture<'a, u64>;

    /// Creates a run that begins as a copy of another one, as that was after a position, and shares nothing with it.
    ///
    /// Copied are workflow, input and tags, the records up to the position with their keys, the events up to
    /// [`Fork::events`], and the snapshot if it is not of a later position. Its status is [`RunStatus::New`]
    /// if no record is copied, else [`RunStatus::Running`]. It has no owner, no outcome, an empty inbox, and **no open
    /// questions**: the store cannot know which were open at that position. So whoever claims it first replays it,
    /// and its first append [asks](Append::asked) what is open, and stores a snapshot if replaying was long. Steps that
    /// were running at that position run again.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`], [`StoreError::NoSuchPosition`]; [`StoreError::RunExists`] if the new id is taken.
    fn fork_after(&self, fork: Fork) -> StoreFuture<'_, ()>;

    /// Tells of changes from now on. So watch first, then look, then wait.
    fn watch(&self, interest: Interest) -> Watch;
}

/// What an owner has, after it renewed its lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renewed {
    /// What it believed to own and does not: somebody has claimed or deleted it. Whatever it still does for these
    /// runs is in vain.
    pub lost: Vec<RunId>,
    /// What it owns and did not list, with the epoch. Unless a claim is on its way, the answer to one was lost:
    /// claim these anew or release them.
    pub unlisted: Vec<(RunId, u64)>,
}
