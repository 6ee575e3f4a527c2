//! What stands for the tools of a server that its user has not authorized: any name in its namespace asks.

use anyhow::{Result, ensure};
use isolet::mcp::{Configuration, HttpServer, OAuthSettings, UpstreamOptions, Upstreams, Url};
use isolet::{Catalog, Config, End, Grants, Principal, Runtime, Start};
use isolet_identity::{MemoryStore, OAuth, OAuthOptions, Target};
use serde_json::json;

use crate::authorization_server::{AuthorizationServer, Manners, agree};
use crate::http_server::tool;
use crate::roles;
use crate::upstream::Test;

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[("stand_ins::any_name_asks_however_a_run_starts", || roles::drive(any_name_asks()))];

/// A namespace whose tools are not known: forked, spawned, and spawned from a snapshot of the scope.
async fn any_name_asks() -> Result<()> {
    let server = AuthorizationServer::start(Manners::default()).await?;
    let oauth = OAuth::new(MemoryStore::new(), OAuthOptions::default())?;
    let upstreams = Upstreams::asking(UpstreamOptions::default(), oauth.clone());
    let host = upstreams.host(&Configuration::default().with("scripted", HttpServer::new(server.url()?)), "ada");
    let catalog = Catalog::load([("files", vec![tool("read")])])?.expecting(["files", "scripted"]).asking(["scripted"]);
    let scope = catalog.scope(&Grants::new().allow("*"))?;
    let program = "const codes = []; for (const call of [() => scripted.authorize(), () => scripted.echo({ a: 1 }), () => scripted['get-sum']()]) \
        await call().catch((error) => codes.push(error.code)); \
        return [codes, typeof scripted.then, typeof files.write, Object.keys(scripted).join(), (await scripted) === scripted, scripted]";
    for start in [Start::Fork, Start::Spawn] {
        let mut config = Config::default();
        config.start = start;
        let runtime = Runtime::new(config)?;
        runtime.prepare(&scope).await?;
        let session = runtime.session(scope.clone(), host.clone());
        for _ in 0..3 {
            let outcome = session.run(program).await?;
            let asked = ["authorization_required"; 3];
            let expected = json!([asked, "undefined", "undefined", "authorize", true, {}]);
            ensure!(matches!(&outcome.end, End::Returned(value) if *value == expected), "{start:?}: {}", outcome.end);
            ensure!(outcome.authorizations.len() == 1, "{outcome:?}");
        }
        let straight = session.run("return await scripted.list_everything({ all: true })").await?;
        ensure!(straight.end.to_string().contains("needs the user's authorization"), "{}", straight.end);
        ensure!(straight.authorizations.len() == 1, "{straight:?}");
    }
    // Once it is authorized, what stood for its tools says so.
    let (ada, url, settings) = (Principal::new("ada"), server.url()?, OAuthSettings::default());
    let target = Target { server: "scripted", url: &url, settings: &settings };
    let consent = oauth.begin(&ada, target, &Url::parse("https://app.example/callback")?).await?;
    oauth.complete(&ada, &agree(&consent.link).await?).await?;
    let session = Runtime::new(Config::default())?.session(scope, host.clone());
    let outcome = session.run("try { await scripted.echo({}) } catch (error) { return [error.code, error.retryable] }").await?;
    ensure!(outcome.end.to_string() == r#"["unavailable",true]"# && server.http.count("tools/call") == 0, "{}", outcome.end);
    Ok(())
}
