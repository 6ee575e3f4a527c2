//! The outcome of a program as the result of `run_code`: what a model reads, within its budget, and the images and audio that a client shows.

use isolet_bindings::ToolReply;
use rmcp::model::{CallToolResult, ContentBlock, ResultType};
use serde_json::{Value, json};

use super::fitted;
use super::options::{Results, ServeOptions};
use crate::host::kept_results::ResultsOfUser;
use crate::host::outcome::{End, Outcome};

/// A token is counted as so many bytes: to count what a program wrote, as a model's vocabulary has it, would be work of the host without end.
const BYTES_OF_A_TOKEN: usize = 3;
/// So much of the budget is the console's where the value needs all that it can get.
const PART_OF_CONSOLE: usize = 4;
/// The most characters of base64 that are passed on as one image.
const MEDIA_BYTES_MAX: usize = 8 << 20;

/// What a client gets.
pub(super) fn result_of(outcome: &Outcome, options: &ServeOptions, kept: &ResultsOfUser) -> CallToolResult {
    let mut form = outcome.to_brief_json();
    let media = form.get_mut("value").map(take_media).unwrap_or_default();
    fit(&mut form, outcome, options.result_tokens_max.saturating_mul(BYTES_OF_A_TOKEN), kept);
    let mut result = CallToolResult::structured(form);
    match options.results {
        Results::Both => {}
        Results::Text => result.structured_content = None,
        Results::Structured => result.content.clear(),
    }
    result.content.extend(media);
    result.is_error = Some(!matches!(outcome.end, End::Returned(_)));
    result.result_type = Some(ResultType::COMPLETE);
    result
}

/// Cuts value and console to `bytes_max`, and says how the next program gets all of the value.
fn fit(form: &mut Value, outcome: &Outcome, bytes_max: usize, kept: &ResultsOfUser) {
    let console = form.get("console").map_or(0, fitted::size).min(bytes_max / PART_OF_CONSOLE);
    if let Some(value) = form.get("value").and_then(|value| fitted::fitted(value, bytes_max - console)) {
        form["value"] = value;
        form["cut"] = cut_note(outcome, kept).into();
    }
    let value = form.get("value").map_or(0, fitted::size);
    if let Some(console) = form.get("console").and_then(|lines| fitted::fitted(lines, bytes_max.saturating_sub(value))) {
        form["console"] = console;
    }
}

/// How the next program gets the whole value.
fn cut_note(outcome: &Outcome, kept: &ResultsOfUser) -> String {
    let End::Returned(value) = &outcome.end else { return String::new() };
    let Ok(whole) = ToolReply::json(value) else { return String::new() };
    let bytes = whole.as_json().len();
    match kept.keep(whole) {
        Some(handle) => {
            let part = if value.is_object() { "" } else { ", or a part of it as `await tools.result(\"...\", from, to)`" };
            format!(
                "the value has {bytes} bytes and is not shown whole; the next program can read it for 10 minutes as \
                 `await tools.result(\"{handle}\")`{part}"
            )
        }
        None => format!("the value has {bytes} bytes and is not shown whole: return less"),
    }
}

/// Takes images and audio out of the value, where it is such a block or an array with some, and leaves a word in their place.
fn take_media(value: &mut Value) -> Vec<ContentBlock> {
    let places: &mut [Value] = match value {
        Value::Array(elements) => elements,
        other => std::slice::from_mut(other),
    };
    let mut media = Vec::new();
    for place in places {
        let Some(block) = media_of(place) else { continue };
        media.push(block);
        place["data"] = format!("shown as block {} beside this", media.len()).into();
    }
    media
}

/// The block that `value` is, if a client can show it.
fn media_of(value: &Value) -> Option<ContentBlock> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let (data, mime_type) = (text("data")?, text("mimeType")?);
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if data.is_empty() || data.len() > MEDIA_BYTES_MAX || !data.len().is_multiple_of(4) || !data.bytes().all(is_base64) {
        return None;
    }
    match text("type")? {
        "image" => Some(ContentBlock::image(data, mime_type)),
        "audio" => Some(ContentBlock::audio(data, mime_type)),
        _ => None,
    }
}

/// What `run_code` declares of its result: what is always there or says most. `runtime/schemas/outcome.json` has all of it; a model pays for each word here.
pub(super) fn output_schema() -> Value {
    json!({
        "type": "object",
        "properties": { "end": { "enum": ["returned", "threw", "stopped"] }, "value": {}, "message": { "type": "string" } },
        "required": ["end"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_a_client_can_show_are_taken_out() {
        let image = json!({ "type": "image", "data": "aGk=", "mimeType": "image/png" });
        let mut value = json!(["see", image, { "type": "audio", "data": "aGk=", "mimeType": "audio/wav" }]);
        assert_eq!(take_media(&mut value).len(), 2);
        assert_eq!(value[1]["data"], "shown as block 1 beside this");
        let mut alone = image;
        assert_eq!(take_media(&mut alone).len(), 1);
    }

    #[test]
    fn what_is_no_such_block_stays() {
        for mut value in [
            json!({ "type": "image", "data": "no base64!", "mimeType": "image/png" }),
            json!({ "type": "image", "data": "", "mimeType": "image/png" }),
            json!({ "type": "image", "data": "aGk=" }),
            json!({ "type": "text", "text": "t" }),
            json!({ "shot": { "type": "image", "data": "aGk=", "mimeType": "image/png" } }),
            json!(null),
        ] {
            let before = value.clone();
            assert!(take_media(&mut value).is_empty() && value == before, "{value}");
        }
    }
}
