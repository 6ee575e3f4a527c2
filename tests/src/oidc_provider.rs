//! Against an authorization server that nobody here wrote: `oidc-provider` from npm, with discovery, registration, PKCE, `resource`, rotation of refresh
//! tokens and revocation as it has them. The MCP server in front of it is a script.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{
    Configuration, EntryCredentials, HttpServer as Configured, IdentityProvider, OAuthGrant, OAuthSettings, Secret,
    UpstreamOptions, Upstreams, Url,
};
use isolet::{Principal, ToolCall, ToolErrorCode, ToolHost as _};
use isolet_identity::{Introspection, Issuer, MemoryStore, OAuth, OAuthOptions, SubjectTokens, Target, TokenVerifier};
use isolet_outbound::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use isolet_outbound::{Body, Method, Outbound, Policy, Redirects, Request};
use serde_json::{Map, Value, json};

use crate::http_server::{Answer, Asked, HttpServer, echo, result, status, usual, whole};
use crate::node_packages::{NodePackages, Test};

/// What the test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the user is sent afterwards.
const CALLBACK: &str = "https://app.example/callback";

/// The redirects that a browser follows.
const REDIRECTS_MAX: usize = 20;

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("oidc_provider::a_user_authorizes_renews_and_revokes_at_a_server_that_nobody_here_wrote", authorizes_renews_and_revokes),
    ("oidc_provider::a_user_logs_in_on_another_device", on_another_device),
    ("oidc_provider::its_tokens_are_verified_introspected_and_exchanged", verified_introspected_and_exchanged),
    ("oidc_provider::one_gives_tokens_by_the_word_of_another", one_by_the_word_of_another),
];

/// The authorization server, which ends with this, and what it writes: it may warn at any time, and somebody has to be there.
struct Provider {
    process: Child,
    _output: BufReader<ChildStdout>,
}

impl Provider {
    fn start(packages: &NodePackages) -> Result<(Self, Url)> {
        Self::start_with(packages, None)
    }

    /// One that gives tokens by the word of this identity provider.
    fn start_with(packages: &NodePackages, identity_provider: Option<&Url>) -> Result<(Self, Url)> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/authorization_server.mjs");
        let mut command = Command::new("node");
        command.arg(script).args(identity_provider.map(Url::as_str)).env("NODE_PACKAGES", packages.folder());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("it is piped")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        Ok((Self { process: child, _output: output }, Url::parse(line.trim())?))
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn authorizes_renews_and_revokes(packages: &NodePackages) -> Result<()> {
    let (_provider, issuer) = Provider::start(packages)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, authorized(issuer)).await.context("it takes too long")? })
}

fn verified_introspected_and_exchanged(packages: &NodePackages) -> Result<()> {
    let (_provider, issuer) = Provider::start(packages)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, exchanged(issuer)).await.context("it takes too long")? })
}

fn on_another_device(packages: &NodePackages) -> Result<()> {
    let (_provider, issuer) = Provider::start(packages)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, logged_in_on_device(issuer)).await.context("it takes too long")? })
}

fn one_by_the_word_of_another(packages: &NodePackages) -> Result<()> {
    let (_identity_provider, vouching) = Provider::start(packages)?;
    let (_provider, giving) = Provider::start_with(packages, Some(&vouching))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, vouched_for(vouching, giving)).await.context("it takes too long")? })
}

