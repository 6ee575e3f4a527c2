//! How a conversation with a server is opened, and in which way it is tried again with one that refuses.

use rmcp::model::{ErrorCode, ProtocolVersion};

use super::error::UpstreamError;

/// The code of a version that is not spoken.
const UNSUPPORTED_VERSION: i32 = -32022;
/// The code of servers for what the protocol has none for.
const SERVER_ERROR: i32 = -32000;

/// How a conversation is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// With `initialize`, and this version offered: up to 2025-11-25.
    Initialize(ProtocolVersion),
    /// With `server/discover`, each request by itself: 2026-07-28.
    Discover,
}

impl Opening {
    /// How a server is called that is not known.
    pub(super) const FIRST: Self = Self::Initialize(ProtocolVersion::LATEST_WITH_INITIALIZE);

    /// How it is tried again with a server that refused this one, and said that it knows the versions `supported`.
    pub(super) fn next(&self, supported: &[ProtocolVersion]) -> Option<Self> {
        let Self::Initialize(refused) = self else { return Some(Self::FIRST) };
        let known = ProtocolVersion::KNOWN_VERSIONS.iter().rev();
        let older = known.filter(|version| version.has_initialize() && version.as_str() < refused.as_str());
        let newest = older.into_iter().find(|version| supported.contains(version));
        Some(newest.cloned().map_or(Self::Discover, Self::Initialize))
    }

    /// Whether a conversation that was opened so is over by what a server answered to a request: one without sessions, of which the server misses the session or
    /// does not know the version, is with another server than it was.
    pub(super) fn is_over_by(&self, error: &UpstreamError) -> bool {
        *self == Self::Discover
            && match error {
                UpstreamError::Refused { code: UNSUPPORTED_VERSION, .. } => true,
                UpstreamError::Refused { code, message, .. } => {
                    let message = message.to_ascii_lowercase();
                    let is_at_door = [SERVER_ERROR, ErrorCode::INVALID_REQUEST.0].contains(code);
                    is_at_door && ["session", "initializ", "protocol version"].iter().any(|word| message.contains(word))
                }
                // Without a word of the protocol, as some refuse what does not begin with `initialize`.
                UpstreamError::Status { status, .. } => matches!(status, 400 | 404..=406 | 415 | 422),
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::error::Stage;

    #[test]
    fn a_server_that_refuses_is_offered_what_it_knows_and_then_the_era_without_versions() {
        let older = Opening::Initialize(ProtocolVersion::V_2025_06_18);
        let supported = [ProtocolVersion::V_2024_11_05, ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2026_07_28];
        assert_eq!(Opening::FIRST, Opening::Initialize(ProtocolVersion::V_2025_11_25));
        assert_eq!(Opening::FIRST.next(&supported), Some(older.clone()));
        assert_eq!(Opening::FIRST.next(&[]), Some(Opening::Discover));
        assert_eq!(older.next(&supported[1..]), Some(Opening::Discover));
        assert_eq!(Opening::Discover.next(&supported), Some(Opening::FIRST));
    }

    #[test]
    fn a_server_that_misses_a_session_where_there_is_none_is_another_than_it_was() {
        let refused = |code: i32, message: &str| UpstreamError::Refused {
            server: "s".to_owned(),
            stage: Stage::Call,
            code,
            message: message.to_owned(),
        };
        for (code, message) in [
            (-32000, "Bad Request: Server not initialized"),
            (-32000, "Bad Request: No valid session ID provided"),
            (-32600, "Bad Request: Missing session ID"),
            (-32000, "Bad Request: Unsupported protocol version: 2026-07-28"),
            (-32022, "unsupported"),
        ] {
            assert!(Opening::Discover.is_over_by(&refused(code, message)), "{message}");
            assert!(!Opening::FIRST.is_over_by(&refused(code, message)), "{message}: rmcp begins such a session again");
        }
        for (code, message) in [(-32602, "no such session"), (-32000, "busy"), (-32603, "not initialized")] {
            assert!(!Opening::Discover.is_over_by(&refused(code, message)), "{message}");
        }
    }
}
