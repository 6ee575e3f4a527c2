//! The credentials of one server for one principal: those that came with the request; else those of its entry, and those that the principal is asked for.

use std::sync::Arc;

use isolet_bindings::Authorization;
use isolet_outbound::{Url, secrets_of};

use super::credential_error::CredentialError;
use super::credential_source::{Challenge, CredentialRequest, CredentialSource, Credentials, Given};
use super::secret_value::SecretValues;
use super::sent::Sent;
use super::server_key::Key;

/// Where the credentials of all servers of a process come from, beside their entries and the requests.
#[derive(Clone, Default)]
pub(super) struct Sources {
    pub(super) values: Arc<SecretValues>,
    /// The variables of our environment that commands are given.
    pub(super) environment: Vec<String>,
    /// Whom users are asked by.
    pub(super) asking: Option<Arc<dyn CredentialSource>>,
}

/// What one server is sent.
pub(super) struct CredentialSupply {
    key: Key,
    url: Option<Url>,
    sources: Sources,
    sent: Arc<Sent>,
}

/// Why nothing can be sent.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Missing {
    /// The user has to do something first.
    #[error("{0}")]
    Ask(Box<Authorization>),
    /// A source has failed.
    #[error("{0}")]
    Failed(Arc<CredentialError>),
}

impl From<CredentialError> for Missing {
    fn from(error: CredentialError) -> Self {
        Self::Failed(Arc::new(error))
    }
}

impl CredentialSupply {
    /// What the server `key` is sent.
    pub(super) fn new(key: &Key, sources: &Sources) -> Arc<Self> {
        let mut secrets = key.configuration.secrets();
        let passed = sources.environment.iter().filter_map(|name| Some((name, std::env::var(name).ok()?)));
        secrets.extend(passed.flat_map(|(name, value)| secrets_of(name, &value)));
        let sent = Sent::of(secrets);
        let url = key.configuration.url().cloned();
        Arc::new(Self { key: key.clone(), url, sources: sources.clone(), sent })
    }

    /// What has been sent.
    pub(super) fn sent(&self) -> &Arc<Sent> {
        &self.sent
    }

    /// What is sent now.
    pub(super) async fn current(&self) -> Result<Credentials, Missing> {
        let credentials = match &self.key.given {
            Some(given) => given.clone(),
            None => self.of_entry().await?.or(self.of_principal().await?),
        };
        self.sent.note(&credentials);
        Ok(credentials)
    }

    /// What is sent instead of `sent`, which the server refused. None if nobody knows better.
    pub(super) async fn refused(&self, sent: &Credentials, challenge: &Challenge) -> Result<Option<Credentials>, Missing> {
        if self.key.given.is_some() {
            return Ok(None);
        }
        let mut found = Credentials::new();
        if let Some(source) = self.asking() {
            match source.refused(self.request(), sent, challenge).await? {
                Given::Nothing => {}
                Given::These(credentials) => found = credentials,
                Given::Ask(authorization) => return Err(Missing::Ask(Box::new(authorization))),
            }
        }
        let entry = self.key.configuration.credentials();
        // What a file or a command says may be another by now.
        for value in entry.headers.values() {
            self.sources.values.forget(value);
        }
        let next = self.of_entry().await?.or(found);
        if next == *sent || next.is_empty() {
            return Ok(None);
        }
        self.sent.note(&next);
        Ok(Some(next))
    }

    async fn of_entry(&self) -> Result<Credentials, CredentialError> {
        let entry = self.key.configuration.credentials();
        let mut credentials = Credentials::new();
        for (name, value) in &entry.headers {
            credentials = credentials.with_header(name, self.sources.values.read(value).await?);
        }
        for (name, value) in &entry.env {
            credentials = credentials.with_env(name, self.sources.values.read(value).await?);
        }
        Ok(credentials)
    }

    async fn of_principal(&self) -> Result<Credentials, Missing> {
        let Some(source) = self.asking() else { return Ok(Credentials::new()) };
        match source.credentials(self.request()).await? {
            Given::Nothing => Ok(Credentials::new()),
            Given::These(credentials) => Ok(credentials),
            Given::Ask(authorization) => Err(Missing::Ask(Box::new(authorization))),
        }
    }

    /// Who asks the principal, if the server takes what only a principal has.
    fn asking(&self) -> Option<&Arc<dyn CredentialSource>> {
        self.sources.asking.as_ref().filter(|_| self.key.configuration.asks_users())
    }

    fn request(&self) -> CredentialRequest<'_> {
        let oauth = self.key.configuration.credentials().oauth.as_ref();
        CredentialRequest { principal: &self.key.principal, server: &self.key.server, url: self.url.as_ref(), oauth }
    }
}
