//! The operator's header fields for one server: checked before anything is sent, and never shown.

use std::collections::BTreeMap;

use isolet_outbound::header::{HeaderMap, HeaderName, HeaderValue};

use super::credential_error::CredentialError;
use super::credential_source::Credentials;
use super::error::UpstreamError;

/// What the protocol needs for itself.
const RESERVED: [&str; 12] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "transfer-encoding",
];

/// The header fields of the operator.
pub(super) fn headers(server: &str, configured: &BTreeMap<String, String>) -> Result<HeaderMap, UpstreamError> {
    let mut headers = HeaderMap::new();
    for (name, value) in configured {
        let wrong = |problem| UpstreamError::Header { server: server.to_owned(), header: name.clone(), problem };
        let header =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("its name has characters that cannot stand there"))?;
        if RESERVED.contains(&header.as_str()) {
            return Err(wrong("it is the protocol's own: leave it away"));
        }
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| wrong("its value has characters that cannot stand there, such as a line feed at its end"))?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

/// Puts `credentials` into the header fields of a request.
///
/// # Errors
///
/// For what cannot stand there; its value is not named.
pub(super) fn put(credentials: &Credentials, headers: &mut HeaderMap) -> Result<(), CredentialError> {
    for (name, value) in credentials.headers() {
        let wrong = || CredentialError::new(format!("the credential for the header field `{name}` cannot be sent there"));
        let header = HeaderName::from_bytes(name.as_bytes()).ok().filter(|header| !RESERVED.contains(&header.as_str()));
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(header.ok_or_else(wrong)?, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_header_field_that_cannot_be_sent_is_named_without_its_value() {
        let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert_eq!(headers("s", &one("X-Key", "k")).unwrap().get("x-key").unwrap(), "k");
        for (name, value) in [("Mcp-Session-Id", "canary"), ("HOST", "canary"), ("X-Key", "canary\n"), ("x key", "canary")] {
            let error = headers("s", &one(name, value)).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("canary"), "{error}");
        }
    }
}
