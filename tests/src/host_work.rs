//! What the host does for runs, reading, checking and searching: measured, charged to the run, within its limits, and no neighbour's loss. Each
//! check in a host of its own: they measure time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use isolet::mcp;
use isolet::{Catalog, Config, End, Event, Grants, Runtime, Scope, Session, Stop, ToolCall, ToolError, ToolHost, ToolReply};
use libtest_mimic::Trial;
use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use serde_json::{Value, json};

use crate::process_table::until;
use crate::roles::{self, Check};
use crate::shared_runtime::lowered;

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--host-work-host";

const SOON: Duration = Duration::from_secs(30);

const CHECKS: &[Check] = &[
    ("arguments_that_are_too_much_work_are_a_tool_error", || roles::drive(too_much_work())),
    ("a_reply_that_is_too_much_work_is_not_checked_and_a_warning_says_so", || roles::drive(unchecked_reply())),
    ("checks_use_up_the_processor_time_of_their_run", || roles::drive(charged())),
    ("a_check_does_not_outlast_the_time_of_its_run", || roles::drive(within_the_wall())),
    ("a_cancelled_run_does_not_wait_for_a_check", || roles::drive(cancelled())),
    ("searches_are_in_the_cost_of_their_run", || roles::drive(searches())),
    ("heavy_checks_of_one_user_delay_no_other", || roles::drive(neighbours())),
    ("a_classic_call_has_the_same_bounds", || roles::drive(classic())),
];

/// One trial a check.
pub(crate) fn trials() -> Vec<Trial> {
    roles::trials_of("host_work", HOST_ARGUMENT, CHECKS)
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

/// Answers `reply` with a long list, anything else at once.
struct Tools;

impl ToolHost for Tools {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        match call.tool.as_str() {
            "reply" => {
                let count = call.arguments.get("count").and_then(Value::as_u64).unwrap_or_default();
                Ok(Value::from_iter((0..count).map(|_| if count == 1 { "none of them" } else { "form 999" })).into())
            }
            _ => Ok(json!(1).into()),
        }
    }
}

/// Whatever is in such a list is compared with a thousand values.
fn list() -> Value {
    let forms: Vec<Value> = (0..1000).map(|form| json!({ "type": "string", "const": format!("form {form}") })).collect();
    json!({ "type": "array", "items": { "anyOf": forms } })
}

fn scope() -> anyhow::Result<Scope> {
    let tools = vec![
        json!({ "name": "take", "inputSchema": { "type": "object", "properties": { "list": list() } } }),
        json!({ "name": "reply", "inputSchema": { "type": "object" }, "outputSchema": list() }),
        json!({ "name": "numbers", "inputSchema": { "type": "object", "properties": { "list": { "type": "array", "items": { "type": "integer" } } }, "required": ["more"] } }),
        json!({ "name": "any", "inputSchema": { "type": "object" } }),
    ];
    Ok(Catalog::load([("work", tools)])?.scope(&Grants::new().allow("*"))?)
}

/// A session whose runs may take their time.
fn session() -> anyhow::Result<Session> {
    let mut config = Config::default();
    (config.limits.wall_max, config.limits.cpu_max) = (Duration::from_secs(200), Duration::from_secs(100));
    Ok(Runtime::new(config)?.session(scope()?, Tools))
}

/// Half a megabyte of numbers, and no `more`: read, checked and refused.
const REFUSED: &str = "const list = Array.from({ length: 100_000 }, (_, at) => at);\n\
    const call = () => work.numbers({ list }).catch((error) => error.code);\n";

async fn too_much_work() -> anyhow::Result<()> {
    let session = session()?;
    let program = "const list = (length) => ({ list: Array.from({ length }, () => 'form 999') });\n\
        const told = async (length) => { try { return await work.take(list(length)) } catch (error) { return [error.code, error.message] } };\n\
        return [await told(1), await told(60_000)];";
    let outcome = session.run(program).await?;
    let End::Returned(value) = &outcome.end else { anyhow::bail!("{}", outcome.end) };
    ensure!(value[0] == 1, "{value}");
    ensure!(value[1][0] == "too_much_work", "{value}");
    let message = value[1][1].as_str().unwrap_or_default();
    ensure!(message.contains("`work.take`") && message.ends_with("send less at a time"), "{message}");
    ensure!(outcome.cost.host_cpu > Duration::ZERO, "{:?}", outcome.cost);
    Ok(())
}

async fn unchecked_reply() -> anyhow::Result<()> {
    let outcome = session()?
        .run("return [(await work.reply({ count: 1 })).length, (await work.reply({ count: 100_000 })).length]")
        .await?;
    ensure!(outcome.end == End::Returned(json!([1, 100_000])), "{}", outcome.end);
    let warnings: Vec<_> = outcome.calls.iter().map(|call| call.warnings.join("; ")).collect();
    ensure!(warnings[0].starts_with("/0: none of its forms matches"), "{warnings:?}");
    ensure!(warnings[1] == "the reply was not checked against its schema: it would take too much work", "{warnings:?}");
    Ok(())
}

