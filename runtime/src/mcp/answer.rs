//! The answer to one request of a client: JSON text as it was made or as a server gave it, which goes out without becoming a tree.
//!
//! rmcp knows the members and kinds of content of the protocol's revisions and drops others. So what has to arrive whole is put here, in the
//! extensions of its request, and [`super::client_line`] sends it instead of what rmcp makes of the handler's result.

use std::sync::{Arc, Mutex, PoisonError};

use isolet_rpc::output::{Backlog, WAITING_BYTES_MAX};
use rmcp::model::ProtocolVersion;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

/// Where the answer to one request is put.
#[derive(Clone)]
pub(super) struct Answer {
    slot: Arc<Mutex<Option<Said>>>,
    backlog: Arc<Backlog>,
}

/// What is answered.
#[derive(Debug)]
pub(super) enum Said {
    /// A result, JSON text.
    Result(Arc<str>),
    /// An error, which rmcp is not shown: it would log it, and a client can make as many as it likes.
    Error(ErrorData),
}

impl Answer {
    pub(super) fn new(backlog: &Arc<Backlog>) -> Self {
        Self { slot: Arc::default(), backlog: Arc::clone(backlog) }
    }

    /// That of this request: the line gives one to each.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Option<&Self> {
        context.extensions.get()
    }

    /// Another one, for an answer that is not sent yet, to the same client.
    pub(super) fn apart(&self) -> Self {
        Self { slot: Arc::default(), backlog: Arc::clone(&self.backlog) }
    }

    /// Answers.
    pub(super) fn say(&self, said: Said) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }

    pub(super) fn take(&self) -> Option<Said> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until the client has taken enough of the answers before this one.
    pub(super) async fn room(&self) {
        self.backlog.room(WAITING_BYTES_MAX).await;
    }
}

/// Whether the request is of the era without `initialize`.
pub(super) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// The result `text` as it is, in the place of `typed`, which is all that rmcp learns of it.
pub(super) fn said<R>(text: Arc<str>, context: &RequestContext<RoleServer>, typed: R) -> Result<R, ErrorData> {
    let answer =
        Answer::of(context).ok_or_else(|| ErrorData::internal_error("a request came without a slot for its answer", None))?;
    answer.say(Said::Result(text));
    Ok(typed)
}
