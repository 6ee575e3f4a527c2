//! Documents become tools, tools become requests, answers become values; and what hostile documents and arguments do not do.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod answers;
mod arguments;
mod credentials;
mod documents;
mod hostile;
mod requests;
mod server;
