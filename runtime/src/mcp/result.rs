//! What a tool answered, as the guest gets it: the value that is meant, not the envelope around it.
//!
//! The result is taken from its JSON text and stays text: nothing is turned into a tree here, whatever its size.

use std::borrow::Cow;

use isolet_bindings::{ToolError, ToolErrorCode, ToolReply, visible};
use isolet_rpc::envelope::{object, present};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A `tools/call` result, as far as it matters here. Unknown members and unknown kinds of content are kept or ignored, never an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallResult<'text> {
    #[serde(borrow, default)]
    content: Option<&'text RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    structured_content: Option<&'text RawValue>,
    #[serde(default)]
    is_error: Option<bool>,
    #[serde(borrow, default)]
    result_type: Option<Cow<'text, str>>,
}

/// The text of a content block, if it is one of text.
#[derive(Deserialize)]
struct TextBlock<'text> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'text, str>,
    #[serde(borrow)]
    text: Cow<'text, str>,
}

/// What a content block is.
#[derive(Deserialize)]
struct Kind<'text> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'text, str>,
}

/// What fastmcp wraps around an output that is no object: `{"result": VALUE}`.
#[derive(Deserialize)]
struct Wrapped<'text> {
    #[serde(borrow)]
    result: &'text RawValue,
}

/// The reply in `result`, the JSON text of a `tools/call` result.
///
/// `structuredContent` if there is one (the value inside, if `is_wrapped`: [`isolet_bindings::Tool::unwraps_result`]). Else, where all blocks
/// are texts, what they say: an object or an array if the text is one, never a bare number, `null`, `true` or string, else the text itself;
/// of several always an array. Else all blocks, as they are. A `null` is no structured content if there are content blocks: some servers
/// write it for "none". The reply, or the error, has the result with it ([`ToolReply::with_result`]): for classic clients, and for `tools.content`.
///
/// # Errors
///
/// [`ToolErrorCode::ToolFailed`] with the whole text of the blocks if the result says `isError`; [`ToolErrorCode::InvalidReply`] if it is no
/// complete result.
pub fn reply(result: impl Into<String>, is_wrapped: bool) -> Result<ToolReply, ToolError> {
    let result = result.into();
    match value_of(&result, is_wrapped) {
        Ok(reply) => Ok(reply.with_result(result)),
        Err(error) if error.code == ToolErrorCode::ToolFailed => Err(error.with_result(result)),
        Err(error) => Err(error),
    }
}

fn value_of(result: &str, is_wrapped: bool) -> Result<ToolReply, ToolError> {
    let result: CallResult<'_> =
        object(result).map_err(|error| invalid(format_args!("a result that cannot be read ({error})")))?;
    match result.result_type.as_deref() {
        None | Some("complete") => {}
        Some("input_required") => return Err(invalid(format_args!("a question to the user, which cannot be asked here"))),
        Some(other) => return Err(invalid(format_args!("a result of the unknown type `{}`", other))),
    }
    let blocks: Vec<&RawValue> = match result.content {
        Some(content) => {
            serde_json::from_str(content.get()).map_err(|error| invalid(format_args!("content that is no list ({error})")))?
        }
        None => Vec::new(),
    };
    if result.is_error == Some(true) {
        return Err(ToolError::failed(failure_text(&blocks, result.structured_content)));
    }
    if let Some(value) = result.structured_content
        && (value.get() != "null" || blocks.is_empty())
    {
        let inner = object::<Wrapped<'_>>(value.get()).ok().filter(|_| is_wrapped);
        let reply = ToolReply::raw(inner.map_or(value, |wrapped| wrapped.result).to_owned());
        return Ok(match blocks.iter().find_map(|block| beside(block)) {
            Some(what) => reply.with_beside(what),
            None => reply,
        });
    }
    let texts: Option<Vec<_>> = blocks.iter().map(|block| text(block)).collect();
    let reply = match texts.as_deref() {
        Some([text]) => ToolReply::json(&Said::of(text)),
        Some(texts @ [_, ..]) => ToolReply::json(&texts.iter().map(|text| Said::of(text)).collect::<Vec<_>>()),
        Some([]) | None => ToolReply::json(&blocks),
    };
    reply.map_err(|error| invalid(format_args!("content that cannot be passed on ({error})")))
}

