//! Isolet runs the code that a language model writes, against the tools of **one user, for one request**.
//!
//! Instead of a list of tools, the model gets a small typed TypeScript API. Its program runs in a V8 isolate that comes from a
//! prebuilt snapshot, in a process of its own, calls the user's tools as async functions, returns a small answer, and is gone.
//!
//! ```no_run
//! use isolet::{Catalog, Config, Grants, Runtime, ToolCall, ToolError, ToolHost, ToolReply};
//!
//! struct Github { token: String }
//!
//! impl ToolHost for Github {
//!     async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
//!         // Call the API with `self.token`; `call.arguments` match the tool's schema, as JSON text and as a map.
//!         Ok(ToolReply::from(serde_json::json!([{ "title": "an issue" }])))
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     isolet::init(); // first line: if this process was started to be a guest, it becomes one here
//!     tokio::runtime::Runtime::new()?.block_on(serve())
//! }
//!
//! async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//!     let runtime = Runtime::new(Config::default())?; // once per process
//!     let tools = vec![serde_json::json!({ "name": "list_issues", "inputSchema": { "type": "object" } })];
//!     let catalog = Catalog::load([("github", tools)])?; // once per deployment
//!
//!     // Per request, in the handler that has already authenticated the user:
//!     let scope = catalog.scope(&Grants::new().allow("github.*").deny("github.delete_*"))?;
//!     let session = runtime.session(scope, Github { token: "the user's".to_owned() });
//!     println!("{}", session.typescript()); // for the model
//!     let outcome = session.run("return (await github.list_issues({})).length").await?;
//!     println!("{}", outcome.end);
//!     Ok(())
//! }
//! ```
//!
//! # Three endings, never mixed
//!
//! | who caused it | type | the caller should |
//! |---|---|---|
//! | the program | `Ok(`[`Outcome`]`)` | show it to the model |
//! | the caller or the host | `Err(`[`RunError`]`)` | log it, retry or mend the set-up |
//! | one tool call | an exception in the program, with a stable `code` | nothing: the program decides |
//!
//! # Features
//!
//! Both are on by default. `guest`: this executable can be a guest process, and has V8 in it. Without it the library is the host alone, without
//! V8: [`Config::executable`] names a program of the same version whose guests it uses, as `isolet` is one. `mcp`: upstream servers, and a
//! session as a server.
//!
//! # What it costs
//!
//! A [`Runtime`] is made once per process: a thread, a zygote of some 60 MB. A [`Session`] is made per request and costs
//! microseconds. A run costs a process, forked from a booted isolate: half a millisecond, half a megabyte.
#![doc = include_str!("../cookbook.md")]

#[cfg(not(unix))]
compile_error!(
    "isolet needs fork, sockets with descriptors and resource limits: Linux and macOS are supported, Windows is not yet"
);

#[cfg_attr(not(feature = "guest"), allow(dead_code, reason = "what only the guest side needs of it"))]
mod contract;
mod error_chain;
#[cfg(feature = "guest")]
#[allow(unsafe_code, reason = "the guest process: V8's memory, fork, and what the kernel refuses it")]
mod guest;
mod host;
#[cfg(feature = "mcp")]
pub mod mcp;

pub use isolet_bindings::{
    AUTHORIZE, Answering, Arguments, ArgumentsError, AskKind, Asker, Authorization, CallNews, Catalog, CatalogError,
    ContentHash, Coverage, Declarations, DefinitionError, DefinitionList, DroppedTool, Grants, IndexForm, LackingServer,
    ListError, Listener, Manifest, Namespace, NotAGlob, NotAnswered, ObservedShapes, Question, ReplyShape, Scope, ScopeError,
    ScopeWarning, ScopedTool, SearchHit, ServerCoverage, TokenBudget, TokenCount, Tool, ToolCall, ToolError, ToolErrorCode,
    ToolIndex, ToolReply, UncheckedKeyword, UncheckedReason, Violation, visible,
};

pub use contract::v8_flags::Jit;
pub use error_chain::with_causes;
pub use host::change_signal::ChangeSignal;
pub use host::config::{Config, Isolation, Start, danger};
pub use host::event::Event;
pub use host::limits::{HEAP_BYTES_MIN, Limits, LowerLimits};
pub use host::metrics::Metrics;
pub use host::outcome::{CallEnd, CallRecord, ConsoleLine, Cost, End, GuestError, Level, Origin, Outcome, Stop, Traffic};
pub use host::principal::{Principal, PrincipalKey};
pub use host::run_error::RunError;
pub use host::run_id::RunId;
pub use host::runtime::{IsolationReport, IsolationTier, Runtime, StartReport};
pub use host::session::{RunOptions, Session};
pub use host::snapshots::file::SnapshotMismatch;
pub use host::snapshots::folder::{SnapshotFile, SnapshotFolder, SnapshotFolderError, SnapshotVerdict};
pub use host::snapshots::privacy::Exposure;
pub use host::tool_host::{Answer, AnyToolHost, ToolFn, ToolHost, tool_fn};
pub use host::wanted::Wanted;

/// The first line of `main`: if this process was started to be a zygote or a guest, it becomes one here and never returns.
///
/// Otherwise it only notes that [`Runtime::new`] may start this executable as a guest process. Call it before a runtime, a
/// logger or an allocator starts threads: V8 without background threads and fork both need a process with one thread, and a
/// guest process that has more refuses to start and says so.
///
/// `#[tokio::main]` starts its threads before the first line of what it is written above: there this comes too late. Write `main` without it, call
/// this, and then start the runtime, as `tokio::runtime::Runtime::new()?.block_on(serve())`.
///
/// Neither has Rust's own test harness a `main` to write this into. A `#[test]` that runs programs names another executable that can be a guest:
/// [`Config::executable`] is `env!("CARGO_BIN_EXE_name")`, the application's own program, or the program `isolet` of the same version; then this need not
/// be called. `examples/embedder` is such an application.
pub fn init() {
    #[cfg(feature = "guest")]
    guest::become_guest_if_asked();
    #[cfg(not(feature = "guest"))]
    contract::guest_process::refuse_if_asked();
    #[cfg(feature = "mcp")]
    mcp::supervisor::init();
    host::supply::INITIALISED.store(true, std::sync::atomic::Ordering::Relaxed);
}
