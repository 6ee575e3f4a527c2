//! Users authorize servers, once each; what they grant is theirs, is renewed once, and is seen by nobody.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{Configuration, EntryCredentials, HttpServer, OAuthSettings, UpstreamHost, UpstreamOptions, Upstreams, Url};
use isolet::{
    Authorization, Catalog, Config, Grants, Principal, Runtime, ToolCall, ToolError, ToolErrorCode, ToolHost as _, ToolReply,
    with_causes,
};
use isolet_identity::{Asking, GrantKey, IdentityError, KeyFile, MemoryStore, OAuth, OAuthOptions, SqliteStore, Store, Target};
use serde_json::{Map, Value, json};

use crate::authorization_server::{AuthorizationServer, Manners, agree};
use crate::http_server::{status, tool, whole};
use crate::patience;
use crate::upstream::Test;

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// The page of an application's where users are asked.
const PAGE: &str = "https://app.example/authorize";

/// Where the application is told how it went.
const CALLBACK: &str = "https://app.example/callback";

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("identity::after_consent_the_same_program_succeeds_without_a_restart", || block_on(after_consent())),
    ("identity::a_link_and_a_callback_are_for_one_principal_once", || block_on(for_one_principal_once())),
    ("identity::a_server_that_asks_at_a_call_alone_is_authorized_as_well", || block_on(asks_at_a_call_alone())),
    ("identity::a_token_that_a_server_repeats_reaches_nobody", || block_on(a_token_that_a_server_repeats())),
    ("identity::a_token_is_renewed_once_for_all_replicas", || block_on(a_token_is_renewed_once())),
    ("identity::a_refresh_that_fails_is_not_tried_with_a_used_token", || block_on(a_refresh_that_fails())),
    ("identity::a_crash_within_a_refresh_ends_in_asking_the_user", || block_on(a_crash_within_a_refresh())),
    ("identity::a_server_that_refuses_every_token_is_not_asked_for_ever", || block_on(refuses_every_token())),
    ("identity::more_is_asked_for_when_a_server_needs_more", || block_on(more_is_asked_for())),
    ("identity::metadata_that_lies_leads_nowhere", || block_on(metadata_that_lies())),
    ("identity::what_was_granted_is_taken_back_and_revoked", || block_on(taken_back_and_revoked())),
    ("identity::two_users_have_a_token_each", || block_on(two_users_have_a_token_each())),
    ("identity::isolet_login_whoami_run_and_logout", || block_on(the_command_line())),
];

fn block_on(test: impl Future<Output = Result<()>>) -> Result<()> {
    patience::within(PATIENCE, test)
}

/// An application: its users' tokens, and its servers.
struct Application {
    oauth: OAuth,
    upstreams: Upstreams,
    configuration: Configuration,
    url: Url,
    settings: OAuthSettings,
}

impl Application {
    fn new(server: &AuthorizationServer, store: impl Store) -> Result<Self> {
        let mut options = OAuthOptions::default();
        options.asking = Asking::Page(Url::parse(PAGE)?);
        let oauth = OAuth::new(store, options)?;
        let upstreams = Upstreams::asking(UpstreamOptions::default(), oauth.clone());
        let configuration = Configuration::default().with("scripted", HttpServer::new(server.url()?));
        Ok(Self { oauth, upstreams, configuration, url: server.url()?, settings: OAuthSettings::default() })
    }

    fn host(&self, user: &str) -> UpstreamHost {
        self.upstreams.host(&self.configuration, user)
    }

    fn target(&self) -> Target<'_> {
        Target { server: "scripted", url: &self.url, settings: &self.settings }
    }

    async fn call(&self, user: &str) -> Result<ToolReply, ToolError> {
        self.host(user).call(ToolCall::new("scripted", "echo", "scripted.echo", Map::new(), 1)).await
    }

    /// The user opens the link in a browser of his own, and agrees.
    async fn consent(&self, user: &str) -> Result<()> {
        let (principal, callback) = (Principal::new(user), Url::parse(CALLBACK)?);
        let consent = self.oauth.begin(&principal, self.target(), &callback).await?;
        let back = agree(&consent.link).await?;
        ensure!(self.oauth.complete(&principal, &back).await? == "scripted");
        Ok(())
    }
}

