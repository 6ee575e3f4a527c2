//! The file of a deployment: what is wrong with it, who may be served, and which line decided.

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use anyhow::{Result, ensure};
use isolet_http::{Key, KeyHash};
use serde_json::json;

use super::served::{Served, Visitor, answer_of, servers};
use crate::program::{self, isolet};

/// Calls `command` with a deployment of this text.
fn with_deployment(text: &str, command: &[&str], options: &[&str]) -> Result<program::Ran> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("isolet.toml");
    std::fs::write(&config, text)?;
    isolet(&[command, &["--config", &config.to_string_lossy()], options].concat())
}

const FILES: &str = "[servers.files]\ncommand = \"files\"\n";

/// What can be wrong with who is let in by a token, and with how users authorize servers.
const AUTHORIZATION_MISTAKES: &[(&str, &str)] = &[
    ("[[issuers]]\nissuer = \"nowhere\"\nroles = []\n", "isolet.toml:2: `issuer` is no address"),
    ("[[issuers]]\nissuer = \"http://login.example\"\n", "isolet.toml:2: `issuer` is no address"),
    ("[[issuers]]\nissuer = \"https://login.example\"\n", "isolet.toml:2: this issuer gives nobody a role"),
    (
        "[[issuers]]\nissuer = \"https://login.example\"\nroles = [\"raeder\"]\n[roles.reader]\nallow = [\"*\"]\n",
        "isolet.toml:3: there is no role `raeder`: the nearest is `reader`",
    ),
    (
        "[[issuers]]\nissuer = \"https://login.example\"\n[[issuers.rules]]\nclaim = \"g\"\nhas = \"x\"\nrole = \"r\"\n",
        "isolet.toml:6: there is no role `r`: there is none",
    ),
    (
        "[[issuers]]\nissuer = \"https://login.example\"\nalgorithms = [\"HS256\"]\n",
        "isolet.toml:3: `HS256`: this is no algorithm",
    ),
    (
        "[[issuers]]\nissuer = \"https://login.example\"\nalgorithms = [\"none\"]\n",
        "isolet.toml:3: `none`: this is no algorithm",
    ),
    ("[[issuers]]\nissuer = \"https://login.example\"\nscopes = [\"a b\"]\n", "isolet.toml:3: `a b` is no scope"),
    (
        "[[issuers]]\nissuer = \"https://login.example\"\nclock_skew_seconds = 301\n",
        "isolet.toml:3: `clock_skew_seconds` is 301: it can be 0 to 300",
    ),
    (
        "[[issuers]]\nissuer = \"https://login.example\"\n[[issuers]]\nissuer = \"https://login.example\"\n",
        "isolet.toml:4: this issuer is there twice",
    ),
    (
        "[[issuers]]\nissuer = \"https://login.example\"\n[issuers.introspection]\nurl = \"https://login.example/i\"\nclient_id = \"x\"\n",
        "isolet.toml:4: the client's secret is missing",
    ),
    (
        "[[issuers]]\nissuer = \"https://login.example\"\nroles = [\"one\", \"two\"]\n[roles.one]\nallow = [\"*\"]\n\
        [roles.one.pin.\"files.read\"]\npath = \"/a\"\n[roles.two.pin.\"files.read\"]\npath = \"/b\"\n",
        "isolet.toml:9: for whoever comes from `https://login.example` `path` of `files.read` is fixed to \"/b\", but `path` of `files.read` is \
        fixed to \"/a\" at line 7",
    ),
    (
        "[authorization]\npage = \"https://app.example/connect\"\n",
        "isolet.toml:2: `page` and `callback` of `[authorization]` belong together",
    ),
    (
        "[authorization]\npage = \"http://app.example/\"\ncallback = \"https://app.example/\"\n",
        "isolet.toml:2: `page` is no address",
    ),
    (
        "[authorization]\ndatabase = \"mysql://isolet@db.example/isolet\"\n",
        "isolet.toml:2: `database`: this is no address of a PostgreSQL database",
    ),
    (
        "[authorization]\ndatabase = \"postgresql://isolet:canary@db.example/isolet\"\n",
        "isolet.toml:2: `database` has a password in it: write it to a file",
    ),
    ("[authorization]\ndatabase_password_env = \"X\"\n", "isolet.toml:2: there is a password and no `database`"),
    (
        "[authorization]\ndatabase = \"postgresql://isolet@db.example/isolet\"\ndatabase_password_file = \"nowhere\"\n",
        "isolet.toml:3: the file `",
    ),
    ("[proxy]\naddresses = [\n\"10.0.0.1\",\n\"0.0.0.0/0\"]\n", "isolet.toml:4: `0.0.0.0/0`: this is every address"),
    ("[proxy]\naddresses = [\"proxy\"]\n", "isolet.toml:2: `proxy`: this is no address"),
    ("[proxy]\naddresses = []\n", "isolet.toml:2: there is no address: write those of the proxy"),
    ("[proxy]\nuser_header = \"X-User\"\n", "missing field `addresses`"),
    (
        "[proxy]\naddresses = [\"10.0.0.1\"]\nuser_header = \"Authorization\"\n",
        "isolet.toml:3: `Authorization` is no header field in which a proxy names the user",
    ),
    (
        "[proxy]\naddresses = [\"10.0.0.1\"]\nroles = [\"raeder\"]\n[roles.reader]\nallow = [\"*\"]\n",
        "isolet.toml:3: there is no role `raeder`: the nearest is `reader`",
    ),
    ("[listener]\npublic_url = \"https://tools.example/?a=b\"\n", "isolet.toml:2: `public_url` is no address"),
    (
        "[[issuers]]\nissuer = \"https://login.example\"\n[listener]\naddress = \"0.0.0.0:8808\"\n",
        "isolet.toml: tokens say what service they are for: write `public_url`",
    ),
    (
        "[servers.own]\nurl = \"https://own.example/mcp\"\n[servers.own.credentials.oauth]\ngrant = \"client_credentials\"\n",
        "`servers.own.credentials.oauth.tokenUrl`",
    ),
    (
        "[servers.own]\nurl = \"https://own.example/mcp\"\n[servers.own.credentials.oauth]\ngrant = \"password\"\n",
        "`servers.own.credentials.oauth.grant`",
    ),
];

