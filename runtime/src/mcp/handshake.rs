//! The beginning of a conversation with a server: what we say of ourselves, and why it comes to none.

use std::collections::BTreeSet;

use isolet_bindings::AskKind;
use rmcp::ClientHandler;
use rmcp::model::{ClientConfig, ErrorData, Implementation, ProtocolVersion};
use rmcp::service::ClientInitializeError;

use super::client_capabilities;
use super::error::{Stage, UpstreamError};
use super::far_end::FarEnd;

/// Our side of the conversation, which offers what the server's entry allows it to ask for.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) version: ProtocolVersion,
    pub(super) asks: BTreeSet<AskKind>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let about = Implementation::new("isolet", env!("CARGO_PKG_VERSION"));
        let mut config = ClientConfig::new(client_capabilities::capabilities(&self.asks), about);
        config.protocol_version = self.version.clone();
        config
    }
}

/// Why a conversation could not be opened, and the versions that the server then said it knows.
pub(super) struct Unopened {
    pub(super) error: UpstreamError,
    pub(super) supported: Vec<ProtocolVersion>,
}

impl From<UpstreamError> for Unopened {
    fn from(error: UpstreamError) -> Self {
        Self { error, supported: Vec::new() }
    }
}

/// Why the conversation with `server` could not be opened, whose messages are at most so long.
pub(super) async fn unopened(
    server: &str,
    error: ClientInitializeError,
    far_end: &FarEnd,
    message_bytes_max: usize,
) -> Unopened {
    let stage = Stage::Handshake;
    match error {
        ClientInitializeError::JsonRpcError(error) => {
            let supported = supported_versions(&error);
            let (code, message) = (error.code.0, error.message.to_string());
            Unopened { error: UpstreamError::Refused { server: server.to_owned(), stage, code, message }, supported }
        }
        ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::TransportError { .. } => {
            far_end.broken_off(server, stage, message_bytes_max).await.into()
        }
        _ => UpstreamError::NotMcp { server: server.to_owned(), stage, rubbish: far_end.faults().rubbish() }.into(),
    }
}

/// What a server that refuses a version says it knows.
fn supported_versions(error: &ErrorData) -> Vec<ProtocolVersion> {
    let versions = error.data.as_ref().and_then(|data| data.get("supported")?.as_array());
    versions.into_iter().flatten().filter_map(|version| serde_json::from_value(version.clone()).ok()).collect()
}
