//! One scope snapshot as a file: its layout, and the MAC that proves that it is ours.
//!
//! A file is: magic, HMAC-SHA256 of the magic and all that follows, key of the snapshot, build that made it, length and text of
//! what it holds (for people), snapshot.

use std::fmt;
use std::io;

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use super::privacy::Exposure;
use crate::contract::boot::Build;
use crate::contract::maker::SNAPSHOT_BYTES_MAX;

/// The first bytes of a file; the digit is the version of the layout.
const MAGIC: &[u8; 16] = b"isolet-snapshot1";
/// Bytes of a SHA-256 and of a MAC.
const HASH_BYTES: usize = 32;
/// Bytes of the key of the MACs: a block of SHA-256.
pub(super) const MAC_KEY_BYTES: usize = 64;
/// The longest text of what a snapshot holds, characters.
const CONTENTS_LENGTH_MAX: usize = 200;
/// The largest file, bytes.
pub(super) const FILE_BYTES_MAX: usize = MAGIC.len() + 3 * HASH_BYTES + 2 + 4 * CONTENTS_LENGTH_MAX + SNAPSHOT_BYTES_MAX;
/// How the names of files end.
pub(super) const EXTENSION: &str = "snapshot";

/// Why a snapshot file is not believed.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SnapshotMismatch {
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    /// It is something else than a file.
    #[error("it is a symbolic link, or no file")]
    NotAFile,
    /// Somebody else could have written it.
    #[error(transparent)]
    Exposed(#[from] Exposure),
    /// It is longer than any snapshot.
    #[error("it has {bytes} bytes, more than any snapshot")]
    TooLong {
        /// Its length.
        bytes: u64,
    },
    /// It does not begin as a snapshot of this version does, or ends too early.
    #[error("it is no snapshot of this version of the layout")]
    Layout,
    /// The MAC is wrong.
    #[error("it was changed, cut, or made under another key")]
    Mac,
    /// It is another snapshot than its name says.
    #[error("it is a copy of another snapshot")]
    Name,
}

/// What names one snapshot: everything that it depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SnapshotKey([u8; HASH_BYTES]);

impl SnapshotKey {
    /// `build` names the executable, V8, deno_core, bootstrap and ops; `flags` are those of V8; `manifest` is JSON of the bindings.
    pub(crate) fn of(build: &Build, flags: &str, manifest: &str) -> Self {
        let mut sha = Sha256::new();
        for part in [build.as_slice(), flags.as_bytes(), manifest.as_bytes()] {
            sha.update(part.len().to_le_bytes());
            sha.update(part);
        }
        Self(sha.finalize().into())
    }

    pub(super) fn file_name(&self) -> String {
        format!("{self}.{EXTENSION}")
    }
}

impl fmt::Display for SnapshotKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(to, "{byte:02x}"))
    }
}

/// A snapshot as it was read: the bytes of a file of which the last are the snapshot.
pub(crate) struct StoredSnapshot {
    file: Vec<u8>,
    pub(super) build: Build,
    pub(super) key: SnapshotKey,
    pub(super) contents: String,
    start: usize,
}

impl StoredSnapshot {
    /// The snapshot's own bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.file[self.start..]
    }
}

/// The key of the MACs of a folder.
pub(super) struct MacKey(pub(super) [u8; MAC_KEY_BYTES]);

impl MacKey {
    /// Checks the MAC, then takes apart what it vouches for.
    pub(super) fn verified(&self, file: Vec<u8>) -> Result<StoredSnapshot, SnapshotMismatch> {
        let rest = file.strip_prefix(MAGIC).ok_or(SnapshotMismatch::Layout)?;
        let (mac, rest) = rest.split_first_chunk::<HASH_BYTES>().ok_or(SnapshotMismatch::Layout)?;
        self.mac(rest).verify_slice(mac).map_err(|_| SnapshotMismatch::Mac)?;
        let parts = || {
            let (key, rest) = rest.split_first_chunk::<HASH_BYTES>()?;
            let (build, rest) = rest.split_first_chunk::<HASH_BYTES>()?;
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (contents, snapshot) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
            Some((SnapshotKey(*key), *build, String::from_utf8(contents.to_vec()).ok()?, snapshot.len()))
        };
        let (key, build, contents, length) = parts().ok_or(SnapshotMismatch::Layout)?;
        Ok(StoredSnapshot { start: file.len() - length, file, build, key, contents })
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new(&self.0.into());
        mac.update(MAGIC);
        mac.update(bytes);
        mac
    }

    /// The bytes of a file: what comes before the MAC's own, the MAC, and what it vouches for.
    pub(super) fn signed(&self, key: SnapshotKey, build: &Build, contents: &str, snapshot: &[u8]) -> Vec<u8> {
        let contents: String = contents.chars().take(CONTENTS_LENGTH_MAX).collect();
        let length = u16::try_from(contents.len()).unwrap_or(0).to_le_bytes();
        let rest = [&key.0, build.as_slice(), &length, contents.as_bytes(), snapshot].concat();
        [MAGIC, self.mac(&rest).finalize().into_bytes().as_slice(), &rest].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_build_flags_and_bindings() {
        let text = |build: Build, flags, manifest| SnapshotKey::of(&build, flags, manifest).to_string();
        let key = text([1; 32], "--jitless", "[]");
        assert_eq!(key, text([1; 32], "--jitless", "[]"));
        for other in [text([2; 32], "--jitless", "[]"), text([1; 32], "", "[]"), text([1; 32], "--jitless", "[1]")] {
            assert_ne!(key, other);
        }
        assert_ne!(text([1; 32], "--a", "b"), text([1; 32], "--", "ab"), "parts run together");
    }
}
