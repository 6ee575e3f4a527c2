//! What a model is told of forty programs that go wrong, word for word: `tests/messages.txt`. `UPDATE_EXPECT=1` writes it anew.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use isolet::{End, LowerLimits};
use libtest_mimic::Trial;

use crate::shared_runtime;

/// The most bytes of one: some 400 tokens.
const BYTES_MAX: usize = 1600;

/// What goes wrong, a program that does it, and what lowers its limits. The scope has `test` and `hold`.
type Situation = (&'static str, &'static str, fn(&mut LowerLimits));

fn as_they_are(_: &mut LowerLimits) {}

const SITUATIONS: &[Situation] = &[
    ("a word of TypeScript is missing", "const a = ;\nreturn a", as_they_are),
    ("a bracket is not closed", "const a = [1, 2;\nreturn a", as_they_are),
    ("a string is not closed", "return 'it", as_they_are),
    ("a stray backtick", "const a = 1;`\nreturn a", as_they_are),
    ("`await` in a function that is not async", "[1].map((n) => await test.add({ a: n, b: 1 }));", as_they_are),
    ("Python", "result = await test.add(a=1, b=2)\nprint(result)\nreturn result", as_they_are),
    ("a shell command", "curl https://example.com/issues", as_they_are),
    ("an import", "import fs from 'fs';\nreturn fs.readFileSync('a')", as_they_are),
    ("`require`", "const axios = require('axios');\nreturn axios.get('https://example.com')", as_they_are),
    ("`fetch`", "const page = await fetch('https://example.com');\nreturn page.text()", as_they_are),
    ("the environment", "return process.env.TOKEN", as_they_are),
    ("a `Buffer`", "return Buffer.from('a').toString('base64')", as_they_are),
    ("the page", "return document.title", as_they_are),
    ("a name that is near a tool", "return await test.ad({ a: 1, b: 2 })", as_they_are),
    ("a namespace that is near one", "return await tests.add({ a: 1, b: 2 })", as_they_are),
    ("a tool by its MCP name", "return await test__add({ a: 1, b: 2 })", as_they_are),
    ("a tool that is not there", "return await test.delete_everything({})", as_they_are),
    ("a tool of `tools`", "return await tools.test.add({ a: 1, b: 2 })", as_they_are),
    ("a variable that is not there", "const total = 1;\nreturn totl", as_they_are),
    ("a parameter is left out", "return await test.add({ a: 1 })", as_they_are),
    ("a parameter of another type", "return await test.add({ a: 1, b: 'two' })", as_they_are),
    ("positional arguments", "return await test.add(1, 2)", as_they_are),
    (
        "an argument that is known only when it is called",
        "const b = ['x'][0];\nreturn await test.add({ a: 1, b })",
        as_they_are,
    ),
    (
        "the envelope of MCP is expected",
        "const reply = await test.echo({ value: 1 });\nreturn reply.content[0].text",
        as_they_are,
    ),
    ("JSON is expected", "const reply = await test.echo({ value: 1 });\nreturn JSON.parse(reply).value", as_they_are),
    ("a call is not awaited", "const reply = test.echo({ value: 1 });\nreturn reply.value.length", as_they_are),
    ("blocks of a value", "const reply = await test.echo({ value: 1 });\nreturn await tools.content(reply)", as_they_are),
    (
        "a tool that fails",
        "await test.echo({ value: 1 });\nreturn await test.fail({ message: 'the issue is locked' })",
        as_they_are,
    ),
    (
        "a tool that fails, with a cause",
        "try { await test.fail({ message: 'locked' }) } catch (cause) { throw new Error('cannot close', { cause }) }",
        as_they_are,
    ),
    ("an error of the program", "const issues = [];\nreturn issues[0].title", as_they_are),
    ("something is thrown that is no error", "throw { code: 7 }", as_they_are),
    ("too deep", "const deep = () => deep();\nreturn deep()", as_they_are),
    ("an integer that JavaScript rounds", "return await test.echo({ value: 9007199254740993 })", as_they_are),
    ("out of time", "await test.slow({ ms: 60000 });\nreturn 1", |limits| limits.wall_max = Some(Duration::from_millis(300))),
    ("out of processor time", "for (;;) {}", |limits| limits.cpu_max = Some(Duration::from_millis(100))),
    ("out of memory", "const all = [];\nfor (;;) all.push(new Array(1000).fill({}))", as_they_are),
    ("too many calls", "for (let n = 0; ; n++) await test.echo({ value: n })", |limits| limits.calls_max = Some(3)),
    ("a result that is too large", "return 'x'.repeat(1000)", |limits| limits.result_bytes_max = Some(100)),
    ("too much is printed", "for (;;) console.log('x'.repeat(100))", |limits| limits.console_bytes_max = Some(1000)),
    ("nothing can settle it", "await test.echo({ value: 1 });\nawait new Promise(() => {})", as_they_are),
];

/// One trial.
pub(crate) fn trials() -> Vec<Trial> {
    let name = "messages::what_a_model_is_told_is_what_the_golden_file_says";
    vec![Trial::test(name, || golden().map_err(|error| format!("{error:#}").into()))]
}

fn golden() -> anyhow::Result<()> {
    let mut text = String::new();
    for (what, program, lower) in SITUATIONS {
        let outcome = shared_runtime::run(*lower, program)?;
        let message = outcome.message();
        ensure!(!matches!(outcome.end, End::Returned(_)), "{what}: it returned {message}");
        ensure!(message.len() <= BYTES_MAX, "{what}: {} bytes: {message}", message.len());
        let safe = if outcome.is_repair_safe() { "repair is safe" } else { "calls were made" };
        let _ = write!(text, "# {what} ({safe})\n\n{program}\n\n{message}\n\n");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("messages.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, &text)?;
    }
    let expected = std::fs::read_to_string(&file)?;
    let difference = text.lines().zip(expected.lines()).find(|(is, was)| is != was);
    ensure!(text == expected, "{difference:?}: `UPDATE_EXPECT=1` writes {} anew", file.display());
    Ok(())
}
