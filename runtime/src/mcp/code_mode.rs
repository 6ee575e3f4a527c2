//! The face of code mode: a model runs programs against the user's tools, which it knows from the description of `run_code`; what does not
//! fit there it searches for.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use isolet_bindings::{IndexForm, TokenBudget, ToolIndex};
use rmcp::model::{CallToolResponse, CallToolResult, ProgressNotificationParam};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::audience::{Audience, Hearer};
use super::authorization_pages;
use super::client_asker;
use super::options::{Results, ServeOptions};
use super::own_arguments::OwnArguments;
use super::own_name;
use super::run_result;
use super::tool_search::{self, refused, said_with_note};
use crate::host::event::Event;
use crate::host::limits::LowerLimits;
use crate::host::session::{Parts, RunOptions};

/// Tokens of types that a model gets if it does not say how many.
const TYPES_TOKENS: usize = 4000;
/// What a program may print for a model: more would fill its context.
const CONSOLE_BYTES_MAX: usize = 32 << 10;
/// Progress messages that wait for a slow client.
const EVENTS_WAITING: usize = 256;
/// How long a result waits for the progress before it to be taken.
const PROGRESS_MAX: Duration = Duration::from_secs(1);

/// Code mode for one session.
pub(super) struct CodeMode {
    session: Arc<Parts>,
    options: ServeOptions,
    index: OnceLock<ToolIndex>,
    /// What is said beside the tools.
    remarks: String,
}

/// What `get_types` takes, and what `run_code` takes.
const TYPES_ARGUMENTS: &[&str] = &["tools", "max_tokens"];
const RUN_ARGUMENTS: &[&str] = &["code", "timeout_ms"];

struct RunArguments {
    code: String,
    timeout_ms: Option<u64>,
    /// What was left out because it is no argument.
    note: Option<String>,
}

impl RunArguments {
    fn read(text: &str) -> Result<Self, String> {
        let arguments = OwnArguments::read("run_code", RUN_ARGUMENTS, text)?;
        let (code, timeout_ms) = (arguments.needed_text("code")?, arguments.count("timeout_ms")?);
        Ok(Self { code, timeout_ms, note: arguments.left_out() })
    }
}

