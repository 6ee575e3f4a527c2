//! A call of a tool that is an operation of an OpenAPI document: made at the operator's address, with the operator's header fields.

use std::borrow::Cow;

use isolet_bindings::{Arguments, ToolError, ToolErrorCode, ToolReply};
use isolet_openapi::{CallError, Caller, Credential, CredentialError, Credentials, SecurityPlace, SecurityScheme};
use isolet_outbound::header::HeaderMap;
use isolet_outbound::{Outbound, OutboundError};

use super::apis::ServedApi;
use super::error::UpstreamError;
use super::faults::Faults;
use super::http_headers::headers;
use super::server_configuration::OpenApiServer;

/// The longest message of a server that is passed on, characters.
const MESSAGE_CHARACTERS_MAX: usize = 2000;

/// Calls the operation `tool` of `api`.
///
/// # Errors
///
/// What the program gets. Nothing in it was sent in a header field of the operator's.
pub(super) async fn call(
    api: &ServedApi,
    configured: &OpenApiServer,
    outbound: &Outbound,
    tool: &str,
    arguments: &Arguments,
) -> Result<ToolReply, ToolError> {
    if !api.has(tool) {
        return Err(ToolError::unknown_tool());
    }
    let unavailable = |error: UpstreamError| error.to_tool_error();
    let headers = headers("", &configured.headers).map_err(unavailable)?;
    let secrets = Faults::hiding(configured.headers.values());
    let credentials = Configured { headers: headers.clone(), server: configured };
    let failed = |error: CallError| tool_error(&error, &secrets);
    let caller = Caller::new(configured.url.clone(), outbound.clone(), credentials).map_err(failed)?.with_headers(headers);
    let value = caller.call(&api.api, tool, arguments.as_map()).await.map_err(failed)?;
    ToolReply::json(&value).map_err(|error| ToolError::new(ToolErrorCode::InvalidReply, error.to_string()))
}

/// Credentials that stand in the configuration, where the document says that they go.
struct Configured<'a> {
    headers: HeaderMap,
    server: &'a OpenApiServer,
}

impl Credentials for Configured<'_> {
    async fn credential(&self, scheme: &SecurityScheme, _: &[String]) -> Result<Option<Credential>, CredentialError> {
        Ok(match &scheme.place {
            SecurityPlace::Header(name) => {
                self.headers.get(name.as_str()).and_then(|value| value.to_str().ok()).map(Credential::new)
            }
            SecurityPlace::Query(name) => {
                let pair = self.server.url.query_pairs().find(|(other, _)| other == name.as_str());
                pair.map(|(_, value)| Credential::new(Cow::into_owned(value)))
            }
            // Those in `authorization` and in cookies go out as they are configured.
            _ => None,
        })
    }
}

fn tool_error(error: &CallError, secrets: &Faults) -> ToolError {
    use ToolErrorCode::{
        InvalidArguments, InvalidReply, RateLimited, TimedOut, TooLarge, ToolFailed, Unauthorised, Unavailable,
    };

    let code = match error {
        CallError::UnknownOperation { .. } => return ToolError::unknown_tool(),
        CallError::Argument { .. } => InvalidArguments,
        CallError::NoCredential { .. }
        | CallError::Credential { .. }
        | CallError::Unauthorised { .. }
        | CallError::Forbidden { .. } => Unauthorised,
        CallError::RateLimited { .. } => RateLimited,
        CallError::Failed { .. } => ToolFailed,
        CallError::Answer { .. } | CallError::Outbound(OutboundError::Encoding { .. } | OutboundError::Malformed { .. }) => {
            InvalidReply
        }
        CallError::Outbound(OutboundError::TooLarge { .. } | OutboundError::RequestTooLarge { .. }) => TooLarge,
        CallError::Outbound(OutboundError::TimedOut { .. }) => TimedOut,
        _ => Unavailable,
    };
    let message: String = secrets.scrub(&error.to_string()).chars().take(MESSAGE_CHARACTERS_MAX).collect();
    ToolError::new(code, message).with_retryable(error.is_retryable())
}
