//! Integers that JavaScript rounds, from a server's reply through a program and back: to the last digit, and as the types say.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::ensure;
use isolet::{Catalog, Config, End, Grants, Runtime, ToolCall, ToolError, ToolReply, tool_fn};
use libtest_mimic::Trial;
use serde_json::json;

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let drive = |test: fn() -> anyhow::Result<()>| move || test().map_err(|error| format!("{error:#}").into());
    vec![
        Trial::test("numbers::an_integer_of_64_bits_comes_as_its_digits_and_goes_back_to_the_last_one", drive(there_and_back)),
        Trial::test("numbers::an_integer_beyond_64_bits_goes_back_to_the_last_digit_too", drive(beyond_64_bits)),
        Trial::test("numbers::a_literal_that_javascript_rounds_is_told_before_anything_is_sent", drive(rounded)),
    ]
}

/// What a program gives on a server of rows with identifiers of 64 bits, what was sent to it, and the types.
fn ran(program: &str) -> anyhow::Result<(isolet::Outcome, Vec<String>, String)> {
    let id = json!({ "type": "integer", "format": "int64" });
    let row =
        json!({ "type": "object", "properties": { "id": id, "count": { "type": "integer" } }, "required": ["id", "count"] });
    let take = json!({ "type": "object", "properties": { "id": id, "ids": { "type": "array", "items": { "type": "integer", "maximum": u64::MAX } } } });
    let tools = vec![
        json!({ "name": "first", "inputSchema": { "type": "object" }, "outputSchema": row }),
        json!({ "name": "large", "inputSchema": { "type": "object" } }),
        json!({ "name": "take", "inputSchema": take }),
    ];
    let scope = Catalog::load([("rows", tools)])?.scope(&Grants::new().allow("*"))?;
    let types = scope.typescript().to_owned();
    let sent: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&sent);
    let host = tool_fn(move |call: ToolCall| {
        let seen = Arc::clone(&seen);
        async move {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{} {}", call.tool, call.arguments.as_json()));
            let (tool, id) = (call.tool, "123456789012345678901234567890");
            if tool == "large" {
                return Ok(ToolReply::raw(
                    serde_json::value::RawValue::from_string(format!(r#"{{"id":{id},"less":-{id}}}"#))
                        .map_err(|error| ToolError::failed(error.to_string()))?,
                ));
            }
            Ok(ToolReply::from(json!({ "id": 9_007_199_254_740_993_i64, "count": 3 })))
        }
    });
    let outcome = tokio::runtime::Runtime::new()?.block_on(async {
        let runtime = Runtime::new(Config::default())?;
        anyhow::Ok(runtime.session(scope, host).run(program).await?)
    })?;
    let sent = sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((outcome, sent, types))
}

fn there_and_back() -> anyhow::Result<()> {
    let program =
        "const { id, count } = await rows.first({});\nawait rows.take({ id, ids: [id, count] });\nreturn [id, count];";
    let (outcome, sent, types) = ran(program)?;
    ensure!(
        types.contains("id: number | string;")
            && types.contains("count: integer;")
            && types.contains("ids?: (number | string)[]"),
        "{types}"
    );
    ensure!(outcome.end == End::Returned(json!(["9007199254740993", 3])), "{:?}", outcome.end);
    ensure!(sent == ["first {}", r#"take {"id":9007199254740993,"ids":[9007199254740993,3]}"#], "{sent:?}");
    ensure!(
        outcome.notes.iter().any(|note| note.contains("9007199254740993")),
        "what was sent for it is not noted: {:?}",
        outcome.notes
    );
    Ok(())
}

fn beyond_64_bits() -> anyhow::Result<()> {
    let program = "const { id, less } = await rows.large({});\nawait rows.take({ id });\nawait rows.take({ id: less });\nreturn id + less;";
    let (outcome, sent, _) = ran(program)?;
    let digits = "123456789012345678901234567890";
    ensure!(outcome.end == End::Returned(json!(format!("{digits}-{digits}"))), "{:?}", outcome.end);
    let taken = ["".to_owned(), "-".to_owned()].map(|sign| format!(r#"take {{"id":{sign}{digits}}}"#));
    ensure!(sent[1..] == taken, "{sent:?}");
    let (outcome, sent, _) = ran("await rows.take({ id: 123456789012345678901234567890n });\nreturn 1;")?;
    ensure!(outcome.end == End::Returned(json!(1)) && sent == [taken[0].clone()], "{sent:?} {:?}", outcome.end);
    Ok(())
}

fn rounded() -> anyhow::Result<()> {
    for literal in ["9007199254740993", "-9007199254740993", "0x20000000000001", "9_007_199_254_740_993"] {
        let (outcome, sent, _) = ran(&format!("await rows.first({{}});\nawait rows.take({{ id: {literal} }});"))?;
        ensure!(sent.is_empty() && matches!(outcome.end, End::Threw(_)), "{literal}: {sent:?}");
        let message = outcome.message();
        let sign = if literal.starts_with('-') { "-" } else { "" };
        ensure!(message.contains(&format!("write \"{sign}9007199254740993\" instead of {literal}")), "{message}");
        ensure!(!message.contains("9007199254740992"), "{message}");
    }
    let (outcome, sent, _) = ran("await rows.take({ id: 9007199254740991 });\nreturn 1")?;
    ensure!(outcome.end == End::Returned(json!(1)) && sent.len() == 1, "{:?}", outcome.end);
    Ok(())
}
