//! A host without V8: `isolet` without the feature `guest`, whose runs are in the program `isolet` (`Config::executable`).
//!
//! Not built with the workspace, where another package turns the feature on: `cargo xtask test` builds it apart.

mod faces;
mod other_build;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{
    Catalog, Config, End, Grants, LowerLimits, Origin, Outcome, RunError, RunOptions, Runtime, Session, Start, StartReport,
    Stop, ToolCall, ToolError, ToolHost, ToolReply,
};
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};

/// The longest that one script of the attack corpus may take, beside its limits.
const GRACE: Duration = Duration::from_secs(2);

fn main() {
    isolet::init();
    if std::env::args().nth(1).as_deref() == Some(other_build::ARGUMENT) {
        return other_build::play(&program());
    }
    let trials = vec![
        trial("nothing_of_the_engine_or_of_mcp_is_in_it", async || nothing_of_the_engine()),
        trial("no_library_but_that_of_the_engine_needs_it", async || no_library_needs_the_engine()),
        trial("without_an_executable_there_is_no_runtime", async || no_executable()),
        trial("programs_end_as_they_do_elsewhere", endings),
        trial("limits_hold", limits),
        trial("both_faces_answer", both_faces),
        trial("attacks_are_contained", attacks),
        trial("runs_are_spawned_where_the_configuration_says_so", spawned),
        trial("an_executable_of_another_build_is_refused_in_one_sentence", other_build_is_refused),
        trial("an_executable_without_a_guest_side_says_so", own_executable),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial<Check>(name: &str, check: impl FnOnce() -> Check + Send + 'static) -> Trial
where
    Check: Future<Output = anyhow::Result<()>>,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(check()).map_err(|error| format!("{error:?}").into())
    })
}

/// The program `isolet`, as the workspace built it: what `ISOLET_PROGRAM` names, or the one in the target folder that this is in.
fn program() -> PathBuf {
    let built = || {
        let this = std::env::current_exe().ok()?;
        this.ancestors().map(|folder| folder.join("debug/isolet")).find(|path| path.is_file())
    };
    std::env::var_os("ISOLET_PROGRAM").map(PathBuf::from).or_else(built).unwrap_or_default()
}

fn config() -> Config {
    let mut config = Config::default();
    config.executable = Some(program());
    config
}

struct Tools;

impl ToolHost for Tools {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        match call.tool.as_str() {
            "echo" => Ok(ToolReply::from(Value::Object(call.arguments.as_map().clone()))),
            "slow" => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Ok(ToolReply::text("late"))
            }
            "fail" => Err(ToolError::failed("as asked")),
            _ => Err(ToolError::unknown_tool()),
        }
    }
}

fn session(runtime: &Runtime) -> anyhow::Result<Session> {
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    let catalog = Catalog::load([("test", vec![tool("echo"), tool("slow"), tool("fail")])])?;
    Ok(runtime.session(catalog.scope(&Grants::new().allow("test.*"))?, Tools))
}

fn host(config: Config) -> anyhow::Result<(Runtime, Session)> {
    ensure!(program().is_file(), "there is no program `isolet`: run `cargo xtask test`, or name it by `ISOLET_PROGRAM`");
    let runtime = Runtime::new(config)?;
    let session = session(&runtime)?;
    Ok((runtime, session))
}

/// The libraries that are published, but for the engine's own: each as it is built for somebody who depends on it alone, and at docs.rs.
const LIBRARIES: [&str; 8] = ["bindings", "rpc", "outbound", "observations", "openapi", "identity", "http", "comparison"];

fn no_library_needs_the_engine() -> anyhow::Result<()> {
    for library in LIBRARIES {
        let name = format!("isolet-{library}");
        none_of_the_engine_in(&tree(&["--package", &name])?)?;
    }
    none_of_the_engine_in(&tree(&["--package", "isolet", "--no-default-features", "--features", "mcp"])?)?;
    // What docs.rs builds of the program.
    none_of_the_engine_in(&tree(&["--package", "isolet-server", "--no-default-features"])?)
}