pub(super) fn each_mistake() -> Result<()> {
    let check = |more: &str, expected: &str| -> Result<()> {
        let ran = with_deployment(&format!("{more}\n{FILES}"), &["check"], &[])?;
        ensure!(
            ran.code == Some(2) && ran.output.is_empty() && ran.errors.contains(expected),
            "`{expected}` of {more}: {}",
            ran.errors
        );
        Ok(())
    };
    let key = Key::new()?.hash();
    for (more, expected) in [
        ("[listenr]\n", "isolet.toml:1: there is no key `listenr` here: the nearest is `listener`"),
        ("[listener]\nadress = \"x\"\n", "isolet.toml:2: there is no key `adress` here: the nearest is `address`"),
        ("[listener]\naddress = \"nowhere\"\n", "isolet.toml:2: `nowhere` is no address to listen at"),
        ("[listener]\naddress = 7\n", "isolet.toml:2: invalid type: integer `7`"),
        ("a = ", "isolet.toml:1: "),
        (
            "[users.ada]\nroles = [\"raeder\"]\n[roles.reader]\nallow = [\"*\"]\n",
            "isolet.toml:2: there is no role `raeder`: the nearest is `reader`",
        ),
        ("[users.ada]\nroles = []\n", "user `ada` may call nothing"),
        ("[users.ada]\nallow = [\"*\"]\nkeys = [\"secret\"]\n", "isolet.toml:3: this is no hash of a key"),
        (
            "[roles.r]\nallow = [\"flies.*\"]\n",
            "isolet.toml:2: `flies.*` is about a server `flies` that is not there: the nearest is `files`",
        ),
        (
            "[roles.r]\nallow = [\"files.a\"]\ndeny = [\"files.a\"]\n",
            "isolet.toml:3: `files.a` is denied, but `files.a` is allowed at line 2",
        ),
        (
            "[roles.r]\nallow = [\"*\"]\n[roles.r.limits]\ncalls_max = 2000\n",
            "isolet.toml:4: `calls_max` is 2000, beyond the 1000 of all runs",
        ),
        ("[limits]\nwall_seconds_max = 86401\n", "isolet.toml:2: `wall_seconds_max` is 86401: it can be 1 to 86400"),
        ("[limits]\nheap_mib_max = 1\n", "isolet.toml:2: `heap_mib_max` is 1: it can be 8 to 4096"),
        ("[faces]\nenabled = [\"clasic\"]\n", "isolet.toml:2: there is no face `clasic`: the nearest is `classic`"),
        ("[faces]\nresults = \"texts\"\n", "isolet.toml:2: `results` cannot be `texts`: the nearest is `text`"),
        ("[upstream]\nallow_addresses = [\"http://\"]\n", "isolet.toml:2: "),
        ("config = \"servers.json\"\n", "isolet.toml:1: `config` and `servers` both name servers"),
        ("[servers.other]\nurl = \"nowhere\"\n", "`servers.other.url` is no address"),
        (
            "[servers.other]\nurl = \"https://mcp.example.com/${SECRET}\"\n",
            "which is not allowed: allow it with `env = [\"SECRET\"]` in `[upstream]`",
        ),
        ("[servers.other]\n", "server `other` has no `command` and no `url`"),
        (
            "[users.ada]\nroles = [\"one\", \"two\"]\n[roles.one]\nallow = [\"*\"]\n[roles.one.pin.\"files.read\"]\npath = \"/a\"\n[roles.two.pin.\"files.read\"]\npath = \"/b\"\n",
            "isolet.toml:8: for user `ada` `path` of `files.read` is fixed to \"/b\", but `path` of `files.read` is fixed to \"/a\" at line 6",
        ),
        (
            &*format!("[users.ada]\nallow = [\"*\"]\nkeys = [\"{key}\"]\n[users.bob]\nallow = [\"*\"]\nkeys = [\"{key}\"]\n"),
            "isolet.toml:6: this key is `ada`'s too",
        ),
    ] {
        check(more, expected)?;
    }
    for (more, expected) in AUTHORIZATION_MISTAKES {
        check(more, expected)?;
    }
    // All of them are said, each with its line.
    let ran = with_deployment(&format!("[faces]\nenabled = [\"a\"]\nresults = \"b\"\n{FILES}"), &["check"], &[])?;
    ensure!(ran.errors.lines().count() == 2, "{}", ran.errors);
    with_deployment("", &["check"], &[])?.check(2, "", &["isolet.toml: there are no servers"])?;
    let ran = with_deployment(&format!("[users.ada]\nallow = [\"files.*\"]\n{FILES}"), &["check"], &[])?;
    ensure!(ran.code == Some(0) && ran.output.contains("1 server, 1 user, 0 keys"), "{} {}", ran.output, ran.errors);
    isolet(&["check", "--config", "/nowhere/isolet.toml"])?.check(2, "", &["/nowhere/isolet.toml: the file cannot be read"])
}

