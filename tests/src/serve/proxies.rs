//! Users whom a proxy has authenticated: it says who they are, and nobody else can.

use anyhow::{Result, ensure};
use isolet_http::Key;

use super::served::{Served, Visitor, servers};

const WHO: &str = "GET /v1/tools";

/// What a request with these header fields is answered.
async fn status(visitor: &Visitor, headers: &[(&str, &str)]) -> Result<u16> {
    Ok(visitor.ask(WHO, headers, "").await?.status)
}

fn deployment(proxy: &str, key: &Key) -> Result<String> {
    let servers = servers(&["complete"])?;
    Ok(format!("{proxy}\n{servers}[users.ada]\nallow = [\"*\"]\n[users.bob]\nallow = [\"*\"]\nkeys = [\"{}\"]\n", key.hash()))
}

pub(super) async fn a_listed_proxy() -> Result<()> {
    let key = Key::new()?;
    let trusted = deployment("[proxy]\naddresses = [\"127.0.0.0/8\"]\nuser_header = \"X-User\"", &key)?;
    let served = Served::start(&trusted, &[])?;
    let (nobody, bob) = (served.nobody(), served.visitor(&key));
    ensure!(status(&nobody, &[("X-User", "ada")]).await? == 200 && status(&bob, &[]).await? == 200);
    for (headers, expected) in [
        (&[][..], 401),
        (&[("X-User", "")], 401),
        (&[("X-User", "ada"), ("X-User", "bob")], 401),
        (&[("X-User", "eve")], 403),
        (&[("X-Forwarded-User", "ada")], 401),
        (&[("X-User", "Ada")], 403),
    ] {
        let said = status(&nobody, headers).await?;
        ensure!(said == expected, "{headers:?}: {said}");
    }
    // Whoever has a key says nothing else beside it.
    ensure!(status(&bob, &[("X-User", "ada"), ("X-User", "ada")]).await? == 401);
    // The same from an address that is not listed, with and without a key; and after the file was read again.
    served.read_again(&deployment("[proxy]\naddresses = [\"10.0.0.0/8\"]\nuser_header = \"X-User\"", &key)?)?;
    served.says("the file was read again, and is in force").await?;
    ensure!(status(&nobody, &[("X-User", "ada")]).await? == 401 && status(&bob, &[("X-User", "ada")]).await? == 401);
    ensure!(status(&bob, &[]).await? == 200);
    Ok(())
}

pub(super) async fn users_of_the_proxy() -> Result<()> {
    let proxy = "[proxy]\naddresses = [\"127.0.0.1\"]\nroles = [\"reader\"]\n[roles.reader]\nallow = [\"complete.echo\"]";
    let served = Served::start(&format!("{proxy}\n{}", servers(&["complete"])?), &[])?;
    let nobody = served.nobody();
    let tools = nobody.ask(WHO, &[("X-Forwarded-User", "eve@example.com")], "").await?.json()?;
    let paths: Vec<_> = tools["tools"].as_array().into_iter().flatten().map(|tool| tool["path"].clone()).collect();
    ensure!(paths == ["complete.echo"], "{tools}");
    // Nobody is let in as the one user of a file without users.
    ensure!(status(&nobody, &[]).await? == 401 && status(&nobody, &[("X-Forwarded-User", "local")]).await? == 200);
    Ok(())
}
