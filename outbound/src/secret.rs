//! A secret: a value that goes out as a credential. Wiped from memory when it is dropped, and without any way to be shown.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use zeroize::Zeroizing;

/// The fewest bytes of a secret. A shorter one is guessed, and cannot be told from the words of an answer.
pub const SECRET_BYTES_MIN: usize = 8;

/// A credential, or a part of one: a token, a key, a password.
///
/// It has no `Debug`, no `Display` and no `Serialize`, so whatever shows it has to name [`Secret::expose`]. Clones share one text, which is wiped
/// with the last of them.
///
/// ```
/// use isolet_outbound::Secret;
///
/// let secret = Secret::new("0123456789")?;
/// assert_eq!(secret.expose(), "0123456789");
/// assert!(Secret::new("short").is_err());
/// # Ok::<(), isolet_outbound::ShortSecret>(())
/// ```
///
/// ```compile_fail
/// println!("{:?}", isolet_outbound::Secret::new("0123456789"));
/// ```
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

/// A secret of less than [`SECRET_BYTES_MIN`] bytes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a credential of less than {SECRET_BYTES_MIN} bytes is refused: it could not be recognised where a server repeats it")]
pub struct ShortSecret;

impl Secret {
    /// The secret `text`.
    ///
    /// # Errors
    ///
    /// [`ShortSecret`] for one that is too short.
    pub fn new(text: impl Into<String>) -> Result<Self, ShortSecret> {
        let text = Zeroizing::new(text.into());
        if text.len() < SECRET_BYTES_MIN { Err(ShortSecret) } else { Ok(Self(Arc::new(text))) }
    }

    /// The text, for what sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Equal texts.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_at_least_eight_bytes() {
        assert!(Secret::new("1234567").is_err());
        assert!(Secret::new("12345678").is_ok());
        assert!(Secret::new("").is_err());
    }
}
