//! The JSON form of an outcome, held against its schema: whatever a program does.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{LowerLimits, Outcome};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::shared_runtime;

/// A program, what lowers its limits, and what its form has to say.
type Case = (&'static str, fn(&mut LowerLimits), fn() -> Value);

const CASES: &[Case] = &[
    ("return { a: [1, null] }", |_| {}, || json!({ "end": "returned", "value": { "a": [1, null] }, "repair_safe": true })),
    ("", |_| {}, || json!({ "end": "returned", "value": null })),
    ("```ts\n7\n```", |_| {}, || json!({ "end": "returned", "value": 7 })),
    (
        "console.warn('w'); console.log('l'); throw new RangeError('no', { cause: new Error('why') })",
        |_| {},
        || json!({ "end": "threw" }),
    ),
    ("throw 7", |_| {}, || json!({ "end": "threw", "error": { "name": "Thrown" } })),
    ("return 1 +", |_| {}, || json!({ "end": "threw", "error": { "name": "SyntaxError" } })),
    ("await test.add({ a: 'x' })", |_| {}, || json!({ "end": "threw" })),
    (
        "return missing",
        |_| {},
        || json!({ "end": "threw", "error": { "name": "ReferenceError", "line": 1 }, "repair_safe": true }),
    ),
    (
        "for (;;) {}",
        |limits| limits.wall_max = Some(Duration::from_millis(100)),
        || json!({ "end": "stopped", "stop": { "kind": "wall" } }),
    ),
    (
        "for (;;) {}",
        |limits| limits.cpu_max = Some(Duration::from_millis(100)),
        || json!({ "end": "stopped", "stop": { "kind": "cpu" } }),
    ),
    (
        "const a = []; for (;;) a.push(new Array(1000).fill({}))",
        |_| {},
        || json!({ "end": "stopped", "stop": { "kind": "heap" } }),
    ),
    (
        "return 'x'.repeat(1000)",
        |limits| limits.result_bytes_max = Some(100),
        || json!({ "end": "stopped", "stop": { "kind": "output" } }),
    ),
    ("await new Promise(() => {})", |_| {}, || json!({ "end": "stopped", "stop": { "kind": "deadlock" } })),
];

/// One trial for each claim.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, test): (&str, fn() -> anyhow::Result<()>)| {
        Trial::test(format!("outcome_form::{name}"), move || test().map_err(|error| format!("{error:#}").into()))
    };
    [
        ("every_outcome_is_as_its_schema_says", every_outcome as fn() -> _),
        ("a_model_is_told_of_an_error_in_some_400_tokens", short_messages),
        ("calls_are_told_to_a_model_where_they_were_not_answered", calls_for_a_model),
    ]
    .map(trial)
    .into()
}

/// Both forms of an outcome, valid; and where the schema was wide open, it would not matter: it refuses what is no form.
fn forms(outcome: &Outcome) -> anyhow::Result<[Value; 2]> {
    let schema: Value = serde_json::from_str(Outcome::json_schema())?;
    let validator = jsonschema::validator_for(&schema)?;
    for wrong in [json!({}), json!({ "end": "returned" }), json!({ "end": "threw", "value": 1, "message": "m" })] {
        ensure!(!validator.is_valid(&wrong), "the schema takes {wrong}");
    }
    let forms = [outcome.to_json(), outcome.to_brief_json()];
    for form in &forms {
        let errors: Vec<String> = validator.iter_errors(form).map(|error| error.to_string()).collect();
        ensure!(errors.is_empty(), "{form}: {errors:?}");
    }
    let known = schema["properties"].as_object().context("the schema has no properties")?;
    let unknown =
        forms.iter().flat_map(|form| form.as_object()).flat_map(|form| form.keys()).find(|key| !known.contains_key(*key));
    ensure!(unknown.is_none(), "{unknown:?} is not in the schema");
    Ok(forms)
}

/// Whether `whole` has every member of `part`, at every depth.
fn has(whole: &Value, part: &Value) -> bool {
    match part {
        Value::Object(members) => members.iter().all(|(name, member)| has(&whole[name], member)),
        part => whole == part,
    }
}

fn every_outcome() -> anyhow::Result<()> {
    for (program, lower, expected) in CASES {
        let outcome = shared_runtime::run(lower, program)?;
        let [form, brief] = forms(&outcome)?;
        ensure!(has(&form, &expected()), "`{program}`: {form}");
        ensure!(form["run"] == outcome.run.to_string() && form["version"] == 1, "`{program}`: {form}");
        let also = ["end", "value", "message"].into_iter().find(|name| brief.get(name) != form.get(name));
        ensure!(also.is_none(), "`{program}`: {also:?} of {brief} is not as in {form}");
    }
    Ok(())
}

fn calls_for_a_model() -> anyhow::Result<()> {
    let program =
        "console.log('l'); console.warn('w');\nawait test.echo({ value: 'a' });\nawait test.fail({}).catch(() => 0);\nreturn 1";
    let outcome = shared_runtime::run(|_| {}, program)?;
    let [form, brief] = forms(&outcome)?;
    ensure!(form["calls"][0]["end"] == "answered" && form["calls"][1]["end"] == "tool_failed", "{form}");
    ensure!(brief["calls"] == json!([{ "path": "test.fail", "line": 3, "end": "tool_failed" }]), "{brief}");
    ensure!(brief["console"] == json!([{ "text": "l" }, { "level": "warn", "text": "w" }]), "{brief}");
    Ok(())
}

fn short_messages() -> anyhow::Result<()> {
    for program in [
        "throw new Error('b' + 'x'.repeat(100000) + 'e')",
        "throw new Error('b', { cause: new Error('c'.repeat(100000), { cause: new Error('d'.repeat(10000)) }) })",
        "throw new AggregateError(Array.from({ length: 100 }, (_, n) => new Error('e'.repeat(n * 100))), 'many')",
        "throw 'y'.repeat(100000)",
        "await Promise.all(Array.from({ length: 50 }, () => test.echo({ value: 1 }))); throw new Error('z'.repeat(100000))",
        "await test.fail({ message: 'w'.repeat(100000) })",
    ] {
        let outcome = shared_runtime::run(|_| {}, program)?;
        let message = outcome.message();
        ensure!(
            message.len() <= 1600 && (message.contains("main.ts:1:") || message.starts_with("Thrown: ")),
            "{} bytes: {message:.2000}",
            message.len()
        );
    }
    Ok(())
}
