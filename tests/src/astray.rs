//! Authorizations that go astray: codes of others, callbacks that never come, a store of yesterday, keys that are lost.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::Principal;
use isolet::mcp::{Given, OAuthSettings, Url};
use isolet_identity::{IdentityError, KeyFile, MemoryStore, OAuth, OAuthOptions, SqliteStore, Target};
use serde_json::{Value, json};

use crate::authorization_server::{AuthorizationServer, Manners, agree};
use crate::identity::{query, with_query};
use crate::patience;
use crate::replicas::{consent, counted, given};
use crate::upstream::Test;

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

const CALLBACK: &str = "https://app.example/callback";

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("astray::a_code_for_another_server_gives_nothing", || block_on(a_code_for_another_server())),
    ("astray::a_callback_that_never_comes_costs_others_nothing", || block_on(a_callback_that_never_comes())),
    ("astray::a_store_of_yesterday_ends_in_asking_the_user", || block_on(a_store_of_yesterday())),
    ("astray::what_no_key_opens_is_asked_for_again", || block_on(what_no_key_opens())),
];

fn block_on(test: impl Future<Output = Result<()>>) -> Result<()> {
    patience::within(PATIENCE, test)
}

/// How often a server was asked for a token.
fn tokens_asked(server: &AuthorizationServer) -> usize {
    server.http.asked().iter().filter(|asked| asked.target() == "/token").count()
}

async fn a_code_for_another_server() -> Result<()> {
    // With and without the answer saying whose it is.
    let silent: fn(&str) -> Value = |_| json!({"authorization_response_iss_parameter_supported": false});
    for (metadata, says_issuer) in [(Manners::default().metadata, true), (silent, false)] {
        let start = || AuthorizationServer::start(Manners { metadata, ..Manners::default() });
        let (here, there) = (start().await?, start().await?);
        let oauth = OAuth::new(MemoryStore::new(), OAuthOptions::default())?;
        let (ada, callback, settings) = (Principal::new("ada"), Url::parse(CALLBACK)?, OAuthSettings::default());
        let (url, other) = (here.url()?, there.url()?);
        let target = Target { server: "a", url: &url, settings: &settings };
        let back = agree(&oauth.begin(&ada, target, &callback).await?.link).await?;
        let begin_at_other =
            async || oauth.begin(&ada, Target { server: "b", url: &other, settings: &settings }, &callback).await;
        // The first code of each is the same text.
        agree(&begin_at_other().await?.link).await?;
        let back_of_other = agree(&begin_at_other().await?.link).await?;
        let mixed = with_query(&back, "code", &query(&back_of_other, "code")?)?;
        let issuer = if says_issuer { query(&back_of_other, "iss")? } else { String::new() };
        let error = oauth.complete(&ada, &with_query(&mixed, "iss", &issuer)?).await.err().context("it is another's code")?;
        ensure!(matches!(error, IdentityError::Refused { .. }), "{error:?}");
        ensure!(!format!("{error:?}").contains("canary"), "{error:?}");
        // Where it says whose it is, not even the code goes to anybody.
        ensure!(tokens_asked(&there) == 0 && tokens_asked(&here) == usize::from(!says_issuer));
        ensure!(oauth.granted(&ada, target).await?.is_none());
    }
    Ok(())
}

async fn a_callback_that_never_comes() -> Result<()> {
    let server = AuthorizationServer::start(Manners::default()).await?;
    let oauth = OAuth::new(MemoryStore::new(), OAuthOptions::default())?;
    let (url, settings, callback) = (server.url()?, OAuthSettings::default(), Url::parse(CALLBACK)?);
    let target = Target { server: "a", url: &url, settings: &settings };
    let ada = Principal::new("ada");
    let first = oauth.begin(&ada, target, &callback).await?;
    let mut begun = 1;
    let error = loop {
        match oauth.begin(&ada, target, &callback).await {
            Ok(_) => begun += 1,
            Err(error) => break error,
        }
        ensure!(begun < 1000, "a user begins as many as they like");
    };
    ensure!(matches!(error, IdentityError::TooMany), "{error:?}");
    consent(&oauth, "bob", &server).await?;
    // The one who came after all is let in, and there is room again.
    oauth.complete(&ada, &agree(&first.link).await?).await?;
    oauth.begin(&ada, target, &callback).await?;
    Ok(())
}

fn open(folder: &Path, keys: &Path) -> Result<OAuth> {
    let store = SqliteStore::open(folder.join("credentials.db"), KeyFile::open(keys)?)?;
    Ok(OAuth::new(store, OAuthOptions::default())?)
}

async fn a_store_of_yesterday() -> Result<()> {
    let server = AuthorizationServer::start(Manners { token_life: 0, ..Manners::default() }).await?;
    let folder = tempfile::tempdir()?;
    let [today, yesterday, keys] = ["today", "yesterday", "keys"].map(|name| folder.path().join(name));
    std::fs::create_dir(&today)?;
    std::fs::create_dir(&yesterday)?;
    consent(&open(&today, &keys)?, "ada", &server).await?;
    for entry in std::fs::read_dir(&today)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), yesterday.join(entry.file_name()))?;
        }
    }
    ensure!(matches!(given(&open(&today, &keys)?, "ada", &server).await?, Given::These(_)));
    // What is restored has a refresh token that was used since: it is refused once, and forgotten.
    let restored = open(&yesterday, &keys)?;
    for _ in 0..3 {
        ensure!(matches!(given(&restored, "ada", &server).await?, Given::Ask(_)));
    }
    let (refreshes, reuses) = counted(&server);
    ensure!((refreshes, reuses) == (1, 1), "{refreshes} refreshes, {reuses} of them with a used token");
    consent(&restored, "ada", &server).await?;
    ensure!(matches!(given(&restored, "ada", &server).await?, Given::These(_)));
    Ok(())
}

async fn what_no_key_opens() -> Result<()> {
    let server = AuthorizationServer::start(Manners::default()).await?;
    let folder = tempfile::tempdir()?;
    consent(&open(folder.path(), &folder.path().join("keys"))?, "ada", &server).await?;
    // The file with the keys is lost, and another one is made.
    let oauth = open(folder.path(), &folder.path().join("other-keys"))?;
    ensure!(matches!(given(&oauth, "ada", &server).await?, Given::Ask(_)), "only the user can give it again");
    consent(&oauth, "ada", &server).await?;
    ensure!(matches!(given(&oauth, "ada", &server).await?, Given::These(_)));
    Ok(())
}
