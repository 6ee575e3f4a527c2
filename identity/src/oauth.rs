//! Users' tokens for the servers that they have authorized.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use isolet::mcp::{
    Challenge, CredentialError, CredentialRequest, CredentialSource, Credentials, Given, Giving, OAuthGrant, OAuthSettings,
    Policy, Url,
};
use isolet::{Principal, visible};
use isolet_outbound::{OutboundError, Secret};
use rmcp::transport::auth::WWWAuthenticateParams;

use crate::ask::{Ask, Asking, Asks, LINK_LIFE};
use crate::client::Client;
use crate::error::IdentityError;
use crate::flow::{Callback, Flow, Flows};
use crate::grant::{Grant, GrantFacts};
use crate::grant_key::GrantKey;
use crate::granted_tokens::GrantedTokens;
use crate::http_client::{Clients, HttpClient};
use crate::ready_tokens::{Held, ReadyTokens};
use crate::refresh::Refresher;
use crate::store::{Store, Version};
use crate::subject_tokens::SubjectTokens;
use crate::turns::Turns;

/// Where users are asked, and what may be called for it.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct OAuthOptions {
    /// What authorization servers are told that this client is called. Default `Isolet`.
    pub client_name: String,
    /// How users are asked. Default: by the command `isolet login {server}`.
    pub asking: Asking,
    /// Where servers and authorization servers may be; those that a server names are never on this machine, unless that server is. Default
    /// [`Policy::operator`].
    pub policy: Policy,
    /// The tokens that came with users' requests, for servers that are sent one in exchange. Default: none.
    pub subjects: SubjectTokens,
}

/// What a user authorizes: one server.
#[expect(clippy::exhaustive_structs, reason = "what `isolet login` names a server by")]
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The server, as the configuration calls it.
    pub server: &'a str,
    /// Where it is.
    pub url: &'a Url,
    /// What the configuration says of OAuth there.
    pub settings: &'a OAuthSettings,
}

/// What a user opens to consent.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub struct Consent {
    /// An address of the authorization server: for that user's browser, and for nobody and nothing else.
    pub link: Url,
    /// When it ends.
    pub expires: SystemTime,
}

/// What became of a grant that was taken back.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// Whether there was one.
    pub was_there: bool,
    /// Whether the authorization server was told, and took it.
    pub is_revoked: bool,
}

/// The tokens of all principals; cheap to clone. A [`CredentialSource`] for [`isolet::mcp::Upstreams::asking`].
#[derive(Clone)]
pub struct OAuth(Arc<Inner>);

struct Inner {
    options: OAuthOptions,
    refresher: Refresher,
    asks: Asks,
    flows: Flows,
    ready: ReadyTokens,
    /// The tokens that nobody is asked for.
    granted: GrantedTokens,
}

impl Default for OAuthOptions {
    fn default() -> Self {
        let asking = Asking::Command("isolet login {server}".to_owned());
        let subjects = SubjectTokens::default();
        Self { client_name: "Isolet".to_owned(), asking, policy: Policy::operator(), subjects }
    }
}

impl OAuth {
    /// The tokens in `store`. Asks nobody anything.
    ///
    /// # Errors
    ///
    /// [`OutboundError`] when the policy cannot be followed.
    pub fn new(store: impl Store, options: OAuthOptions) -> Result<Self, OutboundError> {
        let clients = Clients::new(&options.policy)?;
        let refresher = Refresher { store: Arc::new(store), clients, turns: Arc::new(Turns::default()) };
        let (asks, flows, ready) = (Asks::default(), Flows::default(), ReadyTokens::default());
        let granted = GrantedTokens::new(&refresher.clients, options.subjects.clone());
        Ok(Self(Arc::new(Inner { options, refresher, asks, flows, ready, granted })))
    }

    /// Begins an authorization: what the user opens. The authorization server sends the user's browser to `redirect` afterwards, and what it is
    /// sent there with goes into [`OAuth::complete`].
    ///
    /// # Errors
    ///
    /// [`IdentityError`]: there is no authorization server, or it is not used.
    pub async fn begin(&self, principal: &Principal, target: Target<'_>, redirect: &Url) -> Result<Consent, IdentityError> {
        let grant_key = GrantKey::new(&principal.key(), target.server, target.url);
        let ask = self.0.asks.of(&grant_key);
        self.begin_at(&grant_key, target.url, target.settings, ask, redirect).await
    }

