//! Programs and their expected outcomes, found by walking `tests/cases`.
//!
//! `NAME.ts` is a program; its first lines `//! key: value` set what is special about it. `NAME.out` is what it gives: notes, console
//! lines, calls, the end. `UPDATE_EXPECT=1` rewrites the `.out` files. Each case is one test, in a session of one shared runtime.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use isolet::{
    CallEnd, Catalog, Config, Grants, Jit, LowerLimits, Outcome, RunOptions, Runtime, Scope, ToolCall, ToolError, ToolHost,
    ToolReply,
};
use libtest_mimic::Trial;
use serde_json::{Value, json};

/// The runtime of all cases, and a tokio runtime that outlives each of them.
struct Shared {
    tokio: tokio::runtime::Runtime,
    runtime: Runtime,
}

impl Shared {
    fn new(jit: Jit) -> anyhow::Result<Self> {
        let mut config = Config::default();
        config.jit = jit;
        Ok(Self { tokio: tokio::runtime::Runtime::new()?, runtime: Runtime::new(config)? })
    }
}

static SHARED: LazyLock<anyhow::Result<Shared>> = LazyLock::new(|| Shared::new(Jit::Off));

/// One test for each program, and one for all of them with native code.
pub(crate) fn trials() -> anyhow::Result<Vec<Trial>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut programs = Vec::new();
    walk(&folder, &mut programs)?;
    programs.sort();
    let all = programs.clone();
    let trials = programs.into_iter().map(|program| {
        let name = program.strip_prefix(&folder).unwrap_or(&program).with_extension("");
        let name = format!("cases::{}", name.to_string_lossy().replace('/', "::"));
        Trial::test(name, move || check(&program).map_err(|error| format!("{error:#}").into()))
    });
    let mut trials: Vec<_> = trials.collect();
    trials.push(Trial::test("cases::native_code_changes_no_outcome", move || {
        check_native(&all).map_err(|error| format!("{error:#}").into())
    }));
    Ok(trials)
}

fn walk(folder: &Path, programs: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, programs)?;
        } else if path.extension().is_some_and(|extension| extension == "ts") {
            programs.push(path);
        }
    }
    Ok(())
}

fn check(program: &Path) -> anyhow::Result<()> {
    let shared = SHARED.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let actual = actual(program, shared)?;
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return Ok(std::fs::write(program.with_extension("out"), actual)?);
    }
    compare(program, &actual)
}

fn check_native(programs: &[PathBuf]) -> anyhow::Result<()> {
    let shared = Shared::new(Jit::On)?;
    ensure!(shared.tokio.block_on(shared.runtime.isolation()).jit, "no native code");
    programs.iter().try_for_each(|program| compare(program, &actual(program, &shared)?))
}

/// What a program gives.
fn actual(program: &Path, shared: &Shared) -> anyhow::Result<String> {
    let source = std::fs::read_to_string(program)?;
    let limits = limits_of(&source)?;
    let options = RunOptions::default().with(|options| {
        options.limits = limits;
        options.clock_ms = Some(1_700_000_000_000);
        options.seed = Some([1, 2, 3, 4]);
    });
    let session = shared.runtime.session(scope()?, Tools);
    let outcome = shared.tokio.block_on(session.run_with(&source, options))?;
    Ok(text_of(&outcome))
}

fn compare(program: &Path, actual: &str) -> anyhow::Result<()> {
    let file = program.with_extension("out");
    let expected =
        std::fs::read_to_string(&file).with_context(|| format!("{}: set UPDATE_EXPECT=1 to make it", file.display()))?;
    if actual != expected {
        bail!("{} gave:\n{actual}\nexpected:\n{expected}", program.display());
    }
    Ok(())
}

/// What the first lines of a program lower.
fn limits_of(source: &str) -> anyhow::Result<LowerLimits> {
    let mut limits = LowerLimits::default();
    for line in source.lines().map_while(|line| line.strip_prefix("//! ")) {
        let (key, value) = line.split_once(": ").with_context(|| format!("`{line}` is no `key: value`"))?;
        let number: usize = value.parse().with_context(|| format!("`{value}` is no number"))?;
        match key {
            "wall_ms_max" => limits.wall_max = Some(Duration::from_millis(number as u64)),
            "cpu_ms_max" => limits.cpu_max = Some(Duration::from_millis(number as u64)),
            "calls_max" => limits.calls_max = Some(u32::try_from(number)?),
            "calls_in_flight_max" => limits.calls_in_flight_max = Some(u32::try_from(number)?),
            "argument_bytes_max" => limits.argument_bytes_max = Some(number),
            "reply_bytes_max" => limits.reply_bytes_max = Some(number),
            "result_bytes_max" => limits.result_bytes_max = Some(number),
            "console_bytes_max" => limits.console_bytes_max = Some(number),
            "console_lines_max" => limits.console_lines_max = Some(u32::try_from(number)?),
            "source_bytes_max" => limits.source_bytes_max = Some(number),
            "source_nesting_max" => limits.source_nesting_max = Some(number),
            "buffer_bytes_max" => limits.buffer_bytes_max = Some(number),
            _ => bail!("`{key}` is no key of a case"),
        }
    }
    Ok(limits)
}

pub(crate) fn scope() -> anyhow::Result<Scope> {
    let any = json!({ "type": "object" });
    let tools = vec![
        json!({ "name": "echo", "inputSchema": any, "outputSchema": { "type": "object", "properties": { "value": {} } } }),
        json!({ "name": "add", "inputSchema": { "type": "object", "properties": { "a": { "type": "number" }, "b": { "type": "number" } }, "required": ["a", "b"] } }),
        json!({ "name": "fail", "inputSchema": any }),
        json!({ "name": "get-sum", "inputSchema": any }),
        json!({ "name": "big", "inputSchema": any }),
        json!({ "name": "secret", "inputSchema": any }),
    ];
    Ok(Catalog::load([("test", tools)])?.scope(&Grants::new().allow("test.*").deny("test.secret"))?)
}

pub(crate) struct Tools;

impl ToolHost for Tools {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        let number = |name: &str| call.arguments.get(name).and_then(Value::as_f64).unwrap_or_default();
        match call.tool.as_str() {
            "echo" => Ok(ToolReply::from(Value::Object(call.arguments.as_map().clone()))),
            "add" | "get-sum" => Ok(ToolReply::from(json!({ "sum": number("a") + number("b") }))),
            "fail" => Err(ToolError::failed("it failed as it was told to")),
            "big" => Ok(ToolReply::text("x".repeat(100_000))),
            other => Err(ToolError::failed(format!("`{other}` must not be reached"))),
        }
    }
}

/// What can be compared: everything but times and sizes.
pub(crate) fn text_of(outcome: &Outcome) -> String {
    let notes = outcome.notes.iter().map(|note| format!("note: {note}\n"));
    let console = outcome.console.iter().map(|line| format!("{}: {}\n", line.level.as_str(), line.text));
    let calls = outcome.calls.iter().map(|call| {
        let end = match &call.end {
            CallEnd::Answered => "answered",
            CallEnd::Failed(code) => code.as_str(),
            CallEnd::Cancelled => "cancelled",
        };
        format!("call {} at line {}: {end}\n", call.path, call.line)
    });
    notes.chain(console).chain(calls).collect::<String>() + &outcome.end.to_string() + "\n"
}
