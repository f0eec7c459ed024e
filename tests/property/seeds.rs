//! Many seeds on all cores, and what failed so that it can be run again.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Runs this seed alone.
const ONE: &str = "PROPERTY_SEED";

/// Runs so many times as many seeds.
const TIMES: &str = "PROPERTY_TIMES";

/// Seeds that fail are collected up to so many, to show the one with the smallest graph.
const ENOUGH: usize = 30;

/// What does not hold for one seed.
pub struct Broken {
    /// How many steps the graph has.
    pub size: usize,
    pub text: String,
}

/// What came up how often, so that a test can say that it has seen what it is about.
#[derive(Default)]
pub struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    pub fn add(&mut self, what: &'static str, count: usize) {
        *self.0.entry(what).or_default() += count;
    }

    pub fn of(&self, what: &str) -> usize {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// Panics if something came up less often than that, unless one seed alone is run.
    pub fn at_least(&self, least: &[(&str, usize)]) {
        let alone = std::env::var_os(ONE).is_some();
        let rare: Vec<_> = least.iter().filter(|(what, least)| self.of(what) < *least).collect();
        assert!(alone || rare.is_empty(), "too seldom to mean anything: {rare:?} in\n{self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, count)| writeln!(f, "{count:>10} {what}"))
    }
}

/// Checks each seed, and adds up what the checks have counted.
pub fn each(seeds: Range<u64>, check: impl Fn(u64, &mut Tally) -> Result<(), Broken> + Sync) -> Tally {
    let seeds = match (number(ONE), number(TIMES)) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(times)) => seeds.start..seeds.start + times * (seeds.end - seeds.start),
        (None, None) => seeds,
    };
    let next = AtomicU64::new(seeds.start);
    let broken: Mutex<Vec<(u64, Broken)>> = Mutex::default();
    let lane = || {
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || broken.lock().unwrap().len() >= ENOUGH {
                return tally;
            }
            let _named = Named(seed);
            if let Err(why) = check(seed, &mut tally) {
                broken.lock().unwrap().push((seed, why));
            }
        }
    };
    let lanes = thread::available_parallelism().map_or(1, usize::from);
    let mut total = Tally::default();
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        for lane in lanes {
            lane.join().unwrap().0.into_iter().for_each(|(what, count)| total.add(what, count));
        }
    });
    let broken = broken.into_inner().unwrap();
    if let Some((seed, smallest)) = broken.iter().min_by_key(|(seed, it)| (it.size, it.text.len(), *seed)) {
        let count = broken.len();
        panic!("{}\n{count} seeds fail; this one alone again: {ONE}={seed}", smallest.text);
    }
    total
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Names the seed if the code under test panics.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("that was {ONE}={}", self.0);
        }
    }
}
