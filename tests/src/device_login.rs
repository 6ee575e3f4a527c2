//! A user logs in on another device: as slowly as the authorization server wants, and until it says no.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{OAuthSettings, Url};
use isolet::{Principal, with_causes};
use isolet_identity::{IdentityError, MemoryStore, OAuth, OAuthOptions, Target};
use serde_json::json;

use crate::authorization_server::{AuthorizationServer, Manners};
use crate::patience;
use crate::program;
use crate::upstream::Test;

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("device_login::the_server_is_asked_as_slowly_as_it_wants_and_once_the_user_agrees_it_is_kept", || on_tokio(agreed())),
    ("device_login::a_user_who_does_not_agree_or_not_in_time_is_told_so", || on_tokio(not_agreed())),
    ("device_login::a_server_that_lies_or_does_not_offer_it_is_not_used", || on_tokio(not_offered())),
    ("device_login::the_command_says_where_and_which_code", || on_tokio(the_command())),
];

fn on_tokio(test: impl Future<Output = Result<()>>) -> Result<()> {
    patience::within(PATIENCE, test)
}

/// A server that offers it, and says these things before it gives a token.
fn offering(says: &[&'static str]) -> Manners {
    let metadata = |base: &str| json!({ "device_authorization_endpoint": format!("{base}/device") });
    Manners { metadata, device: says.to_vec(), ..Manners::default() }
}

/// One user who begins: what became of it.
async fn begun(server: &AuthorizationServer) -> Result<(OAuth, Result<String, IdentityError>)> {
    let (oauth, ada) = (OAuth::new(MemoryStore::new(), OAuthOptions::default())?, Principal::new("ada"));
    let (url, settings) = (server.url()?, OAuthSettings::default());
    let target = Target { server: "scripted", url: &url, settings: &settings };
    let consent = oauth.begin_on_device(&ada, target).await?.context("it is offered")?;
    ensure!(consent.link.path() == "/verify" && consent.code == "WDJB-MJHT", "{} {}", consent.link, consent.code);
    let completed = oauth.complete_on_device(consent).await;
    Ok((oauth, completed))
}

async fn agreed() -> Result<()> {
    let server = AuthorizationServer::start(offering(&["authorization_pending", "slow_down", "authorization_pending"])).await?;
    let since = Instant::now();
    let (oauth, completed) = begun(&server).await?;
    ensure!(completed? == "scripted" && since.elapsed() >= Duration::from_secs(10), "twice by five seconds more");
    let (ada, url, settings) = (Principal::new("ada"), server.url()?, OAuthSettings::default());
    let target = Target { server: "scripted", url: &url, settings: &settings };
    let facts = oauth.granted(&ada, target).await?.context("it is kept")?;
    ensure!(facts.is_renewable, "{facts:?}");
    ensure!(oauth.granted(&"bob".into(), target).await?.is_none(), "for ada alone");
    ensure!(oauth.log_out(&ada, target).await?.is_revoked);
    Ok(())
}

async fn not_agreed() -> Result<()> {
    for why in ["access_denied", "expired_token"] {
        let server = AuthorizationServer::start(offering(&["authorization_pending", why])).await?;
        let error = begun(&server).await?.1.err().context("nobody has agreed")?;
        ensure!(matches!(&error, IdentityError::Denied { why: said, .. } if said == why), "{error}");
    }
    // One that never comes to an end: it has one by its own word.
    let server = AuthorizationServer::start(Manners { device_life: 1, ..offering(&["authorization_pending"; 10_000]) }).await?;
    let error = begun(&server).await?.1.err().context("nobody has agreed")?;
    ensure!(error.to_string().contains("expired_token"), "{error}");
    let server = AuthorizationServer::start(offering(&["invalid_grant"])).await?;
    let error = begun(&server).await?.1.err().context("it refuses")?;
    ensure!(matches!(&error, IdentityError::Refused { what, .. } if what == "400 `invalid_grant`"), "{error}");
    Ok(())
}

async fn not_offered() -> Result<()> {
    let begin = async |manners: Manners| -> Result<Result<bool, IdentityError>> {
        let (server, oauth) =
            (AuthorizationServer::start(manners).await?, OAuth::new(MemoryStore::new(), OAuthOptions::default())?);
        let (url, settings) = (server.url()?, OAuthSettings::default());
        let target = Target { server: "scripted", url: &url, settings: &settings };
        Ok(oauth.begin_on_device(&"ada".into(), target).await.map(|begun| begun.is_some()))
    };
    ensure!(matches!(begin(Manners::default()).await?, Ok(false)));
    let inside = |_: &str| json!({ "device_authorization_endpoint": "http://169.254.169.254/device" });
    let error = begin(Manners { metadata: inside, ..Manners::default() }).await?.err().context("it is inside")?;
    ensure!(with_causes(&error).contains("`device_authorization_endpoint`"), "{}", with_causes(&error));
    Ok(())
}

async fn the_command() -> Result<()> {
    let server = AuthorizationServer::start(offering(&["authorization_pending"])).await?;
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let [config, kept] = ["servers.json", "kept"].map(path);
    std::fs::write(&config, json!({"mcpServers": {"scripted": {"url": server.url()?}}}).to_string())?;
    let ran = async |arguments: &[&str]| -> Result<program::Ran> {
        let all = [arguments, &["--config", &config, "--credentials", &kept]].concat();
        let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
        let run = move || program::isolet(&all.iter().map(String::as_str).collect::<Vec<_>>());
        tokio::task::spawn_blocking(run).await?
    };
    let login = ran(&["login", "scripted", "--device"]).await?;
    let base = Url::parse(&format!("{}/", server.url()?.origin().ascii_serialization()))?;
    let expected = format!("open {}verify on any device, and type this code there: WDJB-MJHT", base);
    ensure!(login.code == Some(0) && login.errors.contains(&expected), "{}", login.errors);
    ensure!(login.errors.contains("logged in to `scripted`") && !login.errors.contains("canary"), "{}", login.errors);
    ensure!(ran(&["whoami"]).await?.output.contains("scripted: logged in"));
    server.behave(|manners| manners.metadata = |_| json!({}));
    let login = ran(&["login", "scripted", "--device"]).await?;
    ensure!(
        login.code != Some(0) && login.errors.contains("does not offer that: log in without `--device`"),
        "{}",
        login.errors
    );
    Ok(())
}
