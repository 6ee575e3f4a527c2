//! Results as text, for clients that read text: what their servers put into them arrives, in the form that each era of the protocol takes.

use std::borrow::Cow;
use std::sync::Arc;

use isolet_rpc::envelope::{object, text_in};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The longest output that is compared as a value with the text beside it, bytes: longer ones are compared as they are written.
const COMPARED_BYTES_MAX: usize = 64 << 10;

/// An object: its members in order, names and JSON texts.
struct Members<'text>(Vec<(Cow<'text, str>, Cow<'text, str>)>);

impl<'text> Members<'text> {
    fn get(&self, name: &str) -> Option<&Cow<'text, str>> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn remove(&mut self, name: &str) -> Option<Cow<'text, str>> {
        let place = self.0.iter().rposition(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    fn put(&mut self, name: &'static str, value: impl Into<Cow<'text, str>>) {
        match self.0.iter_mut().rev().find(|(known, _)| known == name) {
            Some((_, place)) => *place = value.into(),
            None => self.0.push((name.into(), value.into())),
        }
    }

    fn to_text(&self) -> String {
        let mut text = String::from("{");
        for (name, value) in &self.0 {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&Value::from(&**name).to_string());
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((name.into(), value.get().into()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// The `tools/call` result `whole` as clients of this era take it, on one line: since 2026-07-28 each says its type, and output may be any JSON;
/// before, output is an object. None if it is no object.
pub(super) fn result_text(whole: &str, is_modern: bool) -> Option<Arc<str>> {
    let mut members: Members<'_> = object(whole).ok()?;
    if is_modern {
        if members.get("resultType").is_none() {
            members.put("resultType", "\"complete\"");
        }
    } else {
        members.remove("resultType");
        if members.get("structuredContent").is_some_and(|output| !output.starts_with('{'))
            && let Some(output) = members.remove("structuredContent")
            && let Some(content) = with_output(members.get("content").map_or("[]", |content| content), &output)
        {
            members.put("content", content);
        }
    }
    Some(one_line(members.to_text()))
}

/// The blocks with `output` as a text before them, if it is not the first of them already. None if `content` is no list.
fn with_output(content: &str, output: &str) -> Option<String> {
    let blocks: Vec<&RawValue> = serde_json::from_str(content).ok()?;
    if blocks.first().is_some_and(|block| says(block, output)) {
        return None;
    }
    let first = json!({ "type": "text", "text": output }).to_string();
    let texts: Vec<&str> = std::iter::once(first.as_str()).chain(blocks.into_iter().map(RawValue::get)).collect();
    Some(format!("[{}]", texts.join(",")))
}

/// Whether `block` is a text of this very JSON.
fn says(block: &RawValue, output: &str) -> bool {
    #[derive(Deserialize)]
    struct Block<'text> {
        #[serde(borrow)]
        text: &'text RawValue,
    }

    let Some(text) = object::<Block<'_>>(block.get()).ok().and_then(|block| text_in(block.text)) else { return false };
    if text.trim() == output {
        return true;
    }
    let value = |json: &str| serde_json::from_str::<Value>(json).ok();
    text.len().max(output.len()) <= COMPARED_BYTES_MAX && value(&text).is_some_and(|said| value(output) == Some(said))
}

/// A result of any other kind as clients of this era take it. `life_ms`: how long it may be kept where its server does not say, if it may be kept at all;
/// it is this user's alone.
pub(super) fn other_result_text(whole: &str, is_modern: bool, life_ms: Option<u64>) -> Option<Arc<str>> {
    let mut members: Members<'_> = object(whole).ok()?;
    if !is_modern {
        members.remove("resultType");
    } else if members.get("resultType").is_none() {
        members.put("resultType", "\"complete\"");
    }
    if let Some(life_ms) = life_ms {
        if members.get("ttlMs").is_none() {
            members.put("ttlMs", life_ms.to_string());
        }
        members.put("cacheScope", "\"private\"");
    }
    Some(one_line(members.to_text()))
}

/// The object `text` with `value` as its member `name`; none if it is no object.
pub(super) fn with_text(text: &str, name: &'static str, value: &str) -> Option<String> {
    let mut members: Members<'_> = object(text).ok()?;
    members.put(name, Value::from(value).to_string());
    Some(members.to_text())
}

/// The result of a list, whose elements are `items` under `name`, for this era.
pub(super) fn other_list_text(name: &str, items: &[String], is_modern: bool, life_ms: u64) -> Arc<str> {
    one_line(format!("{{\"{name}\":[{}],{}", items.join(","), end_of_list(is_modern, life_ms)))
}

/// What stands in the result of a list beside it, and its closing brace.
fn end_of_list(is_modern: bool, life_ms: u64) -> String {
    let mut end = json!({ "ttlMs": life_ms, "cacheScope": "private" });
    if is_modern {
        end["resultType"] = "complete".into();
    }
    end.to_string().trim_start_matches('{').to_owned()
}

/// JSON on one line: between its parts a line feed is a space; within a text it is never written as it is.
fn one_line(text: String) -> Arc<str> {
    if text.contains(['\n', '\r']) { text.replace(['\n', '\r'], " ").into() } else { text.into() }
}

/// The `tools/list` result with these definitions, for this era: clients of the older one cannot read output that is no object.
pub(super) fn list_text(definitions: impl Iterator<Item = Value>, is_modern: bool, life_ms: u64) -> Arc<str> {
    let mut text = String::from("{\"tools\":[");
    for (place, mut tool) in definitions.enumerate() {
        let is_unreadable = tool.get("outputSchema").is_some_and(|schema| schema.get("type") != Some(&json!("object")));
        if let Some(members) = tool.as_object_mut().filter(|_| is_unreadable && !is_modern) {
            members.remove("outputSchema");
        }
        if place > 0 {
            text.push(',');
        }
        text.push_str(&tool.to_string());
    }
    text.push_str("],");
    text.push_str(&end_of_list(is_modern, life_ms));
    text.into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn for_era(result: &Value, is_modern: bool) -> Value {
        serde_json::from_str(&result_text(&result.to_string(), is_modern).unwrap()).unwrap()
    }

    #[test]
    fn each_era_gets_the_results_that_it_takes() {
        let result = json!({ "content": [], "structuredContent": [1], "resultType": "complete", "x-vendor": 1 });
        assert_eq!(for_era(&result, true), result);
        let old = json!({ "content": [{ "type": "text", "text": "[1]" }], "x-vendor": 1 });
        assert_eq!(for_era(&result, false), old);
        let said = json!({ "content": [{ "type": "text", "text": "1 row" }], "structuredContent": [1] });
        let first = json!({ "content": [{ "type": "text", "text": "[1]" }, { "type": "text", "text": "1 row" }] });
        assert_eq!(for_era(&said, false), first);
        for text in ["[1]", " [ 1 ]\n"] {
            let said = json!({ "content": [{ "type": "text", "text": text }], "structuredContent": [1] });
            assert_eq!(for_era(&said, false)["content"].as_array().map(Vec::len), Some(1), "{text:?}");
        }
        assert_eq!(for_era(&json!({ "structuredContent": 7 }), false), json!({ "content": [{ "type": "text", "text": "7" }] }));
        assert_eq!(for_era(&json!({ "content": [] }), true), json!({ "content": [], "resultType": "complete" }));
    }

    #[test]
    fn what_a_server_wrote_stays_as_it_is_on_one_line() {
        let text = "{\"n\": 18446744073709551615.0,\r\n \"a\\n\": [ 1e2 ]}";
        assert_eq!(&*result_text(text, false).unwrap(), r#"{"n":18446744073709551615.0,"a\n":[ 1e2 ]}"#);
        assert_eq!(&*result_text("{\"a\": [1,\n2]}", false).unwrap(), r#"{"a":[1, 2]}"#);
        assert!(result_text("[1]", true).is_none() && result_text("{\"a\":", true).is_none());
    }

    #[test]
    fn resources_and_prompts_stay_as_their_server_wrote_them_but_are_one_users() {
        let whole = "{\"contents\":[{\"n\": 1.0}],\n\"cacheScope\":\"public\"}";
        let modern = r#"{"contents":[{"n": 1.0}],"cacheScope":"private","resultType":"complete","ttlMs":0}"#;
        assert_eq!(&*other_result_text(whole, true, Some(0)).unwrap(), modern);
        let kept = r#"{"contents":[],"resultType":"complete","ttlMs":9}"#;
        assert_eq!(&*other_result_text(kept, false, Some(0)).unwrap(), r#"{"contents":[],"ttlMs":9,"cacheScope":"private"}"#);
        assert_eq!(&*other_result_text("{\"messages\":[]}", false, None).unwrap(), "{\"messages\":[]}");
        let named = with_text(r#"{"name": "a", "x": 1.0}"#, "name", "s__\"a").unwrap();
        assert_eq!(named, r#"{"name":"s__\"a","x":1.0}"#);
        let list = other_list_text("prompts", &[named, "{\n}".to_owned()], false, 5);
        assert!(list.starts_with(r#"{"prompts":[{"name":"s__\"a","x":1.0},{ }],"#), "{list}");
        let end: Value = serde_json::from_str(&other_list_text("prompts", &[], true, 5)).unwrap();
        assert_eq!(end, json!({ "prompts": [], "ttlMs": 5, "cacheScope": "private", "resultType": "complete" }));
    }

    #[test]
    fn an_older_client_is_not_shown_output_schemas_that_it_cannot_read() {
        let tool = |schema: Value| json!({ "name": "a", "outputSchema": schema });
        let listed = |tool: &Value, is_modern: bool| -> Value {
            let text = list_text(std::iter::once(tool.clone()), is_modern, 5);
            serde_json::from_str::<Value>(&text).unwrap()["tools"][0].clone()
        };
        let (list, object) = (tool(json!({ "type": "array" })), tool(json!({ "type": "object" })));
        assert_eq!(listed(&list, false), json!({ "name": "a" }));
        assert_eq!(listed(&list, true), list);
        assert_eq!(listed(&object, false), object);
        let end: Value = serde_json::from_str(&list_text(std::iter::empty(), true, 5)).unwrap();
        assert_eq!(end, json!({ "tools": [], "ttlMs": 5, "cacheScope": "private", "resultType": "complete" }));
    }
}
