//! Retry policies: values that are built while compiling.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::error::{IntoStepError, StepError};

/// When a failed step is run again: `#[step(retry = Retry::exponential("200ms").attempts(5))]`.
///
/// The first attempt never waits. After the k-th failure the step waits for the k-th delay of the sequence; while it
/// waits it holds no worker. How often it has failed, since when and why survives a snapshot, and so does the time
/// at which the next attempt is due.
///
/// Durations are texts such as `"200ms"`, `"10s"`, `"1.5m"`, `"2h"`, `"7d"`. A text that is none does not compile where
/// the policy is a constant, as it is in `#[step(..)]`.
///
/// Every error is retried, except [`Final`] ones and those that [`when`](Self::when) or [`on`](Self::on) turn down.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use workflow_runtime::Retry;
///
/// const POLICY: Retry = Retry::exponential("200ms").cap("5s").attempts(4);
/// let delays: Vec<_> = (1..5).map(|failures| POLICY.delay(failures, 0)).collect();
/// let millis = |n| Some(Duration::from_millis(n));
/// assert_eq!(delays, [millis(200), millis(400), millis(800), None]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    attempts: u32,
    total: Option<Duration>,
    first: Duration,
    growth: Growth,
    cap: Option<Duration>,
    jitter: Jitter,
    only: Option<fn(&StepError) -> bool>,
    then: Option<&'static Retry>,
}

#[derive(Clone, Copy, Debug)]
enum Growth {
    Fixed,
    Linear,
    Exponential { factor: u32 },
}

#[derive(Clone, Copy, Debug)]
enum Jitter {
    None,
    Full,
    Additive(Duration),
}

/// How many attempts a policy makes that does not say.
const ATTEMPTS: u32 = 3;

impl Retry {
    const fn new(first: Duration, growth: Growth) -> Self {
        let (attempts, jitter) = (ATTEMPTS, Jitter::None);
        Self { attempts, total: None, first, growth, cap: None, jitter, only: None, then: None }
    }

    /// Waits the same time after each failure.
    ///
    /// # Panics
    /// `wait` is not a duration; while compiling, in a constant.
    #[must_use]
    #[track_caller]
    pub const fn fixed(wait: &str) -> Self {
        Self::new(duration(wait), Growth::Fixed)
    }

    /// Waits once, twice, three times `step`, and so on.
    ///
    /// # Panics
    /// `step` is not a duration; while compiling, in a constant.
    #[must_use]
    #[track_caller]
    pub const fn linear(step: &str) -> Self {
        Self::new(duration(step), Growth::Linear)
    }

    /// Waits `first`, then twice as long each time; [`factor`](Self::factor) changes the two.
    ///
    /// # Panics
    /// `first` is not a duration; while compiling, in a constant.
    #[must_use]
    #[track_caller]
    pub const fn exponential(first: &str) -> Self {
        Self::new(duration(first), Growth::Exponential { factor: 2 })
    }

    /// How fast an exponential policy grows; no effect on others.
    #[must_use]
    pub const fn factor(mut self, factor: u32) -> Self {
        if let Growth::Exponential { .. } = self.growth {
            self.growth = Growth::Exponential { factor };
        }
        self
    }

