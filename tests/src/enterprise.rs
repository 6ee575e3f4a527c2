//! Enterprise-managed authorization: a user's token for a server by the word of the identity provider of the user's organisation (ID-JAG).

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use isolet::mcp::{
    Configuration, EntryCredentials, HttpServer as Configured, IdentityProvider, OAuthGrant, OAuthSettings, Secret,
    UpstreamHost, UpstreamOptions, Upstreams, Url,
};
use isolet::{Principal, ToolCall, ToolErrorCode, ToolHost as _};
use isolet_identity::{MemoryStore, OAuth, OAuthOptions, SubjectTokens};
use serde_json::{Map, Value, json};

use crate::authorization_server::{AuthorizationServer, Manners};
use crate::http_server::{Answer, Asked, HttpServer, whole};
use crate::issuer::{field, from_now, signed_part};
use crate::patience;
use crate::upstream::Test;

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// As which client the service is known to the identity provider, and to the authorization server of the MCP server.
const AT_PROVIDER: (&str, &str) = ("at-the-provider", "provider-canary-secret");
const AT_SERVER: (&str, &str) = ("at-the-server", "server-canary-secret");

/// What users' requests came with.
const ID_TOKEN: &str = "id-token-canary-of-ada";
const ID_TOKEN_OF_BOB: &str = "id-token-canary-of-bob";

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("enterprise::a_user_gets_a_token_by_the_word_of_the_identity_provider", || block_on(by_the_word())),
    ("enterprise::what_is_not_vouched_for_gives_no_token", || block_on(not_vouched_for())),
];

fn block_on(test: impl Future<Output = Result<()>>) -> Result<()> {
    patience::within(PATIENCE, test)
}

