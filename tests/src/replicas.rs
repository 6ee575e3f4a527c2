//! What users have granted is in a PostgreSQL that several replicas share: sealed, renewed once, and lost by nobody's crash.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{CredentialRequest, CredentialSource as _, Given, OAuthSettings, Url};
use isolet::{Principal, with_causes};
use isolet_http::Key;
use isolet_identity::{GrantKey, KeyFile, OAuth, OAuthOptions, Store, StoreError, Target};
use zeroize::Zeroizing;

use crate::authorization_server::{AuthorizationServer, Manners, agree};
use crate::canaries;
use crate::patience;
use crate::postgres::{Postgres, Programs, Test};
use crate::process_table::until;
use crate::serve::Served;

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(120);

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("replicas::what_is_kept_is_sealed_and_shared_by_who_has_the_key", |programs| on_tokio(sealed_and_shared(programs))),
    ("replicas::the_right_to_refresh_is_one_replicas_and_ends_with_it", |programs| on_tokio(the_right_to_refresh(programs))),
    ("replicas::a_token_is_renewed_once_and_a_crash_asks_the_user", |programs| on_tokio(renewed_once(programs))),
    ("replicas::a_database_that_was_away_is_used_again", |programs| on_tokio(a_database_that_was_away(programs))),
    ("replicas::what_a_user_authorizes_at_one_replica_works_at_the_other", |programs| on_tokio(one_consent(programs))),
    ("replicas::no_token_of_many_users_leaves_or_goes_astray", |programs| on_tokio(canaries::replicas(programs))),
];

fn on_tokio(test: impl Future<Output = Result<()>>) -> Result<()> {
    patience::within(PATIENCE, test)
}

pub(crate) fn grant_key(user: &str) -> Result<GrantKey> {
    Ok(GrantKey::new(&Principal::new(user).in_tenant("acme").key(), "a", &Url::parse("https://a.example/mcp")?))
}

pub(crate) fn grant(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

async fn sealed_and_shared(programs: &Programs) -> Result<()> {
    let (postgres, folder, other) = (Postgres::start(programs)?, tempfile::tempdir()?, tempfile::tempdir()?);
    let (one, two) = (postgres.store(folder.path()).await?, postgres.store(folder.path()).await?);
    let (ada, bob) = (grant_key("ada")?, grant_key("bob")?);
    let nothing = one.version(ada.principal()).await?;
    one.save(&ada, grant("canary-7f3a9c of ada")).await?;
    one.mark(&ada).await?;
    let kept = two.load(&ada).await?.context("it is kept")?;
    ensure!(kept.grant.as_slice() == b"canary-7f3a9c of ada" && kept.is_refreshing);
    ensure!(two.load(&bob).await?.is_none() && two.list(bob.principal()).await?.is_empty());
    ensure!(two.list(ada.principal()).await? == [("a".to_owned(), "https://a.example/mcp".to_owned())]);
    let version = two.version(ada.principal()).await?;
    ensure!(version != nothing && two.version(bob.principal()).await? == nothing);
    postgres.has_not(b"canary-7f3a9c")?;
    // A row in the place of another's, and one whose seal was changed.
    postgres.say("UPDATE isolet_grants SET user_name = 'bob'")?;
    ensure!(matches!(one.load(&bob).await, Err(StoreError::Sealed { .. })), "it was ada's");
    postgres
        .say("UPDATE isolet_grants SET user_name = 'ada', sealed = set_byte(sealed, 0, (get_byte(sealed, 0) + 1) % 256)")?;
    ensure!(matches!(one.load(&ada).await, Err(StoreError::Sealed { .. })), "it was changed");
    one.save(&ada, grant("another")).await?;
    ensure!(two.version(ada.principal()).await? != version && !two.load(&ada).await?.context("it is kept")?.is_refreshing);
    // A replica with a key of its own is told so before anybody comes; one with a newer key is not.
    let error = postgres.store(other.path()).await.err().context("it has another key")?;
    ensure!(format!("{error:#}").contains("copy the file `credentials.key`"), "{error:#}");
    KeyFile::open(folder.path().join("credentials.key"))?.rotate()?;
    let newer = postgres.store(folder.path()).await?;
    ensure!(newer.load(&ada).await?.context("it is kept")?.grant.as_slice() == b"another");
    newer.remove(&ada).await?;
    ensure!(one.load(&ada).await?.is_none());
    Ok(())
}

async fn the_right_to_refresh(programs: &Programs) -> Result<()> {
    let (postgres, folder) = (Postgres::start(programs)?, tempfile::tempdir()?);
    let (one, two) = (postgres.store(folder.path()).await?, postgres.store(folder.path()).await?);
    let (ada, bob) = (grant_key("ada")?, grant_key("bob")?);
    let waits = async || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        until(PATIENCE, || postgres.say(waiting).is_ok_and(|count| count == "1")).await
    };
    let held = one.lock(&ada).await?;
    drop(two.lock(&bob).await?);
    let (replica, at) = (two.clone(), ada.clone());
    let waiting = tokio::spawn(async move { replica.lock(&at).await });
    ensure!(waits().await && !waiting.is_finished(), "it waits for the first");
    drop(held);
    let held = waiting.await??;
    // The connection of a replica whose machine has gone.
    let (replica, at) = (one.clone(), ada.clone());
    let waiting = tokio::spawn(async move { replica.lock(&at).await });
    ensure!(waits().await && !waiting.is_finished(), "it waits for the second");
    postgres.say("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")?;
    waiting.await??;
    drop(held);
    Ok(())
}

