//! `isolet.toml` as it is written. Each value that can be wrong knows where it stands.

use std::collections::BTreeMap;
use std::path::PathBuf;

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
    pub(super) authorization: Authorization,
    /// Whether what results were like is kept, and where.
    pub(super) observed_shapes: Option<ObservedShapes>,
    /// Who may say whose a request is.
    pub(super) proxy: Option<Proxy>,
    /// A file of another client with the servers.
    pub(super) config: Option<Spanned<String>>,
    /// The servers themselves, which `isolet::mcp::Configuration` reads.
    pub(super) servers: Option<toml::Table>,
    /// Whose tokens are taken.
    pub(super) issuers: Vec<Issuer>,
    pub(super) roles: BTreeMap<String, Role>,
    pub(super) users: BTreeMap<String, User>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Listener {
    pub(super) address: Option<Spanned<String>>,
    pub(super) hosts: Vec<String>,
    pub(super) origins: Vec<String>,
    /// What clients and browsers call this service.
    pub(super) public_url: Option<Spanned<String>>,
}

/// How users authorize servers.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Authorization {
    pub(super) folder: Option<PathBuf>,
    /// A database that replicas share, and its password in a variable or a file.
    pub(super) database: Option<Spanned<String>>,
    pub(super) database_password_env: Option<Spanned<String>>,
    pub(super) database_password_file: Option<Spanned<PathBuf>>,
    /// Authorities that its certificate may be of, beside the platform's: a file of PEM.
    pub(super) database_roots_file: Option<Spanned<PathBuf>>,
    /// An application's page for users, and where they come back to.
    pub(super) page: Option<Spanned<String>>,
    pub(super) callback: Option<Spanned<String>>,
    pub(super) client_name: Option<String>,
}

/// Where what results were like that no server declares is kept.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ObservedShapes {
    /// Default: in memory.
    pub(super) file: Option<PathBuf>,
    /// Servers that answer all users alike.
    pub(super) shared_servers: Vec<Spanned<String>>,
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
    pub(super) answer_seconds_max: Option<u64>,
    pub(super) servers_max: Option<usize>,
}

/// Who may say whose a request is, and in which header field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proxy {
    pub(super) addresses: Spanned<Vec<Spanned<String>>>,
    pub(super) user_header: Option<Spanned<String>>,
    /// Of users who are not in the file.
    #[serde(default)]
    pub(super) roles: Vec<Spanned<String>>,
}

/// Whose tokens are taken, and what they say of their users.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issuer {
    pub(super) issuer: Spanned<String>,
    /// Default: this service, and each of its endpoints of MCP.
    #[serde(default)]
    pub(super) audiences: Vec<String>,
    pub(super) jwks_url: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) algorithms: Vec<Spanned<String>>,
    pub(super) introspection: Option<Introspection>,
    #[serde(default)]
    pub(super) scopes: Vec<Spanned<String>>,
    pub(super) user_claim: Option<String>,
    pub(super) tenant_claim: Option<String>,
    pub(super) clock_skew_seconds: Option<Spanned<u64>>,
    /// Of everybody.
    #[serde(default)]
    pub(super) roles: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) rules: Vec<RoleRule>,
}

/// Who is asked about tokens that nobody else can read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Introspection {
    pub(super) url: Spanned<String>,
    pub(super) client_id: String,
    /// A variable of the environment, or a file, with the client's secret.
    pub(super) client_secret_env: Option<Spanned<String>>,
    pub(super) client_secret_file: Option<Spanned<PathBuf>>,
}

/// Whose claim has this has this role.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleRule {
    pub(super) claim: String,
    pub(super) has: String,
    pub(super) role: Spanned<String>,
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
