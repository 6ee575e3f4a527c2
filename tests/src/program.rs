//! The program `isolet` as people use it, rightly and wrongly: what it writes, the exit code, and that nothing of it is left.
//!
//! This binary plays the program: `server/src/main.rs` is [`isolet_server::run_command_line`] and nothing else.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::process_table;
use crate::{misbehaving_server, roles};

/// The first argument of the program; its own follow.
pub(crate) const ARGUMENT: &str = "--isolet-program";
/// The exit code of a program that has left processes behind.
const LEFT_BEHIND: u8 = 99;
/// How long what has been ended may take to be gone.
const SOON: Duration = Duration::from_secs(5);

/// Every test of this module.
pub(crate) const TESTS: &[crate::upstream::Test] = &[
    ("program::the_value_goes_to_standard_output_and_all_else_to_standard_error", the_value_goes_to_standard_output),
    ("program::what_was_assumed_is_said_on_standard_error", what_was_assumed_is_said_on_standard_error),
    ("program::standard_input_is_a_program_too", standard_input_is_a_program_too),
    ("program::what_is_denied_is_not_there", what_is_denied_is_not_there),
    ("program::what_a_listing_shows_can_be_denied", what_a_listing_shows_can_be_denied),
    ("program::a_pattern_that_names_nothing_is_said_or_is_exit_2", a_pattern_that_names_nothing),
    ("program::a_wrong_command_line_configuration_or_file_is_exit_2", what_the_caller_got_wrong),
    ("program::a_program_that_is_none_is_shown_where", a_program_that_is_none_is_shown_where),
    ("program::a_tool_that_fails_is_exit_1_with_its_words", a_tool_that_fails),
    ("program::a_server_that_fails_is_named_and_the_others_go_on", a_server_that_fails),
    ("program::one_malformed_tool_is_left_out_with_its_reason", one_malformed_tool),
    ("program::without_any_server_it_is_exit_4", without_any_server),
    ("program::lethal_programs_are_exit_3_in_their_time", lethal_programs),
    ("program::an_outcome_as_json_says_how_it_ended", an_outcome_as_json),
];

/// Is the program, if the command line says so, and looks for what it has left behind.
pub(crate) fn play() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let code = isolet_server::run_command_line(std::iter::once("isolet".into()).chain(arguments));
    // Without tokio: some tests leave this process no descriptor for it.
    let started = Instant::now();
    // One that has ended and is not reaped goes with this process.
    while process_table::descendants_of(process_table::host()).into_iter().any(process_table::is_alive) {
        if started.elapsed() > SOON {
            return Some(ExitCode::from(LEFT_BEHIND));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Some(code)
}

/// How a call of the program ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ran {
    /// Exit code and standard output are these, and standard error has each of these texts; nothing at all if there are none.
    pub(crate) fn check(&self, code: i32, output: &str, errors: &[&str]) -> Result<()> {
        let said = format!("exit code {:?}, standard output:\n{}\nstandard error:\n{}", self.code, self.output, self.errors);
        ensure!(self.code == Some(code), "exit code {code} is expected: {said}");
        ensure!(self.output.trim_end() == output, "the standard output `{output}` is expected: {said}");
        for text in errors {
            ensure!(self.errors.contains(text), "`{text}` is expected: {said}");
        }
        ensure!(!errors.is_empty() || self.errors.is_empty(), "an empty standard error is expected: {said}");
        Ok(())
    }
}

/// Calls the program with these arguments.
pub(crate) fn isolet(arguments: &[&str]) -> Result<Ran> {
    let output = roles::output_of(&[&[ARGUMENT], arguments].concat(), |command| command)?;
    Ok(Ran { code: output.status.code(), output: String::from_utf8(output.stdout)?, errors: String::from_utf8(output.stderr)? })
}

/// `isolet run` of `program` with these servers and options.
pub(crate) fn run(program: impl AsRef<[u8]>, servers: Value, options: &[&str]) -> Result<Ran> {
    let place = tempfile::tempdir()?;
    let [source, config] = ["main.ts", "servers.json"].map(|name| place.path().join(name));
    std::fs::write(&source, program)?;
    std::fs::write(&config, json!({ "mcpServers": servers }).to_string())?;
    let (source, config) = (source.to_string_lossy(), config.to_string_lossy());
    isolet(&[&["run", &source, "--config", &config], options].concat())
}

/// The misbehaving server in each of these modes, under the mode's name.
pub(crate) fn servers(modes: &[&str]) -> Value {
    let executable = std::env::current_exe().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let server =
        |mode: &&str| ((*mode).to_owned(), json!({ "command": executable, "args": [misbehaving_server::ARGUMENT, mode] }));
    Value::Object(modes.iter().map(server).collect::<Map<_, _>>())
}