    /// Makes at most so many attempts, the first one counted; 3 if not said.
    ///
    /// # Panics
    /// `attempts` is 0; while compiling, in a constant.
    #[must_use]
    #[track_caller]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        assert!(attempts > 0, "a step is attempted at least once");
        self.attempts = attempts;
        self
    }

    /// Starts no attempt later than so long after the first failure.
    ///
    /// # Panics
    /// `total` is not a duration; while compiling, in a constant.
    #[must_use]
    #[track_caller]
    pub const fn total(mut self, total: &str) -> Self {
        self.total = Some(duration(total));
        self
    }

    /// Waits at most so long each time, jitter not counted.
    ///
    /// # Panics
    /// `cap` is not a duration; while compiling, in a constant.
    #[must_use]
    #[track_caller]
    pub const fn cap(mut self, cap: &str) -> Self {
        self.cap = Some(duration(cap));
        self
    }

    /// Waits for any time between nothing and the delay, so that many runs do not come back at once. It is drawn from
    /// the run, the invocation and the number of the failure, so a replay draws the same.
    #[must_use]
    pub const fn full_jitter(mut self) -> Self {
        self.jitter = Jitter::Full;
        self
    }

    /// Waits for the delay and any time up to `most` on top.
    ///
    /// # Panics
    /// `most` is not a duration; while compiling, in a constant.
    #[must_use]
    #[track_caller]
    pub const fn additive_jitter(mut self, most: &str) -> Self {
        self.jitter = Jitter::Additive(duration(most));
        self
    }

    /// Retries only errors for which the function says so.
    #[must_use]
    pub const fn when(mut self, retries: fn(&StepError) -> bool) -> Self {
        self.only = Some(retries);
        self
    }

    /// Retries only errors of this type.
    #[must_use]
    pub const fn on<E: Error + 'static>(self) -> Self {
        self.when(is::<E>)
    }

    /// Goes on with another policy when this one has made its attempts, or turns an error down. The other policy
    /// counts from its own first attempt on, and turns errors down as it would alone; the time that this one has in
    /// [`total`](Self::total) bounds both.
    ///
    /// # Examples
    /// Comes back soon a few times, and then once in a while; what is not there is not asked for again.
    /// ```
    /// use std::io::{self, ErrorKind};
    /// use workflow_runtime::{Retry, StepError};
    ///
    /// const PATIENT: Retry = Retry::fixed("1h").attempts(24).when(there);
    /// const POLICY: Retry = Retry::exponential("1s").attempts(5).when(there).then(&PATIENT);
    ///
    /// fn there(error: &StepError) -> bool {
    ///     let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    ///     cause.is_none_or(|error| error.kind() != ErrorKind::NotFound)
    /// }
    /// # assert_eq!(POLICY.delay(5, 0), Some(std::time::Duration::from_secs(3_600)));
    /// ```
    #[must_use]
    pub const fn then(mut self, next: &'static Self) -> Self {
        self.then = Some(next);
        self
    }

    /// How long to wait after that many failures; `None` if this was the last attempt. `seed` draws the jitter.
    #[must_use]
    pub fn delay(&self, failures: u32, seed: u64) -> Option<Duration> {
        let next = || self.then?.delay(failures.saturating_sub(self.attempts - 1), seed);
        if failures >= self.attempts { next() } else { Some(self.wait(failures, seed)) }
    }

    fn wait(&self, failures: u32, seed: u64) -> Duration {
        let before = failures.saturating_sub(1);
        let grown = match self.growth {
            Growth::Fixed => self.first,
            Growth::Linear => self.first.saturating_mul(failures),
            Growth::Exponential { factor } => self.first.saturating_mul(factor.saturating_pow(before)),
        };
        let wait = self.cap.map_or(grown, |cap| grown.min(cap));
        match self.jitter {
            Jitter::None => wait,
            Jitter::Full => part_of(wait, seed, failures),
            Jitter::Additive(most) => wait.saturating_add(part_of(most, seed, failures)),
        }
    }

    /// What to do after a failure: how long to wait, or `None` if the step has failed for good.
    ///
    /// `since_first` is the time since the first failure.
    pub(crate) fn decide(
        &self,
        error: &StepError,
        failures: u32,
        since_first: Duration,
        seed: u64,
    ) -> Option<Duration> {
        let takes = self.only.is_none_or(|retries| retries(error));
        let wait = match error.hint() {
            Some(Hint::Final) => return None,
            hint if takes && failures < self.attempts => match hint {
                Some(Hint::After(after)) => after,
                _ => self.wait(failures, seed),
            },
            _ => {
                let made = if takes { self.attempts - 1 } else { 0 };
                self.then?.decide(error, failures.saturating_sub(made), since_first, seed)?
            }
        };
        let in_time = self.total.is_none_or(|total| since_first.saturating_add(wait) <= total);
        in_time.then_some(wait)
    }
}

fn is<E: Error + 'static>(error: &StepError) -> bool {
    error.source().is_some_and(|source| source.is::<E>())
}