    /// Begins the authorization that a link of [`Asking::Page`] is for: `id` is its last segment, `principal` whoever is logged in to the
    /// application in the browser that opened it. Anybody else is refused before anything is sent to anyone.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotValid`], and those of [`OAuth::begin`].
    pub async fn open(&self, principal: &Principal, id: &str, redirect: &Url) -> Result<Consent, IdentityError> {
        let (grant_key, ask) = self.0.asks.find(principal, id).ok_or(IdentityError::NotValid)?;
        let url = Url::parse(grant_key.resource()).map_err(|_| IdentityError::NotValid)?;
        let settings = ask.settings.clone();
        self.begin_at(&grant_key, &url, &settings, Some(ask), redirect).await
    }

    async fn begin_at(
        &self,
        grant_key: &GrantKey,
        url: &Url,
        settings: &OAuthSettings,
        ask: Option<Ask>,
        redirect: &Url,
    ) -> Result<Consent, IdentityError> {
        let http = HttpClient::new(&self.0.refresher.clients, url);
        let (challenge, wanted) = ask.map_or_else(Default::default, |ask| (ask.challenge, ask.scopes));
        let challenge = match challenge {
            Some(challenge) => Some(challenge),
            None => http.probe().await,
        };
        let mut client = Client::find(http, grant_key, url, settings, challenge.as_deref()).await?;
        let mut scopes = settings.scopes.clone();
        scopes.extend(wanted);
        if scopes.is_empty() {
            scopes = client.manager.select_initial_scopes(&[]).await;
        }
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        client.identify(settings, &self.0.options.client_name, redirect, &scopes, grant_key).await?;
        let link = client.manager.get_authorization_url(&scopes).await;
        let link = link.map_err(|error| IdentityError::of(&error, grant_key.server(), &[]))?;
        let unusable =
            || IdentityError::Address { server: grant_key.server().to_owned(), what: "authorization_endpoint", source: None };
        let link = Url::parse(&link).map_err(|_| unusable())?;
        let stated = |name: &str| link.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned());
        let (state, resource) = (stated("state").ok_or_else(unusable)?, stated("resource").unwrap_or_else(|| url.to_string()));
        let flow = Flow { grant_key: grant_key.clone(), client, redirect: redirect.clone(), resource, since: Instant::now() };
        self.0.flows.begin(state, flow)?;
        Ok(Consent { link, expires: SystemTime::now() + LINK_LIFE })
    }

    /// Completes the authorization with the address that the user's browser was sent to; `principal` is whoever is logged in there. The server's name.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotValid`] for a callback that is used, too old, forged or another principal's; [`IdentityError::Denied`] when the user
    /// did not agree; [`IdentityError::Refused`] when it is not the answer of the authorization server that was asked.
    pub async fn complete(&self, principal: &Principal, callback: &Url) -> Result<String, IdentityError> {
        let callback = Callback::read(callback).ok_or(IdentityError::NotValid)?;
        let Flow { grant_key, client, redirect, resource, .. } = self.0.flows.take(principal, &callback.state)?;
        let server = grant_key.server().to_owned();
        let code = callback.said.map_err(|why| IdentityError::Denied {
            server: server.clone(),
            why: visible::line_within(&why, 100).into_owned(),
        })?;
        let exchanged =
            client.manager.exchange_code_for_token_with_issuer(&code, &callback.state, callback.issuer.as_deref()).await;
        if let Err(error) = exchanged {
            let secrets = [Some(code), client.client_secret.clone()].into_iter().flatten();
            let secrets: Vec<Secret> = secrets.filter_map(|text| Secret::new(text).ok()).collect();
            return Err(IdentityError::of(&error, &server, &secrets));
        }
        let stored = client.slot.take().ok_or_else(|| IdentityError::Kept { server: server.clone() })?;
        let (client_secret, metadata) = (client.client_secret, client.metadata);
        let grant = Grant { client_secret, redirect: redirect.to_string(), resource, metadata, stored };
        self.keep(&grant_key, &grant).await?;
        Ok(server)
    }

    /// Keeps what was granted.
    pub(crate) async fn keep(&self, grant_key: &GrantKey, grant: &Grant) -> Result<(), IdentityError> {
        grant.token(grant_key)?;
        let store = &self.0.refresher.store;
        // A refresh of the one before would write over it.
        let _turn = self.0.refresher.turns.turn(grant_key).await;
        let _lock = store.lock(grant_key).await?;
        store.save(grant_key, grant.write(grant_key)?).await?;
        self.0.ready.remove(grant_key);
        self.0.asks.answered(grant_key);
        Ok(())
    }

    /// Whom everything is sent through.
    pub(crate) fn clients(&self) -> &Clients {
        &self.0.refresher.clients
    }

    /// What authorization servers are told that this client is called.
    pub(crate) fn client_name(&self) -> &str {
        &self.0.options.client_name
    }

    /// Takes back what `principal` granted: tells the authorization server where it says how, and forgets it.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Store`]: then it is not forgotten.
    pub async fn log_out(&self, principal: &Principal, target: Target<'_>) -> Result<LoggedOut, IdentityError> {
        let grant_key = GrantKey::new(&principal.key(), target.server, target.url);
        let store = &self.0.refresher.store;
        let _turn = self.0.refresher.turns.turn(&grant_key).await;
        let _lock = store.lock(&grant_key).await?;
        self.0.ready.remove(&grant_key);
        // What cannot be read is forgotten all the same.
        let kept = store.load(&grant_key).await;
        let was_there = !matches!(kept, Ok(None));
        let grant = kept.ok().flatten().and_then(|kept| Grant::read(&kept.grant, &grant_key).ok());
        store.remove(&grant_key).await?;
        let is_revoked = match grant {
            Some(grant) => self.0.revoke(target.url, &grant).await,
            None => false,
        };
        Ok(LoggedOut { was_there, is_revoked })
    }

    /// The version of what `principal` has granted, at whichever replica: another one when that has changed. It is no more than a look into the store.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Store`].
    pub async fn version(&self, principal: &Principal) -> Result<Version, IdentityError> {
        Ok(self.0.refresher.store.version(&principal.key()).await?)
    }

    /// What may be told of what `principal` granted.
    ///
    /// # Errors
    ///
    /// [`IdentityError`]: it cannot be read.
    pub async fn granted(&self, principal: &Principal, target: Target<'_>) -> Result<Option<GrantFacts>, IdentityError> {
        let grant_key = GrantKey::new(&principal.key(), target.server, target.url);
        let Some(kept) = self.0.refresher.store.load(&grant_key).await? else { return Ok(None) };
        Grant::read(&kept.grant, &grant_key).map(|grant| Some(grant.facts()))
    }
}