fn nothing_of_the_engine() -> anyhow::Result<()> {
    let tree = tree(&["--package", "isolet", "--no-default-features"])?;
    none_of_the_engine_in(&tree)?;
    ensure!(!tree.lines().any(|line| line.starts_with("rmcp ")), "{tree}");
    Ok(())
}

/// What is built of these packages, a line each.
fn tree(packages: &[&str]) -> anyhow::Result<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tree.args(["tree", "--locked", "--edges", "normal,build", "--prefix", "none"]).args(packages);
    let tree = tree.current_dir(workspace).output()?;
    ensure!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    Ok(String::from_utf8(tree.stdout)?)
}

fn none_of_the_engine_in(tree: &str) -> anyhow::Result<()> {
    ensure!(tree.starts_with("isolet"), "{tree}");
    let unwanted = |line: &&str| ["v8 ", "deno_core ", "serde_v8 ", "swc_"].iter().any(|name| line.starts_with(name));
    let found: Vec<_> = tree.lines().filter(unwanted).collect();
    ensure!(found.is_empty(), "{found:?}");
    Ok(())
}

fn no_executable() -> anyhow::Result<()> {
    let error = Runtime::new(Config::default()).err().context("a runtime without guests")?.to_string();
    ensure!(error.contains("set `Config::executable`") && error.contains("feature `guest`"), "{error}");
    Ok(())
}

async fn endings() -> anyhow::Result<()> {
    let (runtime, session) = host(config())?;
    ensure!(runtime.isolation().await.start == StartReport::Fork, "{:?}", runtime.isolation().await);
    runtime.prepare(session.scope()).await?;
    let returned = session.run("console.log('said'); return (await test.echo({ a: [1, 'grüße'] })).a").await?;
    ensure!(returned.end == End::Returned(json!([1, "grüße"])), "{:?}", returned.end);
    ensure!(returned.console.len() == 1 && returned.calls.len() == 1 && returned.cost.origin == Origin::Ready, "{returned:?}");
    let threw = session.run("const wrong: number = await test.fail({}); return wrong").await?;
    ensure!(
        matches!(&threw.end, End::Threw(error) if error.code.as_deref() == Some("tool_failed") && error.line == Some(1)),
        "{threw:?}"
    );
    let no_program = session.run("return (").await?;
    ensure!(matches!(&no_program.end, End::Threw(error) if error.name == "SyntaxError"), "{no_program:?}");
    let waits = session.run("await new Promise(() => {})").await?;
    ensure!(matches!(waits.end, End::Stopped(Stop::Deadlock { .. })), "{waits:?}");
    Ok(())
}

async fn run_within(session: &Session, source: &str, lower: impl FnOnce(&mut LowerLimits)) -> anyhow::Result<Outcome> {
    let mut options = RunOptions::default();
    lower(&mut options.limits);
    Ok(session.run_with(source, options).await?)
}

async fn limits() -> anyhow::Result<()> {
    let (_runtime, session) = host(config())?;
    let short = Some(Duration::from_millis(200));
    let wall = run_within(&session, "await test.slow({})", |limits| limits.wall_max = short).await?;
    ensure!(matches!(wall.end, End::Stopped(Stop::Wall { pending: 1, .. })), "{wall:?}");
    let cpu = run_within(&session, "for (;;) {}", |limits| limits.cpu_max = short).await?;
    ensure!(matches!(cpu.end, End::Stopped(Stop::Cpu { .. })), "{cpu:?}");
    let heap = "const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length + 0.5))";
    let heap = run_within(&session, heap, |limits| limits.heap_bytes_max = Some(16 << 20)).await?;
    ensure!(matches!(heap.end, End::Stopped(Stop::Heap { .. })), "{heap:?}");
    let calls = "for (let i = 0; i < 4; i++) await test.echo({})";
    let calls = run_within(&session, calls, |limits| limits.calls_max = Some(3)).await?;
    ensure!(matches!(calls.end, End::Stopped(Stop::Calls { limit: 3 })) && calls.calls.len() == 3, "{calls:?}");
    let output = run_within(&session, "for (;;) console.log('x')", |limits| limits.console_lines_max = Some(10)).await?;
    ensure!(matches!(output.end, End::Stopped(Stop::Output { .. })) && output.console.len() == 10, "{output:?}");
    Ok(())
}

