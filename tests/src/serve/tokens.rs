//! Users of `isolet serve` who come with tokens of an issuer: whom they are, what they may do, and that their tokens go nowhere.

use anyhow::{Context as _, Result, ensure};
use isolet_http::Key;
use serde_json::{Value, json};

use super::served::{Answer, Served, Visitor, servers};
use crate::authorization_server::{AuthorizationServer, Manners};
use crate::http_server::{Asked, HttpServer, echo, result, status, usual, whole};
use crate::issuer::{CLIENT, SigningKey, TokenIssuer, from_now};

/// An issuer, a key of its own, and what a deployment says of it.
struct Trusted {
    issuer: TokenIssuer,
    key: SigningKey,
    said: String,
}

impl Trusted {
    /// Its readers may call what matches `readers`.
    async fn start(readers: &str) -> Result<Self> {
        let key = SigningKey::p256()?;
        let issuer = TokenIssuer::start(vec![key.public("one")]).await?;
        let said = format!(
            "[[issuers]]\nissuer = \"{}\"\nscopes = [\"tools\"]\n\
            [[issuers.rules]]\nclaim = \"groups\"\nhas = \"platform\"\nrole = \"admin\"\n\
            [[issuers.rules]]\nclaim = \"groups\"\nhas = \"staff\"\nrole = \"reader\"\n\
            [roles.admin]\nallow = [\"*\"]\n[roles.reader]\nallow = [\"{readers}\"]\n[roles.reader.limits]\ncalls_max = 2\n",
            issuer.name
        );
        Ok(Self { issuer, key, said })
    }

