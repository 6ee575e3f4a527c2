//! Every limit at its edge and one beyond it: at the edge a program does what it does without the limit, beyond it the limit's
//! own consequence follows and what had arrived is in the outcome.

mod extremes;
mod supply;

use std::time::Duration;

use anyhow::ensure;
use isolet::{CallEnd, Config, End, HEAP_BYTES_MIN, Limits, LowerLimits, RunError, Runtime, Stop, ToolErrorCode, Traffic};
use libtest_mimic::Trial;
use serde_json::json;

use crate::process_table::until;
use crate::roles::{self, Check};
use crate::shared_runtime::{lowered, returns, run, said, stops, with_session};
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--limit-host";

/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(10);

type Test = (&'static str, fn() -> anyhow::Result<()>);

const TESTS: &[Test] = &[
    ("wall_time_counts_waiting", wall_time),
    ("processor_time_does_not_count_waiting", processor_time),
    ("the_heap_ends_the_run", heap),
    ("a_buffer_beyond_the_budget_is_a_range_error", buffers),
    ("data_of_the_process_ends_the_run_below_the_heaps_limit", data),
    ("a_program_that_is_too_long_is_not_parsed", source_bytes),
    ("a_program_that_is_nested_too_deep_is_not_parsed", source_nesting),
    ("one_call_more_ends_the_run", calls),
    ("calls_beyond_those_in_flight_wait_with_their_line", calls_in_flight),
    ("arguments_that_are_too_long_are_a_tool_error", argument_bytes),
    ("a_reply_that_is_too_long_is_a_tool_error", reply_bytes),
    ("arguments_that_are_too_long_together_end_the_run", argument_bytes_total),
    ("replies_that_are_too_long_together_end_the_run", reply_bytes_total),
    ("a_run_lowers_what_it_names_and_nothing_else", lowered_alone),
    ("every_limit_can_be_at_its_extremes", extremes::extremes),
    ("runs_that_compute_are_let_in_by_cores_and_those_that_wait_are_not", supply::computing_runs),
    ("a_result_that_is_too_long_ends_the_run", result_bytes),
    ("console_bytes_end_the_run", console_bytes),
    ("console_lines_end_the_run", console_lines),
    ("the_stack_is_a_range_error", stack),
    ("a_client_does_not_raise_a_limit", raised),
    ("runs_beyond_those_that_live_wait_and_beyond_those_that_wait_are_refused", supply::live_runs),
    ("a_backlog_of_one_user_does_not_delay_another", supply::backlog),
    ("a_configuration_that_cannot_work_is_refused", configuration),
    ("no_more_runs_are_ready_than_the_configuration_says", supply::ready_runs),
    ("a_scope_that_has_its_zygote_takes_none_from_another", supply::kept_zygotes),
];

/// Checks that count processes: each in a host of its own.
const CHECKS: &[Check] = &[
    ("the_least_recently_used_zygote_makes_room", || roles::drive(supply::zygotes())),
    ("a_base_zygote_is_replaced_after_its_forks", || roles::drive(supply::base_zygote(|config| config.forks_max = 20))),
    ("a_base_zygote_is_replaced_after_its_time", || {
        roles::drive(supply::base_zygote(|config| config.zygote_age_max = Duration::from_millis(500)))
    }),
];

/// One trial for each limit.
pub(crate) fn trials() -> Vec<Trial> {
    let tests = TESTS.iter().map(|(name, test)| {
        Trial::test(format!("limits::{name}"), move || test().map_err(|error| format!("{error:#}").into()))
    });
    let checks = roles::trials_of("limits", HOST_ARGUMENT, CHECKS);
    tests.chain(checks).collect()
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

fn wall_time() -> anyhow::Result<()> {
    let limit = Duration::from_millis(300);
    let program = |ms: u32| {
        format!("console.log('before');\nawait test.echo({{ value: 1 }});\nawait test.slow({{ ms: {ms} }});\nreturn 'after';")
    };
    returns(&run(|limits| limits.wall_max = Some(limit * 20), &program(1))?, "after")?;
    let outcome = run(|limits| limits.wall_max = Some(limit), &program(60_000))?;
    stops(&outcome, Stop::Wall { limit, pending: 1 })?;
    ensure!(outcome.cost.wall >= limit, "it was stopped after {:?}", outcome.cost.wall);
    ensure!(said(&outcome) == ["before"], "{:?}", outcome.console);
    let calls: Vec<_> = outcome.calls.iter().map(|call| (&*call.path, call.line, &call.end)).collect();
    ensure!(calls == [("test.echo", 2, &CallEnd::Answered), ("test.slow", 3, &CallEnd::Cancelled)], "{calls:?}");
    Ok(())
}

fn processor_time() -> anyhow::Result<()> {
    let limit = Duration::from_millis(300);
    let waits = run(|limits| limits.cpu_max = Some(limit), "await test.slow({ ms: 900 }); return 'after'")?;
    returns(&waits, "after")?;
    ensure!(waits.cost.wall > limit && waits.cost.cpu < limit, "{:?}", waits.cost);
    let outcome = run(|limits| limits.cpu_max = Some(limit), "console.log('before'); await test.echo({}); for (;;);")?;
    stops(&outcome, Stop::Cpu { limit })?;
    // What the host did for it counts, too.
    ensure!(outcome.cost.cpu + outcome.cost.host_cpu >= limit, "it was stopped after {:?}", outcome.cost);
    ensure!(said(&outcome) == ["before"] && outcome.calls.len() == 1, "{outcome:?}");
    Ok(())
}

/// 24 MiB: the edge of a garbage-collected heap is no sharp one.
const HOLDS_24_MIB: &str = "console.log('before'); const kept = [];\n\
    for (let i = 0; i < 24; i++) kept.push(new Array(131_072).fill(i));\nreturn kept.length;";

fn heap() -> anyhow::Result<()> {
    returns(&run(|limits| limits.heap_bytes_max = Some(48 << 20), HOLDS_24_MIB)?, 24)?;
    let outcome = run(|limits| limits.heap_bytes_max = Some(16 << 20), HOLDS_24_MIB)?;
    stops(&outcome, Stop::Heap { limit: 16 << 20 })?;
    ensure!(said(&outcome) == ["before"], "{:?}", outcome.console);
    // The least heap is one that programs still run in.
    returns(&run(|limits| limits.heap_bytes_max = Some(0), "return [1, 2].map((n) => n * 2).join()")?, "2,4")?;
    stops(&run(|limits| limits.heap_bytes_max = Some(0), HOLDS_24_MIB)?, Stop::Heap { limit: HEAP_BYTES_MIN })
}

fn buffers() -> anyhow::Result<()> {
    let program = "const sizes = [];\n\
        for (const size of [1_000_000, 1_000]) try { sizes.push(new ArrayBuffer(size)) } catch (error) { return [sizes.length, error.name] }\n\
        return [sizes.length];";
    // The isolate's own buffers count: some bytes.
    returns(&run(|limits| limits.buffer_bytes_max = Some(1_001_100), program)?, json!([2]))?;
    returns(&run(|limits| limits.buffer_bytes_max = Some(1_000_999), program)?, json!([1, "RangeError"]))?;
    returns(&run(|limits| limits.buffer_bytes_max = Some(999_999), program)?, json!([0, "RangeError"]))?;
    // Refused whatever their size: the budget does not see them grow, or other threads use them.
    let program = "const refused = (make) => { try { make(); return 'made' } catch (error) { return error.name } };\n\
        return [refused(() => new ArrayBuffer(1, { maxByteLength: 2 })), refused(() => new ArrayBuffer(8).resize(1)), typeof SharedArrayBuffer]";
    returns(&run(|_| {}, program)?, json!(["RangeError", "TypeError", "undefined"]))
}

fn data() -> anyhow::Result<()> {
    let fills = "console.log('before'); const kept = []; for (;;) kept.push(new Array(10_000).fill(kept.length));";
    stops(&run(|_| {}, fills)?, Stop::Heap { limit: Limits::default().heap_bytes_max })?;
    // What is neither heap nor buffer takes its part of what is left for the heap.
    let less = |limits: &mut LowerLimits| (limits.data_bytes_max, limits.buffer_bytes_max) = (Some(0), Some(0));
    let outcome = run(less, fills)?;
    stops(&outcome, Stop::Data)?;
    ensure!(said(&outcome) == ["before"], "{:?}", outcome.console);
    returns(&run(less, "return 1 + 1")?, 2)
}

fn source_bytes() -> anyhow::Result<()> {
    let program = "return 1";
    returns(&run(|limits| limits.source_bytes_max = Some(program.len()), program)?, 1)?;
    let outcome = run(|limits| limits.source_bytes_max = Some(program.len() - 1), program)?;
    ensure!(
        outcome.end.to_string() == "RangeError: the program has 8 bytes, the limit is 7: split the work into several programs",
        "{}",
        outcome.end
    );
    Ok(())
}

fn source_nesting() -> anyhow::Result<()> {
    returns(&run(|limits| limits.source_nesting_max = Some(3), "return [[[1]]].flat(2)")?, json!([1]))?;
    let outcome = run(|limits| limits.source_nesting_max = Some(3), "return [[[[1]]]].flat(3)")?;
    ensure!(
        matches!(&outcome.end, End::Threw(error) if error.name == "SyntaxError" && error.column == Some(11)),
        "{}",
        outcome.end
    );
    Ok(())
}

fn calls() -> anyhow::Result<()> {
    let program = |calls: u32| format!("for (let i = 0; i < {calls}; i++) await test.echo({{ value: i }});\nreturn 'done'");
    returns(&run(|limits| limits.calls_max = Some(3), &program(3))?, "done")?;
    let outcome = run(|limits| limits.calls_max = Some(3), &program(4))?;
    stops(&outcome, Stop::Calls { limit: 3 })?;
    ensure!(outcome.calls.len() == 3 && outcome.calls.iter().all(|call| call.end == CallEnd::Answered), "{:?}", outcome.calls);
    stops(&run(|limits| limits.calls_max = Some(0), &program(1))?, Stop::Calls { limit: 0 })
}

fn calls_in_flight() -> anyhow::Result<()> {
    with_session(async |session, upstream| {
        let program = "const first = [1, 2, 3].map((id) => hold.until_told({ id }));\n\
            const later = hold.until_told({ id: 4 });\n\
            return (await Promise.all([...first, later])).map((held) => held.id);";
        let all_held = async {
            ensure!(until(SOON, || upstream.running() == 3).await, "{} calls in flight", upstream.running());
            upstream.tell(true);
            Ok(())
        };
        let (outcome, held) =
            tokio::join!(session.run_with(program, lowered(|limits| limits.calls_in_flight_max = Some(3))), all_held);
        held?;
        let outcome = outcome?;
        returns(&outcome, json!([1, 2, 3, 4]))?;
        let lines: Vec<_> = outcome.calls.iter().map(|call| call.line).collect();
        ensure!(lines == [1, 1, 1, 2], "lines {lines:?}");
        Ok(())
    })?;
    // At the edge none waits.
    with_session(async |session, upstream| {
        let options = lowered(|limits| limits.calls_in_flight_max = Some(4));
        let run =
            session.run_with("return (await Promise.all([1, 2, 3, 4].map((id) => hold.until_told({ id })))).length", options);
        let all_held = async {
            ensure!(until(SOON, || upstream.running() == 4).await, "{} calls in flight", upstream.running());
            upstream.tell(true);
            Ok(())
        };
        let (outcome, held) = tokio::join!(run, all_held);
        held?;
        returns(&outcome?, 4)
    })
}

/// `{"value":"…"}` of so many bytes, and what became of it.
fn echo_of(bytes: usize) -> String {
    let letters = bytes - r#"{"value":""}"#.len();
    format!(
        "try {{ return (await test.echo({{ value: 'x'.repeat({letters}) }})).value.length }} catch (error) {{ return [error.name, error.code] }}"
    )
}

fn argument_bytes() -> anyhow::Result<()> {
    returns(&run(|limits| limits.argument_bytes_max = Some(100), &echo_of(100))?, 88)?;
    returns(&run(|limits| limits.argument_bytes_max = Some(100), &echo_of(101))?, json!(["ToolError", "too_large"]))?;
    // The isolate counts characters, the host bytes: 50 of two bytes each are 112.
    let program = "try { await test.echo({ value: 'é'.repeat(50) }) } catch (error) { return [error.name, error.code] }";
    let outcome = run(|limits| limits.argument_bytes_max = Some(100), program)?;
    returns(&outcome, json!(["ToolError", "too_large"]))?;
    ensure!(
        outcome.calls.len() == 1 && outcome.calls[0].end == CallEnd::Failed(ToolErrorCode::TooLarge),
        "{:?}",
        outcome.calls
    );
    Ok(())
}

fn reply_bytes() -> anyhow::Result<()> {
    returns(&run(|limits| limits.reply_bytes_max = Some(100), &echo_of(100))?, 88)?;
    let outcome = run(|limits| limits.reply_bytes_max = Some(100), &echo_of(101))?;
    returns(&outcome, json!(["ToolError", "too_large"]))?;
    ensure!(
        outcome.calls.len() == 1 && outcome.calls[0].end == CallEnd::Failed(ToolErrorCode::TooLarge),
        "{:?}",
        outcome.calls
    );
    Ok(())
}

fn argument_bytes_total() -> anyhow::Result<()> {
    let program =
        format!("return [{}]", [echo_of(50).as_str(); 3].map(|echo| format!("await (async () => {{ {echo} }})()")).join(", "));
    returns(&run(|limits| limits.argument_bytes_total_max = Some(150), &program)?, json!([38, 38, 38]))?;
    let outcome = run(|limits| limits.argument_bytes_total_max = Some(149), &program)?;
    stops(&outcome, Stop::Traffic { what: Traffic::Arguments, limit: 149 })?;
    ensure!(outcome.calls.len() == 2, "{:?}", outcome.calls);
    Ok(())
}

fn reply_bytes_total() -> anyhow::Result<()> {
    let program = "const big = (bytes) => test.big({ bytes: bytes - 2 }); await big(50); await Promise.all([big(50), big(50)]); return 'done'";
    returns(&run(|limits| limits.reply_bytes_total_max = Some(150), program)?, "done")?;
    let outcome = run(|limits| limits.reply_bytes_total_max = Some(149), program)?;
    stops(&outcome, Stop::Traffic { what: Traffic::Replies, limit: 149 })?;
    ensure!(outcome.calls.iter().all(|call| call.end == CallEnd::Answered), "{:?}", outcome.calls);
    Ok(())
}

fn lowered_alone() -> anyhow::Result<()> {
    let mut config = Config::default();
    config.limits.calls_max = 1500;
    let tokio = tokio::runtime::Runtime::new()?;
    tokio.block_on(async {
        let session = Runtime::new(config)?.session(test_tools::scopes()?.test, TestTools(Upstream::new("user")));
        let program = "for (let call = 0; call < 1500; call++) await test.echo({}); return 'done'";
        returns(&session.run_with(program, lowered(|limits| limits.wall_max = Some(Duration::from_secs(29)))).await?, "done")
    })
}

fn result_bytes() -> anyhow::Result<()> {
    let text = "x".repeat(98);
    returns(&run(|limits| limits.result_bytes_max = Some(100), "console.log('before'); return 'x'.repeat(98)")?, text)?;
    let outcome = run(|limits| limits.result_bytes_max = Some(100), "console.log('before'); return 'x'.repeat(99)")?;
    stops(&outcome, Stop::Output { what: "the result has 101 bytes, the limit is 100 bytes".to_owned() })?;
    ensure!(said(&outcome) == ["before"], "{:?}", outcome.console);
    Ok(())
}

fn console_bytes() -> anyhow::Result<()> {
    let program = "console.log('12345'); console.log('67890'); return 'done'";
    returns(&run(|limits| limits.console_bytes_max = Some(10), program)?, "done")?;
    let outcome = run(|limits| limits.console_bytes_max = Some(9), program)?;
    stops(&outcome, Stop::Output { what: "the console's limit is 9 bytes".to_owned() })?;
    ensure!(said(&outcome) == ["12345"], "{:?}", outcome.console);
    Ok(())
}

fn console_lines() -> anyhow::Result<()> {
    let program = "console.log('first'); console.log('second'); return 'done'";
    returns(&run(|limits| limits.console_lines_max = Some(2), program)?, "done")?;
    let outcome = run(|limits| limits.console_lines_max = Some(1), program)?;
    stops(&outcome, Stop::Output { what: "the console's limit is 1 lines".to_owned() })?;
    ensure!(said(&outcome) == ["first"], "{:?}", outcome.console);
    Ok(())
}

fn stack() -> anyhow::Result<()> {
    let program = "const depth = (n) => n === 0 ? 0 : 1 + depth(n - 1); const deep = [];\n\
        for (const n of [1_000, 10_000_000]) try { deep.push(depth(n)) } catch (error) { deep.push(error.name) }\n\
        return deep;";
    returns(&run(|_| {}, program)?, json!([1_000, "RangeError"]))
}

fn raised() -> anyhow::Result<()> {
    let raise = |limits: &mut LowerLimits| {
        limits.calls_max = Some(u32::MAX);
        limits.console_lines_max = Some(u32::MAX);
        limits.result_bytes_max = Some(usize::MAX);
        limits.buffer_bytes_max = Some(usize::MAX);
    };
    let host = Limits::default();
    stops(&run(raise, "for (;;) await test.echo({})")?, Stop::Calls { limit: host.calls_max })?;
    stops(
        &run(raise, "for (;;) console.log('')")?,
        Stop::Output { what: format!("the console's limit is {} lines", host.console_lines_max) },
    )?;
    let outcome = run(raise, &format!("return 'x'.repeat({})", host.result_bytes_max))?;
    ensure!(matches!(outcome.end, End::Stopped(Stop::Output { .. })), "{}", outcome.end);
    let program = format!("try {{ new ArrayBuffer({}) }} catch (error) {{ return error.name }}", host.buffer_bytes_max + 1);
    returns(&run(raise, &program)?, "RangeError")
}

fn configuration() -> anyhow::Result<()> {
    type Spoil = fn(&mut Config);
    let spoilt: [(&str, Spoil); 3] = [
        ("limits.heap_bytes_max", |config| config.limits.heap_bytes_max = HEAP_BYTES_MIN - 1),
        ("live_runs_max", |config| config.live_runs_max = 0),
        ("limits.calls_in_flight_max", |config| config.limits.calls_in_flight_max = 0),
    ];
    for (field, spoil) in spoilt {
        let mut config = Config::default();
        spoil(&mut config);
        match Runtime::new(config) {
            Err(RunError::Configuration { what }) => ensure!(what.contains(field), "{field}: {what}"),
            other => anyhow::bail!("{field}: {other:?}"),
        }
    }
    let mut config = Config::default();
    config.limits.heap_bytes_max = HEAP_BYTES_MIN;
    Runtime::new(config)?;
    Ok(())
}
