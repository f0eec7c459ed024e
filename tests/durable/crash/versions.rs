//! A workflow that changes between two processes.

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::{RunStatus, Store as _};
use workflow_store::SqliteStore;

use super::check::check;
use super::child::{Dies, Runs};
use super::parent::Arena;

#[event]
pub struct Priced(u32);

#[event]
pub struct Parcel(u32);

#[event]
pub struct Shipped(u32);

#[event]
pub struct Summed(u32);

#[event]
pub struct Crate(u32);

#[prompt(response = bool)]
pub struct Sign {
    total: u32,
}

#[prompt(response = bool)]
pub struct Seal {
    total: u32,
}

/// As it was.
pub mod first {
    use super::super::log::Log;
    use super::*;

    #[derive(Clone)]
    pub struct Parcels(pub Log);

    #[workflow(state = u32)]
    impl Parcels {
        #[step]
        fn price(&self, Start(n): Start<u32>, ctx: &Context<Self>) -> Priced {
            self.0.effect(ctx);
            Priced(n)
        }

        #[step]
        fn pack(&self, Priced(n): Priced, ctx: &Context<Self>) -> Vec<Parcel> {
            self.0.effect(ctx);
            (0..n).map(Parcel).collect()
        }

        #[step]
        async fn ship(&self, Parcel(n): Parcel, ctx: &Context<Self>) -> Shipped {
            tokio::time::sleep(Duration::from_millis(u64::from(n) * 4)).await;
            ctx.update(|shipped| *shipped += 1);
            self.0.effect(ctx);
            Shipped(n)
        }

        #[step]
        fn sum(&self, all: Vec<Shipped>, ctx: &Context<Self>) -> InputRequired<Sign> {
            self.0.effect(ctx);
            InputRequired::new(Sign { total: all.iter().map(|it| it.0).sum() })
        }

        #[step]
        fn end(&self, signed: HumanResponse<Sign>, ctx: &Context<Self>) -> Stop<String> {
            self.0.effect(ctx);
            Stop(format!("{} {} {}", signed.prompt.total, signed.response, ctx.state()))
        }
    }
}

/// A step has another name, and there is one more.
pub mod second {
    use super::super::log::Log;
    use super::*;

    #[derive(Clone)]
    pub struct Parcels(pub Log);

    #[workflow(state = u32)]
    impl Parcels {
        #[step]
        fn price(&self, Start(n): Start<u32>, ctx: &Context<Self>) -> Priced {
            self.0.effect(ctx);
            Priced(n)
        }

        #[step(was = "pack")]
        fn wrap(&self, Priced(n): Priced, ctx: &Context<Self>) -> Vec<Parcel> {
            self.0.effect(ctx);
            (0..n).map(Parcel).collect()
        }

        #[step]
        async fn ship(&self, Parcel(n): Parcel, ctx: &Context<Self>) -> Shipped {
            ctx.update(|shipped| *shipped += 1);
            self.0.effect(ctx);
            Shipped(n)
        }

        #[step]
        fn sum(&self, all: Vec<Shipped>, ctx: &Context<Self>) -> Summed {
            self.0.effect(ctx);
            Summed(all.iter().map(|it| it.0).sum())
        }

        #[step]
        fn ask(&self, Summed(total): Summed, ctx: &Context<Self>) -> InputRequired<Sign> {
            self.0.effect(ctx);
            InputRequired::new(Sign { total })
        }

        #[step]
        fn end(&self, signed: HumanResponse<Sign>, ctx: &Context<Self>) -> Stop<String> {
            self.0.effect(ctx);
            Stop(format!("{} {} {}", signed.prompt.total, signed.response, ctx.state()))
        }
    }
}

/// What was underway has no place any more: neither parcels nor signatures.
pub mod third {
    use super::super::log::Log;
    use super::*;

    #[derive(Clone)]
    pub struct Parcels(pub Log);

