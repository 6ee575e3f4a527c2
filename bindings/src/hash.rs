//! Content hashes: what equal definitions, catalogs and bindings have in common.
//!
//! They key whatever is shared between users (zygotes, snapshots, compiled validators) and show that an approved definition changed.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of some content. `Display` prints 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The hash of `parts`, each framed by its length, so that no two lists of parts run together.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update(part.len().to_le_bytes());
            sha.update(part);
        }
        Self(sha.finalize().into())
    }

    /// The hash with these bytes, which were those of one.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let parts = |list: &[&str]| ContentHash::of(list.iter().map(|part| part.as_bytes()));
        assert_ne!(parts(&["ab", "c"]), parts(&["a", "bc"]));
        assert_eq!(parts(&["ab", "c"]), parts(&["ab", "c"]));
    }

    #[test]
    fn it_prints_as_hex() {
        let text = ContentHash::of([b"x".as_slice()]).to_string();
        assert_eq!(text.len(), 64);
        assert!(text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