/// What a call of `user` asks of the user.
async fn asked_of(application: &Application, user: &str) -> Result<Authorization> {
    let error = application.call(user).await.err().context("there is nothing to call it with")?;
    ensure!(error.code == ToolErrorCode::AuthorizationRequired, "{error:?}");
    error.authorization().cloned().context("it says what is to be done")
}

/// What is after the page's address in a link.
fn id_of(authorization: &Authorization) -> Result<String> {
    let link = authorization.link.as_deref().context("there is a link")?;
    Ok(link.strip_prefix(PAGE).and_then(|rest| rest.strip_prefix('/')).context("it is the application's")?.to_owned())
}

async fn after_consent() -> Result<()> {
    let server = AuthorizationServer::start(Manners::default()).await?;
    let application = Application::new(&server, MemoryStore::new())?;
    let runtime = Runtime::new(Config::default())?;
    let catalog = Catalog::load([("scripted", vec![tool("echo")])])?;
    let session = runtime.session(catalog.scope(&Grants::new().allow("*"))?, application.host("ada"));
    let program = "try { return await scripted.echo({}) } catch (error) { return [error.code, 'went on'] }";
    let outcome = session.run(program).await?;
    ensure!(outcome.end.to_string() == r#"["authorization_required","went on"]"#, "{}", outcome.end);
    let [needed] = outcome.authorizations.as_slice() else { anyhow::bail!("{:?}", outcome.authorizations) };
    ensure!(needed.server == "scripted" && needed.expires.is_some(), "{needed:?}");
    let brief = outcome.to_brief_json();
    let link = needed.link.as_deref().unwrap_or("no link");
    ensure!(brief["authorizations"][0]["message"].as_str().is_some_and(|said| said.contains(link)), "{brief}");
    ensure!(outcome.is_repair_safe() && outcome.to_json()["authorizations"][0]["link"] == link, "{}", outcome.to_json());
    let callback = Url::parse(CALLBACK)?;
    let consent = application.oauth.open(&"ada".into(), &id_of(needed)?, &callback).await?;
    ensure!(consent.link.query_pairs().any(|(name, value)| name == "code_challenge_method" && value == "S256"));
    ensure!(consent.link.query_pairs().any(|(name, value)| name == "resource" && *value == *application.url.as_str()));
    let back = agree(&consent.link).await?;
    application.oauth.complete(&"ada".into(), &back).await?;
    let outcome = session.run(program).await?;
    ensure!(outcome.end.to_string().contains("calls") && outcome.authorizations.is_empty(), "{outcome:?}");
    ensure!(server.events().called_with.len() == 1);
    Ok(())
}

async fn for_one_principal_once() -> Result<()> {
    let server = AuthorizationServer::start(Manners::default()).await?;
    let application = Application::new(&server, MemoryStore::new())?;
    let (ada, eve, callback) = (Principal::new("ada"), Principal::new("eve"), Url::parse(CALLBACK)?);
    let id = id_of(&asked_of(&application, "ada").await?)?;
    let asked_before = server.http.asked().len();
    let not_valid = |error: Option<IdentityError>| matches!(error, Some(IdentityError::NotValid));
    ensure!(not_valid(application.oauth.open(&eve, &id, &callback).await.err()), "the link is not eve's");
    ensure!(not_valid(application.oauth.open(&ada, "unknown", &callback).await.err()));
    ensure!(server.http.asked().len() == asked_before, "nothing is sent anywhere for somebody else");
    let consent = application.oauth.open(&ada, &id, &callback).await?;
    let back = agree(&consent.link).await?;
    ensure!(not_valid(application.oauth.complete(&eve, &back).await.err()), "nor is what comes back");
    // Two callbacks whose states were swapped: eve's code does not become ada's.
    let of_eve = application.oauth.begin(&eve, application.target(), &callback).await?;
    let back_of_eve = agree(&of_eve.link).await?;
    let swapped = with_query(&back_of_eve, "state", &query(&back, "state")?)?;
    let refused = application.oauth.complete(&ada, &swapped).await.err().context("it is another's code")?;
    ensure!(matches!(refused, IdentityError::Refused { .. }) && !with_causes(&refused).contains("canary"), "{refused}");
    ensure!(not_valid(application.oauth.complete(&ada, &back).await.err()), "a state is used up by what came with it");
    // Once more, and twice.
    let consent = application.oauth.begin(&ada, application.target(), &callback).await?;
    let back = agree(&consent.link).await?;
    application.oauth.complete(&ada, &back).await?;
    ensure!(not_valid(application.oauth.complete(&ada, &back).await.err()), "and once");
    // Another authorization server's answer, and a user who does not agree.
    for (name, value) in [("iss", "https://other.example"), ("iss", ""), ("error", "access_denied")] {
        let consent = application.oauth.begin(&ada, application.target(), &callback).await?;
        let back = with_query(&agree(&consent.link).await?, name, value)?;
        let error = application.oauth.complete(&ada, &back).await.err().context("it is not what was asked for")?;
        let is_denied = matches!(error, IdentityError::Denied { .. });
        ensure!(is_denied == (name == "error") && !with_causes(&error).contains("canary"), "{error}");
    }
    Ok(())
}

pub(crate) fn query(url: &Url, name: &str) -> Result<String> {
    url.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned()).context("it is there")
}

