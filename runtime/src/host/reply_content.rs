//! The content blocks of a reply, for a program that asks for them with `tools.content`.
//!
//! They go with the value, in the same answer: nothing is kept here for a question that may come later. That a program asks is seen by two words
//! in its text. That is a guess which costs bytes alone: guest text is not parsed here.

use isolet_bindings::ToolReply;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Of a `tools/call` result, what it says block by block.
#[derive(Deserialize)]
struct Blocks<'text> {
    #[serde(borrow)]
    content: &'text RawValue,
}

/// A text block, for a value that came without blocks.
#[derive(Serialize)]
struct TextBlock<'text> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'text str,
}

/// Whether the program may call `tools.content`, under whatever name it has there.
pub(crate) fn is_named(source: &str) -> bool {
    [b"content".as_slice(), b"tools"].iter().all(|word| memchr::memmem::find(source.as_bytes(), word).is_some())
}

/// `[value, content blocks]`. A reply that came from no MCP result is one text block, as a server would have sent it.
pub(crate) fn beside_value(reply: &ToolReply) -> ToolReply {
    let value = reply.as_json();
    let blocks = match reply.result() {
        Some(result) => serde_json::from_str::<Blocks<'_>>(result).map_or("[]", |blocks| blocks.content.get()).to_owned(),
        None => text_block(value),
    };
    raw(format!("[{value},{blocks}]")).or_else(|| raw(format!("[{value},[]]"))).unwrap_or_else(|| reply.clone())
}

fn raw(json: String) -> Option<ToolReply> {
    RawValue::from_string(json).ok().map(ToolReply::raw)
}

fn text_block(value: &str) -> String {
    let said: Option<String> = serde_json::from_str(value).ok();
    let block = TextBlock { kind: "text", text: said.as_deref().unwrap_or(value) };
    serde_json::to_string(&[block]).unwrap_or_else(|_| "[]".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reply: &ToolReply, expected: &str) {
        assert_eq!(beside_value(reply).as_json(), expected);
    }

    #[test]
    fn the_blocks_of_the_result_stand_beside_the_value() {
        let result = r#"{"content": [{"type": "image", "data": "aGk="}], "structuredContent": {"n": 1}}"#;
        let reply = ToolReply::from(serde_json::json!({ "n": 1 }));
        check(&reply.clone().with_result(result), r#"[{"n":1},[{"type": "image", "data": "aGk="}]]"#);
        check(&reply.with_result(r#"{"structuredContent": {"n": 1}}"#), r#"[{"n":1},[]]"#);
    }

    #[test]
    fn a_value_without_a_result_is_one_text() {
        check(&ToolReply::text("a\"b"), r#"["a\"b",[{"type":"text","text":"a\"b"}]]"#);
        check(&ToolReply::from(serde_json::json!([1])), r#"[[1],[{"type":"text","text":"[1]"}]]"#);
    }

    #[test]
    fn only_a_program_that_names_both_words_may_ask() {
        assert!(is_named("const { content } = tools; return await content(a.b())"));
        assert!(!is_named("return (await fs.read({ path })).content"));
        assert!(!is_named("return tools.search('a')"));
    }
}