pub(super) fn a_pattern_that_names_nothing() -> Result<()> {
    let servers = servers(&["complete"])?;
    for (pattern, expected) in [
        ("complete.ecko", "isolet.toml:2: there is no tool `complete.ecko`, the nearest are complete.echo"),
        ("complete.x*", "isolet.toml:2: `complete.x*` allows no tool"),
    ] {
        let deployment = format!("[users.ada]\nallow = [\"complete.echo\", \"{pattern}\"]\n{servers}");
        with_deployment(&deployment, &["serve", "--listen", "127.0.0.1:0"], &[])?.check(2, "", &[expected])?;
    }
    let deployment = format!("[users.ada]\nallow = [\"*\"]\ndeny = [\"complete.x*\"]\n{servers}");
    let ran = with_deployment(&deployment, &["serve", "--listen", "127.0.0.1:0"], &[])?;
    ran.check(2, "", &["isolet.toml:3: `complete.x*` matches no tool"])
}

pub(super) fn strangers_are_not_served() -> Result<()> {
    let two = format!("[users.ada]\nallow = [\"*\"]\n[users.bob]\nallow = [\"*\"]\n{FILES}");
    for (deployment, arguments, expected) in [
        (FILES, &["--listen", "0.0.0.0:0"][..], "can be reached by others, and no user has a key"),
        (FILES, &["--listen", "0.0.0.0:0", "--no-auth"], "`--no-auth` lets anybody in who reaches 0.0.0.0:0"),
        (&*two, &["--listen", "127.0.0.1:0"], "cannot tell 2 users apart"),
        (&*two, &["--listen", "127.0.0.1:0", "--no-auth"], "cannot tell 2 users apart"),
    ] {
        with_deployment(deployment, &[&["serve"], arguments].concat(), &[])?.check(2, "", &[expected])?;
    }
    let keyed = format!("[users.ada]\nallow = [\"*\"]\nkeys = [\"{}\"]\n{FILES}", Key::new()?.hash());
    with_deployment(&keyed, &["serve", "--listen", "0.0.0.0:0"], &[])?.check(
        2,
        "",
        &["write the names that clients use into `hosts`"],
    )
}

