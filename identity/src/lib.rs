//! Users' own credentials: asked for once, kept by the host, never seen by a program.
//!
//! ```text
//! CredentialSource <- OAuth -- asks, flows: whom a link and a callback are for
//!                       |
//!                       +-- client (rmcp's `auth`) -- http -- (isolet-outbound) -- the authorization server
//!                       +-- Store: MemoryStore, SqliteStore, PostgresStore -- seal -- a key from a file
//!                       +-- granted tokens: as the deployment, in exchange for the request's token, or by the word of an identity provider
//! TokenVerifier <- issuers: keys, introspection -- whose request it is, by the token that came with it
//! ```
//!
//! [`OAuth`] is a [`CredentialSource`](isolet::mcp::CredentialSource): given to [`isolet::mcp::Upstreams::asking`], it has the tokens of each principal for
//! each server, refreshes them ahead of their end, and says what a user has to do where there is none. A user consents between
//! [`OAuth::begin`] and [`OAuth::complete`]; the same program then succeeds, without a restart.
//!
//! # Which crate does what
//!
//! Discovery (RFC 9728, RFC 8414, OpenID Connect), PKCE, `resource`, `iss`, registration and the requests for tokens are rmcp's `auth`, on `oauth2`. What it
//! leaves open is decided here: every request goes through `isolet-outbound` under the rules for addresses that a server supplied; metadata
//! that does not name S256 is refused; a refresh happens once, whoever asks, in whichever process; what is kept is sealed (`ring`, which TLS here is made
//! of) in SQLite (`rusqlite`), or where several replicas share it in PostgreSQL (`tokio-postgres`, with the TLS that everything else here has).
//!
//! Tokens that come in are read and their claims checked by `jsonwebtoken`, without any cryptography of its own: signatures are checked by ring, which can
//! be named algorithms with public keys alone (`signing.rs`). When and how often an issuer is asked for its keys, and what claims mean, is decided here.

mod ask;
mod claims;
mod client;
mod device;
mod enterprise;
mod error;
mod flow;
mod grant;
mod grant_key;
mod granted_tokens;
mod http_client;
mod introspection;
mod issuer;
mod key_file;
mod key_set;
mod memory_store;
mod oauth;
mod postgres_store;
mod ready_tokens;
mod refresh;
mod seal;
mod signing;
mod sqlite_store;
mod store;
mod subject_tokens;
mod token_verifier;
mod turns;

pub use ask::Asking;
pub use device::DeviceConsent;
pub use error::IdentityError;
pub use grant::GrantFacts;
pub use grant_key::GrantKey;
pub use issuer::{Introspection, Issuer, RoleRule};
pub use key_file::{KeyFile, KeyFileError};
pub use memory_store::MemoryStore;
pub use oauth::{Consent, LoggedOut, OAuth, OAuthOptions, Target};
pub use postgres_store::{DatabaseAddress, NotADatabase, PostgresStore};
pub use signing::{NotAnAlgorithm, SigningAlgorithm};
pub use sqlite_store::SqliteStore;
pub use store::{Kept, RefreshLock, Store, StoreError, Version};
pub use subject_tokens::SubjectTokens;
pub use token_verifier::{IssuersError, TokenRefused, TokenVerifier, Verified};
