//! MCP tool definitions become a typed TypeScript API: definitions -> [`Catalog`] -> [`Scope`] -> declarations, manifest, search.
//!
//! ```
//! use isolet_bindings::{Catalog, Grants};
//! use serde_json::json;
//!
//! let tools = vec![json!({"name": "whoami", "description": "The signed-in user.", "inputSchema": {"type": "object", "properties": {}}})];
//! let catalog = Catalog::load([("github", tools)])?;
//! let scope = catalog.scope(&Grants::new().allow("github.*"))?;
//! assert!(scope.typescript().contains("function whoami("));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! No V8, no I/O, no clock: the same input gives the same bytes. Definitions are hostile input, from servers that nobody here wrote.

pub mod name;
pub mod visible;

mod annotation;
mod asker;
mod authorization;
mod budgeted;
mod call;
mod call_news;
mod catalog;
mod check;
mod coercion;
mod comment;
mod declarations;
mod defaults;
mod definition;
mod exact_integers;
mod grant_patterns;
mod granting;
mod grants;
mod hash;
mod json;
mod keywords;
mod lacking;
mod manifest;
mod nearest;
mod observed_shapes;
mod observed_types;
mod pattern;
#[cfg(test)]
mod processor_time;
mod reference;
mod render;
mod reply_shape;
mod schema;
mod scope;
mod scoped_tool;
mod search;
mod search_answer;
mod server;
mod shape;
mod stand_in;
mod surrogates;
mod tokens;
mod tool_index;
mod vocabulary;
mod whole_servers;
mod wide_integer;
mod words;

pub use asker::{Answering, AskKind, Asker, NotAnswered, Question};
pub use authorization::Authorization;
pub use budgeted::{Coverage, Declarations, ServerCoverage};
pub use call::{Arguments, ArgumentsError, ToolCall, ToolError, ToolErrorCode, ToolReply};
pub use call_news::{CallNews, Listener};
pub use catalog::{Catalog, CatalogError, DroppedTool, SERVER_TOOLS_MAX};
pub use check::{CHECK_STEPS_MAX, Check, UncheckedKeyword, UncheckedReason, Verdict, Violation};
pub use coercion::Coerced;
pub use declarations::TOOL_TEXT_BYTES_MAX;
pub use definition::{DefinitionError, DefinitionList, LIST_BYTES_MAX, ListError, TOOL_BYTES_MAX, TOOL_DEPTH_MAX, Tool};
pub use grant_patterns::NotAGlob;
pub use granting::{ScopeError, ScopeWarning};
pub use grants::Grants;
pub use hash::ContentHash;
pub use lacking::LackingServer;
pub use manifest::{Manifest, Namespace};
pub use observed_shapes::ObservedShapes;
pub use reply_shape::{OBSERVED_REPLY_BYTES_MAX, ReplyShape};
pub use scope::{DESCRIBED_PATHS_MAX, Scope};
pub use scoped_tool::ScopedTool;
pub use search::SearchHit;
pub use stand_in::AUTHORIZE;
pub use surrogates::without_half_surrogates;
pub use tokens::{TokenBudget, TokenCount, count_tokens};
pub use tool_index::{IndexForm, ToolIndex};
