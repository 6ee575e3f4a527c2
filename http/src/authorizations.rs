//! What users authorize servers through: an application's page, or the one of this crate.

use std::fmt;
use std::sync::Arc;

use isolet_identity::OAuth;
use url::Url;

use crate::browsers::Browsers;

/// What users authorize servers through, and where they come back to.
#[derive(Clone)]
pub struct Authorizations {
    pub(crate) oauth: OAuth,
    pub(crate) callback: Url,
    pub(crate) browsers: Option<Arc<Browsers>>,
}

impl Authorizations {
    /// For an application that has a page for users, which asks `POST /v1/authorizations`, and which they come back to at `callback`.
    #[must_use]
    pub fn of_application(oauth: OAuth, callback: Url) -> Self {
        Self { oauth, callback, browsers: None }
    }

    /// With the pages of this crate, for a service that browsers call `base`: a user shows who they are with their key.
    ///
    /// # Errors
    ///
    /// `base` has no path that could be followed by another.
    pub fn with_pages(oauth: OAuth, base: &Url) -> Result<Self, url::ParseError> {
        let callback = Self::page(base)?.join("authorize/callback")?;
        Ok(Self { oauth, callback, browsers: Some(Arc::default()) })
    }

    /// The page of this crate for a service that browsers call `base`: what `isolet_identity::Asking::Page` takes.
    ///
    /// # Errors
    ///
    /// As [`Authorizations::with_pages`].
    pub fn page_of(base: &Url) -> Result<Url, url::ParseError> {
        Self::page(base)?.join("authorize")
    }

    /// `base` as what paths are joined to.
    fn page(base: &Url) -> Result<Url, url::ParseError> {
        Url::parse(&format!("{}/", base.as_str().trim_end_matches('/')))
    }
}

/// Nothing of the tokens.
impl fmt::Debug for Authorizations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizations").field("callback", &self.callback.as_str()).finish_non_exhaustive()
    }
}