fn the_value_goes_to_standard_output() -> Result<()> {
    run("const said = await good.echo({ a: 1 }); return `${said.a} is a text`", servers(&["good"]), &["--deny", "good.b*"])?
        .check(0, "1 is a text", &["isolet: tool \"broken\""])?;
    run("console.log('working'); return { a: [1] }", json!({}), &[])?.check(0, "{\n  \"a\": [\n    1\n  ]\n}", &["working"])?;
    run("", json!({}), &[])?.check(0, "null", &["note: the program returned nothing"])
}

fn what_was_assumed_is_said_on_standard_error() -> Result<()> {
    let program = "```ts\nconst a = 1;\na + 2\n```";
    let [fence, expression] = ["note: the text is Markdown", "note: the program has no `return`"];
    run(program, json!({}), &[])?.check(0, "3", &[fence, expression])?;
    let outcome: Value = serde_json::from_str(&run(program, json!({}), &["--json"])?.output)?;
    ensure!(outcome["notes"].as_array().is_some_and(|notes| notes.len() == 2), "{outcome}");
    let outcome: Value = serde_json::from_str(&run("return 3", json!({}), &["--json"])?.output)?;
    ensure!(outcome["notes"] == json!([]), "{outcome}");
    Ok(())
}

fn standard_input_is_a_program_too() -> Result<()> {
    let place = tempfile::tempdir()?;
    let source = place.path().join("main.ts");
    std::fs::write(&source, "const n: number = 6; return n * 7")?;
    let source = std::fs::File::open(source)?;
    let output = roles::output_of(&[ARGUMENT, "run", "-"], |command| command.stdin(source))?;
    ensure!(output.status.success() && output.stdout == b"42\n", "{output:?}");
    Ok(())
}

fn what_is_denied_is_not_there() -> Result<()> {
    let source = "return [typeof silent, typeof good.echo, typeof good.die]";
    // A server that is denied as a whole is not even started: this one would not answer.
    let both = servers(&["good", "silent"]);
    let broken = "isolet: tool \"broken\"";
    run(source, both.clone(), &["--deny", "silent.*", "--deny", "good.die"])?.check(
        0,
        "[\n  \"undefined\",\n  \"function\",\n  \"undefined\"\n]",
        &[broken],
    )?;
    run("return await good.die({})", both, &["--deny", "silent.*", "--allow", "good.echo"])?.check(
        1,
        "",
        &["TypeError: there is no tool `good.die`"],
    )
}

fn what_a_listing_shows_can_be_denied() -> Result<()> {
    let place = tempfile::tempdir()?;
    let config = place.path().join("servers.json");
    std::fs::write(&config, json!({ "mcpServers": servers(&["complete"]) }).to_string())?;
    let listed = isolet(&["tools", "--config", &config.to_string_lossy()])?;
    let line = listed.output.lines().find(|line| line.contains("(complete.delete-many)"));
    let Some(path) = line.and_then(|line| line.split_whitespace().next()) else { bail!("{}", listed.output) };
    let source = "return [typeof complete.echo, Object.keys(complete).length]";
    for pattern in [path, "complete.delete-many", "complete.delete_many", "*.delete_*"] {
        run(source, servers(&["complete"]), &["--deny", pattern])?.check(0, "[\n  \"function\",\n  1\n]", &[])?;
    }
    Ok(())
}

fn a_pattern_that_names_nothing() -> Result<()> {
    let run = |options: &[&str]| run("return 1", servers(&["complete"]), options);
    let no_echo = "isolet: there is no tool `complete.ecko`, the nearest are complete.echo: correct the name or remove it";
    run(&["--deny", "complete.ecko"])?.check(2, "", &[no_echo])?;
    run(&["--allow", "complete.*", "--allow", "complete.ecko"])?.check(2, "", &[no_echo])?;
    run(&["--allow", "complete.*", "--allow", "nosuch.*"])?.check(2, "", &["isolet: `nosuch.*` allows no tool"])?;
    run(&["--allow", "complete.echo", "--deny", "complete.*"])?.check(2, "", &["isolet: `complete.echo` allows no tool"])?;
    run(&["--deny", "completed.*"])?.check(0, "1", &["isolet: `completed.*` matches no tool: correct it or remove it"])
}

fn what_the_caller_got_wrong() -> Result<()> {
    let place = tempfile::tempdir()?;
    let path = |name: &str| place.path().join(name).to_string_lossy().into_owned();
    let [program, config, nowhere] = ["main.ts", "servers.json", "nowhere"].map(path);
    std::fs::write(&program, "return 1")?;
    std::fs::write(&config, "{\"mcpServers\": {\"a\": {\"command\": 7}}}")?;
    isolet(&["run", &nowhere])?.check(2, "", &[&format!("isolet: cannot read the program `{nowhere}`: No such file")])?;
    isolet(&["run", &program, "--config", &nowhere])?.check(2, "", &["isolet: cannot read the configuration `"])?;
    isolet(&["run", &program, "--config", &config])?.check(
        2,
        "",
        &["isolet: the configuration is wrong at `mcpServers.a.command`"],
    )?;
    isolet(&["run", &program, "--wall-max", "0"])?.check(2, "", &["--wall-max"])?;
    isolet(&["walk", &program])?.check(2, "", &["unrecognized subcommand 'walk'"])?;
    run("return 1", json!({}), &["--allow", "[a"])?.check(2, "", &["isolet: ", "[a"])?;
    run(b"const a = 1;\nreturn '\xff'", json!({}), &[])?.check(2, "", &["is not UTF-8 at line 2: save it as UTF-8"])?;
    run(";;".repeat(128 << 10), json!({}), &[])?.check(0, "null", &["note: the program returned nothing"])?;
    run("1;".repeat(128 << 10) + "1", json!({}), &[])?.check(2, "", &["has more than 262144 bytes: split the work"])
}

