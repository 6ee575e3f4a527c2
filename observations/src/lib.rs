//! What replies of tools are like that no server declares: kept for each principal, in memory ([`MemoryShapes`]) or in a file ([`SqliteShapes`]).
//!
//! ```
//! use std::sync::Arc;
//!
//! use isolet_bindings::{Catalog, Grants};
//! use isolet_observations::MemoryShapes;
//! use serde_json::json;
//!
//! let shapes = Arc::new(MemoryShapes::new());
//! let tools = vec![json!({"name": "list_issues", "inputSchema": {"type": "object"}})];
//! let scope = Catalog::load([("github", tools)])?.scope(&Grants::new().allow("*"))?;
//! // A session of this scope observes by itself; this is what it does with a reply.
//! scope.observing(shapes.clone(), "ada").observe(0, r#"[{"number": 7, "title": "It fails"}]"#);
//! let next = scope.observing(shapes, "ada");
//! assert!(next.typescript().contains("type list_issues_result = { number: number; title: string }[]; // 1 reply"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Kept are names, kinds and optionality, never values: [`ReplyShape`](isolet_bindings::ReplyShape) says what a name is. What one principal's replies
//! were like is shown to that principal alone. Of a server that an operator has declared shared, others are shown what the replies of three
//! principals had. Everything is bounded, and what was not used for the longest time goes first.

mod memory;
mod records;
mod sqlite;
mod writer;

pub use memory::MemoryShapes;
pub use records::{PRINCIPALS_MIN, SHAPES_MAX, SHAPES_OF_TOOL_MAX};
pub use sqlite::{SqliteShapes, SqliteShapesError};