/// What a text block says.
#[derive(Serialize)]
#[serde(untagged)]
enum Said<'text> {
    /// The object or array that the text is.
    Json(&'text RawValue),
    Text(&'text str),
}

impl<'text> Said<'text> {
    fn of(text: &'text str) -> Self {
        let is_container = text.trim_ascii_start().starts_with(['{', '[']);
        let json = if is_container { serde_json::from_str(text).ok() } else { None };
        json.map_or(Self::Text(text), Self::Json)
    }
}

/// The text of `block`, or none if it is of another kind.
fn text<'text>(block: &'text RawValue) -> Option<Cow<'text, str>> {
    let block: TextBlock<'text> = object(block.get()).ok()?;
    (block.kind == "text").then_some(block.text)
}

/// A word for a block that no value beside it says again.
fn beside(block: &RawValue) -> Option<&'static str> {
    match &*object::<Kind<'_>>(block.get()).ok()?.kind {
        "image" => Some("an image"),
        "audio" => Some("audio"),
        "resource" => Some("a resource"),
        "resource_link" => Some("a link to a resource"),
        _ => None,
    }
}

/// All that a failed tool said: its text blocks, a line each; without any, its JSON.
fn failure_text(blocks: &[&RawValue], structured: Option<&RawValue>) -> String {
    let texts: Vec<_> = blocks.iter().filter_map(|block| text(block)).collect();
    if !texts.is_empty() {
        return texts.join("\n");
    }
    let said: Vec<&str> = blocks.iter().copied().chain(structured).map(RawValue::get).collect();
    if said.is_empty() { "the tool failed and did not say why".to_owned() } else { said.join("\n") }
}

