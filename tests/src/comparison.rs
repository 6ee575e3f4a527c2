//! Code mode against classic MCP on the same tools: what is less, and by how much at least. Ten times as much as was measured is let
//! pass, and no time is looked at by itself: machines differ.

use anyhow::{Context as _, Result, ensure};
use isolet_comparison::{Comparison, StartUp};
use isolet_examples::comparison;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::node_packages::{self, NodePackages};
use crate::process_table::{self, until};
use crate::program::{isolet, servers};
use crate::roles;

/// The argument by which this binary compares, and the one by which it is the tracker's server.
pub(crate) const COMPARE_ARGUMENT: &str = "--compare";
pub(crate) const SERVE_ARGUMENT: &str = "--serve";
/// Starts that are measured.
const RUNS: usize = 10;

const TESTS: &[crate::upstream::Test] = &[
    ("comparison::one_call_on_few_tools_costs_no_more_as_a_program", one_call_on_few_tools),
    ("comparison::code_mode_costs_less_and_starts_sooner", compared),
    ("comparison::isolet_compare_goes_on_without_a_server_that_is_down", a_server_that_is_down),
    ("comparison::what_cannot_be_read_or_written_is_said_before_the_work", what_cannot_be_read_or_written),
];

/// What needs a server from npm.
const WITH_PACKAGES: &[node_packages::Test] =
    &[("comparison::a_ready_run_starts_ten_times_sooner_than_a_server_from_npm", a_server_from_npm)];

/// One trial for each test.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, test): &crate::upstream::Test| {
        let test = *test;
        Trial::test(*name, move || test().map_err(|error| format!("{error:#}").into()))
    };
    let mut trials: Vec<Trial> = TESTS.iter().map(trial).collect();
    trials.extend(node_packages::trials(WITH_PACKAGES));
    trials
}

/// Compares in a process of its own, which has to succeed and to say nothing on standard error.
fn compared() -> Result<()> {
    let output = roles::output_of(&[COMPARE_ARGUMENT], |command| command)?;
    let (said, errors) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    ensure!(output.status.success() && errors.is_empty(), "{}\n{said}\n{errors}", output.status);
    Ok(())
}

/// One call on the tools of recorded servers. With one tool that describes itself in 4,000 characters (`sequential-thinking`) there is nothing to save.
fn one_call_on_few_tools() -> Result<()> {
    const CALLS: [(&str, &str); 9] = [
        ("everything", "return await everything.get_sum({ a: 17, b: 25 })"),
        ("filesystem", "return await filesystem.read_text_file({ path: \"/srv/notes.txt\" })"),
        ("git", "return await git.git_status({ repo_path: \"/srv/web\" })"),
        ("gitlab", "return await gitlab.search_repositories({ search: \"web\" })"),
        ("memory", "return await memory.search_nodes({ query: \"ada\" })"),
        ("github", "return await github.get_issue({ owner: \"acme\", repo: \"web\", issue_number: 12 })"),
        ("playwright", "return await playwright.browser_navigate({ url: \"https://shop.example\" })"),
        ("notion", "return await notion.API_get_self()"),
        ("postman", "return await postman.getAuthenticatedUser()"),
    ];
    let tokio = tokio::runtime::Runtime::new()?;
    for (server, program) in CALLS {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../examples/definitions/{server}.json"));
        let recorded: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        let tools = recorded["tools"].as_array().context("no tools")?.clone();
        let scope = isolet::Catalog::load([(server, tools)])?.scope(&isolet::Grants::new().allow("*"))?;
        let answer = async |_: isolet::ToolCall| Ok(isolet::ToolReply::text("The answer of the tool."));
        let setting = isolet_comparison::Setting {
            scope,
            hosts: std::sync::Arc::new(move || isolet::tool_fn(answer)),
            servers: isolet::mcp::Configuration::default(),
            options: isolet::mcp::UpstreamOptions::default(),
            tasks: Vec::new(),
            runs: 1,
            progress: std::sync::Arc::new(|_| {}),
        };
        let task = isolet_comparison::Task { name: server.to_owned(), program: program.to_owned() };
        let cost = tokio.block_on(isolet_comparison::TaskCost::measure(&setting, &task))?;
        let said = format!("{server}: {} and {} tokens: {cost:?}", cost.code.tokens(), cost.classic.tokens());
        ensure!(cost.calls == 1 && cost.failure.is_none() && cost.calls_that_differ == 0, "{said}");
        ensure!(cost.code.round_trips == 1 && cost.classic.round_trips == 1, "{said}");
        ensure!(cost.code.tokens() <= cost.classic.tokens(), "{said}");
    }
    Ok(())
}

