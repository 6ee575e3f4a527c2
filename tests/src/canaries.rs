//! Many users with a token each, at servers whose tools are called alike: no token leaves, none goes astray, and each is renewed as often as it ends.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use isolet::mcp::{
    Configuration, CredentialRequest, CredentialSource as _, Given, HttpServer, OAuthSettings, UpstreamOptions, Upstreams, Url,
};
use isolet::{Config, End, Grants, Principal, Runtime};
use isolet_http::Key;
use isolet_identity::{KeyFile, OAuth, OAuthOptions, SqliteStore, Target};
use serde_json::{Value, json};

use crate::authorization_server::{AuthorizationServer, Manners, agree};
use crate::identity::echoes;
use crate::patience;
use crate::postgres::{Postgres, Programs};
use crate::process_table;
use crate::serve::{Served, Visitor};
use crate::upstream::Test;

/// How many there are where nothing else is said: on the command line, and in the tests.
const COMMAND: Amounts = Amounts { users: 200, requests: 20_000, refreshes: 10_000 };
const SAMPLE: Amounts = Amounts { users: 200, requests: 400, refreshes: 200 };
const SAMPLE_OF_REPLICAS: Amounts = Amounts { users: 50, requests: 100, refreshes: 100 };

/// Those whose frames are looked at.
const FRAMES_USERS: usize = 20;

/// Users and requests at a time.
const AT_A_TIME: usize = 16;

/// How long the memory of guests is left alone in between.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("canaries::no_token_of_two_hundred_users_leaves_or_goes_astray", || block_on(crowd(SAMPLE, None))),
    ("canaries::no_frame_that_a_guest_is_sent_has_a_token", || block_on(frames(FRAMES_USERS))),
    ("canaries::no_refresh_is_lost_and_no_refresh_token_used_twice", || block_on(refreshes(SAMPLE.refreshes, None))),
];

#[derive(Clone, Copy)]
struct Amounts {
    users: usize,
    requests: usize,
    refreshes: usize,
}

/// `[--users N] [--requests N] [--refreshes N]`: `cargo xtask canaries`.
#[expect(clippy::print_stdout, reason = "a command that reports")]
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut amounts = COMMAND;
    for pair in arguments.chunks(2) {
        let [name, number] = pair else { anyhow::bail!("`{}` needs a number", pair.concat()) };
        let number = number.parse().with_context(|| format!("`{number}` is no number"))?;
        match name.as_str() {
            "--users" => amounts.users = number,
            "--requests" => amounts.requests = number,
            "--refreshes" => amounts.refreshes = number,
            other => anyhow::bail!("there is no `{other}`: there are `--users`, `--requests` and `--refreshes`"),
        }
    }
    let programs = Programs::find();
    if programs.is_none() {
        println!("canaries: no PostgreSQL is installed, so its store is not looked at");
    }
    for programs in [None].into_iter().chain(programs.as_ref().map(Some)) {
        let store = if programs.is_some() { "PostgreSQL" } else { "SQLite" };
        block_on(crowd(amounts, programs))?;
        println!("canaries: {store}, {} users, {} requests: no token left, none went astray", amounts.users, amounts.requests);
        block_on(refreshes(amounts.refreshes, programs))?;
        println!("canaries: {store}, {} refreshes: none lost, none doubled", amounts.refreshes);
    }
    block_on(frames(amounts.users))?;
    println!("canaries: the frames to runs of {} users: no token in any", amounts.users);
    Ok(())
}

fn block_on(test: impl Future<Output = Result<()>>) -> Result<()> {
    patience::within(PATIENCE, test)
}

/// What each token has in its middle, as it would look in the encodings in which servers repeat things.
fn forms() -> Vec<String> {
    let text = "canary";
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut forms = vec![text.to_owned(), hex.clone(), hex.to_uppercase(), percent.clone(), percent.to_lowercase()];
    // The digits that depend on nothing around it.
    for (before, digits) in [("", 0..8), ("x", 2..9), ("xx", 3..10)] {
        forms.push(STANDARD.encode(format!("{before}{text}"))[digits].to_owned());
    }
    forms
}