fn a_program_that_is_none_is_shown_where() -> Result<()> {
    run("const a = 1;\nconst b = = 2;\nreturn a + b", json!({}), &[])?.check(
        1,
        "",
        &["SyntaxError: ", "\n    at main.ts:2:11\n2 | const b = = 2;\n  |           ^"],
    )
}

fn a_tool_that_fails() -> Result<()> {
    run("await good.fail({})", servers(&["good"]), &[])?.check(
        1,
        "",
        &["ToolError: no such issue\n    at main.ts:1:12\n1 | await good.fail({})"],
    )?;
    run("await good.ecko({})", servers(&["good"]), &[])?.check(
        1,
        "",
        &["there is no tool `good.ecko`", "nearest names: good.echo"],
    )?;
    run("await good.echo(7)", servers(&["good"]), &[])?.check(1, "", &["ToolError: ", "object"])
}

fn a_server_that_fails() -> Result<()> {
    let mut all = servers(&["exits", "good", "rubbish", "silent"]);
    all["missing"] = json!({ "command": "no-such-command-here" });
    let source = "return [await good.echo({ a: 1 }), await rubbish.echo({ b: 2 }), typeof exits]";
    let failures = [
        "isolet: server `exits` ended during the handshake with exit code 3; it wrote: `no licence file",
        "isolet: cannot start server `missing`: the command `no-such-command-here` is not there: install it",
        "isolet: server `silent` did not answer the handshake within 3s; on standard output it wrote: `Listening on port 80`",
    ];
    let expected = "[\n  {\n    \"a\": 1\n  },\n  {\n    \"b\": 2\n  },\n  \"undefined\"\n]";
    run(source, all, &["--start-max", "3"])?.check(0, expected, &failures)
}

fn one_malformed_tool() -> Result<()> {
    run("return Object.keys(good).length", servers(&["good"]), &[])?.check(
        0,
        "5",
        &["isolet: tool \"broken\"", "`inputSchema` does not describe an object"],
    )
}

fn without_any_server() -> Result<()> {
    run("return 1", servers(&["exits"]), &[])?.check(
        4,
        "",
        &["isolet: server `exits` ended", "isolet: no server could be used"],
    )
}

/// What is lethal to the process that runs V8: the program, and what is said.
const LETHAL: [(&str, &str); 3] = [
    ("while(true){}", "stopped: out of time: the limit is 1s"),
    (
        "const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length))",
        "stopped: out of memory: the heap's limit is 64 MiB",
    ),
    ("'x'.repeat(2**28).split('')", "stopped: out of memory: the heap's limit is 64 MiB"),
];

fn lethal_programs() -> Result<()> {
    for (source, expected) in LETHAL {
        let started = Instant::now();
        run(source, json!({}), &["--wall-max", "1"])?.check(3, "", &[expected])?;
        ensure!(started.elapsed() < SOON * 2, "`{source}` took {:?}", started.elapsed());
    }
    Ok(())
}

fn an_outcome_as_json() -> Result<()> {
    let parsed = |source: &str, code: i32| -> Result<Value> {
        let ran = run(source, servers(&["good"]), &["--json", "--wall-max", "1"])?;
        ensure!(ran.code == Some(code), "{}", ran.errors);
        Ok(serde_json::from_str(&ran.output)?)
    };
    let outcome = parsed("console.warn('careful'); await good.echo({ a: 1 }); return 7", 0)?;
    ensure!(outcome["end"] == "returned" && outcome["value"] == 7, "{outcome}");
    ensure!(outcome["console"] == json!([{ "level": "warn", "text": "careful" }]), "{outcome}");
    ensure!(outcome["calls"][0]["path"] == "good.echo" && outcome["calls"][0]["end"] == "answered", "{outcome}");
    let outcome = parsed("throw new RangeError('no')", 1)?;
    ensure!(
        outcome["end"] == "threw" && outcome["error"]["name"] == "RangeError" && outcome["error"]["line"] == 1,
        "{outcome}"
    );
    let outcome = parsed("while (true) {}", 3)?;
    ensure!(
        outcome["end"] == "stopped" && outcome["stop"]["message"].as_str().is_some_and(|reason| reason.contains("1s")),
        "{outcome}"
    );
    Ok(())
}
