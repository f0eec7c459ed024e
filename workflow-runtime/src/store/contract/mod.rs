//! What every [`Store`](crate::store::Store) must do, as tests.
//!
//! Each function here is one test. It takes an empty store, and panics where the store does something else than it must.
//! [`store_contract!`](crate::store_contract) makes a test of each of them. They are here, behind the feature
//! `testing`, because whoever writes a store depends on this crate and on no other store.
//!
//! They know nothing of time: no test waits, except for what the store itself takes to answer.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests, which other crates run")]

mod appending;
mod creating;
mod deleting;
mod made;
mod messages;
mod notices;
mod owning;
mod reading;

pub use appending::*;
pub use creating::*;
pub use deleting::*;
pub use messages::*;
pub use notices::*;
pub use owning::*;
pub use reading::*;

/// Runs every test of the [contract](crate::store::contract) against a store.
///
/// It takes an async function that opens an empty store, and gives back the store, as `Arc<dyn Store>`, together with
/// whatever must be kept until the test is over. It expands to `#[tokio::test]` functions, so it stands in a module of
/// its own:
///
/// ```
/// mod memory {
/// #   use std::sync::Arc;
/// #   use workflow_runtime::Store;
///     async fn open() -> (Arc<dyn Store>, ()) {
///         // (Arc::new(MyStore::in_memory()), ())
/// #       unreachable!()
///     }
///     workflow_runtime::store_contract!(open);
/// }
/// ```
#[macro_export]
macro_rules! store_contract {
    ($open:path) => {
        $crate::store_contract! { $open:
            a_run_is_created_once,
            a_run_may_be_created_with_its_owner,
            a_graph_is_kept_once,
            json_and_names_are_kept_to_the_letter,
            a_claim_gives_what_is_needed_to_go_on,
            a_claim_begins_at_the_snapshot,
            a_run_has_one_owner,
            of_many_claims_at_once_one_wins,
            an_owner_that_comes_back_late_keeps_what_nobody_has_claimed,
            whoever_lost_a_run_cannot_append_to_it,
            what_is_due_is_claimed,
            what_is_due_first_is_claimed_first,
            what_a_dead_owner_was_at_work_on_is_due,
            nobody_takes_from_himself_what_is_due,
            the_next_time_is_known,
            renewing_tells_what_was_lost,
            a_lease_is_never_shortened,
            what_is_given_back_can_be_claimed,
            an_owner_can_leave,
            an_append_is_stored_as_a_whole,
            an_append_that_is_refused_changes_nothing,
            each_item_of_a_batch_is_by_itself,
            a_key_is_recorded_once,
            an_end_can_be_taken_back,
            open_questions_are_listed,
            a_message_is_put_and_decided_about,
            the_same_key_is_the_same_message,
            an_owner_sees_the_messages_of_its_runs,
            records_and_events_come_in_pages,
            runs_are_listed_in_pages,
            runs_are_found,
            a_deleted_run_is_gone,
            completed_runs_are_kept_as_told,
            runs_that_can_go_on_are_kept,
            a_fork_shares_nothing,
            changes_are_told,
        }
    };
    ($open:path: $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let (store, _kept) = $open().await;
                $crate::store::contract::$case(store).await;
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_test_is_left_out() {
        let listed = include_str!("mod.rs");
        let is_listed = |name: &str| listed.lines().any(|line| line.trim() == format!("{name},"));
        let sources = [
            include_str!("appending.rs"),
            include_str!("creating.rs"),
            include_str!("deleting.rs"),
            include_str!("messages.rs"),
            include_str!("notices.rs"),
            include_str!("owning.rs"),
            include_str!("reading.rs"),
        ];
        let parts = listed.lines().filter(|line| line.starts_with("pub use "));
        assert_eq!(parts.count(), sources.len());
        let lines = sources.iter().flat_map(|source| source.lines());
        let tests: Vec<_> = lines
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('('))
            .map(|(name, _)| name)
            .collect();
        assert!(tests.len() > 30);
        let left_out: Vec<_> = tests.into_iter().filter(|name| !is_listed(name)).collect();
        assert!(left_out.is_empty(), "{left_out:?}");
    }
}
