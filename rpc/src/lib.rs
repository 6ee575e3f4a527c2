//! JSON-RPC 2.0, one message a line, with a peer that may send anything: a client of ours, a server, a program in another language.
//!
//! | a peer | meets |
//! |---|---|
//! | a line without end | [`line_reader`]: it is skipped, and so much of it kept that its sender can be told |
//! | what is no JSON, no message, an array of messages | [`messages`] and [`refusal`]: each gets one answer |
//! | an `id` of any kind, one twice, too many requests | [`client_id`], [`client_requests`] |
//! | a peer that takes nothing | [`output`]: what waits is counted, nothing more is read, and then it is given up |
//! | a peer on standard input and output | [`standard_streams`]: waited for without threads |
//!
//! What is in a message stays text ([`envelope`]): however deep it is, reading it takes no stack. No V8 and no program; of MCP only how a message
//! says to which request it belongs ([`client_id`]): what the messages mean is the business of whoever uses this.

pub mod client_id;
pub mod client_requests;
pub mod envelope;
pub mod line_reader;
pub mod lost_id;
pub mod messages;
pub mod output;
pub mod refusal;
pub mod standard_streams;
