//! One call, whoever makes it, a program or a classic client: authorised, made, answered, and its reply checked. All in one way.

use std::sync::{Arc, Mutex, PoisonError};

use isolet_bindings::{Asker, Listener, Scope, ToolError, ToolReply, visible};
use tracing::Instrument as _;

use super::event::Listeners;
use super::gate::{self, Authorised, Target};
use super::held::Held;
use super::kept_results::ResultsOfUser;
use super::limits::Limits;
use super::record::{Made, OpenRecord};
use super::reply_check::{Aside, Check};
use super::run_id::RunId;
use super::tool_host::{self, AnyToolHost};
use super::work::HostWork;

/// The most notes that are kept.
const NOTES_MAX: usize = 8;

/// What the calls of one run share, or of one session that is served as a classic server.
pub(crate) struct Caller {
    /// `None` for those of a classic client.
    pub(crate) run: Option<RunId>,
    pub(crate) scope: Scope,
    pub(crate) host: Arc<dyn AnyToolHost>,
    pub(crate) argument_bytes_max: usize,
    pub(crate) reply_bytes_max: usize,
    pub(crate) work: Arc<HostWork>,
    pub(crate) kept_results: ResultsOfUser,
    pub(crate) listeners: Listeners,
    /// What was changed in the arguments of calls, a sentence each.
    pub(crate) notes: Mutex<Vec<String>>,
}

/// A call as it came: nothing of it is believed.
pub(crate) struct Request {
    /// Its number, which whoever makes it has counted.
    pub(crate) number: u32,
    /// What it names.
    pub(crate) index: u32,
    /// JSON text.
    pub(crate) arguments: String,
    /// Who hears what the tool says while it works.
    pub(crate) listener: Listener,
    /// Whom the tool can ask while it works.
    pub(crate) asker: Asker,
    /// What of this process's memory it takes, until it is answered or cancelled.
    pub(crate) held: Held,
}

impl Caller {
    pub(crate) fn new(
        run: Option<RunId>,
        scope: &Scope,
        host: &Arc<dyn AnyToolHost>,
        limits: &Limits,
        work: Arc<HostWork>,
        kept_results: ResultsOfUser,
        listeners: Listeners,
    ) -> Arc<Self> {
        Arc::new(Self {
            run,
            scope: scope.clone(),
            host: Arc::clone(host),
            argument_bytes_max: limits.argument_bytes_max,
            reply_bytes_max: limits.reply_bytes_max,
            work,
            kept_results,
            listeners,
            notes: Mutex::default(),
        })
    }

    /// Keeps the first notes for whoever made the calls.
    pub(crate) fn note(&self, notes: Vec<String>) {
        if notes.is_empty() {
            return;
        }
        let mut kept = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let room = NOTES_MAX.saturating_sub(kept.len());
        kept.extend(notes.into_iter().take(room));
    }

    /// The notes that were kept.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins the record of call `number`, of what `index` names, which was made at `line` of a program.
    pub(crate) fn record(&self, number: u32, index: u32, line: u32, argument_bytes: usize) -> OpenRecord {
        self.record_of(Target::of(&self.scope, index), number, line, argument_bytes)
    }

    /// The same, of `target`.
    pub(crate) fn record_of(&self, target: Target<'_>, number: u32, line: u32, argument_bytes: usize) -> OpenRecord {
        let made = Made { run: self.run, call: number, line };
        OpenRecord::begin(target, made, argument_bytes, self.listeners.clone())
    }

    /// Checks the reply of a call against its tool's schema and tells that the call has ended; or gives the check that is more than a
    /// moment's work, for [`Caller::warnings`].
    pub(crate) fn check(&self, record: &mut OpenRecord, index: u32, reply: ToolReply) -> Option<Aside> {
        match Check::of(&self.scope, &self.work, index, reply) {
            Check::Done(warnings) => {
                record.close(warnings);
                None
            }
            Check::Aside(check) => Some(check),
        }
    }

    /// What such a check comes to: for [`OpenRecord::close`].
    pub(crate) async fn warnings(self: Arc<Self>, check: Aside) -> Vec<String> {
        check.warnings(self.scope.clone(), &self.work).await
    }

    /// Authorises the call and makes it. Dropping the future cancels it, at its next await.
    pub(crate) async fn answer(self: Arc<Self>, request: Request) -> Result<ToolReply, ToolError> {
        let Request { number, index, arguments, listener, asker, held: _held } = request;
        match gate::authorise(&self.scope, number, index, arguments, self.argument_bytes_max, &self.work, &self.kept_results)
            .await?
        {
            Authorised::Answer(reply) => tool_host::within(Ok(reply), self.reply_bytes_max),
            Authorised::Resource(uri) => self.read(&uri).await,
            Authorised::Tool(mut call, notes) => {
                (call.listener, call.asker) = (listener, asker);
                self.note(notes);
                let span = tracing::debug_span!("call", path = %visible::line(&call.path), id = number);
                tool_host::call(&*self.host, call, self.reply_bytes_max).instrument(span).await
            }
        }
    }
}
