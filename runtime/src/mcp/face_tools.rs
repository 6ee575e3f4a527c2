//! The tools of one session as its client sees them: one face or two, which share a list.

use std::sync::{Arc, OnceLock};

use rmcp::model::CallToolResponse;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::Value;
use tokio_util::sync::DropGuard;

use super::answer::{Answer, Said};
use super::classic::{Classic, unknown_tool};
use super::code_mode::CodeMode;
use super::hearing::Gravity;
use super::lossless;
use super::offer::Offer;
use super::open_calls::OpenCalls;
use super::options::{Mode, ServeOptions};
use super::remarks::remarks;
use super::search_face::SearchFace;
use crate::host::session::Parts;

/// The tools of a session, as its mode says.
pub(super) struct Tools {
    pub(super) classic: Option<Classic>,
    code_mode: Option<CodeMode>,
    search: Option<SearchFace>,
    /// The answers to `tools/list` over a line, in the older and in the newer era: made once, whatever a client asks.
    lists: [OnceLock<Arc<str>>; 2],
    /// Whether no server is still starting.
    pub(super) is_complete: bool,
    /// What ends with the last request that uses it.
    _kept: Option<Kept>,
}

/// What is kept for the tools.
enum Kept {
    /// What they were offered in.
    Offer { _offer: Offer },
    /// A session that goes on without its connection.
    Session { _end_when_dropped: DropGuard },
}

impl Tools {
    /// `starting`: servers whose tools come later.
    fn of(session: Arc<Parts>, options: &ServeOptions, starting: &[String]) -> Self {
        // What waits for its client holds the tools, so these do not hold that.
        let options = &ServeOptions { open_calls: OpenCalls::default(), ..options.clone() };
        let remarks = &remarks(&session.scope, starting);
        let is = |modes: [Mode; 2]| modes.contains(&options.mode);
        let classic = is([Mode::Classic, Mode::Both]).then(|| Classic::new(Arc::clone(&session), options));
        let code_mode = is([Mode::Code, Mode::Both]).then(|| CodeMode::new(Arc::clone(&session), options, remarks));
        let search = (options.mode == Mode::Search).then(|| SearchFace::new(session, options, remarks));
        let lists = [OnceLock::new(), OnceLock::new()];
        Self { classic, code_mode, search, lists, is_complete: starting.is_empty(), _kept: None }
    }

    /// All tools of `session`, and no others. They outlive it as long as a request needs them.
    pub(super) fn of_session(session: &Parts, options: &ServeOptions) -> Self {
        let (session, end_when_dropped) = session.apart();
        Self { _kept: Some(Kept::Session { _end_when_dropped: end_when_dropped }), ..Self::of(session, options, &[]) }
    }

    pub(super) fn offered(offer: Offer, options: &ServeOptions) -> Self {
        let tools = Self::of(offer.parts(), options, offer.starting());
        Self { _kept: Some(Kept::Offer { _offer: offer }), ..tools }
    }

    /// The definitions of all tools, as JSON, one after the other.
    pub(super) fn definitions(&self) -> impl Iterator<Item = Value> {
        let code_mode = self.code_mode.iter().flat_map(CodeMode::definitions);
        let search = self.search.iter().flat_map(SearchFace::definitions);
        code_mode.chain(search).chain(self.classic.iter().flat_map(Classic::definitions))
    }

    /// The answer to `tools/list` over a line.
    pub(super) fn list(&self, is_modern: bool, life_ms: u64) -> Arc<str> {
        let list = || lossless::list_text(self.definitions(), is_modern, life_ms);
        Arc::clone(self.lists[usize::from(is_modern)].get_or_init(list))
    }

    /// Calls one of them with `arguments`, JSON text; the client hears lines of servers' logs from `gravity` on.
    pub(super) async fn call(
        &self,
        name: &str,
        arguments: &str,
        gravity: Option<Gravity>,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(code_mode) = &self.code_mode
            && let Some(result) = code_mode.call(name, arguments, context).await
        {
            return result;
        }
        if let Some(search) = &self.search {
            return search.call(name, arguments, context).await;
        }
        if let Some(classic) = self.classic.as_ref().filter(|classic| classic.has(name)) {
            return classic.call(name, arguments, gravity, context).await;
        }
        let program = self.code_mode.as_ref().and_then(|code_mode| code_mode.program_for(name, arguments));
        program.map(Into::into).ok_or_else(|| unknown_tool(name))
    }

    /// The same; the text of the result, as clients since 2026-07-28 take it.
    pub(super) async fn call_for_text(
        &self,
        name: &str,
        arguments: &str,
        gravity: Option<Gravity>,
        context: &RequestContext<RoleServer>,
    ) -> Result<Arc<str>, ErrorData> {
        let response = self.call(name, arguments, gravity, context).await?;
        match Answer::of(context).and_then(Answer::take) {
            Some(Said::Result(text)) => return Ok(text),
            Some(Said::Error(error)) => return Err(error),
            None => {}
        }
        let text = match response {
            CallToolResponse::Complete(result) => serde_json::to_string(&result).ok(),
            // No face asks in another way.
            _ => None,
        };
        let text = text.and_then(|text| lossless::result_text(&text, true));
        text.ok_or_else(|| ErrorData::internal_error("the result cannot be written", None))
    }
}
