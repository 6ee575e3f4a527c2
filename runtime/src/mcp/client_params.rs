//! What is read of the parameters of a client's request: of a call its arguments as text, of a handshake its version, of others what rmcp wants.

use std::borrow::Cow;
use std::sync::Arc;

use isolet_rpc::envelope::{object, text_in};
use isolet_rpc::refusal::{INVALID_PARAMS, INVALID_REQUEST, Refusal};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientRequest, Implementation, InitializeRequest,
    InitializeRequestParams, JsonObject, ProtocolVersion, RequestMetaObject,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The parameters of anything but a call, and the `_meta` of a call, bytes: those become a tree.
const PARAMS_BYTES_MAX: usize = 64 << 10;

/// What a client answers to the questions of a call, bytes: what its model says may be long.
const RESPONSES_BYTES_MAX: usize = 1 << 20;

/// The arguments of a call, JSON text, in the extensions of its request.
#[derive(Clone)]
pub(super) struct RawArguments(pub(super) Arc<RawValue>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallParams<'text> {
    name: String,
    #[serde(borrow, default)]
    arguments: Option<&'text RawValue>,
    #[serde(borrow, default)]
    input_responses: Option<&'text RawValue>,
    #[serde(default)]
    request_state: Option<String>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'text RawValue>,
}

/// What is needed of a handshake. What a client is changes nothing here, so it may say it as it likes, or not at all.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InitializeParams<'text> {
    #[serde(borrow, default)]
    protocol_version: Option<&'text RawValue>,
    #[serde(borrow, default)]
    capabilities: Option<&'text RawValue>,
}

/// What a client answers when it is asked. Whatever cannot be read was not declared.
fn capabilities(declared: Option<&RawValue>) -> ClientCapabilities {
    let declared = declared.filter(|declared| declared.get().len() <= PARAMS_BYTES_MAX);
    let declared: JsonObject = declared.and_then(|declared| object(declared.get()).ok()).unwrap_or_default();
    let known = declared.into_iter().filter_map(|(name, value)| {
        let is_known = matches!(name.as_str(), "elicitation" | "sampling" | "roots");
        let alone = json!({ name.clone(): value });
        (is_known && value.is_object() && serde_json::from_value::<ClientCapabilities>(alone).is_ok()).then_some((name, value))
    });
    serde_json::from_value(Value::Object(known.collect())).unwrap_or_default()
}

/// The request for `method`, for rmcp.
pub(super) fn request(method: &str, params: Option<&RawValue>) -> Result<ClientRequest, Refusal> {
    match method {
        "tools/call" => call(params),
        "initialize" => initialize(params),
        _ => other(method, params),
    }
}

/// A call. Its arguments are not looked into.
fn call(params: Option<&RawValue>) -> Result<ClientRequest, Refusal> {
    let wrong =
        |error: serde_json::Error| (INVALID_PARAMS, Cow::from(format!("the parameters of a call cannot be read: {error}")));
    let params: CallParams<'_> = object(params.map_or("{}", RawValue::get)).map_err(wrong)?;
    let mut call = CallToolRequestParams::new(params.name);
    call.request_state = params.request_state;
    if let Some(responses) = params.input_responses {
        within(responses, "`inputResponses`", RESPONSES_BYTES_MAX)?;
        call.input_responses = Some(object(responses.get()).map_err(wrong)?);
    }
    let mut request = CallToolRequest::new(call);
    if let Some(meta) = params.meta {
        within(meta, "`_meta`", PARAMS_BYTES_MAX)?;
        request.extensions.insert(RequestMetaObject::from(object::<JsonObject>(meta.get()).map_err(wrong)?));
    }
    if let Some(arguments) = params.arguments {
        request.extensions.insert(RawArguments(arguments.to_owned().into()));
    }
    Ok(ClientRequest::CallToolRequest(request))
}

/// The handshake. A version that is not named is the newest that has one, as for a version that nobody knows.
fn initialize(params: Option<&RawValue>) -> Result<ClientRequest, Refusal> {
    let wrong = |error: serde_json::Error| (INVALID_PARAMS, Cow::from(format!("the handshake cannot be read: {error}")));
    let params: InitializeParams<'_> = object(params.map_or("{}", RawValue::get)).map_err(wrong)?;
    let version = params.protocol_version.and_then(text_in).and_then(|version| serde_json::from_value(version.into()).ok());
    let about = Implementation::new("a client", "of any version");
    let params = InitializeRequestParams::new(capabilities(params.capabilities), about)
        .with_protocol_version(version.unwrap_or(ProtocolVersion::LATEST_WITH_INITIALIZE));
    Ok(ClientRequest::InitializeRequest(InitializeRequest::new(params)))
}

/// Any other request: small, and read by rmcp.
fn other(method: &str, params: Option<&RawValue>) -> Result<ClientRequest, Refusal> {
    let mut request = json!({ "method": method });
    if let Some(params) = params {
        within(params, "the parameters of this request", PARAMS_BYTES_MAX)?;
        let wrong = |error: serde_json::Error| (INVALID_REQUEST, Cow::from(format!("the parameters cannot be read: {error}")));
        request["params"] = Value::Object(object(params.get()).map_err(wrong)?);
    }
    serde_json::from_value(request).map_err(|error| (INVALID_PARAMS, format!("the request cannot be read: {error}").into()))
}

fn within(json: &RawValue, what: &str, bytes_max: usize) -> Result<(), Refusal> {
    if json.get().len() > bytes_max {
        return Err((INVALID_REQUEST, format!("{what} may have {bytes_max} bytes: send less").into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn of_a_handshake_anything_is_taken_for_a_version() {
        let version = |params: &str| {
            let params = RawValue::from_string(params.to_owned()).unwrap();
            match request("initialize", Some(&params)) {
                Ok(ClientRequest::InitializeRequest(request)) => Some(request.params.protocol_version.as_str().to_owned()),
                _ => None,
            }
        };
        let newest = Some("2025-11-25".to_owned());
        for params in ["{}", r#"{"protocolVersion":null}"#, r#"{"protocolVersion":7,"capabilities":null,"clientInfo":[]}"#] {
            assert_eq!(version(params), newest, "{params}");
        }
        let named = r#"{"protocolVersion":"2025-06-18","capabilities":{"roots":null,"sampling":7},"clientInfo":{"name":7}}"#;
        assert_eq!(version(named).as_deref(), Some("2025-06-18"));
        assert_eq!(version("[]"), None);
        assert!(matches!(request("initialize", None), Ok(ClientRequest::InitializeRequest(_))));
    }

    #[test]
    fn what_a_client_declares_and_cannot_be_read_is_not_declared() {
        let declared =
            RawValue::from_string(r#"{"elicitation":{"form":{}},"sampling":7,"roots":null,"x":{}}"#.to_owned()).unwrap();
        let read = capabilities(Some(&declared));
        assert!(read.elicitation.is_some() && read.sampling.is_none() && read.roots.is_none());
        assert_eq!(capabilities(None), ClientCapabilities::default());
    }
}
