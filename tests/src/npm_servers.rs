//! Two MCP servers that nobody here wrote, as npm has them: the reference servers `everything` and `filesystem`.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use isolet::mcp::{CommandServer, Configuration, Discovery, UpstreamHost, UpstreamOptions, Upstreams};
use isolet::{AskKind, CallEnd, Config, End, Grants, Outcome, Runtime};
use serde_json::json;

use crate::node_packages::{NodePackages, Test};
use crate::program;

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("npm_servers::every_tool_is_listed_and_none_is_left_out", every_tool_is_listed),
    ("npm_servers::a_server_offers_more_where_its_entry_lets_it_ask", a_server_offers_more),
    ("npm_servers::their_types_compile_under_strict", their_types_compile),
    ("npm_servers::one_program_calls_both", one_program_calls_both),
    ("npm_servers::what_they_refuse_keeps_its_words", what_they_refuse_keeps_its_words),
    ("npm_servers::the_program_isolet_runs_with_both", the_program_isolet_runs_with_both),
];

/// Both servers; `filesystem` may use `folder`.
fn servers(packages: &NodePackages, folder: &Path) -> Configuration {
    let server = |name: &str| packages.server(name).to_string_lossy().into_owned();
    let everything = CommandServer::new("node").with_args([server("server-everything"), "stdio".to_owned()]);
    let filesystem = CommandServer::new("node").with_args([server("server-filesystem"), folder.to_string_lossy().into_owned()]);
    Configuration::default().with("everything", everything).with("filesystem", filesystem)
}

/// Both servers, asked for their tools.
async fn asked(packages: &NodePackages, folder: &Path) -> Result<(Upstreams, UpstreamHost, Discovery)> {
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = upstreams.host(&servers(packages, folder), "ada");
    let discovery = host.discover().await?;
    ensure!(discovery.failures.is_empty(), "{:?}", discovery.failures);
    Ok((upstreams, host, discovery))
}

/// Runs a program with both servers, and ends them.
fn outcome_of(packages: &NodePackages, folder: &Path, source: &str) -> Result<Outcome> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let (upstreams, host, discovery) = asked(packages, folder).await?;
        let scope = discovery.catalog.scope(&Grants::new().allow("*"))?;
        let outcome = Runtime::new(Config::default())?.session(scope, host).run(source).await?;
        upstreams.close().await;
        Ok(outcome)
    })
}

fn every_tool_is_listed(packages: &NodePackages) -> Result<()> {
    let place = tempfile::tempdir()?;
    let (_, _, discovery) = tokio::runtime::Runtime::new()?.block_on(asked(packages, place.path()))?;
    ensure!(discovery.catalog.dropped().is_empty(), "{:?}", discovery.catalog.dropped());
    let scope = discovery.catalog.scope(&Grants::new().allow("*").deny("filesystem.write_file"))?;
    let count = |server: &str| scope.tools().iter().filter(|tool| tool.server() == server).count();
    ensure!((count("everything"), count("filesystem")) == (13, 13), "{:?}", scope.tools());
    // `get-sum` is no identifier, `echo` is one, and `write_file` is denied.
    let path = |server: &str, name: &str| {
        scope.tools().iter().find(|tool| tool.server() == server && tool.name() == name).map(|tool| tool.path().to_owned())
    };
    ensure!(path("everything", "echo").as_deref() == Some("everything.echo"));
    ensure!(path("everything", "get-sum").as_deref() == Some("everything.get_sum"));
    ensure!(path("filesystem", "write_file").is_none());
    Ok(())
}

/// It is told of what it may ask for, and of nothing else: what it then offers works.
fn a_server_offers_more(packages: &NodePackages) -> Result<()> {
    let all = [AskKind::Form, AskKind::Url, AskKind::Sampling, AskKind::Roots];
    let asking = ["get-roots-list", "trigger-elicitation-request", "trigger-sampling-request", "trigger-url-elicitation"];
    tokio::runtime::Runtime::new()?.block_on(async {
        for (asks, expected) in [(&[][..], &[][..]), (&all[..1], &asking[1..2]), (&all, &asking)] {
            let main = packages.server("server-everything").to_string_lossy().into_owned();
            let mut server = CommandServer::new("node").with_args([main, "stdio".to_owned()]);
            server.asks = asks.iter().copied().collect();
            let upstreams = Upstreams::new(UpstreamOptions::default());
            let discovery = upstreams.host(&Configuration::default().with("everything", server), "ada").discover().await?;
            let mut names: Vec<_> = discovery.catalog.tools().map(|tool| tool.name().to_owned()).collect();
            names.retain(|name| asking.contains(&name.as_str()));
            names.sort();
            ensure!(names == expected, "{asks:?}: {names:?}");
            ensure!(discovery.catalog.tools().count() == 13 + expected.len(), "{asks:?}: {discovery:?}");
            upstreams.close().await;
        }
        Ok(())
    })
}

