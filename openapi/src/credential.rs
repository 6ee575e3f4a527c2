//! Where credentials come from: whoever embeds this gives them, one scheme at a time, and they go nowhere but to the operator's origin.

use std::error::Error;
use std::fmt;
use std::future::Future;

use zeroize::Zeroizing;

use crate::security::SecurityScheme;

/// A credential: an API key, a token, `user:password`. Wiped from memory when it is dropped, and never shown.
#[derive(Clone)]
pub struct Credential(Zeroizing<String>);

impl Credential {
    /// The credential `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credential(...)")
    }
}

/// Why a credential could not be got: what the source says is what a program may see.
pub type SchemeCredentialError = Box<dyn Error + Send + Sync>;

/// Gives the credentials of one user for one document.
///
/// `()` has none: for documents that ask for none.
pub trait SchemeCredentials: Send + Sync {
    /// The credential for `scheme`, with these scopes where it knows scopes; `None` if this user has none.
    ///
    /// # Errors
    ///
    /// When there should be one, and it cannot be got now.
    fn credential(
        &self,
        scheme: &SecurityScheme,
        scopes: &[String],
    ) -> impl Future<Output = Result<Option<Credential>, SchemeCredentialError>> + Send;
}

impl SchemeCredentials for () {
    async fn credential(&self, _: &SecurityScheme, _: &[String]) -> Result<Option<Credential>, SchemeCredentialError> {
        Ok(None)
    }
}