impl Inner {
    /// The token for `grant_key`, renewed if that is due. None if there is none.
    async fn token(&self, grant_key: &GrantKey) -> Result<Option<Secret>, IdentityError> {
        let now = SystemTime::now();
        let held = match self.ready.of(grant_key, now) {
            Held::Token(token) => return Ok(Some(token)),
            Held::Unseen(token) => Some(token),
            Held::Nothing => None,
        };
        let kept = match (self.refresher.store.load(grant_key).await, held) {
            // Until the store can be asked, nobody knows better.
            (Err(error), Some(token)) if error.is_temporary() => {
                self.ready.look_later(grant_key);
                return Ok(Some(token));
            }
            (kept, _) => kept?,
        };
        let Some(kept) = kept else {
            self.ready.remove(grant_key);
            return Ok(None);
        };
        let grant = Grant::read(&kept.grant, grant_key)?;
        // Also while another process renews it: what is not used up is used.
        if grant.is_fresh(now) {
            return self.ready.hold(grant_key, &grant).map(Some);
        }
        self.renewed(grant_key, None).await
    }

    async fn renewed(&self, grant_key: &GrantKey, refused: Option<Secret>) -> Result<Option<Secret>, IdentityError> {
        match self.refresher.renewed(grant_key, refused).await? {
            Some(grant) => {
                let token = self.ready.hold(grant_key, &grant)?;
                self.ready.was_renewed(grant_key);
                Ok(Some(token))
            }
            None => {
                self.ready.remove(grant_key);
                Ok(None)
            }
        }
    }