fn ensure_clean(what: &str, text: &str, forms: &[String]) -> Result<()> {
    for form in forms {
        ensure!(!text.contains(form), "`{form}` is in {what}: {}", text.chars().take(2000).collect::<String>());
    }
    Ok(())
}

/// What a server says of a token: the token in all forms, and a number by which the test knows whose it is.
fn said(token: &str) -> Value {
    let mut said = echoes(token);
    let number: u64 = token.rsplit('+').next().and_then(|digits| digits.parse().ok()).unwrap_or_default();
    if let Some(blocks) = said["content"].as_array_mut() {
        blocks.push(json!({"type": "text", "text": format!("marker-{}-end", number * 31 + 7)}));
    }
    said
}

/// The same, as an error.
fn refused(token: &str) -> Value {
    let mut said = said(token);
    said["isError"] = true.into();
    said
}

fn marker(text: &str) -> Option<&str> {
    text.split_once("marker-")?.1.split_once("-end").map(|(marker, _)| marker)
}

/// Who has the tokens that are kept in the database, or in the folder.
async fn owner(folder: &Path, database: Option<&Postgres>) -> Result<OAuth> {
    if let Some(database) = database {
        return Ok(OAuth::new(database.store(folder).await?, OAuthOptions::default())?);
    }
    let store = SqliteStore::open(folder.join("credentials.db"), KeyFile::open(folder.join("credentials.key"))?)?;
    Ok(OAuth::new(store, OAuthOptions::default())?)
}

/// The sample over PostgreSQL.
pub(crate) async fn replicas(programs: &Programs) -> Result<()> {
    crowd(SAMPLE_OF_REPLICAS, Some(programs)).await?;
    refreshes(SAMPLE_OF_REPLICAS.refreshes, Some(programs)).await
}

/// A store with a token of each user for `alpha`, and of every fifth for `beta`.
async fn fill(oauth: &OAuth, servers: [(&str, &AuthorizationServer); 2], users: usize) -> Result<()> {
    let settings = OAuthSettings::default();
    let callback = Url::parse("http://127.0.0.1/callback")?;
    let consent = async |user: usize| -> Result<()> {
        let principal = Principal::new(format!("user-{user}"));
        for (server, at) in servers.into_iter().filter(|(server, _)| *server == "alpha" || user.is_multiple_of(5)) {
            let url = at.url()?;
            let consent = oauth.begin(&principal, Target { server, url: &url, settings: &settings }, &callback).await?;
            oauth.complete(&principal, &agree(&consent.link).await?).await?;
        }
        Ok(())
    };
    let all: Vec<usize> = (0..users).collect();
    for some in all.chunks(AT_A_TIME) {
        for consented in futures::future::join_all(some.iter().map(|user| consent(*user))).await {
            consented?;
        }
    }
    Ok(())
}

const PROGRAM: &str = "const a = await alpha.echo({ n: 1 });\n\
    const b = await beta.echo({ n: 1 }).then((value) => JSON.stringify(value).includes('marker-'), (error) => error.code);\n\
    console.log(JSON.stringify(a)); return { a, b }";

