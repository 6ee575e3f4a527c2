//! The transport to an HTTP server: rmcp's sessions, resumption and cancellation over our own requests.

use std::sync::Arc;
use std::time::Duration;

use isolet_outbound::Outbound;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use super::credential_supply::CredentialSupply;
use super::error::{Stage, UpstreamError};
use super::http_client::HttpClient;
use super::http_endpoint::Endpoint;
use super::http_headers::headers;
use super::http_line::HttpLine;
use super::server_configuration::HttpServer;

/// Requests to one server under way at once, each over a connection of its own; others wait.
const CONNECTIONS_MAX: usize = 64;

/// How long is waited at most before a stream that broke off is asked for again.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// The conversation with `server`, which is not called yet, and is sent what `supply` has.
///
/// # Errors
///
/// [`UpstreamError::Header`] for header fields that cannot be sent, [`UpstreamError::Unreachable`] for an address that must not be called.
pub(super) fn open(
    server: &str,
    configuration: &HttpServer,
    outbound: &Outbound,
    supply: &Arc<CredentialSupply>,
    message_bytes_max: usize,
) -> Result<(Arc<HttpLine>, StreamableHttpClientTransport<HttpClient>), UpstreamError> {
    let unreachable = |source| UpstreamError::Unreachable { server: server.to_owned(), stage: Stage::Handshake, source };
    outbound.check(&configuration.url).map_err(unreachable)?;
    let headers = headers(server, &configuration.headers)?;
    let line = HttpLine::new(server, supply.sent(), &configuration.asks, message_bytes_max);
    let endpoint = Endpoint::new(&line, outbound.client(), configuration.url.clone(), headers, supply);
    // rmcp logs the address that it is given; ours is in the client.
    let mut config = StreamableHttpClientTransportConfig::with_uri("https://configured.invalid/")
        .max_concurrent_requests(CONNECTIONS_MAX)
        .max_sse_event_size(message_bytes_max);
    let mut retry = ExponentialBackoff::default();
    retry.max_delay = Some(PAUSE_MAX);
    config.retry_config = Arc::new(retry);
    Ok((line, StreamableHttpClientTransport::with_client(HttpClient::new(endpoint), config)))
}