/// A part of a duration, drawn from the seed and the number of the failure (SplitMix64).
fn part_of(whole: Duration, seed: u64, failures: u32) -> Duration {
    let mut bits = seed.wrapping_add(u64::from(failures).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    let millis = u64::try_from(whole.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(bits % millis.saturating_add(1).max(1))
}

/// Reads a duration: a number, with a fraction if need be, and one of `ms`, `s`, `m`, `h`, `d`.
///
/// # Panics
/// The text is no such duration. In a constant that is an error of the compiler, at the caller.
#[must_use]
#[track_caller]
pub const fn duration(text: &str) -> Duration {
    match parse(text.as_bytes()) {
        Some(duration) => duration,
        None => wrong_duration(),
    }
}

#[track_caller]
#[expect(clippy::panic, reason = "in a constant this is how an error is reported")]
const fn wrong_duration() -> ! {
    panic!(
        "this is not a duration; write a number and a unit, such as \"200ms\", \"10s\", \"1.5m\", \"2h\" or \"7d\""
    )
}

const fn parse(text: &[u8]) -> Option<Duration> {
    let (mut at, mut whole, mut digits) = (0, 0u64, 0);
    let (mut fraction, mut scale) = (0u64, 1u64);
    let mut after_point = false;
    while at < text.len() {
        let c = text[at];
        if c == b'.' && !after_point && digits > 0 {
            after_point = true;
        } else if c.is_ascii_digit() {
            let digit = (c - b'0') as u64;
            if after_point {
                // Finer than a millionth of the unit is finer than any timer.
                if scale < 1_000_000 {
                    fraction = fraction * 10 + digit;
                    scale *= 10;
                }
            } else {
                whole = match whole.checked_mul(10) {
                    Some(tens) => tens + digit,
                    None => return None,
                };
            }
            digits += 1;
        } else {
            break;
        }
        at += 1;
    }
    let unit: u64 = match text.len() - at {
        1 => match text[at] {
            b's' => 1_000,
            b'm' => 60_000,
            b'h' => 3_600_000,
            b'd' => 86_400_000,
            _ => return None,
        },
        2 if text[at] == b'm' && text[at + 1] == b's' => 1,
        _ => return None,
    };
    if digits == 0 || (after_point && scale == 1) {
        return None;
    }
    match whole.checked_mul(unit) {
        Some(millis) => Some(Duration::from_millis(millis + fraction * unit / scale)),
        None => None,
    }
}

/// What an error says about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    Final,
    After(Duration),
}

/// An error that is never retried, whatever the policy says.
///
/// # Examples
/// ```
/// use workflow_runtime::{Final, StepError};
///
/// fn charge(card: &str) -> Result<(), StepError> {
///     if card.is_empty() {
///         return Err(Final::new("the card is refused").into());
///     }
///     Ok(())
/// }
/// # assert!(charge("").is_err());
/// ```
pub struct Final(StepError);

impl Final {
    /// Makes an error final.
    pub fn new(error: impl IntoStepError) -> Self {
        Self(error.into_step_error())
    }

    pub(crate) fn into_inner(self) -> (StepError, Hint) {
        (self.0, Hint::Final)
    }
}

/// An error that knows when trying again makes sense, such as a server's "retry after". The policy still says whether.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use workflow_runtime::{RetryAfter, StepError};
///
/// fn fetch() -> Result<(), StepError> {
///     Err(RetryAfter::new(Duration::from_secs(30), "too many requests").into())
/// }
/// # assert!(fetch().is_err());
/// ```
pub struct RetryAfter {
    after: Duration,
    error: StepError,
}

impl RetryAfter {
    /// Says when trying again makes sense.
    pub fn new(after: Duration, error: impl IntoStepError) -> Self {
        Self { after, error: error.into_step_error() }
    }

    pub(crate) fn into_inner(self) -> (StepError, Hint) {
        (self.error, Hint::After(self.after))
    }
}

macro_rules! reads_as_its_error {
    ($type:ident, $field:tt) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.$field, f)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($type)).field(&self.$field).finish()
            }
        }

        impl Error for $type {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                self.$field.as_error().source()
            }
        }
    };
}