async fn crowd(amounts: Amounts, programs: Option<&Programs>) -> Result<()> {
    let database = programs.map(Postgres::start).transpose()?;
    let database = database.as_ref();
    let manners = || Manners { said, ..Manners::default() };
    let (alpha, beta) = (AuthorizationServer::start(manners()).await?, AuthorizationServer::start(manners()).await?);
    let folder = tempfile::tempdir()?;
    fill(&owner(folder.path(), database).await?, [("alpha", &alpha), ("beta", &beta)], amounts.users).await?;
    let kept = match database {
        Some(database) => database.lines(folder.path())?,
        None => format!("folder = \"{}\"\n", folder.path().display()),
    };
    let mut deployment = format!(
        "[authorization]\n{kept}[upstream]\nservers_max = {}\n[capacity]\nconnections_of_address_max = 384\n\
        [servers.alpha]\nurl = \"{}\"\n[servers.beta]\nurl = \"{}\"\n",
        2 * amounts.users + 16,
        alpha.url()?,
        beta.url()?
    );
    let keys = (0..amounts.users).map(|_| Key::new()).collect::<std::io::Result<Vec<Key>>>()?;
    for (user, key) in keys.iter().enumerate() {
        deployment.push_str(&format!("[users.user-{user}]\nallow = [\"*\"]\nkeys = [\"{}\"]\n", key.hash()));
    }
    // What is logged is logged in full.
    let replica = || Served::start_with(&deployment, &[], &[("ISOLET_LOG", "trace")]);
    let replicas = [replica()?, replica()?];
    let visitors = |served: &Served| -> Vec<Visitor> { keys.iter().map(|key| served.visitor(key)).collect() };
    let visitors = Arc::new(replicas.each_ref().map(visitors));
    let (forms, markers) = (Arc::new(forms()), Arc::<Mutex<HashMap<usize, String>>>::default());
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..AT_A_TIME {
        let (visitors, forms, markers) = (Arc::clone(&visitors), Arc::clone(&forms), Arc::clone(&markers));
        workers.spawn(async move {
            let mut random = fastrand::Rng::with_seed(worker as u64);
            for _ in 0..amounts.requests.div_ceil(AT_A_TIME) {
                let (replica, user) = (random.usize(..visitors.len()), random.usize(..amounts.users));
                let answer = request(&visitors[replica][user], user, random.u8(..8)).await?;
                ensure_clean(&format!("an answer to user {user}"), &answer, &forms)?;
                if let Some(marker) = marker(&answer) {
                    let mut markers = markers.lock().unwrap_or_else(PoisonError::into_inner);
                    let known = markers.entry(user).or_insert_with(|| marker.to_owned());
                    ensure!(known == marker, "user {user} was {known}, and is {marker}");
                }
            }
            anyhow::Ok(())
        });
    }
    let mut guests = 0;
    while !workers.is_empty() {
        for served in &replicas {
            let (looked_at, found) = tokio::task::block_in_place(|| what_guests_hold(served.process_id(), &forms))?;
            ensure!(found.is_empty(), "guests have {found:?} in their memory");
            guests += looked_at;
        }
        while let Some(worked) = workers.try_join_next() {
            worked??;
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
    ensure!(guests > replicas.len(), "no guest was looked at");
    each_has_their_own(&markers, amounts.users)?;
    for (served, visitors) in replicas.iter().zip(visitors.iter()) {
        guests_hold_what_is_planted(&visitors[0], served.process_id()).await?;
        let said = served.said();
        ensure_clean("standard error", &said, &forms)?;
        ensure!(said.contains("TRACE") && said.contains("DEBUG"), "nothing is traced: {}", said.len());
    }
    let user = b"user-0".as_slice();
    let mut is_user_found = false;
    for entry in std::fs::read_dir(folder.path())? {
        let path = entry?.path();
        if path.is_file() {
            let bytes = std::fs::read(&path)?;
            ensure!(memchr::memmem::find(&bytes, b"canary").is_none(), "{} has a token", path.display());
            is_user_found |= memchr::memmem::find(&bytes, user).is_some();
        }
    }
    if let Some(database) = database {
        database.has_not(b"canary")?;
        is_user_found = database.has_not(user).is_err();
    }
    ensure!(is_user_found, "whose the tokens are is kept in clear, and is not found");
    Ok(())
}

/// No two users have one marker, and enough of them have one.
fn each_has_their_own(markers: &Mutex<HashMap<usize, String>>, users: usize) -> Result<()> {
    let markers = markers.lock().unwrap_or_else(PoisonError::into_inner);
    let distinct: HashSet<&String> = markers.values().collect();
    ensure!(distinct.len() == markers.len() && markers.len() > users / 4, "{} of {}", distinct.len(), markers.len());
    Ok(())
}

/// The search finds what is there: a text of a program, and one that came to it in the same frame as what a server said of a token.
async fn guests_hold_what_is_planted(visitor: &Visitor, host: u32) -> Result<()> {
    let planted = [format!("planted-{:016x}", fastrand::u64(..)), "marker-".to_owned()];
    let code =
        format!("const said = await alpha.echo({{ n: 1 }}); const kept = '{}'; for (;;) if (kept === said) return", planted[0]);
    let code = json!({ "code": code }).to_string();
    let looking = async {
        loop {
            let (_, found) = tokio::task::block_in_place(|| what_guests_hold(host, &planted))?;
            if found.len() == planted.len() {
                return Ok(());
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    };
    // Whoever leaves ends the run.
    tokio::select! {
        found = looking => found,
        ended = visitor.ask("POST /v1/run", &[], &code) => anyhow::bail!("what is planted was not found: {:?}", ended?),
    }
}

/// Looks through what the guest processes of a host have in memory, those that wait and those that run: how many there were, and which of `texts` they have.
fn what_guests_hold(host: u32, texts: &[String]) -> Result<(usize, HashSet<String>)> {
    let (mut looked_at, mut found) = (0, HashSet::new());
    for guest in process_table::descendants_of(host) {
        // A run may end at any time.
        let Ok(mappings) = process_table::mappings(guest) else { continue };
        for mapping in mappings.iter().filter(|mapping| mapping.rights.starts_with("rw")) {
            let _ = process_table::read_mapping(guest, mapping, |_, part| {
                let held = texts.iter().filter(|text| memchr::memmem::find(part, text.as_bytes()).is_some());
                found.extend(held.cloned());
            });
        }
        looked_at += 1;
    }
    Ok((looked_at, found))
}

/// Each frame to each run of so many users, as it is sent: with values, content blocks and errors of servers that repeat the token. Orders to
/// zygotes are not among them: those have names of tools, and no answer of a server.
async fn frames(users: usize) -> Result<()> {
    let alpha = AuthorizationServer::start(Manners { said, ..Manners::default() }).await?;
    let beta = AuthorizationServer::start(Manners { said: refused, ..Manners::default() }).await?;
    let folder = tempfile::tempdir()?;
    let oauth = owner(folder.path(), None).await?;
    fill(&oauth, [("alpha", &alpha), ("beta", &beta)], users).await?;
    let sent = Arc::<Mutex<Vec<u8>>>::default();
    let hear = {
        let sent = Arc::clone(&sent);
        move |frames: &[u8]| sent.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(frames)
    };
    let runtime = Runtime::new(Config::default().dangerous().frames_heard_by(hear))?;
    let upstreams = Upstreams::asking(UpstreamOptions::default(), oauth);
    let one = Configuration::default().with("alpha", HttpServer::new(alpha.url()?));
    let both = one.clone().with("beta", HttpServer::new(beta.url()?));
    let planted = format!("planted-{:016x}", fastrand::u64(..));
    let values =
        format!("const said = alpha.echo({{ n: 1 }}); const all = ['{planted}', await said, await tools.content(said)];\n");
    let errors = "try { await beta.echo({ n: 1 }) } catch (error) { all.push([error.code, error.message]) }\n";
    for user in 0..users {
        let is_of_both = user.is_multiple_of(5);
        let host = upstreams.host(if is_of_both { &both } else { &one }, format!("user-{user}").as_str());
        let scope = host.discover().await?.catalog.scope(&Grants::new().allow("*"))?;
        let program = format!("{values}{}return all", if is_of_both { errors } else { "" });
        let outcome = runtime.session(scope, host).run(&program).await?;
        let End::Returned(value) = &outcome.end else { anyhow::bail!("user {user}: {}", outcome.end) };
        ensure!(value[1].to_string().contains("marker-"), "user {user}: {value}");
        ensure!(!is_of_both || value[3][0] == "tool_failed", "user {user}: {value}");
    }
    upstreams.close().await;
    let sent = std::mem::take(&mut *sent.lock().unwrap_or_else(PoisonError::into_inner));
    let sent = String::from_utf8_lossy(&sent);
    let count = |text: &str| sent.matches(text).count();
    ensure!(count(&planted) >= users, "each program is in a frame: {}", count(&planted));
    ensure!(count("marker-") >= 2 * users, "as a value and as content blocks: {}", count("marker-"));
    for form in forms() {
        ensure!(!sent.contains(&form), "`{form}` is in a frame, of {} bytes", sent.len());
    }
    Ok(())
}

/// One request of `user`, of some kind: head and body of its answer.
async fn request(visitor: &Visitor, user: usize, kind: u8) -> Result<String> {
    let code = json!({ "code": PROGRAM }).to_string();
    let classic = json!({ "name": "alpha__echo", "arguments": { "n": 1 } });
    let answer = match kind {
        0 => visitor.ask("POST /v1/run", &[], &code).await?,
        1 => visitor.ask("POST /v1/run", &[("Accept", "text/event-stream")], &code).await?,
        2 => visitor.ask("GET /v1/types", &[], "").await?,
        3 => visitor.ask("GET /v1/tools", &[], "").await?,
        4 => visitor.mcp("/mcp/classic", "tools/list", json!({})).await?,
        5 => visitor.mcp("/mcp/classic", "tools/call", classic).await?,
        6 => {
            let code = json!({ "code": "throw new Error(JSON.stringify(await alpha.echo({ n: 1 })))" }).to_string();
            visitor.ask("POST /v1/run", &[], &code).await?
        }
        _ => {
            let run = json!({ "name": "run_code", "arguments": { "code": PROGRAM } });
            visitor.mcp("/mcp", "tools/call", run).await?
        }
    };
    ensure!(answer.status == 200, "{kind}: {answer:?}");
    if kind == 0 {
        let expected = if user.is_multiple_of(5) { json!(true) } else { json!("authorization_required") };
        ensure!(answer.json()?["value"]["b"] == expected, "user {user}: {answer:?}");
    }
    Ok(format!("{}\n{}", answer.head, answer.body))
}

/// So many tokens that have ended, of some users, are asked for at two replicas at once: each refresh gives a token that somebody gets, and no refresh token
/// is used twice.
async fn refreshes(count: usize, programs: Option<&Programs>) -> Result<()> {
    const USERS: usize = 20;

    let database = programs.map(Postgres::start).transpose()?;
    let database = database.as_ref();

    let server = AuthorizationServer::start(Manners { token_life: 0, ..Manners::default() }).await?;
    let folder = tempfile::tempdir()?;
    fill(&owner(folder.path(), database).await?, [("alpha", &server), ("beta", &server)], USERS).await?;
    let replicas = [owner(folder.path(), database).await?, owner(folder.path(), database).await?];
    let url = server.url()?;
    let given = Arc::<Mutex<Vec<String>>>::default();
    let mut workers = tokio::task::JoinSet::new();
    let each = count.div_ceil(AT_A_TIME);
    for worker in 0..AT_A_TIME {
        let (replicas, url, given) = (replicas.clone(), url.clone(), Arc::clone(&given));
        workers.spawn(async move {
            let mut random = fastrand::Rng::with_seed(worker as u64);
            for _ in 0..each {
                let principal = Principal::new(format!("user-{}", random.usize(..USERS)));
                let request = CredentialRequest::new(&principal, "alpha").at(&url);
                let Given::These(credentials) = replicas[random.usize(..2)].credentials(request).await? else {
                    anyhow::bail!("a grant is lost");
                };
                let token = credentials.headers().next().map(|(_, value)| value.expose().to_owned()).context("a token")?;
                given.lock().unwrap_or_else(PoisonError::into_inner).push(token);
            }
            anyhow::Ok(())
        });
    }
    while let Some(worked) = workers.join_next().await {
        worked??;
    }
    let events = server.events();
    let given = given.lock().unwrap_or_else(PoisonError::into_inner);
    let distinct: HashSet<&String> = given.iter().collect();
    ensure!(events.reuses == 0, "{} refresh tokens were used twice", events.reuses);
    ensure!(events.refreshes == distinct.len(), "{} refreshes gave {} tokens", events.refreshes, distinct.len());
    // Who had to wait for long may be given what another one has just renewed.
    ensure!(distinct.len() * 4 > given.len() * 3, "{} tokens for {}", distinct.len(), given.len());
    Ok(())
}
