//! `isolet.toml` as it is written. Each value that can be wrong knows where it stands.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// The whole file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) listener: Listener,
    pub(super) faces: Faces,
    /// Of all runs.
    pub(super) limits: RunLimits,
    pub(super) capacity: Capacity,
    pub(super) upstream: Upstream,
    /// A file of another client with the servers.
    pub(super) config: Option<Spanned<String>>,
    /// The servers themselves, which `isolet::mcp::Configuration` reads.
    pub(super) servers: Option<toml::Table>,
    pub(super) roles: BTreeMap<String, Role>,
    pub(super) users: BTreeMap<String, User>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Listener {
    pub(super) address: Option<Spanned<String>>,
    pub(super) hosts: Vec<String>,
    pub(super) origins: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Faces {
    pub(super) enabled: Option<Vec<Spanned<String>>>,
    pub(super) index_tokens: Option<usize>,
    pub(super) always_search: bool,
    pub(super) result_tokens: Option<usize>,
    pub(super) results: Option<Spanned<String>>,
    pub(super) names: Option<Spanned<String>>,
}

/// What one run may take.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RunLimits {
    pub(super) wall_seconds_max: Option<Spanned<u64>>,
    pub(super) cpu_seconds_max: Option<Spanned<u64>>,
    pub(super) heap_mib_max: Option<Spanned<usize>>,
    pub(super) calls_max: Option<Spanned<u32>>,
}

/// How much there may be at a time.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Capacity {
    pub(crate) live_runs_max: Option<usize>,
    /// Default: a quarter of `live_runs_max`.
    pub(crate) live_runs_of_user_max: Option<usize>,
    pub(crate) connections_max: Option<usize>,
    pub(crate) connections_of_address_max: Option<usize>,
    pub(crate) requests_of_user_max: Option<usize>,
    pub(crate) body_bytes_max: Option<usize>,
    pub(crate) shutdown_seconds_max: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Upstream {
    pub(super) env: Vec<String>,
    pub(super) allow_addresses: Vec<Spanned<String>>,
    pub(super) start_seconds_max: Option<u64>,
    pub(super) idle_seconds_max: Option<u64>,
    pub(super) call_seconds_max: Option<u64>,
    pub(super) servers_max: Option<usize>,
}

/// What a role may do.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Role {
    pub(super) allow: Vec<Spanned<String>>,
    pub(super) deny: Vec<Spanned<String>>,
    pub(super) read_only: Vec<Spanned<String>>,
    pub(super) rename: BTreeMap<String, Spanned<String>>,
    pub(super) describe: BTreeMap<String, Spanned<String>>,
    pub(super) pin: BTreeMap<String, BTreeMap<String, Spanned<toml::Value>>>,
    pub(super) limits: RunLimits,
}

/// A user: roles, and keys by their hashes.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct User {
    pub(super) roles: Vec<Spanned<String>>,
    pub(super) keys: Vec<Spanned<String>>,
    pub(super) allow: Vec<Spanned<String>>,
    pub(super) deny: Vec<Spanned<String>>,
}
