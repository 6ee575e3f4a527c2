//! Static bearer keys: random, and known here by their hash alone.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use futures::future::BoxFuture;
use isolet::Principal;
use sha2::{Digest as _, Sha256};

use crate::authentication::Authenticate;
use crate::refusal::Refusal;

/// Bytes of a key's randomness.
const KEY_BYTES: usize = 32;
/// What a key begins with, so that whoever finds one knows what it is.
const KEY_PREFIX: &str = "isolet_";
/// What the text of a hash begins with.
const HASH_PREFIX: &str = "sha256:";

/// A key, to be shown once. No `Debug` shows it.
pub struct Key(String);

/// The SHA-256 of a key: what a server keeps. A key has 256 random bits, so nothing is gained by a slow hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

/// A text that is no hash of a key.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no hash of a key: write what `isolet key` prints, `sha256:` and 64 hexadecimal digits")]
pub struct NotAKeyHash;

impl Key {
    /// A new one.
    ///
    /// # Errors
    ///
    /// The system has no random numbers.
    pub fn new() -> std::io::Result<Self> {
        let mut bytes = [0_u8; KEY_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{KEY_PREFIX}{}", hexadecimal(&bytes))))
    }

    /// What a client sends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a server keeps.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl KeyHash {
    /// The hash of a key's text.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HASH_PREFIX}{}", hexadecimal(&self.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyHash {
    type Err = NotAKeyHash;

    fn from_str(text: &str) -> Result<Self, NotAKeyHash> {
        let digits = text.strip_prefix(HASH_PREFIX).ok_or(NotAKeyHash)?.as_bytes();
        let mut hash = [0; 32];
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != hash.len() || !rest.is_empty() {
            return Err(NotAKeyHash);
        }
        for (byte, pair) in hash.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| high << 4 | low).ok_or(NotAKeyHash)?;
        }
        Ok(Self(hash))
    }
}

/// Two digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whose each key is. A key is looked up by its hash: how long that takes says nothing about a key that is known.
#[derive(Clone, Debug, Default)]
pub struct BearerKeys(HashMap<KeyHash, Principal>);

impl BearerKeys {
    /// No keys: nobody is let in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, and the key with this hash is `principal`'s. A principal may have several.
    #[must_use]
    pub fn with(mut self, key: KeyHash, principal: Principal) -> Self {
        self.0.insert(key, principal);
        self
    }

    fn find(&self, headers: &HeaderMap) -> Result<Principal, Refusal> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Err(Refusal::unauthenticated()) };
        let wrong = || Refusal::challenged(HeaderValue::from_static("Bearer error=\"invalid_token\""));
        let (scheme, key) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(wrong)?;
        if values.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") {
            return Err(wrong());
        }
        self.0.get(&KeyHash::of(key.trim())).cloned().ok_or_else(wrong)
    }
}

impl Authenticate for BearerKeys {
    fn principal<'a>(&'a self, head: &'a Parts) -> BoxFuture<'a, Result<Principal, Refusal>> {
        Box::pin(std::future::ready(self.find(&head.headers)))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written_and_nothing_else_is_one() {
        let hash = Key::new().unwrap().hash();
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().replace("SHA256", "sha256").parse(), Ok(hash));
        let written = hash.to_string();
        let digits = written.strip_prefix(HASH_PREFIX).unwrap();
        for text in ["", "sha256:", digits, &written[..written.len() - 1], &format!("{written}0"), &"sha256:zz".repeat(7)] {
            assert_eq!(text.parse::<KeyHash>(), Err(NotAKeyHash), "{text}");
        }
    }

    #[test]
    fn a_key_lets_in_whose_it_is_and_nothing_else_does() {
        let (key, other) = (Key::new().unwrap(), Key::new().unwrap());
        let keys = BearerKeys::new().with(key.hash(), Principal::new("ada"));
        let find = |values: &[String]| {
            let values = values.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap()));
            let mut headers = HeaderMap::new();
            for (name, value) in values {
                headers.append(name, value);
            }
            keys.find(&headers)
        };
        let right = format!("Bearer {}", key.as_str());
        assert_eq!(find(std::slice::from_ref(&right)).unwrap().user, "ada");
        assert_eq!(find(&[right.replace("Bearer", "bearer")]).unwrap().user, "ada");
        assert_eq!(find(&[]), Err(Refusal::unauthenticated()));
        let wrong = Refusal::challenged(HeaderValue::from_static("Bearer error=\"invalid_token\""));
        for values in [
            vec![key.as_str().to_owned()],
            vec![format!("Basic {}", key.as_str())],
            vec![format!("Bearer {}", other.as_str())],
            vec![format!("Bearer {}", key.hash())],
            vec!["Bearer ".to_owned()],
            vec![right.clone(), right.clone()],
        ] {
            assert_eq!(find(&values), Err(wrong.clone()), "{values:?}");
        }
    }
}