/// The same address with another value for `name`, or none if it is empty.
pub(crate) fn with_query(url: &Url, name: &str, value: &str) -> Result<Url> {
    let mut changed = url.clone();
    let kept: Vec<_> = url.query_pairs().into_owned().filter(|(other, _)| other != name).collect();
    changed.query_pairs_mut().clear().extend_pairs(kept);
    if !value.is_empty() {
        changed.query_pairs_mut().append_pair(name, value);
    }
    Ok(changed)
}

async fn asks_at_a_call_alone() -> Result<()> {
    let server = AuthorizationServer::start(Manners { lists_to_strangers: true, ..Manners::default() }).await?;
    let application = Application::new(&server, MemoryStore::new())?;
    let discovery = application.host("ada").discover().await?;
    ensure!(discovery.catalog.tools().count() == 1, "{:?}", discovery.failures);
    let first = asked_of(&application, "ada").await?;
    let calls = server.http.count("tools/call");
    // Who is being asked is not sent there again and again.
    ensure!(asked_of(&application, "ada").await?.link == first.link && server.http.count("tools/call") == calls);
    application.consent("ada").await?;
    application.call("ada").await?;
    Ok(())
}

async fn a_token_that_a_server_repeats() -> Result<()> {
    let server = AuthorizationServer::start(Manners { said: echoes, ..Manners::default() }).await?;
    let application = Application::new(&server, MemoryStore::new())?;
    application.consent("ada").await?;
    let reply = application.call("ada").await?;
    let events = server.events();
    let token = events.called_with.first().context("it was called with one")?;
    for said in [reply.as_json(), reply.result().unwrap_or_default()] {
        let lower = said.to_lowercase();
        ensure!(said.contains("[configured value]"), "{said}");
        for (what, form) in forms(token) {
            let form: String = form.to_lowercase().chars().skip(6).take(10).collect();
            ensure!(!lower.contains(&form), "{what} `{form}` is in {said}");
        }
    }
    Ok(())
}

/// A token in the encodings in which texts travel.
fn forms(token: &str) -> Vec<(&'static str, String)> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = token.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut forms = vec![
        ("raw", token.to_owned()),
        ("hex", hex.clone()),
        ("HEX", hex.to_uppercase()),
        ("percent", percent),
        ("json", token.replace('/', "\\/")),
        ("unicode", token.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect()),
    ];
    for before in ["", "a", "ab"] {
        forms.push(("base64", STANDARD.encode(format!("{before}{token}"))));
        forms.push(("base64url", URL_SAFE_NO_PAD.encode(format!("{before}{token}"))));
    }
    forms
}

/// A result that repeats the token in all of them, `json` and `unicode` as JSON writes them.
pub(crate) fn echoes(token: &str) -> Value {
    let texts = forms(token).into_iter().filter(|(what, _)| !matches!(*what, "json" | "unicode"));
    let blocks: Vec<Value> = texts.map(|(what, text)| json!({"type": "text", "text": format!("{what}: {text}")})).collect();
    json!({"content": blocks, "_meta": {token: token}})
}

