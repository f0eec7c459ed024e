//! The tests that kill.

use std::sync::OnceLock;
use std::time::Duration;

use super::check::{Ends, Seen, check};
use super::child::{Dies, Runs};
use super::parent::{Arena, Dice};

/// More often than this, a step that is interrupted counts as failed, which it must not here.
const MOST_KILLS: u32 = 14;

fn seed() -> u64 {
    number("WORKFLOW_CRASH_SEED").unwrap_or(20_250_101)
}

/// How often to kill at random moments.
fn kills(usual: u32) -> u32 {
    number("WORKFLOW_CRASH_KILLS").map_or(usual, |kills| u32::try_from(kills).unwrap())
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// How runs end if nobody is killed.
fn undisturbed(runs: Runs) -> Ends {
    static MANY: OnceLock<Ends> = OnceLock::new();
    let work = || {
        let mut arena = Arena::alone(format!("undisturbed {runs:?}"), runs);
        let process = arena.start(None);
        arena.wait(process);
        let seen = check(&mut arena, None);
        if seen.in_vain > 0 {
            arena.fails("something was done in vain");
        }
        seen.ends
    };
    if runs == Runs::Many { MANY.get_or_init(work).clone() } else { work() }
}

#[test]
fn undisturbed_runs_end_as_they_should() {
    let ends = undisturbed(Runs::Many);
    let text = |run: &str| ends[run].1.clone().unwrap();
    assert_eq!(text("mixed"), r#""6 true 7 6 {0, 1, 2, 3}""#);
    assert_eq!(text("talk"), r#""[(0, true, false), (1, false, true)] 2 1 {0, 1}""#);
    assert_eq!(text("pipe"), r#""[0, 1, 1002, 3, 4] 5 1010 {0, 1, 3, 4, 1002}""#);
    assert_eq!(text("post"), r#""3 503 {2, 250, 251}""#);
    assert!(text("fails").contains("never"), "{}", text("fails"));
    assert!(text("late").contains("go"), "{}", text("late"));
}

#[test]
fn killed_at_random_moments() {
    let (undisturbed, kills) = (undisturbed(Runs::Many), kills(300));
    let (mut all, mut round) = (Seen::default(), 0);
    while all.kills < kills {
        let seed = seed() + round;
        let (mut arena, mut dice) = (Arena::alone(format!("seed {seed}"), Runs::Many), Dice::new(seed));
        let mut lives = true;
        while lives && arena.kills < MOST_KILLS {
            let process = arena.start(None);
            std::thread::sleep(dice.time(8, 240));
            lives = arena.kill(process);
        }
        let process = arena.start(None);
        arena.wait(process);
        all.add(&check(&mut arena, Some(&undisturbed)));
        round += 1;
    }
    println!("{round} files: {all:?}");
    assert!(all.finished > 0 && all.shown > 0 && all.told > 0);
}

/// Dies at the first append, the second and so on, until there are no more; and each time the next process goes on.
fn killed_at_every_append(runs: Runs, dies: fn(usize) -> Dies) {
    let undisturbed = undisturbed(runs);
    let mut all = Seen::default();
    for at in 1.. {
        let mut arena = Arena::alone(format!("{:?} of {runs:?}", dies(at)), runs);
        let process = arena.start(Some(dies(at)));
        let died = arena.wait(process);
        if !died {
            check(&mut arena, Some(&undisturbed));
            break;
        }
        let process = arena.start(None);
        assert!(!arena.wait(process));
        all.add(&check(&mut arena, Some(&undisturbed)));
    }
    println!("{runs:?}: {all:?}");
    assert!(all.kills > 10, "{all:?}");
}

#[test]
fn killed_before_every_append_of_a_small_run() {
    killed_at_every_append(Runs::Small, Dies::Before);
}

#[test]
fn killed_after_every_append_of_a_small_run() {
    killed_at_every_append(Runs::Small, Dies::After);
}

#[test]
fn killed_before_every_append_of_a_run_that_asks_in_its_steps() {
    killed_at_every_append(Runs::Talk, Dies::Before);
}

#[test]
fn killed_after_every_append_of_a_run_that_asks_in_its_steps() {
    killed_at_every_append(Runs::Talk, Dies::After);
}

#[test]
fn killed_before_every_append_of_a_run_that_takes_signals() {
    killed_at_every_append(Runs::Post, Dies::Before);
}

#[test]
fn killed_after_every_append_of_a_run_that_takes_signals() {
    killed_at_every_append(Runs::Post, Dies::After);
}

#[test]
fn two_processes_on_one_file_both_killed() {
    let (undisturbed, kills) = (undisturbed(Runs::Many), kills(60));
    let (mut all, mut round) = (Seen::default(), 0);
    while all.kills < kills {
        let seed = seed() + 1_000_000 + round;
        let lease = Duration::from_millis(150);
        let mut arena = Arena::shared(format!("two processes, seed {seed}"), Runs::Many, lease);
        let mut dice = Dice::new(seed);
        let mut processes = [arena.start(None), arena.start(None)];
        let mut lives = true;
        while lives && arena.kills < 10 {
            std::thread::sleep(dice.time(20, 240));
            let next = arena.start(None);
            let which = usize::from(dice.below(2) == 1);
            let process = std::mem::replace(&mut processes[which], next);
            lives = arena.kill(process);
        }
        for process in processes {
            arena.wait(process);
        }
        all.add(&check(&mut arena, Some(&undisturbed)));
        round += 1;
    }
    println!("{round} files: {all:?}");
}
