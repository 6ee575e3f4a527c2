//! Users of `isolet serve` authorize servers: each for themselves, in a browser that is known as theirs, or through an application of theirs.

use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::Url;
use isolet_http::Key;
use serde_json::{Value, json};

use super::served::{Answer, Served, Visitor};
use crate::authorization_server::{AuthorizationServer, Manners, agree};
use crate::program::isolet;

/// A program that needs the server, and says how that went.
const PROGRAM: &str = "try { return await scripted.echo({ a: 1 }) } catch (error) { return [error.code, error.name] }";

/// A deployment of ada and bob, whose one server asks for authorization.
struct Asked {
    served: Served,
    ada: Visitor,
    bob: Visitor,
}

impl Asked {
    fn start(server: &AuthorizationServer, more: &str) -> Result<Self> {
        let keys = [Key::new()?, Key::new()?];
        let user = |name: &str, key: &Key| format!("[users.{name}]\nallow = [\"*\"]\nkeys = [\"{}\"]\n", key.hash());
        let users = user("ada", &keys[0]) + &user("bob", &keys[1]);
        let deployment = format!("{more}\n[servers.scripted]\nurl = \"{}\"\n{users}", server.url()?);
        let served = Served::start(&deployment, &[])?;
        let [ada, bob] = [0, 1].map(|user| served.visitor(&keys[user]));
        Ok(Self { served, ada, bob })
    }
}

/// The link that a run of `user` ends with.
async fn link_of(user: &Visitor) -> Result<Url> {
    let outcome = user.run(PROGRAM).await?;
    ensure!(outcome["value"] == json!(["authorization_required", "ToolError"]), "{outcome}");
    let [needed] = outcome["authorizations"].as_array().map(Vec::as_slice).unwrap_or_default() else {
        anyhow::bail!("{outcome}");
    };
    ensure!(needed["server"] == "scripted", "{outcome}");
    Ok(Url::parse(needed["link"].as_str().context("there is a link")?)?)
}