async fn both_faces() -> anyhow::Result<()> {
    let (_runtime, session) = host(config())?;
    faces::check(&session).await
}

/// One script of the corpus in eight; all of it is run against the whole library. None gives `ESCAPED`, and the next program runs.
async fn attacks() -> anyhow::Result<()> {
    let (_runtime, session) = host(config())?;
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../attacks");
    let manifest: Vec<Value> = serde_json::from_slice(&std::fs::read(corpus.join("manifest.json"))?)?;
    let mut ran = 0;
    for script in manifest.iter().step_by(8) {
        let file = script["file"].as_str().context("a script without a file")?;
        let source = String::from_utf8_lossy(&std::fs::read(corpus.join(file))?).into_owned();
        let limit = Duration::from_secs(1);
        let run = run_within(&session, &source, |limits| (limits.wall_max, limits.cpu_max) = (Some(limit), Some(limit)));
        let outcome = tokio::time::timeout(limit + GRACE, run).await.with_context(|| file.to_owned())??;
        ensure!(
            !matches!(&outcome.end, End::Returned(Value::String(text)) if text.starts_with("ESCAPED")),
            "{file}: {outcome:?}"
        );
        let next = session.run("return 1 + 1").await?;
        ensure!(next.end == End::Returned(json!(2)), "after {file}: {next:?}");
        ran += 1;
    }
    ensure!(ran >= 19, "{ran}");
    Ok(())
}

async fn spawned() -> anyhow::Result<()> {
    let mut config = config();
    config.start = Start::Spawn;
    let (runtime, session) = host(config)?;
    runtime.prepare(session.scope()).await?;
    ensure!(runtime.metrics().snapshots_made == 1, "{:?}", runtime.metrics());
    let outcome = session.run("return (await test.echo({ a: 1 })).a").await?;
    ensure!(outcome.end == End::Returned(json!(1)) && outcome.cost.origin == Origin::Spawned, "{outcome:?}");
    Ok(())
}

/// What a run says whose executable cannot be its guest.
async fn refusal_of(executable: PathBuf) -> anyhow::Result<String> {
    let mut reasons = Vec::new();
    for start in [Start::Fork, Start::Spawn] {
        let mut config = config();
        (config.executable, config.start) = (Some(executable.clone()), start);
        let (_runtime, session) = host(config)?;
        match session.run("return 1").await {
            Err(RunError::Refused { reason }) => reasons.push(reason),
            other => anyhow::bail!("{start:?}: {other:?}"),
        }
    }
    ensure!(reasons[0] == reasons[1], "{reasons:?}");
    Ok(reasons.remove(0))
}

async fn other_build_is_refused() -> anyhow::Result<()> {
    let folder = Arc::new(tempfile::tempdir()?);
    let reason = refusal_of(other_build::executable(folder.path())?).await?;
    ensure!(reason.starts_with("its executable is of another build of isolet (0."), "{reason}");
    ensure!(reason.contains("set `Config::executable` to a program of the same version"), "{reason}");
    Ok(())
}

async fn own_executable() -> anyhow::Result<()> {
    let reason = refusal_of(std::env::current_exe()?).await?;
    ensure!(reason.starts_with("its executable was built without the feature `guest`"), "{reason}");
    Ok(())
}