pub(super) async fn a_private_key() -> Result<()> {
    let mut served = Served::start(&servers(&["complete"])?, &[])?;
    let path = served.folder().join("isolet.key");
    ensure!(std::fs::metadata(&path)?.mode() & 0o777 == 0o600, "others can read it");
    let key = std::fs::read_to_string(&path)?.trim().to_owned();
    let visitor = Visitor { address: served.address, key: Some(key.clone()) };
    ensure!(visitor.run("return (await complete.echo({ a: 1 })).a").await?["value"] == 1, "who has the key");
    ensure!(served.nobody().ask("GET /v1/types", &[], "").await?.status == 401, "who has none");
    served.terminate()?;
    let (status, errors) = served.ended_within(Duration::from_secs(20)).await?;
    ensure!(status.success() && errors.contains(&*path.to_string_lossy()) && !errors.contains(&key), "{status}: {errors}");
    let served = Served::start(&servers(&["complete"])?, &["--no-auth"])?;
    ensure!(served.nobody().run("return 1").await?["value"] == 1, "`--no-auth` lets anybody in");
    let made = tokio::task::spawn_blocking(|| isolet(&["key"])).await??;
    let hash = KeyHash::of(made.output.trim()).to_string();
    ensure!(made.code == Some(0) && made.errors.contains(&hash), "{} {}", made.output, made.errors);
    Ok(())
}

pub(super) async fn read_again() -> Result<()> {
    let (key, other) = (Key::new()?, Key::new()?);
    let deployment = |allowed: &str, key: &Key| -> Result<String> {
        let user = format!("[users.ada]\nallow = [\"{allowed}\"]\nkeys = [\"{}\"]\n", key.hash());
        Ok(format!("{user}{}", servers(&["complete"])?))
    };
    let mut served = Served::start(&deployment("*", &key)?, &[])?;
    let ada = served.visitor(&key);
    let session = ada.session("/mcp/classic").await?;
    let under_way = ada
        .send(
            "POST /v1/run",
            &[],
            r#"{"code": "await new Promise((resolve) => setTimeout(resolve, 8000)); return typeof complete.delete_many"}"#,
        )
        .await?;
    ada.metric_becomes("isolet_runs_live", 1).await?;
    // One that is wrong changes nothing.
    served.read_again(&deployment("complete.ecko", &other)?)?;
    served.says("is not in force: what was served before goes on").await?;
    ensure!(ada.ask("GET /v1/types", &[], "").await?.body.contains("delete_many"), "what was served before goes on");
    served.read_again(&format!("{}[limits]\ncalls_max = 7\n", deployment("complete.echo", &key)?))?;
    served.says("is in force").await?;
    served.says("what the file says in `[limits]` now takes effect at the next start").await?;
    ensure!(!ada.ask("GET /v1/types", &[], "").await?.body.contains("delete_many"), "what is not granted any more");
    let answer = ada.in_session("/mcp/classic", &session, "tools/list", &json!({})).await?;
    ensure!(answer.status == 404, "a session of before has what was granted before: {answer:?}");
    let answer = answer_of(under_way).await?;
    ensure!(answer.status == 200 && answer.json()?["value"] == "function", "what is under way goes on: {answer:?}");
    // Another key in its place.
    served.read_again(&deployment("complete.echo", &other)?)?;
    let is_closed = async {
        while ada.ask("GET /v1/types", &[], "").await?.status == 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(60), is_closed).await??;
    ensure!(served.visitor(&other).ask("GET /v1/types", &[], "").await?.status == 200, "the other key");
    served.terminate()?;
    let (status, errors) = served.ended_within(Duration::from_secs(20)).await?;
    ensure!(status.success() && errors.contains("is in force"), "{status}: {errors}");
    Ok(())
}