    /// What goes out instead of a token that was refused; the user is asked if there is nothing.
    async fn instead(
        &self,
        request: CredentialRequest<'_>,
        grant_key: &GrantKey,
        sent: Option<Secret>,
        challenge: &Challenge,
    ) -> Result<Given, IdentityError> {
        if challenge.asks_for_more() {
            return self.ask_for_more(request, grant_key, challenge).await;
        }
        let lately = self.ready.is_new(grant_key);
        if let Some(sent) = sent.filter(|_| !lately)
            && let Some(token) = self.renewed(grant_key, Some(sent)).await?
        {
            return Ok(Given::These(Credentials::bearer(&token)));
        }
        Ok(self.ask(request, grant_key, challenge.authenticate.clone(), Vec::new()))
    }

    /// Asks for what was granted and what the server says is missing. None of it is missing: then asking would never end.
    async fn ask_for_more(
        &self,
        request: CredentialRequest<'_>,
        grant_key: &GrantKey,
        challenge: &Challenge,
    ) -> Result<Given, IdentityError> {
        let granted = match self.refresher.store.load(grant_key).await? {
            Some(kept) => Grant::read(&kept.grant, grant_key)?.stored.granted_scopes,
            None => Vec::new(),
        };
        let said = challenge.authenticate.as_deref().unwrap_or_default();
        let wanted = request.url.and_then(|url| WWWAuthenticateParams::parse(said, url).scope).unwrap_or_default();
        let missing: Vec<&str> = wanted.split_whitespace().filter(|scope| !granted.iter().any(|has| has == scope)).collect();
        if missing.is_empty() {
            return Ok(Given::Nothing);
        }
        let all = granted.iter().map(String::as_str).chain(missing).map(str::to_owned).collect();
        Ok(self.ask(request, grant_key, challenge.authenticate.clone(), all))
    }

    fn ask(
        &self,
        request: CredentialRequest<'_>,
        grant_key: &GrantKey,
        challenge: Option<String>,
        scopes: Vec<String>,
    ) -> Given {
        let settings = request.oauth.cloned().unwrap_or_default();
        match self.asks.ask(grant_key, &settings, challenge, scopes) {
            Some(ask) => Given::Ask(self.options.asking.authorization(request.server, &ask)),
            None => Given::Nothing,
        }
    }

    /// Tells the authorization server that a grant ends, where it says how. Whether it took it.
    async fn revoke(&self, url: &Url, grant: &Grant) -> bool {
        let endpoint = grant.metadata.additional_fields.get("revocation_endpoint").and_then(serde_json::Value::as_str);
        let Some(endpoint) = endpoint.and_then(|endpoint| Url::parse(endpoint).ok()) else { return false };
        let facts = grant.secrets();
        let (token, hint) = match (grant.refresh_token(), facts.first()) {
            (Some(token), _) => (token, "refresh_token"),
            (None, Some(token)) => (token.expose(), "access_token"),
            (None, None) => return false,
        };
        let id = grant.stored.client_id.as_str();
        let pairs = [("token", token), ("token_type_hint", hint), ("client_id", id)];
        let basic = grant.client_secret.as_ref().map(|secret| format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))));
        let http = HttpClient::new(&self.refresher.clients, url);
        http.post_form(endpoint, &pairs, basic.as_deref()).await.is_ok_and(|answer| answer.status == 200)
    }
}

/// What the configuration says of a server whose tokens nobody is asked for.
fn asking_nobody<'a>(request: &CredentialRequest<'a>) -> Option<&'a OAuthSettings> {
    request.oauth.filter(|settings| settings.grant != OAuthGrant::AuthorizationCode)
}

/// What the operator is told.
fn told(error: IdentityError) -> CredentialError {
    let is_temporary = error.is_temporary();
    let told = CredentialError::new("the user's authorization cannot be used").caused_by(error);
    if is_temporary { told.temporary() } else { told }
}