    #[workflow(state = u32)]
    impl Parcels {
        #[step]
        fn price(&self, Start(n): Start<u32>, ctx: &Context<Self>) -> Priced {
            self.0.effect(ctx);
            Priced(n)
        }

        #[step]
        fn load(&self, Priced(n): Priced, ctx: &Context<Self>) -> Vec<Crate> {
            self.0.effect(ctx);
            (0..n).map(Crate).collect()
        }

        #[step]
        fn send(&self, Crate(n): Crate, ctx: &Context<Self>) -> Shipped {
            ctx.update(|shipped| *shipped += 1);
            self.0.effect(ctx);
            Shipped(n)
        }

        #[step]
        fn sum(&self, all: Vec<Shipped>, ctx: &Context<Self>) -> InputRequired<Seal> {
            self.0.effect(ctx);
            InputRequired::new(Seal { total: all.iter().map(|it| it.0).sum() })
        }

        #[step]
        fn end(&self, sealed: HumanResponse<Seal>, ctx: &Context<Self>) -> Stop<String> {
            self.0.effect(ctx);
            Stop(format!("{} {} {}", sealed.prompt.total, sealed.response, ctx.state()))
        }
    }
}

fn undisturbed() -> super::check::Ends {
    let mut arena = Arena::alone("undisturbed parcels", Runs::Version(1));
    let process = arena.start(None);
    arena.wait(process);
    check(&mut arena, None).ends
}

/// Where the run stands, how many records it has, and what came of it.
fn stands(arena: &Arena) -> (RunStatus, u64, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(arena.file()).await.unwrap();
        let shown = store.show(&RunId::from("parcels")).await.unwrap();
        store.close().await.unwrap();
        shown.map_or((RunStatus::New, 0, String::new()), |shown| {
            let outcome = shown.outcome.map(|json| json.get().to_owned()).unwrap_or_default();
            (shown.run.status, shown.run.position, outcome)
        })
    })
}

#[test]
fn a_run_goes_on_in_the_next_version_wherever_it_was_killed() {
    let undisturbed = undisturbed();
    for at in 1.. {
        let mut arena = Arena::alone(format!("the first version killed after {at}"), Runs::Version(1));
        let process = arena.start(Some(Dies::After(at)));
        let died = arena.wait(process);
        arena.runs = Runs::Version(2);
        let process = arena.start(None);
        arena.wait(process);
        check(&mut arena, Some(&undisturbed));
        if !died {
            assert!(at > 8, "it was hardly ever killed");
            return;
        }
    }
}

#[test]
fn a_run_that_has_no_place_in_the_next_version_is_put_aside_with_each_reason() {
    let undisturbed = undisturbed();
    let (mut went_on, mut reasons) = (0, Vec::new());
    for at in 1.. {
        let mut arena = Arena::alone(format!("the first version killed after {at}"), Runs::Version(1));
        let process = arena.start(Some(Dies::After(at)));
        let died = arena.wait(process);
        let (_, position, _) = stands(&arena);
        arena.runs = Runs::Version(3);
        let process = arena.start(None);
        arena.wait(process);
        let (status, after, why) = stands(&arena);
        if status == RunStatus::Blocked {
            assert_eq!(after, position, "nothing is recorded of that: {why}");
            reasons.push(why);
            // Nor has anything changed for those who know the run as it was.
            arena.runs = Runs::Version(1);
            let process = arena.start(None);
            arena.wait(process);
        } else {
            went_on += 1;
        }
        check(&mut arena, Some(&undisturbed));
        if !died {
            break;
        }
    }
    assert!(went_on > 0, "before there were parcels, and in the end");
    let all_of = |parts: [&str; 4]| reasons.iter().any(|why| parts.iter().all(|part| why.contains(part)));
    let ships = ["fan-out 3", "invocation 4 of", "invocation 5 of", "invocation 6 of"];
    assert!(all_of(ships), "each parcel that was underway: {reasons:#?}");
    assert!(all_of(["question", "sum", "InputRequired<Sign>", ""]), "{reasons:#?}");
}