reads_as_its_error!(Final, 0);
reads_as_its_error!(RetryAfter, error);

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(policy: Retry) -> Vec<u128> {
        (1..20).map_while(|failures| policy.delay(failures, 7)).map(|delay| delay.as_millis()).collect()
    }

    #[test]
    fn the_kth_delay_is_the_kth_of_the_sequence() {
        assert_eq!(delays(Retry::fixed("1s").attempts(4)), [1_000, 1_000, 1_000]);
        assert_eq!(delays(Retry::linear("1s").attempts(4)), [1_000, 2_000, 3_000]);
        assert_eq!(delays(Retry::exponential("1s").attempts(5)), [1_000, 2_000, 4_000, 8_000]);
        assert_eq!(
            delays(Retry::exponential("1s").factor(3).cap("5s").attempts(5)),
            [1_000, 3_000, 5_000, 5_000]
        );
        assert_eq!(delays(Retry::fixed("0s").attempts(1)), [] as [u128; 0]);
    }

    #[test]
    fn a_policy_without_a_number_of_attempts_is_bounded_all_the_same() {
        assert_eq!(delays(Retry::fixed("0s")), [0, 0]);
    }

    #[test]
    fn one_policy_goes_on_where_another_has_ended() {
        const SLOW: Retry = Retry::fixed("1m").attempts(3);
        assert_eq!(delays(Retry::fixed("1s").attempts(3).then(&SLOW)), [1_000, 1_000, 60_000, 60_000]);
    }

    #[test]
    fn jitter_is_drawn_from_the_seed_and_stays_in_its_bounds() {
        let policy = Retry::fixed("1s").full_jitter();
        assert_eq!(policy.delay(1, 42), policy.delay(1, 42));
        assert!((0..1_000).all(|seed| policy.delay(1, seed).unwrap() <= Duration::from_secs(1)));
        assert!((0..100).any(|seed| policy.delay(1, seed) != policy.delay(1, seed + 1)));
        let policy = Retry::fixed("1s").additive_jitter("500ms");
        let bounds = Duration::from_secs(1)..=Duration::from_millis(1_500);
        assert!((0..1_000).all(|seed| bounds.contains(&policy.delay(2, seed).unwrap())));
    }

    #[test]
    fn final_errors_are_not_retried_and_others_only_if_the_policy_takes_them() {
        let decide = |policy: Retry, error: StepError| policy.decide(&error, 1, Duration::ZERO, 0);
        let policy = Retry::fixed("1s");
        assert_eq!(decide(policy, StepError::new("x")), Some(Duration::from_secs(1)));
        assert_eq!(decide(policy, Final::new("x").into()), None);
        let parse = || StepError::from("x".parse::<u8>().unwrap_err());
        assert_eq!(decide(policy.on::<std::num::ParseIntError>(), parse()), Some(Duration::from_secs(1)));
        assert_eq!(decide(policy.on::<std::io::Error>(), parse()), None);
        assert_eq!(decide(policy.when(|error| error.message() == "x"), StepError::new("y")), None);
    }

    #[test]
    fn policies_by_type_of_error_stand_side_by_side() {
        const IO: Retry = Retry::fixed("1m").attempts(3).on::<std::io::Error>();
        const POLICY: Retry = Retry::fixed("1s").attempts(3).on::<std::num::ParseIntError>().then(&IO);
        let parse = || StepError::from("x".parse::<u8>().unwrap_err());
        let io = || StepError::from(std::io::Error::other("x"));
        let decide =
            |error, failures| POLICY.decide(&error, failures, Duration::ZERO, 0).map(|it| it.as_secs());
        assert_eq!([decide(parse(), 1), decide(parse(), 2)], [Some(1); 2]);
        assert_eq!([decide(io(), 1), decide(io(), 2)], [Some(60); 2]);
        assert_eq!([decide(parse(), 3), decide(io(), 3)], [None; 2]);
        assert_eq!(decide(StepError::new("neither"), 1), None);
    }

    #[test]
    fn the_policy_that_goes_on_turns_errors_down_and_has_its_own_time() {
        const SLOW: Retry = Retry::fixed("1m").attempts(9).total("10m").on::<std::num::ParseIntError>();
        let decide = |error: &StepError, since| {
            let policy = Retry::fixed("1s").attempts(2).then(&SLOW);
            policy.decide(error, 2, Duration::from_secs(since), 0)
        };
        let parse = StepError::from("x".parse::<u8>().unwrap_err());
        assert_eq!(decide(&parse, 60), Some(Duration::from_secs(60)));
        assert_eq!(decide(&parse, 600), None);
        assert_eq!(decide(&StepError::new("x"), 60), None);
    }

    #[test]
    fn an_error_that_knows_when_to_try_again_is_listened_to() {
        let error = StepError::from(RetryAfter::new(Duration::from_secs(30), "busy"));
        assert_eq!(error.message(), "busy");
        let policy = Retry::fixed("1s").attempts(2);
        assert_eq!(policy.decide(&error, 1, Duration::ZERO, 0), Some(Duration::from_secs(30)));
        assert_eq!(policy.decide(&error, 2, Duration::ZERO, 0), None, "but the policy says whether");
        let in_time = policy.total("20s").decide(&error, 1, Duration::ZERO, 0);
        assert_eq!(in_time, None, "and until when");
    }

    #[test]
    fn durations_are_a_number_and_a_unit() {
        let read = |text: &str| parse(text.as_bytes()).map(|duration| duration.as_millis());
        assert_eq!(read("200ms"), Some(200));
        assert_eq!(read("1.5m"), Some(90_000));
        assert_eq!(read("0.25s"), Some(250));
        assert_eq!(read("7d"), Some(604_800_000));
        for wrong in ["", "s", "5", "5 s", "-1s", "1.s", ".5s", "5sec", "1.2.3s", "99999999999999999999d"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
