//! An OpenAPI document becomes operations, each by itself: one that cannot be used is dropped with its reason.
//!
//! Documents are read as raw JSON, not through `openapiv3` or `oas3`: those read a document as a whole, so that one odd schema costs all of
//! it (`oas3` 0.22 refuses five of eight published 3.1 documents in the test of public documents), and they lose the keywords
//! that they do not know. What a tool needs besides schemas is little.

use serde_json::Value;

use crate::fault::{DocumentError, OperationError};
use crate::name::ToolNames;
use crate::operation::Operation;
use crate::read;
use crate::reference;
use crate::security::{self, SecurityScheme};

/// The most operations of a document.
pub const OPERATIONS_MAX: usize = 5_000;

/// The most bytes of all tool definitions of a document together.
pub const DEFINITIONS_BYTES_MAX: usize = 64 << 20;

/// Methods that an operation can have, in OpenAPI's order. `trace` sends back what it got, credentials included.
const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch"];

/// The most characters of a text about the document.
const TEXT_LENGTH_MAX: usize = 2_000;

/// An operation that is no tool.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedOperation {
    /// Its method, in capitals.
    pub method: String,
    /// Its path.
    pub path: String,
    /// Why.
    pub reason: OperationError,
}

/// An OpenAPI document, as far as it can be called.
///
/// ```
/// let api = isolet_openapi::Api::parse(r#"
/// openapi: 3.1.0
/// info: { title: Pets, version: "1" }
/// paths:
///   /pets/{id}:
///     get:
///       operationId: getPet
///       summary: One pet.
///       parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
///       responses: { 200: { description: The pet. } }
/// "#)?;
/// let tool = &api.tools()[0];
/// assert_eq!((&tool["name"], &tool["inputSchema"]["required"]), (&"getPet".into(), &serde_json::json!(["id"])));
/// # Ok::<(), isolet_openapi::DocumentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Api {
    title: String,
    version: String,
    description: Option<String>,
    servers: Vec<String>,
    schemes: Vec<SecurityScheme>,
    operations: Vec<Operation>,
    dropped: Vec<DroppedOperation>,
}

impl Api {
    /// Reads a document, JSON or YAML.
    ///
    /// # Errors
    ///
    /// When there is nothing that can be called.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, DocumentError> {
        Self::of(&read::value(text.as_ref())?)
    }

    fn of(document: &Value) -> Result<Self, DocumentError> {
        let version = document.get("openapi").or_else(|| document.get("swagger"));
        let version =
            version.map(|version| version.as_str().map_or_else(|| version.to_string(), str::to_owned)).unwrap_or_default();
        if document.get("openapi").is_none() || !version.starts_with("3.") {
            return Err(DocumentError::Version { version: version.chars().take(20).collect() });
        }
        let schemes = security::schemes(document);
        let (operations, dropped) = operations(document, &schemes);
        if operations.is_empty() && dropped.is_empty() {
            return Err(DocumentError::NoOperation);
        }
        let text = |pointer: &str| {
            let text = document.pointer(pointer).and_then(Value::as_str);
            text.map(|text| text.chars().take(TEXT_LENGTH_MAX).collect::<String>())
        };
        let servers = document.get("servers").and_then(Value::as_array).into_iter().flatten();
        let servers = servers
            .filter_map(|server| server.get("url")?.as_str())
            .take(20)
            .map(|url| url.chars().take(TEXT_LENGTH_MAX).collect());
        Ok(Self {
            title: text("/info/title").unwrap_or_default(),
            version: text("/info/version").unwrap_or_default(),
            description: text("/info/description"),
            servers: servers.collect(),
            schemes,
            operations,
            dropped,
        })
    }

    /// What the document calls itself.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The version of what it describes.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What it says of itself: data of a stranger.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Where the document says that it is served: to suggest to an operator, never to call.
    #[must_use]
    pub fn servers(&self) -> &[String] {
        &self.servers
    }

    /// Which credentials it knows.
    #[must_use]
    pub fn security_schemes(&self) -> &[SecurityScheme] {
        &self.schemes
    }

    /// Its operations, in the document's order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation whose tool has this name.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.name() == name)
    }

    /// What was left out, and why.
    #[must_use]
    pub fn dropped(&self) -> &[DroppedOperation] {
        &self.dropped
    }

    /// The tool definitions as an MCP server would list them: what `isolet_bindings::Catalog::load` takes.
    #[must_use]
    pub fn tools(&self) -> Vec<Value> {
        self.operations.iter().map(|operation| operation.definition().clone()).collect()
    }
}

fn operations(document: &Value, schemes: &[SecurityScheme]) -> (Vec<Operation>, Vec<DroppedOperation>) {
    let (mut operations, mut dropped) = (Vec::new(), Vec::new());
    let mut names = ToolNames::default();
    let mut bytes = DEFINITIONS_BYTES_MAX;
    let mut count = 0_usize;
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    for (path, item) in paths {
        let item = match reference::resolve(document, item) {
            Ok(item) => item,
            Err(reason) => {
                drop_one(&mut dropped, "", path, reason.into());
                continue;
            }
        };
        for method in METHODS {
            let Some(raw) = item.get(*method) else { continue };
            // Those that fail count too, and nothing is made that would be beyond: they may all share one that is huge.
            let made = if count >= OPERATIONS_MAX || bytes == 0 {
                Err(OperationError::TooMany)
            } else {
                Operation::of(document, schemes, path, item, method, raw, &mut names)
            };
            count += 1;
            let made = made.and_then(|operation| {
                let length = operation.definition().to_string().len();
                bytes = bytes.saturating_sub(length);
                if bytes > 0 { Ok(operation) } else { Err(OperationError::TooMany) }
            });
            match made {
                Ok(operation) => operations.push(operation),
                Err(reason) => drop_one(&mut dropped, method, path, reason),
            }
        }
    }
    (operations, dropped)
}

/// Names are kept short, and no more of them than there may be operations.
fn drop_one(dropped: &mut Vec<DroppedOperation>, method: &str, path: &str, reason: OperationError) {
    if dropped.len() < OPERATIONS_MAX {
        let path = path.chars().filter(|c| !c.is_control()).take(200).collect();
        dropped.push(DroppedOperation { method: method.to_ascii_uppercase(), path, reason });
    }
}