/// How an identity provider differs from a good one.
#[derive(Clone, Copy)]
enum Fault {
    None,
    /// In the header, or the claims, of what it signs.
    Header(&'static str, fn() -> Value),
    Claim(&'static str, fn() -> Value),
    /// In its answer.
    Given(&'static str, fn() -> Value),
    /// It refuses.
    Refusal(u16, &'static str),
}

/// An identity provider, as a script that agrees to everything.
struct Provider {
    http: HttpServer,
    name: String,
}

impl Provider {
    async fn start(fault: Fault) -> Result<Self> {
        let numbers = Arc::<Mutex<u64>>::default();
        let http = HttpServer::start(move |asked| {
            let mut number = numbers.lock().unwrap_or_else(PoisonError::into_inner);
            *number += 1;
            vouch(asked, *number, fault)
        });
        let http = http.await?;
        let name = http.url()?.origin().ascii_serialization();
        Ok(Self { http, name })
    }

    fn known(&self) -> Result<IdentityProvider> {
        let known = IdentityProvider::new(&*self.name, Url::parse(&format!("{}/token", self.name))?, AT_PROVIDER.0);
        Ok(known.with_secret(Secret::new(AT_PROVIDER.1)?))
    }
}

/// What an identity provider answers, who vouches for everybody.
fn vouch(asked: &Asked, number: u64, fault: Fault) -> Answer {
    let mut header = json!({"alg": "ES256", "typ": "oauth-id-jag+jwt"});
    let mut claims = json!({
        "iss": format!("http://{}", asked.header("host").unwrap_or_default()), "sub": field(asked, "subject_token"), "aud": field(asked, "audience"),
        "client_id": AT_SERVER.0, "resource": field(asked, "resource"), "scope": field(asked, "scope"), "jti": number.to_string(), "iat": from_now(0),
        "exp": from_now(300),
    });
    match fault {
        Fault::Header(name, value) => header[name] = value(),
        Fault::Claim(name, value) => claims[name] = value(),
        Fault::None | Fault::Given(..) | Fault::Refusal(..) => {}
    }
    let mut given = json!({
        "access_token": format!("{}.c2lnbmF0dXJl", signed_part(&header, &claims)), "token_type": "N_A", "expires_in": 300,
        "issued_token_type": "urn:ietf:params:oauth:token-type:id-jag", "scope": field(asked, "scope"),
    });
    let mut status = 200;
    match fault {
        Fault::Given(name, value) => given[name] = value(),
        Fault::Refusal(with, error) => (status, given) = (with, json!({"error": error})),
        Fault::None | Fault::Header(..) | Fault::Claim(..) => {}
    }
    whole(status, &[("content-type", "application/json")], given.to_string().as_bytes())
}

/// A service whose one server is authorized by the word of `provider`.
struct Service {
    subjects: SubjectTokens,
    upstreams: Upstreams,
    configuration: Configuration,
}

impl Service {
    fn new(server: &AuthorizationServer, provider: &Provider, change: impl FnOnce(&mut OAuthSettings)) -> Result<Self> {
        let mut settings = OAuthSettings::default();
        settings.grant = OAuthGrant::EnterpriseManaged;
        (settings.client_id, settings.client_secret) = (Some(AT_SERVER.0.to_owned()), Some(Secret::new(AT_SERVER.1)?));
        settings.scopes = vec!["read".to_owned()];
        settings.identity_provider = Some(provider.known()?);
        change(&mut settings);
        let mut options = OAuthOptions::default();
        let subjects = SubjectTokens::default();
        options.subjects = subjects.clone();
        let upstreams = Upstreams::asking(UpstreamOptions::default(), OAuth::new(MemoryStore::new(), options)?);
        let server = Configured::new(server.url()?).with_credentials(EntryCredentials::default().with_oauth(settings));
        Ok(Self { subjects, upstreams, configuration: Configuration::default().with("scripted", server) })
    }

    fn host(&self, user: &str) -> UpstreamHost {
        self.upstreams.host(&self.configuration, user)
    }

    fn came_with(&self, user: &str, token: &str) -> Result<()> {
        self.subjects.hold(&Principal::new(user).key(), &Secret::new(token)?, None);
        Ok(())
    }
}

fn call() -> ToolCall {
    ToolCall::new("scripted", "echo", "scripted.echo", Map::new(), 1)
}

fn basic((id, secret): (&str, &str)) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

async fn by_the_word() -> Result<()> {
    let (server, provider) = (AuthorizationServer::start(Manners::default()).await?, Provider::start(Fault::None).await?);
    let service = Service::new(&server, &provider, |settings| settings.issuer = Some(base_of(&server).unwrap_or_default()))?;
    let ada = service.host("ada");
    let error = ada.call(call()).await.err().context("no request has come with a token")?;
    ensure!(error.code == ToolErrorCode::Unavailable && provider.http.asked().is_empty(), "{error:?}");
    service.came_with("ada", ID_TOKEN)?;
    service.came_with("bob", ID_TOKEN_OF_BOB)?;
    // Many at once, and it is asked for once.
    for answer in futures::future::join_all((0..8).map(|_| ada.call(call()))).await {
        answer?;
    }
    service.host("bob").call(call()).await?;
    let asked = provider.http.asked().try_into();
    let [of_ada, of_bob]: [Asked; 2] = asked.map_err(|asked: Vec<Asked>| anyhow::anyhow!("{asked:?}"))?;
    for (asked, token) in [(&of_ada, ID_TOKEN), (&of_bob, ID_TOKEN_OF_BOB)] {
        let expected = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange".to_owned()),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag".to_owned()),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token".to_owned()),
            ("subject_token", token.to_owned()),
            ("audience", base_of(&server)?),
            ("resource", server.url()?.to_string()),
            ("scope", "read".to_owned()),
        ];
        for (name, value) in expected {
            ensure!(field(asked, name) == value, "`{name}` is `{}`", field(asked, name));
        }
        ensure!(asked.header("authorization") == Some(&basic(AT_PROVIDER)), "{asked:?}");
    }
    let asked_for_tokens: Vec<Asked> = server.http.asked().into_iter().filter(|asked| asked.target() == "/token").collect();
    ensure!(asked_for_tokens.len() == 2, "{asked_for_tokens:?}");
    for asked in &asked_for_tokens {
        ensure!(field(asked, "grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer", "{asked:?}");
        ensure!(asked.header("authorization") == Some(&basic(AT_SERVER)), "{asked:?}");
    }
    let mut tokens = server.events().called_with.clone();
    tokens.sort();
    tokens.dedup();
    ensure!(tokens.len() == 2, "each has one of their own: {tokens:?}");
    // What came in went to the identity provider alone, and what it said to the authorization server alone.
    let assertion = field(&asked_for_tokens[0], "assertion");
    ensure!(!server.http.asked().iter().any(|asked| asked.has(ID_TOKEN) || asked.has(ID_TOKEN_OF_BOB)));
    ensure!(!assertion.is_empty() && server.http.asked().iter().filter(|asked| asked.has(&assertion)).count() == 1);
    Ok(())
}

/// The issuer that the server's authorization server is.
fn base_of(server: &AuthorizationServer) -> Result<String> {
    Ok(server.url()?.origin().ascii_serialization())
}

async fn not_vouched_for() -> Result<()> {
    let other = || json!("https://other.example");
    let faults = [
        Fault::Header("alg", || json!("none")),
        Fault::Header("typ", || json!("JWT")),
        Fault::Claim("iss", other),
        Fault::Claim("aud", other),
        Fault::Claim("client_id", other),
        Fault::Claim("resource", other),
        Fault::Claim("scope", || json!("read write")),
        Fault::Claim("exp", || json!(from_now(-1))),
        Fault::Claim("iat", || json!(from_now(3600))),
        Fault::Given("access_token", || json!(ID_TOKEN)),
        Fault::Given("token_type", || json!("Bearer")),
        Fault::Given("issued_token_type", || json!("urn:ietf:params:oauth:token-type:access_token")),
        Fault::Refusal(400, "invalid_grant"),
        Fault::Refusal(503, "temporarily_unavailable"),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let (server, provider) = (AuthorizationServer::start(Manners::default()).await?, Provider::start(fault).await?);
        refused(&server, &provider, |_| {}).await.with_context(|| format!("fault {number}"))?;
        ensure!(!server.http.asked().iter().any(|asked| asked.target() == "/token"), "fault {number} was passed on");
    }
    // The authorization server gives back what it was sent, or nothing, or is another than the operator's.
    let vouched: [fn(&str) -> Option<String>; 2] = [|assertion| Some(assertion.to_owned()), |_| None];
    for vouched in vouched {
        let server = AuthorizationServer::start(Manners { vouched: Some(vouched), ..Manners::default() }).await?;
        refused(&server, &Provider::start(Fault::None).await?, |_| {}).await?;
    }
    let (server, provider) = (AuthorizationServer::start(Manners::default()).await?, Provider::start(Fault::None).await?);
    refused(&server, &provider, |settings| settings.issuer = Some("https://other.example".to_owned())).await?;
    ensure!(provider.http.asked().is_empty(), "nobody is asked for it");
    Ok(())
}

/// A call fails, no server sees anything of it, and nothing secret is said.
async fn refused(server: &AuthorizationServer, provider: &Provider, change: impl FnOnce(&mut OAuthSettings)) -> Result<()> {
    let service = Service::new(server, provider, change)?;
    service.came_with("ada", ID_TOKEN)?;
    let error = service.host("ada").call(call()).await.err().context("there is no token for it")?;
    ensure!(error.code != ToolErrorCode::AuthorizationRequired && !format!("{error:?}").contains("canary"), "{error:?}");
    ensure!(server.events().called_with.is_empty() && !server.http.asked().iter().any(|asked| asked.has(ID_TOKEN)));
    Ok(())
}
