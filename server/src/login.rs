//! `isolet login`, `isolet logout` and `isolet whoami`: the user's own authorizations for servers.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::anyhow;
use isolet::Principal;
use isolet::mcp::{Configuration, OAuthSettings, ServerConfiguration, Url};
use isolet_identity::{IdentityError, OAuth, Target};
use serde_json::{Value, json};

use crate::command_line::{AccountArguments, LoginCommand, LogoutCommand, WhoamiCommand};
use crate::credentials;
use crate::fault::Fault;
use crate::redirect::Redirect;
use crate::servers::{self, USER};
use crate::terminal;

/// How long the user has.
const LOGIN_MAX: Duration = Duration::from_secs(600);

/// A server that can be authorized.
struct Account {
    url: Url,
    settings: OAuthSettings,
}

impl Account {
    /// The server `name` of `configuration`.
    fn of(configuration: &Configuration, name: &str) -> Result<Self, Fault> {
        if let Some((_, wrong)) = configuration.refused().find(|(other, _)| *other == name) {
            return Err(Fault::usage(std::sync::Arc::clone(wrong)));
        }
        let server = configuration.server(name);
        let account = match server.map(|server| &**server) {
            Some(ServerConfiguration::Http(server)) => Some((&server.url, &server.credentials)),
            Some(ServerConfiguration::OpenApi(server)) => Some((&server.url, &server.credentials)),
            Some(_) => None,
            None => return Err(Fault::Usage(anyhow!("there is no server `{name}` in the configuration"))),
        };
        let started = || anyhow!("server `{name}` is started and not called: it takes its credentials in `env`");
        let (url, credentials) = account.ok_or_else(started).map_err(Fault::Usage)?;
        Ok(Self { url: url.clone(), settings: credentials.oauth.clone().unwrap_or_default() })
    }

    fn target<'a>(&'a self, server: &'a str) -> Target<'a> {
        Target { server, url: &self.url, settings: &self.settings }
    }
}

fn open(arguments: &AccountArguments) -> Result<(Configuration, OAuth), Fault> {
    let configuration = servers::read(&arguments.config, &arguments.env)?;
    let mut policy = isolet::mcp::Policy::operator();
    policy.allowed.clone_from(&arguments.allow_address);
    let oauth = credentials::writable(arguments.credentials.as_deref(), Some(&arguments.config), &policy)?;
    Ok((configuration, oauth))
}

/// Asks the user, in a browser, and keeps what was granted.
pub(crate) async fn login(command: LoginCommand) -> Result<ExitCode, Fault> {
    let (configuration, oauth) = open(&command.account)?;
    let account = Account::of(&configuration, &command.server)?;
    if command.device {
        return login_on_device(&oauth, &command.server, &account).await;
    }
    let (user, mut redirect) = (Principal::new(USER), Redirect::open().await.map_err(Fault::host)?);
    let consent = oauth.begin(&user, account.target(&command.server), redirect.url()).await.map_err(Fault::host)?;
    terminal::say(&format!("open this address in a browser on this machine, and agree there: {}", consent.link));
    if !command.no_browser && open::that_detached(consent.link.as_str()).is_err() {
        terminal::say("no browser could be opened");
    }
    let granted = tokio::time::timeout(LOGIN_MAX, granted(&oauth, &user, &mut redirect)).await;
    let server =
        granted.map_err(|_| Fault::Host(anyhow!("nobody came back within ten minutes: try again")))?.map_err(Fault::host)?;
    terminal::say(&format!("logged in to `{server}`"));
    Ok(ExitCode::SUCCESS)
}

/// Asks the user on another device.
async fn login_on_device(oauth: &OAuth, server: &str, account: &Account) -> Result<ExitCode, Fault> {
    let user = Principal::new(USER);
    let consent = oauth.begin_on_device(&user, account.target(server)).await.map_err(Fault::host)?;
    let consent = consent.ok_or_else(|| {
        Fault::Host(anyhow!("the authorization server of `{server}` does not offer that: log in without `--device`"))
    })?;
    terminal::say(&format!("open {} on any device, and type this code there: {}", consent.link, consent.code));
    let server = oauth.complete_on_device(consent).await.map_err(Fault::host)?;
    terminal::say(&format!("logged in to `{server}`"));
    Ok(ExitCode::SUCCESS)
}