async fn a_token_is_renewed_once() -> Result<()> {
    let server = AuthorizationServer::start(Manners { token_life: 0, ..Manners::default() }).await?;
    let folder = tempfile::tempdir()?;
    let replicas = [Application::new(&server, sqlite(folder.path())?)?, Application::new(&server, sqlite(folder.path())?)?];
    replicas[0].consent("ada").await?;
    // The token has ended when it is given; the next ones last.
    server.behave(|manners| manners.token_life = 3600);
    let calls = (0..20).map(|call| replicas[call % 2].call("ada"));
    for reply in futures::future::join_all(calls).await {
        reply?;
    }
    let events = server.events();
    ensure!((events.refreshes, events.reuses) == (1, 0), "{} {}", events.refreshes, events.reuses);
    Ok(())
}

fn sqlite(folder: &Path) -> Result<SqliteStore> {
    Ok(SqliteStore::open(folder.join("credentials.db"), KeyFile::open(folder.join("key"))?)?)
}

async fn a_refresh_that_fails() -> Result<()> {
    let refused = || whole(400, &[("content-type", "application/json")], br#"{"error":"invalid_grant"}"#);
    // How the refresh is answered, and whether the refresh token may be used again.
    let cases: [(fn() -> crate::http_server::Answer, bool); 4] = [
        (refused, false),
        (|| status(503), true),
        (|| whole(200, &[("content-type", "application/json")], b"{}"), false),
        (|| vec![], false),
    ];
    for (refresh, is_kept) in cases {
        let server = AuthorizationServer::start(Manners { token_life: 0, ..Manners::default() }).await?;
        let application = Application::new(&server, MemoryStore::new())?;
        application.consent("ada").await?;
        server.behave(|manners| (manners.refresh, manners.token_life) = (Some(refresh), 3600));
        let error = application.call("ada").await.err().context("it cannot be renewed")?;
        let expected = if is_kept { ToolErrorCode::Unavailable } else { ToolErrorCode::AuthorizationRequired };
        ensure!(error.code == expected, "{error:?}");
        server.behave(|manners| manners.refresh = None);
        let asked = server.http.asked().iter().filter(|asked| asked.target() == "/token").count();
        let again = application.call("ada").await;
        let asked_again = server.http.asked().iter().filter(|asked| asked.target() == "/token").count() > asked;
        ensure!(asked_again == is_kept && again.is_ok() == is_kept, "{again:?}");
        application.consent("ada").await?;
        application.call("ada").await?;
    }
    Ok(())
}

async fn a_crash_within_a_refresh() -> Result<()> {
    let server = AuthorizationServer::start(Manners { token_life: 0, ..Manners::default() }).await?;
    let folder = tempfile::tempdir()?;
    let application = Application::new(&server, sqlite(folder.path())?)?;
    application.consent("ada").await?;
    // What a process leaves that ended between the answer and the store.
    let grant_key = GrantKey::new(&Principal::new("ada").key(), "scripted", &application.url);
    sqlite(folder.path())?.mark(&grant_key).await?;
    server.behave(|manners| manners.token_life = 3600);
    asked_of(&application, "ada").await?;
    ensure!(server.events().refreshes == 0, "it may be used, so it is not");
    application.consent("ada").await?;
    application.call("ada").await?;
    // A call that is given up while a token is renewed: the renewal goes on, and nothing is lost.
    server.behave(|manners| (manners.token_life, manners.refresh) = (0, None));
    let impatient = Application::new(&server, MemoryStore::new())?;
    impatient.consent("bob").await?;
    server.behave(|manners| manners.token_life = 3600);
    drop(futures::poll!(std::pin::pin!(impatient.call("bob"))));
    impatient.call("bob").await?;
    ensure!(server.events().reuses == 0);
    Ok(())
}

async fn refuses_every_token() -> Result<()> {
    let server = AuthorizationServer::start(Manners { refuses_all: true, ..Manners::default() }).await?;
    let application = Application::new(&server, MemoryStore::new())?;
    application.consent("ada").await?;
    let before = server.http.asked().len();
    for _ in 0..3 {
        asked_of(&application, "ada").await?;
    }
    let requests = server.http.asked().len() - before;
    ensure!(requests <= 10 && server.events().refreshes <= 1, "{requests} requests, {} refreshes", server.events().refreshes);
    server.behave(|manners| manners.refuses_all = false);
    application.call("ada").await?;
    // Tokens that the server has forgotten are renewed, and the call is sent once more.
    let again = Application::new(&server, MemoryStore::new())?;
    again.consent("bob").await?;
    again.call("bob").await?;
    server.forget_tokens();
    again.call("bob").await?;
    Ok(())
}

async fn more_is_asked_for() -> Result<()> {
    let server = AuthorizationServer::start(Manners::default()).await?;
    let application = Application::new(&server, MemoryStore::new())?;
    application.consent("ada").await?;
    application.call("ada").await?;
    server.behave(|manners| manners.scope = Some("write"));
    let needed = asked_of(&application, "ada").await?;
    let consent = application.oauth.open(&"ada".into(), &id_of(&needed)?, &Url::parse(CALLBACK)?).await?;
    ensure!(query(&consent.link, "scope")?.split(' ').any(|scope| scope == "write"), "{}", consent.link);
    application.oauth.complete(&"ada".into(), &agree(&consent.link).await?).await?;
    application.call("ada").await?;
    let facts = application.oauth.granted(&"ada".into(), application.target()).await?.context("it is granted")?;
    ensure!(facts.scopes == ["write"], "{facts:?}");
    Ok(())
}

/// What metadata say, given where their server is.
type Members = fn(&str) -> Value;

async fn metadata_that_lies() -> Result<()> {
    let cases: [(Members, &str); 7] = [
        (|_| json!({"token_endpoint": "http://169.254.169.254/latest"}), "`token_endpoint`"),
        (|_| json!({"authorization_endpoint": "https://10.0.0.1/authorize"}), "`authorization_endpoint`"),
        (|_| json!({"registration_endpoint": "http://[::ffff:10.0.0.1]/register"}), "`registration_endpoint`"),
        (|_| json!({"authorization_endpoint": "javascript:alert(1)"}), "`authorization_endpoint`"),
        (|_| json!({"issuer": "https://other.example"}), "did not do it"),
        (|_| json!({"code_challenge_methods_supported": ["plain"]}), "PKCE (S256)"),
        (|_| json!({"code_challenge_methods_supported": null}), "PKCE (S256)"),
    ];
    for (metadata, expected) in cases {
        let server = AuthorizationServer::start(Manners { metadata, ..Manners::default() }).await?;
        let application = Application::new(&server, MemoryStore::new())?;
        let begun = application.oauth.begin(&"ada".into(), application.target(), &Url::parse(CALLBACK)?).await;
        let error = begun.err().with_context(|| format!("{expected} is no reason"))?;
        ensure!(error.to_string().contains(expected), "{expected}: {}", with_causes(&error));
        ensure!(server.http.count("POST") == 0, "nobody is registered: {:?}", server.http.asked());
    }
    // Metadata that lead in a circle, and a server that has none.
    for redirects in [true, false] {
        let server = crate::http_server::HttpServer::start(move |asked| match asked.what() {
            "GET" if redirects => whole(302, &[("location", &format!("{}x", asked.target()))], b""),
            "GET" => status(404),
            _ => status(401),
        })
        .await?;
        let oauth = OAuth::new(MemoryStore::new(), OAuthOptions::default())?;
        let (url, settings) = (server.url()?, OAuthSettings::default());
        let target = Target { server: "scripted", url: &url, settings: &settings };
        let error = oauth.begin(&"ada".into(), target, &Url::parse(CALLBACK)?).await.err().context("it leads nowhere")?;
        ensure!(redirects || matches!(error, IdentityError::NoAuthorizationServer { .. }), "{}", with_causes(&error));
        ensure!(server.asked().len() < 40, "{}", server.asked().len());
    }
    Ok(())
}

async fn taken_back_and_revoked() -> Result<()> {
    let server = AuthorizationServer::start(Manners::default()).await?;
    let application = Application::new(&server, MemoryStore::new())?;
    let ada = Principal::new("ada");
    application.consent("ada").await?;
    application.call("ada").await?;
    let ended = application.oauth.log_out(&ada, application.target()).await?;
    ensure!(ended.was_there && ended.is_revoked, "{ended:?}");
    ensure!(server.events().revoked.iter().any(|token| token.starts_with("refresh-canary")));
    server.forget_tokens();
    asked_of(&application, "ada").await?;
    let again = application.oauth.log_out(&ada, application.target()).await?;
    ensure!(!again.was_there && !again.is_revoked, "{again:?}");
    Ok(())
}

async fn two_users_have_a_token_each() -> Result<()> {
    let server = AuthorizationServer::start(Manners::default()).await?;
    let application = Arc::new(Application::new(&server, MemoryStore::new())?);
    application.consent("ada").await?;
    application.call("ada").await?;
    asked_of(&application, "bob").await?;
    application.consent("bob").await?;
    futures::future::join_all((0..10).map(|call| application.call(["ada", "bob"][call % 2]))).await;
    let tokens: std::collections::HashSet<String> = server.events().called_with.iter().cloned().collect();
    ensure!(tokens.len() == 2 && server.http.count("initialize") >= 2, "{tokens:?}");
    // A server that is known to ask is not called by a stranger at all.
    let settings = EntryCredentials::default().with_oauth(OAuthSettings::default());
    let known = HttpServer::new(server.url()?).with_credentials(settings);
    let host = application.upstreams.host(&Configuration::default().with("known", known), "eve");
    let before = server.http.asked().len();
    let error = host.call(ToolCall::new("known", "echo", "known.echo", Map::new(), 1)).await.err().context("eve is asked")?;
    ensure!(error.code == ToolErrorCode::AuthorizationRequired && server.http.asked().len() == before, "{error:?}");
    Ok(())
}

async fn the_command_line() -> Result<()> {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let server = AuthorizationServer::start(Manners { said: echoes, ..Manners::default() }).await?;
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let [config, program, kept] = ["servers.json", "main.ts", "kept"].map(path);
    std::fs::write(&config, json!({"mcpServers": {"scripted": {"url": server.url()?}}}).to_string())?;
    std::fs::write(&program, "return (await scripted.echo({})).length > 0")?;
    let ran = async |arguments: &[&str]| -> Result<crate::program::Ran> {
        let arguments: Vec<String> =
            [arguments, &["--config", &config, "--credentials", &kept]].concat().into_iter().map(str::to_owned).collect();
        let run = move || crate::program::isolet(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        tokio::task::spawn_blocking(run).await?
    };
    let before = ran(&["run", &program]).await?;
    ensure!(before.code == Some(4) && before.errors.contains("run `isolet login scripted --config"), "{}", before.errors);
    ensure!(ran(&["whoami"]).await?.output == "scripted: not logged in\n");
    let arguments =
        [crate::program::ARGUMENT, "login", "scripted", "--no-browser", "--config", &config, "--credentials", &kept];
    let mut login =
        Command::new(std::env::current_exe()?).args(arguments).stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut said = BufReader::new(login.stderr.take().context("it is piped")?);
    let mut line = String::new();
    tokio::task::block_in_place(|| said.read_line(&mut line))?;
    let link = Url::parse(line.trim().rsplit(' ').next().context("it says a link")?)?;
    let back = agree(&link).await?;
    // A page that guesses the port tells it nothing.
    let forged = with_query(&back, "state", "forged")?;
    let visit = async |url: &Url| {
        let request = isolet_outbound::Request::new(isolet_outbound::Method::GET, url.clone());
        isolet_outbound::Outbound::new(isolet_outbound::Policy::operator())?.send(request).await
    };
    ensure!(visit(&forged).await?.status.as_u16() == 400);
    let page = visit(&back).await?;
    ensure!(page.status.as_u16() == 200 && String::from_utf8(page.body)?.contains("You are logged in to scripted"));
    let ended = tokio::task::spawn_blocking(move || login.wait()).await??;
    ensure!(ended.success(), "{ended}");
    let whoami: Value = serde_json::from_str(&ran(&["whoami", "--json"]).await?.output)?;
    ensure!(
        whoami["servers"]["scripted"]["logged_in"] == true && whoami["servers"]["scripted"]["renewable"] == true,
        "{whoami}"
    );
    let after = ran(&["run", &program]).await?;
    ensure!(after.code == Some(0) && after.output == "true\n", "{} {}", after.output, after.errors);
    let bytes = std::fs::read(folder.path().join("kept/credentials.db"))?;
    ensure!(!bytes.windows(6).any(|bytes| bytes == b"canary"), "it is sealed");
    let out = ran(&["logout", "scripted"]).await?;
    ensure!(out.errors.contains("logged out of `scripted`, which was told so"), "{}", out.errors);
    ensure!(ran(&["whoami"]).await?.output == "scripted: not logged in\n");
    ensure!(ran(&["login", "nobody"]).await?.code == Some(2));
    Ok(())
}
