//! Durable workflow runs: stores that keep them.
//!
//! [`SqliteStore`] keeps runs in one file, without a server. It implements [`Store`], which belongs to
//! `workflow-runtime` and says what is stored, who may write it, and what is promised.
//!
//! # A whole program
//! Run it, kill it at any moment, and run it again: it goes on.
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use workflow_runtime::Runner;
//! use workflow_runtime::prelude::*;
//! use workflow_store::SqliteStore;
//!
//! #[event]
//! struct Priced {
//!     total: u32,
//! }
//!
//! #[prompt(response = bool)]
//! struct Approve {
//!     total: u32,
//! }
//!
//! struct Checkout;
//!
//! #[workflow]
//! impl Checkout {
//!     #[step(retry = Retry::exponential("200ms").attempts(5))]
//!     async fn price(&self, Start(count): Start<u32>) -> Result<Priced, StepError> {
//!         Ok(Priced { total: 30 * count })
//!     }
//!
//!     #[step]
//!     fn ask(&self, Priced { total }: Priced) -> InputRequired<Approve> {
//!         InputRequired::new(Approve { total })
//!     }
//!
//!     #[step]
//!     fn end(&self, answer: HumanResponse<Approve>) -> Stop<String> {
//!         Stop(if answer.response { format!("{} to pay", answer.prompt.total) } else { "nothing".to_owned() })
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #   let directory = tempfile::tempdir()?;
//! #   let path = directory.path().join("orders.db");
//!     let store = Arc::new(SqliteStore::open(&path).await?);
//!     let runner = Runner::builder().workflow(Checkout).store(store).start().await?;
//!
//!     // Started before or not: there is one run of this id.
//!     let run = runner.start::<Checkout>("order-17", 5).await?;
//!     let mut events = run.events();
//!     while let Some(event) = events.next().await {
//!         if let Some(ask) = event?.ask::<Approve>() {
//!             run.respond(&ask, true).await?;
//!         }
//!     }
//!     assert_eq!(run.await?, "150 to pay");
//!     runner.shutdown(Duration::from_secs(5)).await;
//!     Ok(())
//! }
//! ```
//!
//! # The store by itself
//! ```
//! use std::collections::BTreeMap;
//!
//! use serde_json::value::to_raw_value;
//! use workflow_runtime::store::{
//!     Append, Claim, Created, Due, Lease, NewRun, Record, RunStatus, Store, StoreError,
//! };
//! use workflow_runtime::{RunId, Time};
//! use workflow_store::SqliteStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("orders.db");
//! let store = SqliteStore::open(&path).await?;
//! store.put_graph("5eed", to_raw_value(&"the graph")?).await?;
//!
//! let run = RunId::from("order-1");
//! let created = store
//!     .create(NewRun {
//!         run: run.clone(),
//!         workflow: "Checkout".to_owned(),
//!         fingerprint: "5eed".to_owned(),
//!         input: to_raw_value(&7)?,
//!         input_key: "7".to_owned(),
//!         at: Time(1_000),
//!         due: Due::Now,
//!         tags: BTreeMap::new(),
//!         lease: None,
//!     })
//!     .await?;
//! assert!(matches!(created, Created::New { .. }));
//!
//! // Whoever advances a run claims it first.
//! let lease = Lease { owner: "worker-1".to_owned(), until: Time(31_000) };
//! let Claim::Claimed(claimed) = store.claim(&run, lease, Time(1_000)).await? else {
//!     unreachable!("nobody else has claimed it");
//! };
//! let (at, body) = (Time(2_000), to_raw_value(&"it has begun")?);
//! let append = Append {
//!     records: vec![Record { position: 1, at, key: None, fingerprint: None, body }],
//!     status: Some(RunStatus::Running),
//!     ..Append::new(run.clone(), claimed.run.epoch, claimed.run.position, at)
//! };
//! for stored in store.append(vec![append]).await? {
//!     stored?;
//! }
//! store.close().await?;
//!
//! // Another process, another day.
//! let store = SqliteStore::open(&path).await?;
//! assert_eq!(store.records(&run, 0, 10).await?.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # A store of another kind
//! It implements [`Store`], and runs the same tests as this one: see `workflow_runtime::store_contract!`, behind that
//! crate's feature `testing`.

mod sqlite;

pub use sqlite::{SqliteOptions, SqliteStore, Synchronous};

#[cfg(doc)]
use workflow_runtime::store::Store;
