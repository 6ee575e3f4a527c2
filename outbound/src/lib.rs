//! The one HTTP client for everything that goes out: upstream servers, sign-in, documents. It knows neither MCP nor V8.
//!
//! ```no_run
//! use isolet_outbound::{Method, Outbound, Policy, Request, Url};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut policy = Policy::operator();
//! policy.allowed.push("10.1.0.0/16".parse()?); // else nothing private is called
//! let outbound = Outbound::new(policy)?;
//!
//! let answer = outbound.send(Request::new(Method::GET, Url::parse("https://example.com/openapi.json")?)).await?;
//! println!("{} {} bytes", answer.status, answer.body.len());
//!
//! let client = outbound.client(); // the same rules, for a library that wants a `reqwest::Client`
//! # Ok(())
//! # }
//! ```
//!
//! # What of others is in its signatures
//!
//! Addresses are `url`'s; methods, statuses, header fields, the client for libraries and sources of addresses are reqwest's, which this crate hands on:
//! a new major version of reqwest is one of this crate. `isolet` hands on the addresses alone.
//!
//! # What may be called
//!
//! [`Policy::operator`] is for addresses in a configuration, [`Policy::server`] for those that a server or a document named.
//!
//! | address | operator | server |
//! |---|---|---|
//! | https to a public address | yes | yes |
//! | `localhost`, `*.localhost`, `127.0.0.0/8`, `::1`, https or http | yes | only if allowed |
//! | a name that *resolves* to loopback | only if allowed | only if allowed |
//! | private, link-local, shared, multicast, reserved, whichever IPv6 form it hides in | only if allowed | only if allowed |
//! | a cloud's metadata | only if that very address is allowed | the same |
//! | http to anything but loopback | only if allowed as `http://destination` | the same |
//!
//! [`Destination`]s are what an operator allows. Addresses are checked where they are connected to: the client's own resolver leaves out those
//! that must not be, and addresses that are written as numbers are checked for each connection too, in whatever library's hands
//! the client is. Redirects stay within their origin ([`Redirects`]); the environment's proxies are ignored, [`Policy::proxy`] is asked.
//!
//! # What it does not do
//!
//! A proxy looks names up again by itself, so an attacker's DNS may show it another address than it showed us: the proxy needs rules of
//! its own. NAT64 prefixes of one's own network (RFC 6052) look like public addresses: allow no IPv6 through them to what must not be
//! reached. Connections of [`Outbound::client`] are not counted, those of [`Outbound::send`] are.
//!
//! No TLS provider is installed for the whole process, on purpose: a `reqwest::Client` that is made without this crate's rules panics, so a
//! library that would make one of its own (rmcp's `from_uri`) has to be given [`Outbound::client`].
//!
//! # Secrets
//!
//! What goes out as a credential is a [`Secret`], which nothing can show; a [`Scrubber`] takes it out of what comes back, in the encodings in which
//! servers repeat what they were sent, before anything else sees it. The search is `aho-corasick`, as regex has it.
//!
//! # What it is made of
//!
//! reqwest, the version and features that rmcp uses, so that there is one HTTP stack; HTTP/1.1 alone. TLS by rustls with ring (`aws-lc-rs`,
//! its other provider, has far more C to compile) and the authorities that the platform trusts, through
//! `rustls-platform-verifier`; on Linux `SSL_CERT_FILE` and `SSL_CERT_DIR` say where those are. Decompression: gzip.

mod address;
mod confidential;
mod destination;
mod error;
mod host;
mod json_tokens;
mod outbound;
mod policy;
mod proxy;
mod redirect;
mod request;
mod resolver;
mod route;
mod scrubber;
mod secret;
mod secret_forms;
mod tls;

pub use address::AddressKind;
pub use confidential::{secrets_in, secrets_of};
pub use destination::{Destination, NotADestination};
pub use error::{OutboundError, TlsFault};
pub use outbound::Outbound;
pub use policy::{AddressSource, OutboundLimits, Policy};
pub use proxy::{NotAProxy, Proxy};
pub use redirect::Redirects;
pub use request::{Answer, Body, Part, Request};
pub use scrubber::{SCRUBBED, Scrubber};
pub use secret::{SECRET_BYTES_MIN, Secret, ShortSecret};
pub use tls::config as tls_config;

pub use reqwest::dns;
pub use reqwest::header;
pub use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