    /// A token of `user`, who is in these groups, for what is served.
    fn token(&self, served: &Served, user: &str, changes: Value) -> Result<String> {
        let mut claims = json!({
            "iss": self.issuer.name, "aud": format!("http://{}/mcp", served.address), "sub": user, "exp": from_now(300),
            "scope": "tools", "groups": ["platform"],
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        self.key.token(Some("one"), &claims)
    }

    fn visitor(&self, served: &Served, user: &str, changes: Value) -> Result<Visitor> {
        Ok(Visitor { address: served.address, key: Some(self.token(served, user, changes)?) })
    }
}

fn challenge(answer: &Answer) -> &str {
    answer.header("www-authenticate").unwrap_or_default()
}

/// Claims decide by the rules; challenges and metadata lead a client to the issuer.
pub(super) async fn claims_decide() -> Result<()> {
    let trusted = Trusted::start("complete.echo").await?;
    let key = Key::new()?;
    let bob = format!("[users.bob]\nroles = [\"reader\"]\nkeys = [\"{}\"]\n", key.hash());
    let served = Served::start(&format!("{}{bob}{}", trusted.said, servers(&["complete"])?), &[])?;
    let own = format!("http://{}", served.address);
    let metadata =
        |path: &str| format!("resource_metadata=\"{own}/.well-known/oauth-protected-resource{path}\", scope=\"tools\"");
    for (route, path) in [("POST /mcp", "/mcp"), ("POST /mcp/classic", "/mcp/classic"), ("GET /v1/types", "")] {
        let answer = served.nobody().ask(route, &[], "{}").await?;
        ensure!(answer.status == 401 && challenge(&answer) == format!("Bearer {}", metadata(path)), "{answer:?}");
        let described = served.nobody().ask(&format!("GET /.well-known/oauth-protected-resource{path}"), &[], "").await?;
        let described = described.json()?;
        ensure!(described["resource"] == format!("{own}{path}"), "{described}");
        ensure!(described["authorization_servers"] == json!([trusted.issuer.name]), "{described}");
        ensure!(described["scopes_supported"] == json!(["tools"]), "{described}");
    }
    ensure!(served.nobody().ask("GET /.well-known/oauth-protected-resource/x", &[], "").await?.status == 404);
    let types = async |changes: Value| -> Result<Answer> {
        trusted.visitor(&served, "ada", changes)?.ask("GET /v1/types", &[], "").await
    };
    let all = types(json!({})).await?;
    ensure!(all.status == 200 && all.body.contains("delete_many("), "{all:?}");
    let staff = types(json!({"groups": ["staff"]})).await?;
    ensure!(staff.status == 200 && staff.body.contains("echo(") && !staff.body.contains("delete_many"), "{staff:?}");
    let both = types(json!({"groups": ["staff", "platform"]})).await?;
    ensure!(both.body.contains("delete_many("), "{both:?}");
    for groups in [json!([]), json!("platform engineering"), json!(["admin"]), json!({"platform": true})] {
        let none = types(json!({ "groups": groups })).await?;
        ensure!(none.status == 403 && challenge(&none).is_empty(), "{groups}: {none:?}");
    }
    // The lowest limits of all roles hold.
    let careful = trusted.visitor(&served, "ada", json!({"groups": ["staff", "platform"]}))?;
    let stopped = careful.run("for (let n = 0; n < 3; n++) await complete.echo({ n }); return 1").await?;
    ensure!(stopped["end"] == "stopped", "{stopped}");
    let little = types(json!({"scope": "read"})).await?;
    let expected = format!("Bearer {}, error=\"insufficient_scope\"", metadata(""));
    ensure!(little.status == 403 && challenge(&little) == expected, "{little:?}");
    for (what, changes) in [
        ("another audience", json!({"aud": "https://other.example"})),
        ("another issuer", json!({"iss": "https://other.example"})),
        ("it has ended", json!({"exp": from_now(-90)})),
    ] {
        let answer = types(changes).await?;
        ensure!(answer.status == 401 && challenge(&answer).ends_with("error=\"invalid_token\""), "{what}: {answer:?}");
    }
    let ada = trusted.token(&served, "ada", json!({}))?;
    for value in [format!("Basic {ada}"), ada.clone(), "Bearer".to_owned(), format!("Bearer {ada}x")] {
        let answer = served.nobody().ask("GET /v1/types", &[("Authorization", &value)], "").await?;
        ensure!(answer.status == 401 && challenge(&answer).ends_with("error=\"invalid_token\""), "{value}: {answer:?}");
    }
    // A key is as good, and who is called as its user is somebody else.
    let by_key = served.visitor(&key).ask("GET /v1/types", &[], "").await?;
    ensure!(by_key.status == 200 && !by_key.body.contains("delete_many"), "{by_key:?}");
    let called_bob = trusted.visitor(&served, "bob", json!({}))?.ask("GET /v1/types", &[], "").await?;
    ensure!(called_bob.body.contains("delete_many("), "{called_bob:?}");
    let session = trusted.visitor(&served, "ada", json!({}))?.session("/mcp/classic").await?;
    let stolen =
        trusted.visitor(&served, "eve", json!({}))?.in_session("/mcp/classic", &session, "tools/list", &json!({})).await?;
    ensure!(stolen.status == 404, "{stolen:?}");
    Ok(())
}

/// An issuer whose keys cannot be had costs its users a while, and others nothing.
pub(super) async fn an_issuer_that_is_down() -> Result<()> {
    let trusted = Trusted::start("complete.echo").await?;
    trusted.issuer.behave(|manners| manners.keys_answer = Some(|| status(500)));
    let key = Key::new()?;
    let bob = format!("[users.bob]\nroles = [\"reader\"]\nkeys = [\"{}\"]\n", key.hash());
    let served = Served::start(&format!("{}{bob}{}", trusted.said, servers(&["complete"])?), &[])?;
    let answer = trusted.visitor(&served, "ada", json!({}))?.ask("GET /v1/types", &[], "").await?;
    ensure!(answer.status == 503 && answer.header("retry-after").is_some() && challenge(&answer).is_empty(), "{answer:?}");
    ensure!(served.visitor(&key).ask("GET /v1/types", &[], "").await?.status == 200);
    Ok(())
}

/// A server that takes tokens that begin so; none: it takes anybody.
fn upstream(asked: &Asked, needed: Option<&str>) -> Answered {
    let token = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if needed.is_some_and(|needed| !token.starts_with(needed)) {
        return whole(401, &[("www-authenticate", "Bearer error=\"invalid_token\"")], b"");
    }
    usual(asked).unwrap_or_else(|| result(asked, &echo(asked)))
}

type Answered = crate::http_server::Answer;

/// The token that came in is sent to no server: not to one that asks nobody, not to one that asks its users, and in exchange for another one only to the
/// authorization server that gives that.
pub(super) async fn a_token_that_came_in_goes_nowhere() -> Result<()> {
    let trusted = Trusted::start("plain.*").await?;
    let plain = HttpServer::start(|asked| upstream(asked, None)).await?;
    let exchanged = HttpServer::start(|asked| upstream(asked, Some("exchanged-canary-"))).await?;
    let own = HttpServer::start(|asked| upstream(asked, Some("own-canary-"))).await?;
    let asking = AuthorizationServer::start(Manners { lists_to_strangers: true, ..Manners::default() }).await?;
    let grant = |name: &str, url: &str, grant: &str| -> Result<String> {
        let (id, secret, token_url) = (CLIENT.0, CLIENT.1, trusted.issuer.at("/token")?);
        Ok(format!(
            "[servers.{name}]\nurl = \"{url}\"\n[servers.{name}.credentials.oauth]\ngrant = \"{grant}\"\nclientId = \"{id}\"\n\
            clientSecret = \"{secret}\"\ntokenUrl = \"{token_url}\"\naudience = \"{name}\"\nscopes = [\"read\"]\n"
        ))
    };
    let servers = format!(
        "[servers.plain]\nurl = \"{}\"\n[servers.asking]\nurl = \"{}\"\n{}{}",
        plain.url()?,
        asking.url()?,
        grant("exchanged", exchanged.url()?.as_str(), "token_exchange")?,
        grant("own", own.url()?.as_str(), "client_credentials")?
    );
    let served = Served::start(&format!("{}{servers}", trusted.said), &[])?;
    let (ada, eve) = (trusted.visitor(&served, "ada", json!({}))?, trusted.visitor(&served, "eve", json!({}))?);
    let program = "const one = async (call) => { try { return (await call({ a: 1 })).a } catch (error) { return error.code } };\n\
        return await Promise.all([plain, asking, exchanged, own].map((server) => one(server.echo)))";
    let mut said = Vec::new();
    for visitor in [&ada, &eve, &ada] {
        let outcome = visitor.run(program).await?;
        ensure!(outcome["value"] == json!([1, "authorization_required", 1, 1]), "{outcome}");
        said.push(outcome.to_string());
    }
    // Each user has one in exchange, all have the deployment's own, and no more are got than are needed.
    let tokens = |server: &HttpServer| -> Vec<String> {
        let asked = server.asked();
        let mut tokens: Vec<String> =
            asked.iter().filter_map(|asked| asked.header("authorization").map(str::to_owned)).collect();
        tokens.sort();
        tokens.dedup();
        tokens
    };
    ensure!(tokens(&exchanged).len() == 2 && tokens(&own).len() == 1, "{:?} {:?}", tokens(&exchanged), tokens(&own));
    ensure!(trusted.issuer.count("/token") == 3, "{}", trusted.issuer.count("/token"));
    let asked = trusted
        .issuer
        .http
        .asked()
        .iter()
        .filter(|asked| asked.target() == "/token")
        .map(Asked::text)
        .map(str::to_owned)
        .collect::<Vec<_>>();
    ensure!(asked.iter().all(|form| form.contains("resource=http") && form.contains("scope=read")), "{asked:?}");
    let secrets: Vec<String> = [&ada, &eve].iter().filter_map(|visitor| visitor.key.clone()).collect();
    let seen = [plain.asked(), exchanged.asked(), own.asked(), asking.http.asked()].concat();
    for secret in &secrets {
        let signature = secret.rsplit('.').next().context("a signature")?;
        ensure!(seen.iter().all(|asked| !asked.has(secret) && !asked.has(signature)), "a server has seen the token");
        ensure!(said.iter().all(|said| !said.contains(signature)) && !served.said().contains(signature), "it is said");
    }
    ensure!(said.iter().all(|said| !said.contains("canary")), "{said:?}");
    // A server that gives back what it was sent gives nothing.
    trusted.issuer.behave(|manners| manners.gives_back = true);
    let bob = trusted.visitor(&served, "bob", json!({}))?;
    let outcome = bob.run("try { return await exchanged.echo({}) } catch (error) { return error.code }").await?;
    ensure!(outcome["value"] != json!({}), "{outcome}");
    let signature = bob.key.as_deref().and_then(|token| token.rsplit('.').next()).context("a signature")?;
    ensure!(exchanged.asked().iter().all(|asked| !asked.has(signature)), "it was passed through");
    Ok(())
}

/// Issuers come and go with the file: tokens that are taken, challenges and metadata are those of what is in force.
pub(super) async fn changed_issuers() -> Result<()> {
    let (first, second) = (Trusted::start("complete.echo").await?, Trusted::start("complete.echo").await?);
    let rest = servers(&["complete"])?;
    let served = Served::start(&format!("{}{rest}", first.said), &[])?;
    let status = async |trusted: &Trusted| {
        anyhow::Ok(trusted.visitor(&served, "ada", json!({}))?.ask("GET /v1/types", &[], "").await?.status)
    };
    ensure!((status(&first).await?, status(&second).await?) == (200, 401));
    std::fs::write(served.folder().join("isolet.toml"), format!("{}{rest}", second.said))?;
    served.says("the file was read again, and is in force").await?;
    ensure!((status(&first).await?, status(&second).await?) == (401, 200));
    let described = served.nobody().ask("GET /.well-known/oauth-protected-resource/mcp", &[], "").await?.json()?;
    ensure!(described["authorization_servers"] == json!([second.issuer.name]), "{described}");
    Ok(())
}
