//! The id of a run.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The id of a run: the same for as long as it lives, and kept over every snapshot and restore.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Arc<str>);

impl RunId {
    /// A new id: 128 random bits, in hexadecimal.
    #[must_use]
    pub fn random() -> Self {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(random_bits()) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        Self(std::str::from_utf8(&digits).unwrap_or_default().into())
    }

    /// A number that depends on the id alone (FNV-1a).
    pub(crate) fn seed(&self) -> u64 {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.0.bytes().fold(0xcbf2_9ce4_8422_2325, step)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 128 random bits. Asking the system takes a good part of a run's start, so each thread asks for some at once. (A process
/// that was split in two by `fork` after that has the same ones left in both halves; tokio does not survive that either.)
fn random_bits() -> [u8; 16] {
    use std::cell::RefCell;

    thread_local! {
        static LEFT: RefCell<Vec<[u8; 16]>> = const { RefCell::new(Vec::new()) };
    }
    let left = || {
        let taken = LEFT.try_with(|left| {
            let mut left = left.borrow_mut();
            left.pop().or_else(|| {
                let mut bits = [[0; 16]; 32];
                getrandom::fill(bits.as_flattened_mut()).ok()?;
                left.extend(bits);
                left.pop()
            })
        });
        taken.unwrap_or_else(|_| {
            // The thread ends, and a run that it kept ends with it.
            let mut bits = [0; 16];
            getrandom::fill(&mut bits).ok().map(|()| bits)
        })
    };
    left().unwrap_or_else(|| {
        // The system gives no randomness, as some sandboxes do. The seeds of hash maps are the next best.
        use std::hash::{BuildHasher, RandomState};

        let mut bits = [0; 16];
        let half = || RandomState::new().hash_one(0).to_le_bytes();
        bits[..8].copy_from_slice(&half());
        bits[8..].copy_from_slice(&half());
        bits
    })
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for RunId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for RunId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}
