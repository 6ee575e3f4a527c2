//! MCP over streamable HTTP, in both eras: each message is answered by a face of a session, over the same line as that of a client on standard input
//! and output. So its borders hold here too: what is no message is refused, arguments and results stay the text that they came in.
//!
//! ```text
//! 2026-07-28   POST -> headers -> a session and its line -> the answer, or a stream that ends with it -> both are dropped
//! before       initialize -> a session and its line, kept for its principal under an id -> POST ... -> DELETE
//!              GET -> a stream of what the session says that answers nothing
//! ```
//!
//! rmcp's own service for HTTP is not used: its types lose what they do not know of a result, and its sessions are whoever's knows their id.

pub(crate) mod endpoint;
mod headers;
mod line;
mod message;
mod message_refusal;
mod param_headers;
mod replies;
pub(crate) mod store;
mod unasked;
mod waiting;
