//! A call of a tool that is an operation of an OpenAPI document: made at the operator's address, with the operator's header fields and the user's
//! credentials.

use std::borrow::Cow;

use isolet_bindings::{ToolCall, ToolError, ToolErrorCode, ToolReply};
use isolet_openapi::{
    CallError, Caller, Credential, SchemeCredentialError, SchemeCredentials, SecurityLocation, SecurityScheme,
};
use isolet_outbound::header::HeaderMap;
use isolet_outbound::{Outbound, OutboundError};

use super::apis::ServedApi;
use super::credential_source::Challenge;
use super::credential_supply::{CredentialSupply, Missing};
use super::error::{Stage, UpstreamError};
use super::http_headers::{headers, put};
use super::sent::Sent;
use super::server_configuration::OpenApiServer;

/// The longest message of a server that is passed on, characters.
const MESSAGE_CHARACTERS_MAX: usize = 2000;

/// How often a call that was refused is made once more, with other credentials.
const REPEATS_MAX: usize = 1;

/// Calls an operation of `api` with the credentials of `supply`.
///
/// # Errors
///
/// What the program gets. Nothing in it is a credential that was sent.
pub(super) async fn call(
    api: &ServedApi,
    configured: &OpenApiServer,
    outbound: &Outbound,
    supply: &CredentialSupply,
    called: &ToolCall,
) -> Result<ToolReply, ToolError> {
    let ToolCall { server, tool, arguments, .. } = called;
    if !api.has(tool) {
        return Err(ToolError::unknown_tool());
    }
    let unavailable = |error: UpstreamError| error.to_tool_error();
    let missing = |missing| unavailable(UpstreamError::of_missing(missing, server, Stage::Call));
    let operators = headers(server, &configured.headers).map_err(unavailable)?;
    let failed = |error: CallError| tool_error(&error, supply.sent());
    let mut credentials = supply.current().await.map_err(missing)?;
    let mut repeats = 0;
    let mut value = loop {
        let mut headers = operators.clone();
        put(&credentials, &mut headers).map_err(|error| missing(Missing::from(error)))?;
        let of_document = Configured { headers: headers.clone(), server: configured };
        let caller = Caller::new(configured.url.clone(), outbound.clone(), of_document).map_err(failed)?.with_headers(headers);
        let error = match caller.call(&api.api, tool, arguments.as_map()).await {
            Ok(value) => break value,
            Err(error) => error,
        };
        let challenge = match &error {
            CallError::Unauthorised { challenge, .. } => Challenge::new(401, challenge.clone()),
            CallError::Forbidden { challenge, .. } => Challenge::new(403, challenge.clone()),
            _ => return Err(failed(error)),
        };
        if challenge.status != 401 && !challenge.asks_for_more() {
            return Err(failed(error));
        }
        match supply.refused(&credentials, &challenge).await.map_err(missing)? {
            Some(others) if repeats < REPEATS_MAX => credentials = others,
            _ => return Err(failed(error)),
        }
        repeats += 1;
    };
    supply.sent().clean(&mut value);
    ToolReply::json(&value).map_err(|error| ToolError::new(ToolErrorCode::InvalidReply, error.to_string()))
}

/// Credentials that stand in the configuration, where the document says that they go.
struct Configured<'a> {
    headers: HeaderMap,
    server: &'a OpenApiServer,
}

impl SchemeCredentials for Configured<'_> {
    async fn credential(&self, scheme: &SecurityScheme, _: &[String]) -> Result<Option<Credential>, SchemeCredentialError> {
        Ok(match &scheme.location {
            SecurityLocation::Header(name) => {
                self.headers.get(name.as_str()).and_then(|value| value.to_str().ok()).map(Credential::new)
            }
            SecurityLocation::Query(name) => {
                let pair = self.server.url.query_pairs().find(|(other, _)| other == name.as_str());
                pair.map(|(_, value)| Credential::new(Cow::into_owned(value)))
            }
            // Those in `authorization` and in cookies go out as they are configured.
            _ => None,
        })
    }
}

fn tool_error(error: &CallError, sent: &Sent) -> ToolError {
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
    let message: String = sent.text(&error.to_string()).chars().take(MESSAGE_CHARACTERS_MAX).collect();
    ToolError::new(code, message).with_retryable(error.is_retryable())
}
