//! The keyring of the operating system: the kernel's own, of this user. It needs no session bus and no program, and is in memory alone.

use isolet_outbound::{Secret, ShortSecret};
use linux_keyutils::{KeyError, KeyRing, KeyRingIdentifier};
use zeroize::Zeroizing;

/// What the entries have in common: `keyctl padd user isolet:NAME @u` makes one.
const PREFIX: &str = "isolet:";

/// One secret in the keyring, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyringEntry(String);

/// Why there is nothing of the keyring.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The kernel has none for this process, or does not let it have that.
    #[error(
        "the keyring of the kernel cannot be used ({detail}): containers often forbid it; keep the secret in a file of mode 0600, or let a command say it"
    )]
    Unusable {
        /// What the kernel said.
        detail: String,
    },
    /// What it has is too short.
    #[error("what the keyring has is no secret")]
    NoSecret {
        /// Why.
        #[source]
        source: ShortSecret,
    },
    /// What it has is no text.
    #[error("what the keyring has is not UTF-8")]
    NoText,
}

impl KeyringEntry {
    /// The entry of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// What is in it; none if there is no such entry, or no more.
    ///
    /// # Errors
    ///
    /// [`KeyringError`].
    pub fn read(&self) -> Result<Option<Secret>, KeyringError> {
        let key = match of_user().and_then(|keyring| keyring.search(&self.description())) {
            Ok(key) => key,
            Err(KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked) => return Ok(None),
            Err(error) => return Err(unusable(error)),
        };
        // Whoever has no link to a key may not read it, wherever they found it.
        let own = KeyRing::from_special_id(KeyRingIdentifier::Thread, true).map_err(unusable)?;
        own.link_key(key).map_err(unusable)?;
        let read = key.read_to_vec().map(Zeroizing::new);
        own.unlink_key(key).map_err(unusable)?;
        let read = read.map_err(unusable)?;
        let text = std::str::from_utf8(&read).map_err(|_| KeyringError::NoText)?;
        Secret::new(text).map(Some).map_err(|source| KeyringError::NoSecret { source })
    }

    /// Puts `secret` into it, instead of what was there. It is gone when the machine starts again, or when nothing of this user runs any more.
    ///
    /// # Errors
    ///
    /// [`KeyringError`].
    pub fn write(&self, secret: &Secret) -> Result<(), KeyringError> {
        let keyring = of_user().map_err(unusable)?;
        keyring.add_key(&self.description(), secret.expose()).map(drop).map_err(unusable)
    }

    fn description(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }
}

fn of_user() -> Result<KeyRing, KeyError> {
    KeyRing::from_special_id(KeyRingIdentifier::User, true)
}

fn unusable(error: KeyError) -> KeyringError {
    KeyringError::Unusable { detail: error.to_string() }
}