/// A client that opens pages is asked to open that one, and the result says what its user did.
async fn is_shown(user: &Visitor, link: &Url) -> Result<()> {
    let meta = json!({ "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "url": {} } } });
    let mut params = json!({ "name": "run_code", "arguments": { "code": PROGRAM }, "_meta": meta });
    let asked = user.mcp("/mcp", "tools/call", params.clone()).await?.json()?["result"].clone();
    let question = asked["inputRequests"].as_object().and_then(|questions| questions.iter().next());
    let (name, question) = question.with_context(|| format!("nothing is asked: {asked}"))?;
    ensure!(question["params"]["mode"] == "url" && question["params"]["url"] == link.as_str(), "{asked}");
    params["requestState"] = asked["requestState"].clone();
    params["inputResponses"] = json!({ name.as_str(): { "action": "decline" } });
    let result = user.mcp("/mcp", "tools/call", params).await?.json()?["result"].to_string();
    ensure!(result.contains("did not agree to open the page") && result.contains(link.as_str()), "{result}");
    Ok(())
}

/// Sends the form of the page at `link`, from a page of `origin`.
async fn send_key(nobody: &Visitor, link: &Url, key: Option<&str>, origin: Option<&str>) -> Result<Answer> {
    let mut headers = vec![("Content-Type", "application/x-www-form-urlencoded")];
    headers.extend(origin.map(|origin| ("Origin", origin)));
    nobody.ask(&format!("POST {}", link.path()), &headers, &format!("key={}", key.unwrap_or_default())).await
}

/// What the browser keeps of an answer, and where it goes on.
fn let_on(answer: &Answer) -> Result<(String, Url)> {
    ensure!(answer.status == 303, "{answer:?}");
    let cookie = answer.header("set-cookie").context("a cookie")?;
    ensure!(cookie.contains("HttpOnly; SameSite=Lax") && cookie.contains("Path=/authorize;"), "{cookie}");
    let pair = cookie.split(';').next().unwrap_or_default().to_owned();
    Ok((pair, Url::parse(answer.header("location").context("a way on")?)?))
}

async fn come_back(nobody: &Visitor, back: &Url, cookie: Option<&str>) -> Result<Answer> {
    let headers: Vec<_> = cookie.map(|cookie| ("Cookie", cookie)).into_iter().collect();
    let query = back.query().unwrap_or_default();
    nobody.ask(&format!("GET {}?{query}", back.path()), &headers, "").await
}

/// The link, the consent, the same program: for ada, with bob and others in between.
pub(super) async fn the_same_program_works_after_the_consent() -> Result<()> {
    let server = AuthorizationServer::start(Manners::default()).await?;
    let Asked { served, ada, bob } = Asked::start(&server, "")?;
    let (nobody, own) = (served.nobody(), format!("http://{}", served.address));
    let types = ada.ask("GET /v1/types", &[], "").await?;
    ensure!(types.body.contains("function authorize(") && !types.body.contains("function echo("), "{types:?}");
    let session = ada.session("/mcp").await?;
    let link = link_of(&ada).await?;
    ensure!(link.as_str().starts_with(&format!("{own}/authorize/")), "{link}");
    ensure!(link_of(&ada).await? == link && link_of(&bob).await? != link, "each has their own, once");
    is_shown(&ada, &link).await?;
    let page = nobody.ask(&format!("GET {}", link.path()), &[], "").await?;
    ensure!(page.status == 200 && page.header("content-type") == Some("text/html; charset=utf-8"), "{page:?}");
    ensure!(page.header("content-security-policy").is_some_and(|policy| policy.contains("frame-ancestors 'none'")), "{page:?}");
    // Forms of other pages, and who has no key, or another one.
    let asked_before = server.http.asked().len();
    for (key, origin, status) in [
        (ada.key.as_deref(), None, 415),
        (ada.key.as_deref(), Some("https://evil.example"), 403),
        (ada.key.as_deref(), Some("null"), 403),
        (None, Some(&*own), 401),
        (Some("isolet_wrong"), Some(&*own), 401),
        (bob.key.as_deref(), Some(&*own), 404),
    ] {
        let answer = send_key(&nobody, &link, key, origin).await?;
        ensure!(answer.status == status && answer.header("set-cookie").is_none(), "{origin:?} {status}: {answer:?}");
    }
    ensure!(server.http.asked().len() == asked_before, "nothing is sent anywhere for somebody else");
    let (cookie, consent) = let_on(&send_key(&nobody, &link, ada.key.as_deref(), Some(&own)).await?)?;
    let back = agree(&consent).await?;
    ensure!(back.as_str().starts_with(&format!("{own}/authorize/callback?")), "{back}");
    // Bob has begun too: what is ada's is not completed in his browser, nor his in hers.
    let of_bob = link_of(&bob).await?;
    let (cookie_of_bob, consent_of_bob) = let_on(&send_key(&nobody, &of_bob, bob.key.as_deref(), Some(&own)).await?)?;
    let back_of_bob = agree(&consent_of_bob).await?;
    for (back, cookie, status) in [
        (&back, None, 400),
        (&back, Some("isolet_authorize=0"), 400),
        (&back, Some(&*cookie_of_bob), 404),
        (&back_of_bob, Some(&*cookie), 404),
    ] {
        let answer = come_back(&nobody, back, cookie).await?;
        ensure!(answer.status == status && !answer.body.contains("canary"), "{status}: {answer:?}");
    }
    let answer = come_back(&nobody, &back, Some(&cookie)).await?;
    ensure!(answer.status == 200 && answer.body.starts_with("scripted is authorized"), "{answer:?}");
    let again = come_back(&nobody, &back, Some(&cookie)).await?;
    ensure!(again.status == 404, "a callback is used once: {again:?}");
    let outcome = ada.run(PROGRAM).await?;
    ensure!(outcome["value"].to_string().contains("calls") && outcome["authorizations"] == json!([]), "{outcome}");
    let types = ada.ask("GET /v1/types", &[], "").await?;
    ensure!(types.body.contains("function echo(") && !types.body.contains("function authorize("), "{types:?}");
    ensure!(ada.in_session("/mcp", &session, "tools/list", &json!({})).await?.status == 404, "its client begins again");
    link_of(&bob).await?;
    ensure!(server.events().called_with.len() == 1);
    is_kept_sealed(&served, &server)?;
    explained(&served).await
}

/// What ada granted is in the folder beside the file, and cannot be read there.
fn is_kept_sealed(served: &Served, server: &AuthorizationServer) -> Result<()> {
    let folder = served.folder().join("isolet.credentials");
    let token = server.events().called_with.first().cloned().context("a token")?;
    let mut files = 0;
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.is_file() {
            files += 1;
            let bytes = std::fs::read(&path)?;
            ensure!(!holds(&bytes, token.as_bytes()), "{} has the token", path.display());
            ensure!(path.metadata()?.permissions().mode() & 0o077 == 0, "{} is others' to read", path.display());
        }
    }
    ensure!(files >= 2 && folder.join("credentials.db").is_file(), "{files} files");
    Ok(())
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// `isolet explain` uses what a user has granted, and asks nobody.
async fn explained(served: &Served) -> Result<()> {
    let config = served.folder().join("isolet.toml").to_string_lossy().into_owned();
    let explain = async |arguments: &'static [&'static str]| {
        let config = config.clone();
        tokio::task::spawn_blocking(move || isolet(&[&["explain"], arguments, &["--config", &config]].concat())).await?
    };
    let (ada, bob) = (explain(&["ada"]).await?, explain(&["bob"]).await?);
    ensure!(ada.code == Some(0) && ada.output.contains("scripted.echo\n  seen"), "{} {}", ada.output, ada.errors);
    let expected = "scripted.*\n  not known: the user has not authorized this server yet";
    ensure!(bob.code == Some(0) && bob.output.contains(expected) && !bob.errors.contains("/authorize/"), "{}", bob.output);
    ensure!(!bob.output.contains("authorize\n"), "what stands for its tools is none: {}", bob.output);
    let one = explain(&["bob", "scripted.echo"]).await?;
    ensure!(one.code == Some(0) && one.output.contains(expected), "{} {}", one.output, one.errors);
    Ok(())
}

/// An application has the page and the callback, and asks for each as its user.
pub(super) async fn an_application_has_the_page() -> Result<()> {
    let server = AuthorizationServer::start(Manners { lists_to_strangers: true, ..Manners::default() }).await?;
    let page = "[authorization]\npage = \"https://app.example/connect\"\ncallback = \"https://app.example/connected\"\nfolder = \"kept\"\n";
    let Asked { served, ada, bob } = Asked::start(&server, page)?;
    let link = link_of(&ada).await?;
    ensure!(link.as_str().starts_with("https://app.example/connect/"), "{link}");
    let id = link.path_segments().and_then(Iterator::last).context("an id")?;
    let open = async |who: &Visitor, body: &Value| who.ask("POST /v1/authorizations", &[], &body.to_string()).await;
    let complete = async |who: &Visitor, back: &Url| {
        who.ask("POST /v1/authorizations/callback", &[], &json!({ "url": back.as_str() }).to_string()).await
    };
    let body = json!({ "id": id });
    ensure!(open(&served.nobody(), &body).await?.status == 401, "nobody");
    ensure!(open(&bob, &body).await?.status == 404, "the question is ada's");
    ensure!(open(&ada, &json!({ "id": "unknown" })).await?.status == 404, "there is none");
    ensure!(open(&ada, &json!({ "ids": id })).await?.status == 400, "not understood");
    let opened = open(&ada, &body).await?;
    ensure!(
        opened.status == 200 && opened.json()?["expires_in_s"].as_u64().is_some_and(|s| (590..=600).contains(&s)),
        "{opened:?}"
    );
    let back = agree(&Url::parse(opened.json()?["link"].as_str().context("a link")?)?).await?;
    ensure!(back.as_str().starts_with("https://app.example/connected?"), "{back}");
    ensure!(complete(&bob, &back).await?.status == 404, "it is ada's to complete");
    let completed = complete(&ada, &back).await?;
    ensure!(completed.status == 200 && completed.json()?["server"] == "scripted", "{completed:?}");
    ensure!(complete(&ada, &back).await?.status == 404, "once");
    let outcome = ada.run(PROGRAM).await?;
    ensure!(outcome["value"].to_string().contains("calls"), "{outcome}");
    // There is no page of this service then, and what was granted is where the file says.
    ensure!(served.nobody().ask("GET /authorize/x", &[], "").await?.status == 401);
    ensure!(served.folder().join("kept/credentials.db").is_file());
    Ok(())
}

/// A user who has authorized nothing costs no server anything; the consent is followed at once, also where it was given elsewhere.
pub(super) async fn asked_once() -> Result<()> {
    let server = AuthorizationServer::start(Manners::default()).await?;
    let Asked { served, ada, .. } = Asked::start(&server, "")?;
    asks_no_server_until_the_user_has_authorized(&server, &ada, &ada, &served).await
}

/// The same, where the user authorizes at `here`, which is `served`, and has the program run `there`.
pub(crate) async fn asks_no_server_until_the_user_has_authorized(
    server: &AuthorizationServer,
    here: &Visitor,
    there: &Visitor,
    served: &Served,
) -> Result<()> {
    const NOTHING: &str = "return 1";

    link_of(there).await?;
    let asked = || server.http.asked().len();
    let before = asked();
    for _ in 0..5 {
        ensure!(there.run(NOTHING).await?["value"] == 1);
        ensure!(there.ask("GET /v1/types", &[], "").await?.body.contains("function authorize("));
    }
    ensure!(asked() == before, "{} requests for ten that need no server", asked() - before);
    let own = format!("http://{}", served.address);
    let (cookie, consent) = let_on(&send_key(&served.nobody(), &link_of(here).await?, here.key.as_deref(), Some(&own)).await?)?;
    let answer = come_back(&served.nobody(), &agree(&consent).await?, Some(&cookie)).await?;
    ensure!(answer.status == 200, "{answer:?}");
    let outcome = there.run(PROGRAM).await?;
    ensure!(outcome["value"].to_string().contains("calls"), "the next program works: {outcome}");
    ensure!(!there.ask("GET /v1/types", &[], "").await?.body.contains("function authorize("));
    Ok(())
}
