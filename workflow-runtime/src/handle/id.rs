//! The id of a run.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The id of a run: made when it starts, kept over every snapshot and restore.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Arc<str>);

impl RunId {
    /// A new id: 128 random bits, in hexadecimal.
    #[must_use]
    pub fn random() -> Self {
        use std::hash::{BuildHasher, RandomState};

        let mut bits = [0; 16];
        if getrandom::fill(&mut bits).is_err() {
            // The system gives no randomness, as some sandboxes do. The seeds of hash maps are the next best.
            let half = || RandomState::new().hash_one(0).to_le_bytes();
            bits[..8].copy_from_slice(&half());
            bits[8..].copy_from_slice(&half());
        }
        Self(format!("{:032x}", u128::from_le_bytes(bits)).into())
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
