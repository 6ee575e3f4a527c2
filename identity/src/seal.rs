//! What is kept is sealed: nobody without the key reads it, changes it, or puts what is one user's in the place of another's.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::grant_key::GrantKey;
use crate::key_file::{Key, KeyFile};
use crate::store::StoreError;

/// What is written to a disk.
pub(crate) struct Sealed {
    /// The name of the key.
    pub(crate) key: String,
    /// Random, another one for each sealing.
    pub(crate) nonce: [u8; NONCE_LEN],
    /// The sealed bytes and their tag.
    pub(crate) bytes: Vec<u8>,
}

/// Seals `grant`, for `grant_key` alone, with the key in use.
pub(crate) fn seal(keys: &KeyFile, grant_key: &GrantKey, grant: &[u8]) -> Result<Sealed, StoreError> {
    let failed = || StoreError::Sealed { server: grant_key.server().to_owned() };
    let key = keys.current().ok_or_else(failed)?;
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce).map_err(|source| StoreError::Database { source: Box::new(source) })?;
    let mut bytes = grant.to_vec();
    let sealing = cipher(key).ok_or_else(failed)?;
    let sealed = sealing.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound_to(key, grant_key), &mut bytes);
    sealed.map_err(|_| failed())?;
    Ok(Sealed { key: key.id.clone(), nonce, bytes })
}

/// Opens what was sealed for `grant_key`.
pub(crate) fn open(keys: &KeyFile, grant_key: &GrantKey, sealed: Sealed) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let failed = || StoreError::Sealed { server: grant_key.server().to_owned() };
    let key = keys.key(&sealed.key).ok_or_else(failed)?;
    let mut bytes = Zeroizing::new(sealed.bytes);
    let nonce = Nonce::assume_unique_for_key(sealed.nonce);
    let opening = cipher(key).ok_or_else(failed)?;
    let length = opening.open_in_place(nonce, bound_to(key, grant_key), &mut bytes).map_err(|_| failed())?.len();
    bytes.truncate(length);
    Ok(bytes)
}

fn cipher(key: &Key) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, &*key.bytes).ok().map(LessSafeKey::new)
}

/// What a sealed text belongs to.
fn bound_to(key: &Key, grant_key: &GrantKey) -> Aad<Vec<u8>> {
    Aad::from([b"isolet grant 1 ".as_slice(), &grant_key.digest(), key.id.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet::Principal;
    use isolet::mcp::Url;

    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_place_with_its_key_and_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyFile::open(folder.path().join("key")).unwrap();
        let grant_key =
            |user: &str| GrantKey::new(&Principal::new(user).key(), "a", &Url::parse("https://a.example/mcp").unwrap());
        let sealed = || seal(&keys, &grant_key("ada"), b"canary-7f3a9c").unwrap();
        assert_eq!(**open(&keys, &grant_key("ada"), sealed()).unwrap(), b"canary-7f3a9c"[..]);
        assert!(sealed().bytes != sealed().bytes, "each sealing has a nonce of its own");
        assert!(!sealed().bytes.windows(6).any(|bytes| bytes == b"canary"));
        assert!(open(&keys, &grant_key("bob"), sealed()).is_err());
        let mut changed = sealed();
        changed.bytes[0] ^= 1;
        assert!(open(&keys, &grant_key("ada"), changed).is_err());
        let old = sealed();
        let rotated = keys.rotate().unwrap();
        assert!(open(&rotated, &grant_key("ada"), old).is_ok());
        assert!(seal(&rotated, &grant_key("ada"), b"x").unwrap().key != sealed().key);
        let other = KeyFile::open(folder.path().join("other")).unwrap();
        assert!(open(&other, &grant_key("ada"), sealed()).is_err());
    }
}
