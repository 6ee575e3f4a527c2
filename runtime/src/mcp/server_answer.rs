//! The answers of a server as rmcp is given them: results as text, those of the handshake with nothing in them but what is needed, errors as far as they
//! can be read.
//!
//! What nobody needs may be anything: a server whose `serverInfo` has no version, or whose capabilities are a list, works as well as another.

use std::borrow::Cow;

use isolet_rpc::envelope::{number_in, object, text_in};
use rmcp::model::{
    CustomResult, DiscoverResult, ErrorCode, ErrorData, InitializeResult, PromptsCapability, ProtocolVersion,
    ResourcesCapability, ServerCapabilities, ServerResult,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::pending::Asked;

/// The largest `data` of an error that is kept, bytes: it lists versions of the protocol.
const ERROR_DATA_BYTES_MAX: usize = 4096;

/// The error object of a response.
#[derive(Deserialize)]
struct ErrorObject<'text> {
    #[serde(borrow, default)]
    code: Option<&'text RawValue>,
    #[serde(borrow, default)]
    message: Option<&'text RawValue>,
    #[serde(borrow, default)]
    data: Option<&'text RawValue>,
}

/// What is needed of the answer to `initialize`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialized<'text> {
    protocol_version: ProtocolVersion,
    #[serde(borrow, default)]
    capabilities: Option<&'text RawValue>,
}

/// What is needed of the answer to `server/discover`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Discovered<'text> {
    supported_versions: Vec<Value>,
    #[serde(borrow, default)]
    capabilities: Option<&'text RawValue>,
}

/// What is needed of a server's capabilities: what it has beside tools.
#[derive(Default, Deserialize)]
struct Declared {
    #[serde(default)]
    resources: Option<IgnoredAny>,
    #[serde(default)]
    prompts: Option<IgnoredAny>,
}

/// The JSON text of a result that came over a [`super::wire::Wire`], or `None` if it is one of the handshake.
pub(super) fn raw_result(result: ServerResult) -> Option<String> {
    match result {
        ServerResult::CustomResult(CustomResult(Value::String(text))) => Some(text),
        _ => None,
    }
}

/// The result of a request; none if it is one of the handshake that cannot be read.
pub(super) fn server_result(asked: Asked, result: &RawValue) -> Option<ServerResult> {
    let text = result.get();
    match asked {
        Asked::Initialize => object(text).ok().map(initialize_result),
        Asked::Discover => object(text).ok().map(discover_result),
        Asked::Other => Some(ServerResult::CustomResult(CustomResult(Value::String(text.to_owned())))),
    }
}

fn initialize_result(Initialized { protocol_version, capabilities }: Initialized<'_>) -> ServerResult {
    let mut result = InitializeResult::new(declared(capabilities));
    result.protocol_version = protocol_version;
    ServerResult::InitializeResult(result)
}

fn discover_result(Discovered { supported_versions, capabilities }: Discovered<'_>) -> ServerResult {
    let versions = supported_versions.into_iter().filter_map(|version| serde_json::from_value(version).ok()).collect();
    ServerResult::DiscoverResult(DiscoverResult::new(versions, declared(capabilities)))
}

/// What a server has beside tools; nothing, if that cannot be read.
fn declared(capabilities: Option<&RawValue>) -> ServerCapabilities {
    let declared: Declared = capabilities.and_then(|text| object(text.get()).ok()).unwrap_or_default();
    let mut capabilities = ServerCapabilities::default();
    capabilities.resources = declared.resources.map(|_| ResourcesCapability::default());
    capabilities.prompts = declared.prompts.map(|_| PromptsCapability::default());
    capabilities
}

/// The error object of a response; one that cannot be read still ends its request.
pub(super) fn error_data(error: &RawValue) -> ErrorData {
    let read = object::<ErrorObject<'_>>(error.get()).ok();
    let code = read.as_ref().and_then(|read| number_in(read.code?)).and_then(|code| i32::try_from(code).ok());
    let message = read.as_ref().and_then(|read| text_in(read.message?)).map(Cow::into_owned);
    let data = read.and_then(|read| read.data).filter(|data| data.get().len() <= ERROR_DATA_BYTES_MAX);
    ErrorData::new(
        code.map_or(ErrorCode::INTERNAL_ERROR, ErrorCode),
        message.unwrap_or_else(|| format!("the server answered with the error {}", error.get())),
        data.and_then(|data| serde_json::from_str(data.get()).ok()),
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn nothing_but_what_is_needed_is_read_of_the_handshake() {
        for (result, is_read) in [
            (r#"{"protocolVersion":"2025-06-18","capabilities":[],"serverInfo":null,"instructions":7}"#, true),
            (r#"{"protocolVersion":"2024-11-05"}"#, true),
            (r#"{"capabilities":{}}"#, false),
            (r#"{"protocolVersion":7}"#, false),
            (r#"["2024-11-05"]"#, false),
        ] {
            let read = server_result(Asked::Initialize, &raw(result));
            assert_eq!(matches!(read, Some(ServerResult::InitializeResult(_))), is_read, "{result}");
        }
        let capabilities = |declared: &str| {
            let result = format!(r#"{{"protocolVersion":"2025-06-18","capabilities":{declared}}}"#);
            let Some(ServerResult::InitializeResult(read)) = server_result(Asked::Initialize, &raw(&result)) else {
                panic!("{declared}")
            };
            (read.capabilities.resources.is_some(), read.capabilities.prompts.is_some())
        };
        assert_eq!(capabilities(r#"{"resources":{"subscribe":7},"prompts":[],"x":1}"#), (true, true));
        assert_eq!(capabilities(r#"{"resources":null}"#), (false, false));
        assert_eq!(capabilities("[]"), (false, false));
        let versions = r#"{"supportedVersions":["2026-07-28",7,null],"capabilities":7}"#;
        let Some(ServerResult::DiscoverResult(read)) = server_result(Asked::Discover, &raw(versions)) else {
            panic!("it is one")
        };
        assert_eq!(read.supported_versions, [ProtocolVersion::V_2026_07_28]);
    }

    #[test]
    fn an_error_is_read_as_far_as_it_can_be() {
        for (error, code, message) in [
            (r#"{"code":-32000,"message":"no"}"#, -32000, "no"),
            (r#"{"code":"7.0","message":"no"}"#, -32603, "no"),
            (r#"{"code":1e300,"message":"no","data":[]}"#, -32603, "no"),
            (r#"{"code":5}"#, 5, "the server answered with the error {\"code\":5}"),
            (r#""no""#, -32603, "the server answered with the error \"no\""),
        ] {
            let read = error_data(&raw(error));
            assert_eq!((read.code.0, &*read.message), (code, message), "{error}");
        }
        let large = format!(r#"{{"code":1,"message":"no","data":"{}"}}"#, "x".repeat(ERROR_DATA_BYTES_MAX));
        assert!(error_data(&raw(&large)).data.is_none());
    }
}