/// Is the tracker's MCP server.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let user = arguments.first().context("no user")?;
    tokio::runtime::Runtime::new()?.block_on(async {
        rmcp::ServiceExt::serve(comparison::server(user)?, rmcp::transport::stdio()).await?.waiting().await?;
        Ok(())
    })
}

/// Compares on the tracker, and looks at what comes out.
pub(crate) fn compare() -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let found = Comparison::make(comparison::setting(RUNS, &std::env::current_exe()?)?).await?;
        check_start_up(&found.start_up)?;
        check_context(&found)?;
        check_tasks(&found)?;
        check_shown(&found)?;
        let is_alone = || process_table::descendants_of(process_table::host()).is_empty();
        ensure!(until(std::time::Duration::from_secs(5), is_alone).await, "the comparison has left processes behind");
        Ok(())
    })
}

fn check_start_up(entries: &[StartUp]) -> Result<()> {
    let median = |way: &str| -> Result<f64> {
        let entry = entries.iter().find(|entry| entry.way.contains(way)).with_context(|| format!("no entry `{way}`"))?;
        Ok(entry.time.with_context(|| format!("{entry:?}"))?.median_ms)
    };
    let ready = median("forked ahead")?;
    // Measured: 25 in a debug build, more in a release build; and 2, 9 and 3.
    ensure!(ready * 2.5 < median("child `tracker`")?, "{entries:?}");
    ensure!(ready < median("forked on demand")? * 10.0, "{entries:?}");
    ensure!(ready < median("spawned")?, "{entries:?}");
    ensure!(median("classic MCP in this process")? < median("child `tracker`")?, "{entries:?}");
    Ok(())
}

fn check_context(found: &Comparison) -> Result<()> {
    let tokens: Vec<usize> = found.context.iter().map(|entry| entry.tokens).collect();
    let [list, code, search, both, whole, small, middle, large] = tokens[..] else { anyhow::bail!("{:?}", found.context) };
    ensure!(list > whole && list > code * 4 && list > search * 4 && both > list, "{:?}", found.context);
    ensure!(small <= 1000 && middle <= 2000 && large <= 4000 && small < middle && middle < large, "{:?}", found.context);
    ensure!(found.context.iter().all(|entry| entry.tokens < entry.bytes), "{:?}", found.context);
    Ok(())
}

fn check_tasks(found: &Comparison) -> Result<()> {
    ensure!(found.tasks.len() == 8, "{:?}", found.tasks);
    for task in &found.tasks {
        ensure!(task.failure.is_none() && task.calls_that_differ == 0, "{task:?}");
        ensure!(task.code.round_trips == 1 + task.code.lookups && task.code.lookups <= 1, "{task:?}");
        ensure!(task.classic.round_trips == task.calls && task.calls > 1 && task.waves <= task.calls, "{task:?}");
        ensure!(task.search.round_trips == task.calls + task.search.lookups && task.both.round_trips == 1, "{task:?}");
        ensure!(task.code.retries + task.classic.retries + task.both.retries == 0, "{task:?}");
        ensure!(task.code.tokens() < task.classic.tokens() && task.search.tokens() < task.classic.tokens(), "{task:?}");
        ensure!(task.code.host_ms > 0.0 && task.classic.host_ms > 0.0, "{task:?}");
    }
    // It asks for many at once.
    ensure!(found.tasks.iter().any(|task| task.name == "weekly-report" && task.waves * 3 < task.calls), "{:?}", found.tasks);
    // One that makes many calls: the model writes one program instead of each of them.
    let report = found.tasks.iter().find(|task| task.name == "weekly-report").context("no `weekly-report`")?;
    ensure!(
        report.code.round_trips * 3 < report.classic.round_trips && report.code.written_tokens < report.classic.written_tokens
    );
    // One that reads much and says little.
    let finder = found.tasks.iter().find(|task| task.name == "duplicate-finder").context("no `duplicate-finder`")?;
    ensure!(finder.code.read_bytes * 2 < finder.classic.read_bytes, "{finder:?}");
    Ok(())
}