/// `what` may quote the server: what serde expected otherwise, for one.
fn invalid(what: std::fmt::Arguments<'_>) -> ToolError {
    let what = what.to_string();
    let what = visible::line(&what);
    ToolError::new(
        ToolErrorCode::InvalidReply,
        format!("the server answered with {what}: tell its operator, or use another tool"),
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[track_caller]
    fn check(result: &str, expected: &str) {
        assert_eq!(reply(result, false).unwrap().as_json(), expected);
    }

    #[track_caller]
    fn check_error(result: &str, code: ToolErrorCode, expected: &str) {
        let error = reply(result, false).unwrap_err();
        assert_eq!(error.code, code);
        assert!(error.message.contains(expected), "{error}");
    }

    #[test]
    fn structured_content_comes_first_and_byte_for_byte() {
        check(
            r#"{"content": [{"type": "text", "text": "old"}], "structuredContent": {"n": 18446744073709551615, "a": [1.0, 1e2]}}"#,
            r#"{"n": 18446744073709551615, "a": [1.0, 1e2]}"#,
        );
        check(r#"{"structuredContent": [1]}"#, "[1]");
        check(r#"{"structuredContent": 0}"#, "0");
        check(r#"{"structuredContent": {"result": 1}}"#, r#"{"result": 1}"#);
    }

    #[test]
    fn what_is_beside_structured_content_and_no_text_has_a_word() {
        let of = |block: &str| {
            let result = format!(r#"{{"content": [{{"type":"text","text":"t"}},{block}], "structuredContent": {{}}}}"#);
            reply(result, false).unwrap().beside()
        };
        assert_eq!(of(r#"{"type":"image","data":"","mimeType":""}"#), Some("an image"));
        assert_eq!(of(r#"{"type":"resource_link","uri":"a:b"}"#), Some("a link to a resource"));
        assert_eq!((of(r#"{"type":"text","text":"t"}"#), of("7")), (None, None));
        assert_eq!(reply(r#"{"content": [{"type":"image"}]}"#, false).unwrap().beside(), None);
    }

    #[test]
    fn a_null_counts_only_without_content() {
        check(r#"{"structuredContent": null}"#, "null");
        check(r#"{"structuredContent": null, "content": []}"#, "null");
        check(r#"{"structuredContent": null, "content": [{"type": "text", "text": "yes"}]}"#, r#""yes""#);
    }

    #[test]
    fn a_wrapped_result_is_unwrapped_only_where_the_tool_says_so() {
        let result = r#"{"structuredContent": {"result": [1, 2]}}"#;
        assert_eq!(reply(result, true).unwrap().as_json(), "[1, 2]");
        assert_eq!(reply(result, false).unwrap().as_json(), r#"{"result": [1, 2]}"#);
        assert_eq!(reply(r#"{"structuredContent": [[1]]}"#, true).unwrap().as_json(), "[[1]]");
        assert_eq!(reply(r#"{"structuredContent": {"other": 1}}"#, true).unwrap().as_json(), r#"{"other": 1}"#);
    }

    #[test]
    fn a_single_text_is_the_object_or_array_that_it_is() {
        check(r#"{"content": [{"type": "text", "text": "{\"a\": 1}"}]}"#, r#"{"a": 1}"#);
        check(r#"{"content": [{"type": "text", "text": " [1]\n"}]}"#, "[1]");
        check(r#"{"content": [{"type": "text", "text": "{\"a\": 1} and more"}]}"#, r#""{\"a\": 1} and more""#);
        check(r#"{"content": [{"type": "text", "text": ""}]}"#, r#""""#);
    }

    #[test]
    fn a_text_that_is_a_json_scalar_stays_a_text() {
        for text in ["1.10", "true", "null", r#"\"quoted\""#, " 7 ", "9007199254740993"] {
            check(&format!(r#"{{"content": [{{"type": "text", "text": "{text}"}}]}}"#), &format!(r#""{text}""#));
        }
    }

    #[test]
    fn several_texts_are_an_array_of_what_each_would_be() {
        check(r#"{"content": [{"type":"text","text":"1"},{"type":"text","text":"{\"a\": 2}"}]}"#, r#"["1",{"a": 2}]"#);
    }

    #[test]
    fn other_content_is_passed_on_block_by_block() {
        check(
            r#"{"content": [{"type":"text","text":"1"},{"type":"image","data":""}]}"#,
            r#"[{"type":"text","text":"1"},{"type":"image","data":""}]"#,
        );
        check(r#"{"content": [{"type":"hologram","x":1}]}"#, r#"[{"type":"hologram","x":1}]"#);
        check(
            r#"{"content": [{"type":"resource","resource":{"uri":"a:b","text":"t"}}]}"#,
            r#"[{"type":"resource","resource":{"uri":"a:b","text":"t"}}]"#,
        );
        check("{}", "[]");
    }

    #[test]
    fn extra_members_change_nothing() {
        check(r#"{"tools": [], "messages": [], "contents": [], "_meta": {}, "structuredContent": {"a": 1}}"#, r#"{"a": 1}"#);
    }

    #[test]
    fn a_failure_keeps_its_whole_text() {
        let long = "x".repeat(100_000);
        check_error(
            &format!(r#"{{"isError": true, "content": [{{"type": "text", "text": "{long}"}}]}}"#),
            ToolErrorCode::ToolFailed,
            &long,
        );
        check_error(
            r#"{"isError": true, "content": [{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]}"#,
            ToolErrorCode::ToolFailed,
            "a\nb",
        );
        check_error(r#"{"isError": true, "structuredContent": {"why": 1}}"#, ToolErrorCode::ToolFailed, r#"{"why": 1}"#);
        check_error(r#"{"isError": true}"#, ToolErrorCode::ToolFailed, "did not say why");
    }

    #[test]
    fn what_is_no_result_is_an_error() {
        check_error("[]", ToolErrorCode::InvalidReply, "cannot be read");
        check_error(r#"{"content": "text"}"#, ToolErrorCode::InvalidReply, "content that is no list");
        check_error(r#"{"resultType": "input_required"}"#, ToolErrorCode::InvalidReply, "a question to the user");
        check_error(r#"{"resultType": "task"}"#, ToolErrorCode::InvalidReply, "unknown type `task`");
        let long = format!(r#"{{"content": [], "isError": "{}"}}"#, "\u{9b}".repeat(1 << 20));
        let error = reply(long, false).unwrap_err();
        assert!(error.message.len() < 3000 && error.message.chars().all(visible::is_visible), "{}", error.message);
    }
}