impl CodeMode {
    /// What a client tells its model about this server. A model pays for it whatever it does, so it says what holds in every scope, once: some 140 tokens.
    pub(super) const INSTRUCTIONS: &str = "\
`run_code` runs TypeScript in which the user's tools are async functions, not MCP tools. Each takes one object and gives a value; JSON is parsed already:
const issues = await github.list_issues({ state: \"open\" });
return issues.filter(issue => issue.comments > 10).map(issue => issue.title);
Do all in one program, independent calls with `Promise.all`, and return only what you need. A tool that fails throws a `ToolError` (`code`, `message`). \
`await tools.content(call)`, of the promise of a call, gives all blocks of its reply; images that you return are shown. Nothing is kept between \
programs; there is no network, file system or import.";

    pub(super) fn new(session: Arc<Parts>, options: &ServeOptions, remarks: &str) -> Self {
        Self { session, options: options.clone(), index: OnceLock::new(), remarks: remarks.to_owned() }
    }

    /// What the description of `run_code` says of the user's tools. It is made once: a model's prompt is cached by its bytes.
    fn index(&self) -> &ToolIndex {
        self.index.get_or_init(|| self.session.scope.index(TokenBudget::new(self.options.index_tokens_max)))
    }

    /// The definition of `run_code`, and of what finds and describes tools where it leaves something to ask for.
    pub(super) fn definitions(&self) -> Vec<Value> {
        let always = self.options.always_offers_search;
        let mut definitions = vec![self.run_definition()];
        if always || self.index().form == IndexForm::Names {
            let what = "Finds tools that programs of `run_code` can call; gives their signatures, best first.";
            definitions.push(tool_search::definition(what));
        }
        if always || self.index().form != IndexForm::Declarations {
            definitions.push(types_definition());
        }
        definitions
    }

    fn run_definition(&self) -> Value {
        let mut definition = json!({
            "name": "run_code",
            "title": "Run a program",
            "description": format!("Runs the body of an async function, in TypeScript, and gives what it returns. The user's tools are functions there:\n{}{}", self.index().text, self.remarks),
            "inputSchema": {
                "type": "object",
                "properties": {
                    "code": { "type": "string" },
                    "timeout_ms": { "type": "integer", "minimum": 1, "description": "For slow tools." },
                },
                "required": ["code"],
                "additionalProperties": false,
            },
        });
        // A tool that declares its output has to give it structured.
        if self.options.results != Results::Text {
            definition["outputSchema"] = run_result::output_schema();
        }
        definition
    }

    /// Calls one of its tools, whether it is listed or not; none for any other name.
    pub(super) async fn call(
        &self,
        name: &str,
        arguments: &str,
        context: &RequestContext<RoleServer>,
    ) -> Option<Result<CallToolResponse, ErrorData>> {
        let result = match name {
            "search_tools" => tool_search::answer(&self.session.scope, arguments),
            "get_types" => self.types(arguments),
            "run_code" => match RunArguments::read(arguments) {
                Ok(RunArguments { timeout_ms: Some(asked), .. }) if asked > self.wall_ms_max() => Err(format!(
                    "`timeout_ms` is {asked}: it can be up to {}; leave it out, or ask for less",
                    self.wall_ms_max()
                )),
                Ok(arguments) => match self.run(arguments, context).await {
                    Ok(result) => Ok(result),
                    Err(error) => return Some(Err(error)),
                },
                Err(text) => Err(text),
            },
            _ => return None,
        };
        Some(Ok(result.unwrap_or_else(refused).into()))
    }

    /// The answer to a call of a tool of the scope by its own name: the program that makes it.
    pub(super) fn program_for(&self, name: &str, arguments: &str) -> Option<CallToolResult> {
        let tool = own_name::meant(&self.session.scope, name)?;
        Some(refused(own_name::program_for(tool, name, arguments)))
    }

    /// The longest that a client may ask for, milliseconds.
    fn wall_ms_max(&self) -> u64 {
        u64::try_from(self.session.limits().wall_max.as_millis()).unwrap_or(u64::MAX)
    }

    /// What a run for a model may give, and the time that its client allows.
    fn limits(&self, timeout_ms: Option<u64>) -> LowerLimits {
        LowerLimits {
            wall_max: timeout_ms.map(Duration::from_millis).or(self.options.wall_default),
            console_bytes_max: Some(CONSOLE_BYTES_MAX),
            ..LowerLimits::default()
        }
    }

    fn types(&self, arguments: &str) -> Result<CallToolResult, String> {
        let arguments = OwnArguments::read("get_types", TYPES_ARGUMENTS, arguments)?;
        let Parts { scope, .. } = &*self.session;
        let tools = arguments.texts("tools")?;
        let text = if tools.is_empty() {
            let tokens = arguments.count("max_tokens")?.map(|tokens| usize::try_from(tokens).unwrap_or(usize::MAX));
            scope.types(TokenBudget::new(tokens.unwrap_or(TYPES_TOKENS))).text
        } else {
            scope.describe(tools.iter().map(String::as_str))
        };
        Ok(said_with_note(text, &arguments))
    }

    /// Runs a program. Its fault is a result that says so; the host's is an error of the protocol.
    async fn run(&self, arguments: RunArguments, context: &RequestContext<RoleServer>) -> Result<CallToolResult, ErrorData> {
        let cancel = CancellationToken::new();
        let mut options =
            RunOptions { limits: self.limits(arguments.timeout_ms), cancel: cancel.clone(), ..RunOptions::default() };
        let asker = client_asker::of(context);
        options.asker = asker.clone();
        let progress = context.meta.get_progress_token().map(|_| {
            let (events, seen) = mpsc::channel(EVENTS_WAITING);
            options.events = Some(events);
            tokio::spawn(pass_on(seen, Audience::of(context), self.options.heartbeat))
        });
        let outcome = {
            let run = self.session.run(&arguments.code, options);
            tokio::pin!(run);
            tokio::select! {
                outcome = &mut run => outcome,
                () = context.ct.cancelled() => {
                    cancel.cancel();
                    run.await
                }
            }
        };
        if let Some(mut progress) = progress {
            // No progress comes after the result; a client that takes none does not keep it back.
            if tokio::time::timeout(PROGRESS_MAX, &mut progress).await.is_err() {
                progress.abort();
            }
        }
        let mut outcome = outcome.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        outcome.notes.extend(arguments.note);
        tokio::select! {
            notes = authorization_pages::offer(&asker, &outcome.authorizations) => outcome.notes.extend(notes),
            () = context.ct.cancelled() => {}
        }
        Ok(run_result::result_of(&outcome, &self.options, &self.session.kept_results()))
    }
}

/// Tells the client what happens in a run, one notification each; where nothing does for so long as `heartbeat`, that it goes on.
async fn pass_on(mut seen: mpsc::Receiver<Event>, audience: Audience, heartbeat: Duration) {
    let mut count = 0_u32;
    loop {
        let message = match tokio::time::timeout(heartbeat, seen.recv()).await {
            Ok(Some(Event::Console { line, .. })) => line.text,
            Ok(Some(Event::Called { path, .. })) => format!("calls {path}"),
            Ok(Some(Event::Answered(record))) => format!("{} has answered after {:?}", record.path, record.duration),
            Ok(None) => return,
            Err(_) => "the program goes on".to_owned(),
        };
        let Some(Hearer { client, token: Some(token) }) = audience.now() else { continue };
        count += 1;
        let progress = ProgressNotificationParam::new(token, f64::from(count)).with_message(message);
        // One that is gone hears nothing; another request may wait for the program later.
        let _ = client.notify_progress(progress).await;
    }
}

fn types_definition() -> Value {
    json!({
        "name": "get_types",
        "title": "Get TypeScript types",
        "description": "Gives the TypeScript declarations of tools: of those that are named, or of all within a number of tokens.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "tools": { "type": "array", "items": { "type": "string" }, "description": "Paths, such as `github.create_issue`. Left out: all tools, in full as far as `max_tokens` goes, then shortened." },
                "max_tokens": { "type": "integer", "minimum": 1, "default": TYPES_TOKENS },
            },
            "additionalProperties": false,
        },
        "annotations": { "readOnlyHint": true, "openWorldHint": false },
    })
}