/// The user types the code on a page of the authorization server's, agrees, and the token is there and is renewed.
async fn logged_in_on_device(issuer: Url) -> Result<()> {
    let seen = Seen::default();
    let server = {
        let (seen, issuer) = (Arc::clone(&seen), issuer.as_str().trim_end_matches('/').to_owned());
        HttpServer::start(move |asked| resource(asked, &issuer, &seen)).await?
    };
    let (ada, oauth) = (Principal::new("ada"), OAuth::new(MemoryStore::new(), OAuthOptions::default())?);
    let (url, settings) = (server.url()?, OAuthSettings::default());
    let target = Target { server: "scripted", url: &url, settings: &settings };
    let consent = oauth.begin_on_device(&ada, target).await?.context("it is offered")?;
    ensure!(consent.link.origin() == issuer.origin(), "{}", consent.link);
    type_code(&consent.link, &consent.code).await?;
    oauth.complete_on_device(consent).await?;
    let upstreams = Upstreams::asking(UpstreamOptions::default(), oauth.clone());
    let host = upstreams.host(&Configuration::default().with("scripted", Configured::new(url.clone())), &ada);
    let call = async || host.call(ToolCall::new("scripted", "echo", "scripted.echo", Map::new(), 1)).await;
    call().await?;
    // The server takes that token no more: it is renewed.
    seen.lock().unwrap_or_else(PoisonError::into_inner).1 = tokens(&seen).len();
    call().await?;
    ensure!(tokens(&seen).len() == 2, "{}", tokens(&seen).len());
    ensure!(oauth.log_out(&ada, target).await?.is_revoked);
    Ok(())
}