pub(super) fn explain_names_the_line() -> Result<()> {
    let roles = "[roles.reader]\nallow = [\"complete.*\"]\ndeny = [\"*.delete-many\"]\n[roles.reader.rename]\n\"complete.echo\" = \"say\"\n\
        [roles.reader.pin.\"complete.echo\"]\nowner = \"acme\"\n[roles.reader.limits]\ncalls_max = 3\n\
        [users.bob]\nroles = [\"reader\"]\ndeny = [\"good.*\"]\n";
    let deployment = format!("{roles}{}", servers(&["complete", "good"])?);
    let explained = |arguments: &[&str]| with_deployment(&deployment, &[&["explain"], arguments].concat(), &[]);
    let ran = explained(&["bob"])?;
    // Shown as a reader sees it, the folder left out.
    let text: String = ran.output.split_inclusive('\n').map(shortened).collect();
    let expected = "\
bob: roles reader
  calls_max = 3, isolet.toml:9
complete.say  (complete.echo)
  seen
  `complete.*` is allowed, isolet.toml:2, role reader
  `complete.echo` is renamed to `say`, isolet.toml:5, role reader
  `owner` of `complete.echo` is fixed to \"acme\", isolet.toml:7, role reader
complete.delete_many  (complete.delete-many)
  not seen
  `complete.*` is allowed, isolet.toml:2, role reader
  `*.delete-many` is denied, isolet.toml:3, role reader
good.*
  not seen: the server is denied as a whole, and not started
";
    ensure!(ran.code == Some(0) && text == expected, "{text}\n{}", ran.errors);
    for tool in ["complete.delete-many", "complete.delete_many"] {
        let ran = explained(&["bob", tool])?;
        ensure!(ran.output.contains("  not seen\n") && ran.output.contains("isolet.toml:3"), "{}", ran.output);
        ensure!(!ran.output.contains("complete.say"), "{}", ran.output);
    }
    explained(&["bob", "complete.ecko"])?.check(
        2,
        "",
        &["there is no tool `complete.ecko`: the nearest is `complete.echo`"],
    )?;
    explained(&["bobb"])?.check(2, "", &["there is no user `bobb`: the nearest is `bob`"])
}

/// A line without the folder of the file that it names.
fn shortened(line: &str) -> String {
    match line.rsplit_once("isolet.toml:") {
        Some((before, after)) => {
            let before = before.rsplit_once(", /").map_or(before, |(before, _)| before);
            format!("{before}, isolet.toml:{after}")
        }
        None => line.to_owned(),
    }
}

pub(super) fn a_time_beyond_the_most() -> Result<()> {
    for command in ["run", "mcp", "serve"] {
        let ran = isolet(&[command, "--wall-max", "86401"])?;
        ensure!(ran.code == Some(2) && ran.errors.contains("86400"), "{command}: {}", ran.errors);
    }
    program::run("return 1", json!({}), &["--wall-max", "100"])?.check(0, "1", &[])
}