fn their_types_compile(packages: &NodePackages) -> Result<()> {
    let place = tempfile::tempdir()?;
    let (_, _, discovery) = tokio::runtime::Runtime::new()?.block_on(asked(packages, place.path()))?;
    let scope = discovery.catalog.scope(&Grants::new().allow("*"))?;
    let types = place.path().join("types.d.ts");
    std::fs::write(&types, scope.typescript())?;
    let check = |name: &str, body: &str| -> Result<Option<String>> {
        let file = place.path().join(name);
        std::fs::write(&file, format!("export async function program() {{\n{body}\n}}\n"))?;
        packages.complaint(&[types.clone(), file])
    };
    let right = "const weather = await everything.get_structured_content({ location: 'Chicago' });
        const { content } = await filesystem.read_text_file({ path: 'a', head: 1 });
        return content.length + weather.temperature";
    if let Some(complaint) = check("right.ts", right)? {
        bail!("{complaint}");
    }
    for (name, wrong, expected) in [
        ("type.ts", "await everything.get_sum({ a: '1', b: 2 })", "Type 'string' is not assignable to type 'number'"),
        ("missing.ts", "await everything.get_sum({ a: 1 })", "Property 'b' is missing"),
        ("literal.ts", "await everything.get_structured_content({ location: 'Paris' })", "Type '\"Paris\"' is not assignable"),
        ("result.ts", "return (await filesystem.read_text_file({ path: 'a' })).text", "Property 'text' does not exist"),
    ] {
        let complaint = check(name, wrong)?.unwrap_or_default();
        ensure!(complaint.contains(expected), "`{wrong}`: {complaint}");
    }
    Ok(())
}

fn one_program_calls_both(packages: &NodePackages) -> Result<()> {
    let place = tempfile::tempdir()?;
    std::fs::write(place.path().join("numbers.txt"), "17 25\n")?;
    let folder = json!(place.path());
    let source = format!(
        "const folder: string = {folder};
        const {{ content }} = await filesystem.read_text_file({{ path: `${{folder}}/numbers.txt` }});
        const [a, b] = content.trim().split(' ').map(Number);
        const [sum, weather] = await Promise.all([
            everything.get_sum({{ a, b }}),
            everything.get_structured_content({{ location: 'Chicago' }}),
        ]);
        await filesystem.write_file({{ path: `${{folder}}/sum.txt`, content: String(sum) }});
        const image = await everything.get_tiny_image();
        return {{ sum, weather, kinds: image.map((block) => block.type) }};"
    );
    let outcome = outcome_of(packages, place.path(), &source)?;
    let End::Returned(value) = &outcome.end else { bail!("{}", outcome.end) };
    ensure!(value["sum"] == "The sum of 17 and 25 is 42.", "a single text block is that text: {value}");
    ensure!(value["weather"]["temperature"].is_number(), "structured content is the value: {value}");
    ensure!(value["kinds"] == json!(["text", "image", "text"]), "other content is passed on block by block: {value}");
    ensure!(std::fs::read_to_string(place.path().join("sum.txt"))? == "The sum of 17 and 25 is 42.");
    ensure!(outcome.calls.iter().all(|call| call.end == CallEnd::Answered && call.warnings.is_empty()), "{:?}", outcome.calls);
    Ok(())
}

fn what_they_refuse_keeps_its_words(packages: &NodePackages) -> Result<()> {
    let place = tempfile::tempdir()?;
    let source = "const errors = [];
        for (const call of [
            () => everything.get_sum({ a: 'one', b: 2 } as any),
            () => filesystem.read_text_file({ path: '/etc/passwd' }),
        ]) {
            try { await call() } catch (error) { errors.push([error instanceof ToolError, error.code, error.message]) }
        }
        return errors";
    let outcome = outcome_of(packages, place.path(), source)?;
    let End::Returned(value) = &outcome.end else { bail!("{}", outcome.end) };
    ensure!(value[0][0] == true && value[0][1] == "invalid_arguments", "refused before it reaches the server: {value}");
    ensure!(value[0][2].as_str().is_some_and(|text| text.contains("/a")), "the place is named: {value}");
    ensure!(value[1][0] == true && value[1][1] == "tool_failed", "an `isError` is a `ToolError`: {value}");
    let words = "Access denied - path outside allowed directories: /etc/passwd";
    ensure!(value[1][2].as_str().is_some_and(|text| text.contains(words)), "with the server's words: {value}");
    let outcome = outcome_of(packages, place.path(), "await everything.get_sun({})")?;
    ensure!(outcome.end.to_string().contains("nearest names: everything.get_sum"), "{}", outcome.end);
    Ok(())
}

fn the_program_isolet_runs_with_both(packages: &NodePackages) -> Result<()> {
    let place = tempfile::tempdir()?;
    std::fs::write(place.path().join("note.txt"), "from a file")?;
    let server = |name: &str, argument: &str| json!({ "command": "node", "args": [packages.server(name), argument] });
    let folder = place.path().to_string_lossy();
    let both =
        json!({ "everything": server("server-everything", "stdio"), "filesystem": server("server-filesystem", &folder) });
    let source = format!(
        "const {{ content }} = await filesystem.read_text_file({{ path: {} }}); return await everything.echo({{ message: content }})",
        json!(place.path().join("note.txt"))
    );
    program::run(source, both, &[])?.check(0, "Echo: from a file", &[])
}
