//! The workloads of [`flows`](crate::flows), by hand.

use std::collections::VecDeque;

use super::Work;
use crate::time::compute;

/// A loop of two steps, as often as it is told.
pub struct Chain;

pub enum ChainEvent {
    Start(u64),
    Ping(u64),
    Pong(u64),
    Stop(u64),
}

impl Work for Chain {
    type Event = ChainEvent;
    type Output = u64;

    async fn step(event: ChainEvent) -> ChainEvent {
        match event {
            ChainEvent::Start(left) => ChainEvent::Ping(left),
            ChainEvent::Ping(left) => ChainEvent::Pong(left - 1),
            ChainEvent::Pong(left) if left < 2 => ChainEvent::Stop(left),
            ChainEvent::Pong(left) => ChainEvent::Ping(left - 1),
            ChainEvent::Stop(_) => event,
        }
    }

    fn route(&mut self, event: ChainEvent, ready: &mut VecDeque<ChainEvent>) -> Option<u64> {
        match event {
            ChainEvent::Stop(output) => Some(output),
            event => {
                ready.push_back(event);
                None
            }
        }
    }
}

/// Three steps.
pub struct Short;

pub enum ShortEvent {
    Start(u64),
    First(u64),
    Second(u64),
    Stop(u64),
}

impl Work for Short {
    type Event = ShortEvent;
    type Output = u64;

    async fn step(event: ShortEvent) -> ShortEvent {
        match event {
            ShortEvent::Start(n) => ShortEvent::First(n + 1),
            ShortEvent::First(n) => ShortEvent::Second(n + 1),
            ShortEvent::Second(n) => ShortEvent::Stop(n + 1),
            ShortEvent::Stop(_) => event,
        }
    }

    fn route(&mut self, event: ShortEvent, ready: &mut VecDeque<ShortEvent>) -> Option<u64> {
        match event {
            ShortEvent::Stop(output) => Some(output),
            event => {
                ready.push_back(event);
                None
            }
        }
    }
}

/// Splits into tasks, does each, adds up.
pub struct FanOut {
    /// How many tasks may be at work.
    workers: usize,
    rounds: u64,
    waiting: VecDeque<(u32, u64)>,
    done: Vec<Option<u64>>,
    left: usize,
}

pub enum FanOutEvent {
    Start(u64),
    Tasks(Vec<u64>),
    Task { index: u32, value: u64, rounds: u64 },
    Done { index: u32, value: u64 },
    All(Vec<u64>),
    Stop(u64),
}

impl FanOut {
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self { workers, rounds: 0, waiting: VecDeque::new(), done: Vec::new(), left: 0 }
    }

    /// Each task computes for so many rounds.
    #[must_use]
    pub fn computing(rounds: u64) -> Self {
        Self { rounds, ..Self::new(usize::MAX) }
    }
}

impl Work for FanOut {
    type Event = FanOutEvent;
    type Output = u64;

    async fn step(event: FanOutEvent) -> FanOutEvent {
        match event {
            FanOutEvent::Start(n) => FanOutEvent::Tasks((0..n).collect()),
            FanOutEvent::Task { index, value, rounds } => {
                if rounds > 0 {
                    std::hint::black_box(compute(rounds));
                }
                FanOutEvent::Done { index, value: value + 1 }
            }
            FanOutEvent::All(all) => FanOutEvent::Stop(all.iter().sum()),
            other => other,
        }
    }

    fn route(&mut self, event: FanOutEvent, ready: &mut VecDeque<FanOutEvent>) -> Option<u64> {
        let rounds = self.rounds;
        let task = |(index, value)| FanOutEvent::Task { index, value, rounds };
        match event {
            FanOutEvent::Stop(output) => return Some(output),
            FanOutEvent::Tasks(tasks) => {
                self.left = tasks.len();
                self.done.resize(tasks.len(), None);
                self.waiting.extend((0..).zip(tasks));
                let first = self.waiting.len().min(self.workers);
                ready.extend(self.waiting.drain(..first).map(task));
            }
            FanOutEvent::Done { index, value } => {
                self.done[index as usize] = Some(value);
                self.left -= 1;
                ready.extend(self.waiting.pop_front().map(task));
                if self.left == 0 {
                    let all = std::mem::take(&mut self.done).into_iter().flatten().collect();
                    ready.push_back(FanOutEvent::All(all));
                }
            }
            event => ready.push_back(event),
        }
        None
    }
}