/// What stands between a user and a server.
pub(crate) async fn consent(oauth: &OAuth, user: &str, server: &AuthorizationServer) -> Result<()> {
    let (principal, url, settings) = (Principal::new(user), server.url()?, OAuthSettings::default());
    let callback = Url::parse("http://127.0.0.1/callback")?;
    let consent = oauth.begin(&principal, Target { server: "a", url: &url, settings: &settings }, &callback).await?;
    oauth.complete(&principal, &agree(&consent.link).await?).await?;
    Ok(())
}

pub(crate) async fn given(oauth: &OAuth, user: &str, server: &AuthorizationServer) -> Result<Given> {
    let (principal, url, settings) = (Principal::new(user), server.url()?, OAuthSettings::default());
    let mut request = CredentialRequest::new(&principal, "a").at(&url);
    request.oauth = Some(&settings);
    Ok(oauth.credentials(request).await?)
}

/// Refreshes, and those with a token that had been used.
pub(crate) fn counted(server: &AuthorizationServer) -> (usize, usize) {
    let events = server.events();
    (events.refreshes, events.reuses)
}

async fn renewed_once(programs: &Programs) -> Result<()> {
    let (postgres, folder) = (Postgres::start(programs)?, tempfile::tempdir()?);
    let server = AuthorizationServer::start(Manners { token_life: 0, ..Manners::default() }).await?;
    let replica = async || anyhow::Ok(OAuth::new(postgres.store(folder.path()).await?, OAuthOptions::default())?);
    let replicas = [replica().await?, replica().await?];
    consent(&replicas[0], "ada", &server).await?;
    consent(&replicas[0], "bob", &server).await?;
    // The token has ended when it is given; the next ones last.
    server.behave(|manners| manners.token_life = 3600);
    for given in futures::future::join_all((0..20).map(|call| given(&replicas[call % 2], "ada", &server))).await {
        ensure!(matches!(given?, Given::These(_)));
    }
    ensure!(counted(&server) == (1, 0), "{:?}", counted(&server));
    // What a replica leaves that ended between the answer and the store.
    let bob = GrantKey::new(&Principal::new("bob").key(), "a", &server.url()?);
    postgres.store(folder.path()).await?.mark(&bob).await?;
    ensure!(matches!(given(&replicas[1], "bob", &server).await?, Given::Ask(_)), "it may be used, so it is not");
    ensure!(matches!(given(&replicas[0], "bob", &server).await?, Given::Ask(_)), "at no replica");
    ensure!(counted(&server) == (1, 0), "{:?}", counted(&server));
    consent(&replicas[1], "bob", &server).await?;
    ensure!(matches!(given(&replicas[0], "bob", &server).await?, Given::These(_)));
    Ok(())
}

async fn a_database_that_was_away(programs: &Programs) -> Result<()> {
    let (mut postgres, folder) = (Postgres::start(programs)?, tempfile::tempdir()?);
    let (store, ada) = (postgres.store(folder.path()).await?, grant_key("ada")?);
    store.save(&ada, grant("of ada")).await?;
    postgres.end()?;
    for error in [store.load(&ada).await.err(), store.save(&ada, grant("another")).await.err()] {
        let error = error.context("there is no database")?;
        ensure!(matches!(error, StoreError::Server { .. }) && !with_causes(&error).contains("canary"), "{error:?}");
    }
    ensure!(matches!(store.lock(&ada).await, Err(StoreError::Server { .. })));
    postgres.begin()?;
    ensure!(store.load(&ada).await?.context("it is kept")?.grant.as_slice() == b"of ada");
    // A connection that was cut off in between costs nobody anything.
    postgres.say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'isolet'")?;
    store.save(&ada, grant("another")).await?;
    ensure!(store.load(&ada).await?.context("it is kept")?.grant.as_slice() == b"another");
    drop(store.lock(&ada).await?);
    Ok(())
}

/// A user authorizes a server at one replica; the other knows it without having been told, and asks no server before that.
async fn one_consent(programs: &Programs) -> Result<()> {
    let (postgres, folder) = (Postgres::start(programs)?, tempfile::tempdir()?);
    let server = AuthorizationServer::start(Manners::default()).await?;
    let key = Key::new()?;
    let deployment = format!(
        "[authorization]\n{}[servers.scripted]\nurl = \"{}\"\n[users.ada]\nallow = [\"*\"]\nkeys = [\"{}\"]\n",
        postgres.lines(folder.path())?,
        server.url()?,
        key.hash()
    );
    let replicas = [Served::start(&deployment, &[])?, Served::start(&deployment, &[])?];
    let [here, there] = replicas.each_ref().map(|served| served.visitor(&key));
    crate::serve::asks_no_server_until_the_user_has_authorized(&server, &here, &there, &replicas[0]).await?;
    postgres.has_not(b"canary")?;
    for served in &replicas {
        let said = served.said();
        ensure!(!said.contains("canary") && !said.contains(crate::postgres::PASSWORD), "{said}");
    }
    Ok(())
}