impl CredentialSource for OAuth {
    fn credentials<'a>(&'a self, request: CredentialRequest<'a>) -> Giving<'a> {
        Box::pin(async move {
            let Some(url) = request.url else { return Ok(Given::Nothing) };
            let grant_key = GrantKey::new(&request.principal.key(), request.server, url);
            if let Some(settings) = asking_nobody(&request) {
                let token = self.0.granted.token(&grant_key, settings, None).await?;
                return Ok(Given::These(Credentials::bearer(&token)));
            }
            match self.0.token(&grant_key).await {
                Ok(Some(token)) => Ok(Given::These(Credentials::bearer(&token))),
                // Who is being asked, or whose server is known to ask, is not sent there as a stranger.
                Ok(None) if request.oauth.is_some() || self.0.asks.of(&grant_key).is_some() => {
                    Ok(self.0.ask(request, &grant_key, None, Vec::new()))
                }
                Ok(None) => Ok(Given::Nothing),
                Err(error) if error.is_lost() => {
                    let (server, error) = (visible::line(request.server), isolet::with_causes(&error));
                    tracing::warn!(%server, %error, "a user is asked again");
                    Ok(self.0.ask(request, &grant_key, None, Vec::new()))
                }
                Err(error) => Err(told(error)),
            }
        })
    }

    fn refused<'a>(&'a self, request: CredentialRequest<'a>, sent: &'a Credentials, challenge: &'a Challenge) -> Giving<'a> {
        Box::pin(async move {
            let Some(url) = request.url else { return Ok(Given::Nothing) };
            let grant_key = GrantKey::new(&request.principal.key(), request.server, url);
            let bearer = sent.headers().find(|(name, _)| *name == "authorization").map(|(_, value)| value.expose());
            let token = bearer.and_then(|bearer| bearer.strip_prefix("Bearer ")).and_then(|token| Secret::new(token).ok());
            if let Some(settings) = asking_nobody(&request) {
                // A token that says too little stays so, and who refuses a new one refuses all.
                let refused =
                    token.as_ref().filter(|_| challenge.status == 401 && !self.0.granted.is_new(&grant_key, settings));
                let Some(refused) = refused else { return Ok(Given::Nothing) };
                let token = self.0.granted.token(&grant_key, settings, Some(refused)).await?;
                return Ok(Given::These(Credentials::bearer(&token)));
            }
            // Who says nothing of tokens may want something else: a key in a header field.
            let wants_token = challenge.authenticate.as_ref().is_some_and(|said| said.to_ascii_lowercase().contains("bearer"));
            if token.is_none() && request.oauth.is_none() && !wants_token {
                return Ok(Given::Nothing);
            }
            self.0.instead(request, &grant_key, token, challenge).await.map_err(told)
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::grant::tests::grant;
    use crate::key_file::KeyFile;
    use crate::ready_tokens::tests::let_time_pass;
    use crate::sqlite_store::SqliteStore;

    #[tokio::test]
    async fn what_was_taken_back_at_another_replica_is_not_used_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let replica = || {
            let keys = KeyFile::open(folder.path().join("key")).unwrap();
            OAuth::new(SqliteStore::open(folder.path().join("store.db"), keys).unwrap(), OAuthOptions::default()).unwrap()
        };
        let (one, other, settings) = (replica(), replica(), OAuthSettings::default());
        let (ada, url) = (Principal::new("ada"), Url::parse("https://m.example/mcp").unwrap());
        let grant_key = GrantKey::new(&ada.key(), "m", &url);
        one.keep(&grant_key, &grant(10_000_000_000)).await.unwrap();
        let has = async |replica: &OAuth| replica.0.token(&grant_key).await.unwrap().is_some();
        assert!(has(&one).await && has(&other).await);
        let target = Target { server: "m", url: &url, settings: &settings };
        assert!(other.log_out(&ada, target).await.unwrap().was_there);
        assert!(has(&one).await && !has(&other).await);
        let_time_pass(&one.0.ready);
        assert!(!has(&one).await);
    }
}