async fn charged() -> anyhow::Result<()> {
    let limit = Duration::from_millis(700);
    let session = session()?;
    // Made once: the program itself has little to do for each further call.
    let program = format!("{REFUSED} for (;;) await Promise.all(Array.from({{ length: 8 }}, call));");
    let outcome = session.run_with(&program, lowered(|limits| limits.cpu_max = Some(limit))).await?;
    ensure!(outcome.end == End::Stopped(Stop::Cpu { limit }), "{}", outcome.end);
    let cost = &outcome.cost;
    ensure!(cost.host_cpu > Duration::ZERO && cost.cpu + cost.host_cpu >= limit, "{cost:?}");
    ensure!(cost.cpu < limit, "it is the host's time that was used up: {cost:?}");
    Ok(())
}

/// Begins more checks than can be made soon.
fn backlog() -> String {
    format!("{REFUSED} return (await Promise.all(Array.from({{ length: 100 }}, call))).length")
}

async fn within_the_wall() -> anyhow::Result<()> {
    let limit = Duration::from_millis(500);
    let session = session()?;
    let began = Instant::now();
    let outcome = session.run_with(&backlog(), lowered(|limits| limits.wall_max = Some(limit))).await?;
    ensure!(matches!(outcome.end, End::Stopped(Stop::Wall { .. })), "{}", outcome.end);
    ensure!(began.elapsed() < limit * 6, "it ended after {:?}", began.elapsed());
    Ok(())
}

async fn cancelled() -> anyhow::Result<()> {
    let session = session()?;
    let (events, mut seen) = tokio::sync::mpsc::channel(1000);
    let mut options = lowered(|_| {});
    options.events = Some(events);
    let cancel = options.cancel.clone();
    let cancelling = async {
        while !matches!(seen.recv().await, None | Some(Event::Called { .. })) {}
        cancel.cancel();
        Instant::now()
    };
    let program = backlog();
    let (outcome, cancelled) = tokio::join!(session.run_with(&program, options), cancelling);
    ensure!(outcome?.end == End::Stopped(Stop::Cancelled));
    ensure!(cancelled.elapsed() < Duration::from_secs(2), "it ended {:?} after it was cancelled", cancelled.elapsed());
    Ok(())
}

async fn searches() -> anyhow::Result<()> {
    let outcome = session()?
        .run("return (await tools.search('numbers')).length > 0 && (await tools.describe('work.any')).length > 0")
        .await?;
    ensure!(outcome.end == End::Returned(true.into()), "{}", outcome.end);
    ensure!(outcome.cost.host_cpu > Duration::ZERO, "{:?}", outcome.cost);
    Ok(())
}

/// How long each of some small runs takes, which call a tool.
async fn small_runs(session: &Session, count: usize) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for number in 0..count {
        let began = Instant::now();
        let outcome = session.run(&format!("return (await work.any({{ number: {number} }})) + {number}")).await?;
        ensure!(outcome.end == End::Returned((number + 1).into()), "{}", outcome.end);
        times.push(began.elapsed());
    }
    times.sort();
    Ok(times)
}

/// The hostile one keeps the host's threads busy with checks. Its neighbour's runs take somewhat longer, as beside any load, and never wait for one.
async fn neighbours() -> anyhow::Result<()> {
    let mut config = Config::default();
    config.limits.cpu_max = Duration::from_secs(100);
    let runtime = Runtime::new(config)?;
    let (scope, tools) = (scope()?, || Tools);
    runtime.prepare(&scope).await?;
    let neighbour = runtime.session(scope.clone(), tools());
    small_runs(&neighbour, 20).await?;
    let alone = small_runs(&neighbour, 100).await?;
    let hostile = Arc::new(runtime.session(scope, tools()));
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let hostile = Arc::clone(&hostile);
        runs.spawn(async move {
            hostile.run(&format!("{REFUSED} for (;;) await Promise.all(Array.from({{ length: 8 }}, call));")).await
        });
    }
    ensure!(until(SOON, || runtime.metrics().held_bytes > 1 << 20).await, "{:?}", runtime.metrics());
    let beside = small_runs(&neighbour, 100).await?;
    ensure!(runtime.metrics().held_bytes > 0, "the hostile one has ended");
    let (median, worst) = (beside[beside.len() / 2], beside[beside.len() * 99 / 100]);
    ensure!(
        median < alone[alone.len() / 2] * 10 + Duration::from_millis(20),
        "{median:?} beside, {:?} alone",
        alone[alone.len() / 2]
    );
    ensure!(worst < Duration::from_secs(1), "{worst:?} at the worst");
    runs.abort_all();
    Ok(())
}

async fn classic() -> anyhow::Result<()> {
    let mut config = Config::default();
    config.limits.wall_max = Duration::from_millis(300);
    let session = Runtime::new(config)?.session(scope()?, Tools);
    let (there, here) = mcp::channel();
    tokio::spawn(session.serve_classic(there));
    let client = ().serve(here).await?;
    let called = async |tool: &'static str, arguments: Value| -> anyhow::Result<Value> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let result = client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await?;
        Ok(serde_json::to_value(result)?)
    };
    let too_much = called("work__take", json!({ "list": vec!["form 999"; 60_000] })).await?;
    let code = &too_much["_meta"]["io.isolet/error"]["code"];
    // On a busy machine its time may be over before.
    ensure!(*code == "too_much_work" || *code == "timed_out", "{too_much}");
    let fine = called("work__take", json!({ "list": ["form 999"] })).await?;
    ensure!(fine["isError"] != true, "{fine}");
    Ok(())
}
