//! What a revision of the specification requires of a server or a client: a list of scenarios that the suite froze when the revision was
//! released.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which side is under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "the protocol has two sides")]
pub enum Role {
    /// The suite is the client.
    Server,
    /// The suite is the server, and starts the client once for each scenario.
    Client,
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Server => "server",
            Self::Client => "client",
        })
    }
}

/// A revision that has a requirement set. Its scenarios run at its wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, clap::ValueEnum)]
#[non_exhaustive]
pub enum Revision {
    /// The last one with sessions.
    #[serde(rename = "2025-11-25")]
    #[value(name = "2025-11-25")]
    Of2025_11_25,
    /// The first one with self-contained requests.
    #[serde(rename = "2026-07-28")]
    #[value(name = "2026-07-28")]
    Of2026_07_28,
}

impl Revision {
    /// All of them, the oldest first.
    pub const ALL: [Self; 2] = [Self::Of2025_11_25, Self::Of2026_07_28];
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Of2025_11_25 => "2025-11-25",
            Self::Of2026_07_28 => "2026-07-28",
        })
    }
}

/// The scenarios of a revision.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RequirementSet {
    server: Vec<String>,
    client: Vec<String>,
    #[serde(default)]
    not_scored: Vec<Unscored>,
}

/// A scenario that runs with the set and is not required.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Unscored {
    /// Its name.
    pub scenario: String,
    /// The side that it is for.
    pub leg: Role,
    /// `extension`, `pending` or `added-after-release`.
    pub reason: String,
}

impl RequirementSet {
    /// The names of what one side has to pass.
    #[must_use]
    pub fn required(&self, role: Role) -> &[String] {
        match role {
            Role::Server => &self.server,
            Role::Client => &self.client,
        }
    }

    /// What runs beside that.
    pub fn unscored(&self, role: Role) -> impl Iterator<Item = &Unscored> {
        self.not_scored.iter().filter(move |unscored| unscored.leg == role)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn each_side_has_its_own_scenarios() {
        let set: RequirementSet = serde_json::from_str(
            r#"{ "server": ["ping"], "client": ["initialize", "tools_call"],
                 "not_scored": [{ "scenario": "auth/dpop", "leg": "client", "reason": "extension", "note": "long" },
                                { "scenario": "tasks-lifecycle", "leg": "server", "reason": "extension" }] }"#,
        )
        .unwrap();
        assert_eq!(set.required(Role::Server), ["ping"]);
        assert_eq!(set.required(Role::Client), ["initialize", "tools_call"]);
        let unscored: Vec<_> = set.unscored(Role::Client).map(|unscored| unscored.scenario.as_str()).collect();
        assert_eq!(unscored, ["auth/dpop"]);
    }

    #[test]
    fn a_revision_is_written_as_its_date() {
        for revision in Revision::ALL {
            let date = revision.to_string();
            assert_eq!(serde_json::to_value(revision).unwrap(), serde_json::Value::from(date.as_str()));
            assert_eq!(<Revision as clap::ValueEnum>::from_str(&date, false), Ok(revision));
        }
    }
}
