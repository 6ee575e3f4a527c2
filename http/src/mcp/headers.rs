//! The header fields of a message, which must say what it says: whoever stands between reads them and not the body.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::message::{Message, Params};
use super::message_refusal::MessageRefusal;

/// The version that a message is of.
const VERSION: &str = "mcp-protocol-version";
const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";
/// The session that a message belongs to, before 2026-07-28.
pub(super) const SESSION: &str = "mcp-session-id";

/// Since this version there is no `initialize`.
const FIRST_MODERN: &str = "2026-07-28";
/// Those before.
const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// The era of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// Of a session that began with `initialize`.
    Legacy,
    /// By itself.
    Modern,
}

/// The era of `message`, whose header fields agree with it.
///
/// # Errors
///
/// A field that is missing, or says something else than the message.
pub(super) fn era(headers: &HeaderMap, message: &Message<'_>, params: &Params<'_>) -> Result<Era, MessageRefusal> {
    let version = one(headers, VERSION)?;
    let method = message.method.as_deref().unwrap_or_default();
    // What `initialize` offers is negotiated, unless the message says itself of which version it is.
    let is_modern = params.version().is_some()
        || method == "server/discover"
        || (method != "initialize" && version.is_some_and(|version| version >= FIRST_MODERN));
    if !is_modern {
        return match version {
            Some(version) if !LEGACY.contains(&version) && method != "initialize" => {
                Err(MessageRefusal::no_message(format!("`{VERSION}` is none of {}", LEGACY.join(", "))))
            }
            _ => Ok(Era::Legacy),
        };
    }
    let said =
        version.ok_or_else(|| MessageRefusal::mismatch(format!("`{VERSION}` is missing: send the version of the message")))?;
    // A message that says no version is told so by its face.
    if params.version().is_some_and(|version| version != said) {
        return Err(MessageRefusal::mismatch(format!("`{VERSION}` is not the version of the message")));
    }
    agrees(headers, METHOD, method)?;
    match method {
        "tools/call" | "prompts/get" => agrees(headers, NAME, params.name.as_deref().unwrap_or_default())?,
        "resources/read" => agrees(headers, NAME, params.uri.as_deref().unwrap_or_default())?,
        _ => {}
    }
    Ok(Era::Modern)
}

/// The field `name` says `expected`.
fn agrees(headers: &HeaderMap, name: &str, expected: &str) -> Result<(), MessageRefusal> {
    match one(headers, name)? {
        None => Err(MessageRefusal::mismatch(format!("`{name}` is missing: send what the message says"))),
        Some(said) if said == expected || decoded(said).is_some_and(|said| said == expected) => Ok(()),
        Some(_) => Err(MessageRefusal::mismatch(format!("`{name}` is not what the message says"))),
    }
}

/// The field `name`, which may be there once.
pub(super) fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, MessageRefusal> {
    let mut values = headers.get_all(name).iter();
    let wrong = || MessageRefusal::mismatch(format!("`{name}` is not one text"));
    let value = values.next().map(|value| value.to_str().map_err(|_| wrong())).transpose()?;
    if values.next().is_some() { Err(wrong()) } else { Ok(value) }
}

/// What stands for a text that no header field can have.
pub(super) fn decoded(value: &str) -> Option<String> {
    let encoded = value.strip_prefix("=?base64?")?.strip_suffix("?=")?;
    String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use axum::http::HeaderName;

    use super::*;

    #[track_caller]
    fn check(headers: &[(&str, &str)], text: &str, expected: Result<Era, i64>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let message = Message::read(text).unwrap();
        let era = era(&map, &message, &message.params().unwrap());
        assert_eq!(era.map_err(|refusal| refusal.as_json()["error"]["code"].as_i64().unwrap()), expected, "{headers:?} {text}");
    }

    #[test]
    fn a_message_since_2026_says_in_its_header_what_it_is() {
        let version = (VERSION, "2026-07-28");
        let call = r#"{"id": 1, "method": "tools/call", "params": {"name": "a__b", "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}}"#;
        let (method, name) = ((METHOD, "tools/call"), (NAME, "a__b"));
        check(&[version, method, name], call, Ok(Era::Modern));
        check(&[version, method, (NAME, "=?base64?YV9fYg==?=")], call, Ok(Era::Modern));
        for headers in [
            vec![method, name],
            vec![version, name],
            vec![version, method],
            vec![(VERSION, "2025-11-25"), method, name],
            vec![version, (METHOD, "tools/list"), name],
            vec![version, method, (NAME, "a__c")],
            vec![version, method, name, name],
            vec![version, version, method, name],
        ] {
            check(&headers, call, Err(-32020));
        }
        check(&[version, (METHOD, "tools/list")], r#"{"id": 1, "method": "tools/list"}"#, Ok(Era::Modern));
        check(&[], r#"{"id": 1, "method": "server/discover"}"#, Err(-32020));
    }

    #[test]
    fn a_message_before_says_nothing_or_its_version() {
        let list = r#"{"id": 1, "method": "tools/list"}"#;
        check(&[], list, Ok(Era::Legacy));
        check(&[(VERSION, "2025-06-18")], list, Ok(Era::Legacy));
        check(&[(VERSION, "1900-01-01")], list, Err(-32600));
        let itself = r#"{"id": 1, "method": "initialize", "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}}"#;
        check(&[(VERSION, "2026-07-28"), (METHOD, "initialize")], itself, Ok(Era::Modern));
        // What is offered is negotiated.
        check(&[(VERSION, "2026-07-28")], r#"{"id": 1, "method": "initialize"}"#, Ok(Era::Legacy));
    }
}