/// Types `code` into the page at `link` as a browser would, and says yes to what follows.
async fn type_code(link: &Url, code: &str) -> Result<()> {
    let mut browser = Browser::default();
    let hidden = |page: &str| {
        let field = page.split_once("name=\"xsrf\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
        field.map(|(value, _)| value.to_owned()).with_context(|| format!("no form: {page}"))
    };
    let page = browser.visit(link.clone(), None).await?;
    let form = format!("xsrf={}&user_code={code}", hidden(&page)?);
    let page = browser.visit(link.clone(), Some(form)).await?;
    let form = format!("xsrf={}&user_code={code}&confirm=yes", hidden(&page)?);
    browser.visit(link.clone(), Some(form)).await.map(drop)
}

/// A browser that keeps cookies and goes where it is sent.
#[derive(Default)]
struct Browser {
    cookies: HashMap<String, String>,
}

impl Browser {
    /// The page at `at` in the end, after `form` was sent there if there is one.
    async fn visit(&mut self, mut at: Url, mut form: Option<String>) -> Result<String> {
        for _ in 0..REDIRECTS_MAX {
            let answer = self.request(&at, form.take()).await?;
            let Some(location) = answer.headers.get(LOCATION) else {
                ensure!(answer.status.is_success(), "{answer:?} of {at}: {}", String::from_utf8_lossy(&answer.body));
                return Ok(String::from_utf8(answer.body)?);
            };
            at = at.join(location.to_str()?)?;
        }
        anyhow::bail!("the browser is sent around: {at}")
    }

    async fn request(&mut self, at: &Url, form: Option<String>) -> Result<isolet_outbound::Answer> {
        let method = if form.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::new(method, at.clone());
        request.redirects = Redirects::None;
        let sent: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.headers.insert(COOKIE, HeaderValue::from_str(&sent.join("; "))?);
        if let Some(form) = form {
            request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            request.body = Body::Bytes(form.into_bytes());
        }
        let answer = Outbound::new(Policy::operator())?.send(request).await?;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// What the authorization server knows this service as.
const CLIENT: (&str, &str) = ("deployment", "deployment-secret-0123456789");

/// What a server's entry says of a grant that asks nobody.
fn settings_of(grant: OAuthGrant, issuer: &Url) -> Result<OAuthSettings> {
    let mut settings = OAuthSettings::default();
    (settings.grant, settings.token_url) = (grant, Some(issuer.join("token")?));
    (settings.client_id, settings.client_secret) = (Some(CLIENT.0.to_owned()), Some(Secret::new(CLIENT.1)?));
    Ok(settings)
}

async fn exchanged(issuer: Url) -> Result<()> {
    let name = issuer.as_str().trim_end_matches('/').to_owned();
    let start = async || {
        let (seen, name) = (Seen::default(), name.clone());
        let script = Arc::clone(&seen);
        anyhow::Ok((HttpServer::start(move |asked| resource(asked, &name, &script)).await?, seen))
    };
    let (first, seen_by_first) = start().await?;
    let (second, seen_by_second) = start().await?;
    let (third, seen_by_third) = start().await?;
    let mut options = OAuthOptions::default();
    let subjects = SubjectTokens::default();
    options.subjects = subjects.clone();
    let oauth = OAuth::new(MemoryStore::new(), options)?;
    let upstreams = Upstreams::asking(UpstreamOptions::default(), oauth.clone());
    let with = |server: &HttpServer, settings: OAuthSettings| -> Result<Configured> {
        Ok(Configured::new(server.url()?).with_credentials(EntryCredentials::default().with_oauth(settings)))
    };
    let configuration = Configuration::default()
        .with("first", Configured::new(first.url()?))
        .with("second", with(&second, settings_of(OAuthGrant::TokenExchange, &issuer)?)?)
        .with("third", with(&third, settings_of(OAuthGrant::ClientCredentials, &issuer)?)?);
    let (ada, callback) = (Principal::new("ada"), Url::parse(CALLBACK)?);
    let host = upstreams.host(&configuration, &ada);
    let call = async |server: &str| host.call(ToolCall::new(server, "echo", format!("{server}.echo"), Map::new(), 1)).await;

    // The token that a request came with: here the one that ada granted for the first server.
    let (url, default) = (first.url()?, OAuthSettings::default());
    let consent = oauth.begin(&ada, Target { server: "first", url: &url, settings: &default }, &callback).await?;
    oauth.complete(&ada, &browse(consent.link, &callback).await?).await?;
    call("first").await?;
    let subject = tokens(&seen_by_first).pop().context("a token")?;
    let error = call("second").await.err().context("no request has come with a token")?;
    ensure!(error.code == ToolErrorCode::Unavailable, "{error:?}");
    subjects.hold(&ada.key(), &Secret::new(&*subject)?, None);
    call("second").await?;
    call("third").await?;
    let (exchanged, own) = (tokens(&seen_by_second), tokens(&seen_by_third));
    ensure!(exchanged.len() == 1 && own.len() == 1 && exchanged[0] != subject, "another one, once");

    // Of which audience and of which user they are, says their issuer.
    let verifier = |audience: &str| -> Result<TokenVerifier> {
        let introspection = Introspection::new(issuer.join("token/introspection")?, CLIENT.0, Secret::new(CLIENT.1)?);
        let issuer = Issuer::new(&name, [audience.to_owned()]).with(|issuer| {
            issuer.introspection = Some(introspection);
            issuer.user_claim = "client_id".to_owned();
        });
        Ok(TokenVerifier::new([issuer], &Policy::operator())?)
    };
    for (server, token, user) in [(&second, &exchanged[0], Some("ada")), (&third, &own[0], None)] {
        let verified = verifier(server.url()?.as_str())?.verify(token).await?;
        let claims = &verified.principal.claims;
        ensure!(verified.principal.user == CLIENT.0 && claims.get("sub").and_then(Value::as_str) == user, "{claims:?}");
        ensure!(verifier("https://other.example/mcp")?.verify(token).await.is_err(), "it is for one audience");
        ensure!(verifier(server.url()?.as_str())?.verify(&format!("{token}x")).await.is_err(), "there is no such token");
    }

    // A signed one, by the keys that its metadata names.
    let audience = "https://tools.example/jwt";
    let token = own_token(&issuer, audience).await?;
    let verified = TokenVerifier::new([Issuer::new(&name, [audience.to_owned()])], &Policy::operator())?.verify(&token).await?;
    ensure!(verified.principal.user == CLIENT.0 && verified.expires.is_some(), "{:?}", verified.principal);
    let other = TokenVerifier::new([Issuer::new(&name, ["https://tools.example".to_owned()])], &Policy::operator())?;
    ensure!(other.verify(&token).await.is_err(), "it is for one audience");
    Ok(())
}

/// Who logs in at one gets a token of the other for a server, and is asked for nothing there.
async fn vouched_for(vouching: Url, giving: Url) -> Result<()> {
    let name = |issuer: &Url| issuer.as_str().trim_end_matches('/').to_owned();
    let (seen, issuer) = (Seen::default(), name(&giving));
    let script = Arc::clone(&seen);
    let server = HttpServer::start(move |asked| resource(asked, &issuer, &script)).await?;
    let mut settings = OAuthSettings::default();
    (settings.grant, settings.issuer) = (OAuthGrant::EnterpriseManaged, Some(name(&giving)));
    (settings.client_id, settings.client_secret) = (Some(CLIENT.0.to_owned()), Some(Secret::new(CLIENT.1)?));
    let identity_provider = IdentityProvider::new(name(&vouching), vouching.join("token")?, CLIENT.0);
    settings.identity_provider = Some(identity_provider.with_secret(Secret::new(CLIENT.1)?));
    let (ada, subjects, mut options) = (Principal::new("ada"), SubjectTokens::default(), OAuthOptions::default());
    options.subjects = subjects.clone();
    let upstreams = Upstreams::asking(UpstreamOptions::default(), OAuth::new(MemoryStore::new(), options)?);
    let configured = Configured::new(server.url()?).with_credentials(EntryCredentials::default().with_oauth(settings));
    let host = upstreams.host(&Configuration::default().with("scripted", configured), &ada);
    let id_token = id_token(&vouching).await?;
    subjects.hold(&ada.key(), &Secret::new(&*id_token)?, None);
    host.call(ToolCall::new("scripted", "echo", "scripted.echo", Map::new(), 1)).await?;
    let [token] = <[String; 1]>::try_from(tokens(&seen)).map_err(|seen| anyhow::anyhow!("{} tokens", seen.len()))?;
    ensure!(token != id_token && !server.asked().iter().any(|asked| asked.has(&id_token)));
    // Whose it is, and for what, says who gave it.
    let introspection = Introspection::new(giving.join("token/introspection")?, CLIENT.0, Secret::new(CLIENT.1)?);
    let issuer = Issuer::new(name(&giving), [server.url()?.to_string()]).with(|issuer| {
        issuer.introspection = Some(introspection);
        issuer.user_claim = "sub".to_owned();
    });
    let verified = TokenVerifier::new([issuer], &Policy::operator())?.verify(&token).await?;
    ensure!(verified.principal.user == "ada", "{:?}", verified.principal);
    Ok(())
}

/// What the deployment's own login of a user gives: an ID token.
async fn id_token(issuer: &Url) -> Result<String> {
    // The example of RFC 7636, appendix B.
    let (verifier, challenge) = ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let mut link = issuer.join("auth")?;
    link.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", CLIENT.0),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
        ("state", "of-the-login"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]);
    let back = browse(link, &Url::parse(CALLBACK)?).await?;
    let code = back.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
    let code = code.with_context(|| format!("{back} has no code"))?;
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier={verifier}");
    let given = given(issuer, form).await?;
    given["id_token"].as_str().map(str::to_owned).with_context(|| format!("{given}"))
}

/// A token of the deployment's own, for `resource`.
async fn own_token(issuer: &Url, resource: &str) -> Result<String> {
    let given = given(issuer, format!("grant_type=client_credentials&resource={resource}")).await?;
    given["access_token"].as_str().map(str::to_owned).with_context(|| format!("{given}"))
}

/// What the deployment is given for `form`.
async fn given(issuer: &Url, form: String) -> Result<Value> {
    let mut request = Request::new(Method::POST, issuer.join("token")?);
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{}:{}", CLIENT.0, CLIENT.1));
    request.headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Basic {basic}"))?);
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    request.body = Body::Bytes(form.into_bytes());
    let answer = Outbound::new(Policy::operator())?.send(request).await?;
    Ok(serde_json::from_slice(&answer.body)?)
}

/// Tokens that the MCP server has seen, in order, and how many of them it takes no more.
type Seen = Arc<Mutex<(Vec<String>, usize)>>;

async fn authorized(issuer: Url) -> Result<()> {
    let seen = Seen::default();
    let server = {
        let (seen, issuer) = (Arc::clone(&seen), issuer.as_str().trim_end_matches('/').to_owned());
        HttpServer::start(move |asked| resource(asked, &issuer, &seen)).await?
    };
    let (ada, callback) = (Principal::new("ada"), Url::parse(CALLBACK)?);
    let oauth = OAuth::new(MemoryStore::new(), OAuthOptions::default())?;
    let upstreams = Upstreams::asking(UpstreamOptions::default(), oauth.clone());
    let configuration = Configuration::default().with("scripted", Configured::new(server.url()?));
    let host = upstreams.host(&configuration, &ada);
    let call = async || host.call(ToolCall::new("scripted", "echo", "scripted.echo", Map::new(), 1)).await;
    let error = call().await.err().context("nobody has agreed")?;
    ensure!(error.code == ToolErrorCode::AuthorizationRequired, "{error:?}");

    let (url, settings) = (server.url()?, OAuthSettings::default());
    let target = Target { server: "scripted", url: &url, settings: &settings };
    let consent = oauth.begin(&ada, target, &callback).await?;
    ensure!(consent.link.origin() == issuer.origin(), "{}", consent.link);
    let back = browse(consent.link, &callback).await?;
    oauth.complete(&ada, &back).await?;
    call().await?;
    let facts = oauth.granted(&ada, target).await?.context("it is granted")?;
    ensure!(facts.is_renewable && facts.scopes.iter().any(|scope| scope == "read"), "{facts:?}");

    // The server takes that token no more: it is renewed, with another refresh token, and the call is sent once more.
    let known = tokens(&seen).len();
    seen.lock().unwrap_or_else(PoisonError::into_inner).1 = known;
    call().await?;
    ensure!(tokens(&seen).len() == known + 1, "{} tokens after {known}", tokens(&seen).len());

    let ended = oauth.log_out(&ada, target).await?;
    ensure!(ended.was_there && ended.is_revoked, "{ended:?}");
    ensure!(oauth.granted(&ada, target).await?.is_none());
    Ok(())
}

fn tokens(seen: &Seen) -> Vec<String> {
    seen.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
}

/// The MCP server: who comes without a token is sent to `issuer`; who comes with one that is too old, too.
fn resource(asked: &Asked, issuer: &str, seen: &Seen) -> Answer {
    let base = format!("http://{}", asked.header("host").unwrap_or_default());
    if asked.target() == "/.well-known/oauth-protected-resource/mcp" {
        let page = json!({
            "resource": format!("{base}/mcp"), "authorization_servers": [issuer], "scopes_supported": ["read"],
        });
        return whole(200, &[("content-type", "application/json")], page.to_string().as_bytes());
    }
    if asked.target() != "/mcp" {
        return status(404);
    }
    let token = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let is_good = token.is_some_and(|token| {
        let (tokens, refused) = &mut *seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !tokens.iter().any(|known| known == token) {
            tokens.push(token.to_owned());
        }
        !tokens.iter().take(*refused).any(|known| known == token)
    });
    if !is_good {
        let challenge = format!("Bearer resource_metadata=\"{base}/.well-known/oauth-protected-resource/mcp\", scope=\"read\"");
        return whole(401, &[("www-authenticate", &challenge)], b"");
    }
    usual(asked).unwrap_or_else(|| result(asked, &echo(asked)))
}

/// Follows `link` as a browser that keeps cookies, until it is sent to `callback`.
async fn browse(link: Url, callback: &Url) -> Result<Url> {
    let (mut at, mut browser) = (link, Browser::default());
    for _ in 0..REDIRECTS_MAX {
        let answer = browser.request(&at, None).await?;
        let said = || String::from_utf8_lossy(&answer.body).chars().take(500).collect::<String>();
        let location = answer.headers.get(LOCATION).with_context(|| format!("{answer:?} is no redirect: {}", said()))?;
        at = at.join(location.to_str()?)?;
        if at.as_str().starts_with(callback.as_str()) {
            return Ok(at);
        }
    }
    anyhow::bail!("the browser is sent around: {at}")
}