/// Table, JSON and page say the same.
fn check_shown(found: &Comparison) -> Result<()> {
    let (table, json, page) = (found.to_string(), serde_json::to_value(found)?, found.page());
    for entry in &found.start_up {
        ensure!(table.contains(&entry.way) && page.contains(&entry.way), "{table}");
    }
    ensure!(json["context"][0]["tokens"] == found.context[0].tokens, "{json}");
    let bars = found.tasks.len() * 8 + found.context.len() + found.start_up.len();
    ensure!(page.matches("--length: ").count() == bars, "{page}");
    ensure!(table.starts_with(&found.headline()) && table.contains(&found.circumstances.date), "{table}");
    Ok(())
}

fn a_server_that_is_down() -> Result<()> {
    let place = tempfile::tempdir()?;
    let [config, task, page] = ["servers.json", "add.ts", "page.html"].map(|name| place.path().join(name));
    std::fs::write(&config, json!({ "mcpServers": servers(&["good", "exits"]) }).to_string())?;
    std::fs::write(&task, "const { a } = await good.echo({ a: 1 }); return a + (await good.echo({ a })).a")?;
    std::fs::write(&page, "an older page")?;
    let [config, task, page_path] = [&config, &task, &page].map(|path| path.to_string_lossy().into_owned());
    let arguments =
        ["compare", "--config", &config, "--task", &task, "--runs", "2", "--html", &page_path, "--json", "--deny", "good.b*"];
    let ran = isolet(&arguments)?;
    ensure!(ran.code == Some(0) && ran.errors.contains("isolet: server `exits` ended"), "{}\n{}", ran.output, ran.errors);
    let found: Value = serde_json::from_str(&ran.output)?;
    let down = found["start_up"].as_array().into_iter().flatten().find(|entry| entry["way"] == "classic MCP, child `exits`");
    let down = down.with_context(|| found.to_string())?;
    ensure!(down["time"].is_null() && down["failure"].to_string().contains("exit code 3"), "{down}");
    let task = &found["tasks"][0];
    ensure!(task["name"] == "add" && task["calls"] == 2 && task["classic"]["round_trips"] == 2, "{task}");
    ensure!(std::fs::read_to_string(&page)?.starts_with("<!doctype html>"));
    Ok(())
}

/// Measured: 300 times in a debug build.
fn a_server_from_npm(packages: &NodePackages) -> Result<()> {
    let place = tempfile::tempdir()?;
    let config = place.path().join("servers.json");
    let server = json!({ "command": "node", "args": [packages.server("server-everything"), "stdio"] });
    std::fs::write(&config, json!({ "mcpServers": { "everything": server } }).to_string())?;
    let ran = isolet(&["compare", "--config", &config.to_string_lossy(), "--runs", "10", "--json"])?;
    ensure!(ran.code == Some(0), "{}", ran.errors);
    let found: Value = serde_json::from_str(&ran.output)?;
    let median = |way: &str| -> Result<f64> {
        let entry = found["start_up"].as_array().into_iter().flatten().find(|entry| entry["way"] == way);
        entry.and_then(|entry| entry["time"]["median_ms"].as_f64()).with_context(|| format!("no `{way}` in {found}"))
    };
    ensure!(median("code mode, forked ahead")? * 10.0 < median("classic MCP, child `everything`")?, "{found}");
    Ok(())
}

fn what_cannot_be_read_or_written() -> Result<()> {
    let place = tempfile::tempdir()?;
    let config = place.path().join("servers.json");
    // A server that would not answer: nothing waits for it.
    std::fs::write(&config, json!({ "mcpServers": servers(&["silent"]) }).to_string())?;
    let (config, folder) = (config.to_string_lossy(), place.path().to_string_lossy());
    let compare = |option: &str, value: &str| isolet(&["compare", "--config", &config, option, value]);
    let nowhere = format!("{folder}/no/such/page.html");
    compare("--html", &nowhere)?.check(2, "", &["isolet: cannot write the page `", "no/such/page.html"])?;
    compare("--html", &folder)?.check(2, "", &["isolet: cannot write the page `", "it is a folder: name a file in it"])?;
    compare("--task", &nowhere)?.check(2, "", &["isolet: cannot read the program `"])?;
    compare("--runs", "0")?.check(2, "", &["--runs"])?;
    let left: Vec<_> = std::fs::read_dir(place.path())?.flatten().map(|entry| entry.file_name()).collect();
    ensure!(left == ["servers.json"], "{left:?}");
    Ok(())
}
