//! OpenAPI documents as servers: each operation is a tool, called at an address that the operator names, with the user's own credentials.
//!
//! ```
//! use isolet_openapi::{Api, Caller, Credential, SchemeCredentialError, SchemeCredentials, SecurityScheme};
//! use isolet_outbound::{Outbound, Policy, Url};
//!
//! /// One user's key.
//! struct Key(Credential);
//!
//! impl SchemeCredentials for Key {
//!     async fn credential(&self, _: &SecurityScheme, _: &[String]) -> Result<Option<Credential>, SchemeCredentialError> {
//!         Ok(Some(self.0.clone()))
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let api = Api::parse(std::fs::read("openapi.yaml")?)?;
//! for dropped in api.dropped() {
//!     println!("{} {}: {}", dropped.method, dropped.path, dropped.reason);
//! }
//! let tools = api.tools(); // raw definitions: `isolet_bindings::Catalog::load([("pets", tools)])`
//!
//! let base = Url::parse("https://pets.example.com/v1")?; // the operator's word, not the document's
//! let caller = Caller::new(base, Outbound::new(Policy::operator())?, Key(Credential::new("...")))?;
//! let arguments = serde_json::json!({ "id": 7 });
//! let pet = caller.call(&api, "getPet", arguments.as_object().expect("an object")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What a tool is made of
//!
//! | of the tool | from the document |
//! |---|---|
//! | name | `operationId`, else method and path; letters, digits, `_` and `-`; a suffix of its own where an earlier one has it |
//! | description | `summary` and `description` |
//! | arguments | parameters by their names; the fields of a body that is a plain object, else the body as `body`. `x-in` says where each goes |
//! | two arguments of one name | path before query, header, cookie, body: the first keeps it, the others get `_query`, `_header`, `_cookie`, `_body` |
//! | result | the schemas of the 2xx answers in JSON; what is no object lies in `result` (`x-fastmcp-wrap-result`), and programs get it bare |
//! | hints | the method: `GET` reads, `DELETE` and `PUT` destroy and may be repeated |
//!
//! `$ref`s are resolved within the document and nothing is fetched. Header fields that are the client's (`host`, `authorization`, ...) and
//! parameters that are where a credential goes are no arguments. A file is a text, or bytes as `{ base64, filename?, mediaType? }`.
//!
//! # What no document, argument or server does
//!
//! * A request goes to the operator's origin or nowhere. `servers`, absolute paths and `..` in whatever encoding are no way out of it.
//! * No argument stands where the operator's query, header fields and cookies or a credential stand, or another argument: members of an object
//!   that become parameters of their own are refused if their names could be taken for one of those.
//! * Header fields that make one operation another or one caller another (`X-HTTP-Method-Override`, `X-Forwarded-*`, ...) are no arguments.
//! * A credential goes into no field that the connection needs, and into a cookie as it is or not at all.
//! * Documents are bounded in bytes, values and depth, operations in number and size; requests in the bytes of their address, header fields
//!   and body, asked before they are written.
//!
//! # What it does not do
//!
//! Pages of a list are the program's to ask for. Swagger 2.0 has to be converted. XML bodies are texts. `mutualTLS` cannot be given. A server
//! that repeats a credential in its answer is believed here: what a program must not see is taken out by whoever embeds this.

mod answer;
mod body;
mod caller;
mod credential;
mod document;
mod error;
mod excerpt;
mod fault;
mod name;
mod operation;
mod output;
mod pairs;
mod parameter;
mod path;
mod read;
mod reference;
mod request;
mod schema;
mod security;
mod style;

pub use caller::Caller;
pub use credential::{Credential, SchemeCredentialError, SchemeCredentials};
pub use document::{Api, DEFINITIONS_BYTES_MAX, DroppedOperation, OPERATIONS_MAX};
pub use error::CallError;
pub use fault::{DOCUMENT_BYTES_MAX, DocumentError, OperationError};
pub use operation::{Argument, Operation};
pub use parameter::ArgumentLocation;
pub use read::DOCUMENT_DEPTH_MAX;
pub use reference::Unresolved;
pub use security::{SecurityLocation, SecurityNeed, SecurityScheme};