/// Waits until the user comes back with an answer. Who comes with something else is sent away.
async fn granted(oauth: &OAuth, user: &Principal, redirect: &mut Redirect) -> Result<String, IdentityError> {
    loop {
        let Some(visit) = redirect.visit().await else { return Err(IdentityError::NotValid) };
        let completed = oauth.complete(user, &visit.url).await;
        match &completed {
            Ok(server) => visit.tell(true, format!("You are logged in to {server}. This window can be closed.")).await,
            Err(error) => visit.tell(false, format!("The login has failed: {error}.")).await,
        }
        if !matches!(completed, Err(IdentityError::NotValid)) {
            return completed;
        }
    }
}

/// Takes back what was granted.
pub(crate) async fn logout(command: LogoutCommand) -> Result<ExitCode, Fault> {
    let (configuration, oauth) = open(&command.account)?;
    let account = Account::of(&configuration, &command.server)?;
    let ended = oauth.log_out(&Principal::new(USER), account.target(&command.server)).await.map_err(Fault::host)?;
    terminal::say(&match (ended.was_there, ended.is_revoked) {
        (false, _) => format!("you were not logged in to `{}`", command.server),
        (true, true) => format!("logged out of `{}`, which was told so", command.server),
        (true, false) => format!("logged out of `{}`, which could not be told: end its access there too", command.server),
    });
    Ok(ExitCode::SUCCESS)
}

/// Shows what was granted.
pub(crate) async fn whoami(command: WhoamiCommand) -> Result<ExitCode, Fault> {
    let (configuration, oauth) = open(&command.account)?;
    let user = Principal::new(USER);
    let mut accounts = Vec::new();
    for (server, _) in configuration.servers() {
        let Ok(account) = Account::of(&configuration, server) else { continue };
        let facts = match oauth.granted(&user, account.target(server)).await {
            Ok(Some(facts)) => json!({
                "logged_in": true, "issuer": facts.issuer, "scopes": facts.scopes, "renewable": facts.is_renewable,
                "expires_in_s": facts.expires.map(|at| at.duration_since(SystemTime::now()).unwrap_or_default().as_secs()),
            }),
            Ok(None) => json!({"logged_in": false}),
            Err(error) => json!({"logged_in": false, "error": isolet::with_causes(&error)}),
        };
        accounts.push((server.to_owned(), facts));
    }
    let shown = if command.json {
        let accounts: serde_json::Map<String, Value> = accounts.into_iter().collect();
        terminal::print_json(&format!("{:#}", json!({"user": USER, "servers": accounts})))
    } else {
        terminal::print(&accounts.iter().map(|(server, facts)| line(server, facts)).collect::<String>())
    };
    shown.map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}

fn line(server: &str, facts: &Value) -> String {
    let text = |name: &str| facts[name].as_str().unwrap_or_default();
    if facts["logged_in"] != true {
        let why = if text("error").is_empty() { String::new() } else { format!(": {}", text("error")) };
        return format!("{server}: not logged in{why}\n");
    }
    let scopes: Vec<&str> = facts["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let scopes = if scopes.is_empty() { "what the server gives".to_owned() } else { scopes.join(" ") };
    let end = match (facts["renewable"] == true, facts["expires_in_s"].as_u64()) {
        (true, _) => "renewed when it is due".to_owned(),
        (false, Some(0)) => "ended: log in again".to_owned(),
        (false, Some(seconds)) => format!("ends in {} min", seconds.div_ceil(60)),
        (false, None) => "without an end".to_owned(),
    };
    format!("{server}: logged in at {} for {scopes}, {end}\n", text("issuer"))
}
