//! How a conversation with a server is opened, and in which way it is tried again with one that refuses.

use rmcp::model::ProtocolVersion;

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
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
