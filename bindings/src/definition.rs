//! One MCP tool definition, parsed once, with caps; and why one cannot be used.
//!
//! Definitions are taken as raw JSON, tool by tool: one that is wrong is dropped with its reason and never costs its neighbours.
//! What is wrong but not needed (a description that is a number) is ignored, so that real servers keep their tools.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::check::{Check, Verdict};
use crate::hash::ContentHash;
use crate::json;
use crate::name::RAW_NAME_BYTES_MAX;
use crate::schema::ToolTypes;
use crate::validation::{Checker, Violation};

/// The most bytes of a tool's JSON.
pub const TOOL_BYTES_MAX: usize = 1 << 20;

/// The most bytes of a `tools/list` text.
pub const LIST_BYTES_MAX: usize = 64 << 20;

/// The most levels that a tool's JSON nests.
pub const TOOL_DEPTH_MAX: usize = 128;

/// A tool definition that cannot become a binding.
///
/// The fault of the definition, never of the guest: the tool is dropped with this reason, its neighbours stay.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// Not JSON, or JSON that two readers read in two ways: repeated keys, unpaired surrogates.
    #[error("its JSON cannot be read: correct it in the server")]
    NotJson(#[source] serde_json::Error),
    /// Not an object.
    #[error("it is not an object: a tool is `{{\"name\": ..., \"inputSchema\": ...}}`")]
    NotAnObject,
    /// No name that can be used.
    #[error("it has no usable name: give it a string of 1 to {RAW_NAME_BYTES_MAX} bytes")]
    NotAName,
    /// Longer than [`TOOL_BYTES_MAX`].
    #[error("its JSON has {bytes} bytes, more than {TOOL_BYTES_MAX}: shorten its descriptions or its schema")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Deeper than [`TOOL_DEPTH_MAX`].
    #[error("its JSON nests deeper than {TOOL_DEPTH_MAX} levels: name the inner schemas in `$defs`")]
    TooDeep,
    /// An `inputSchema` that is no schema, or admits no object; arguments always are one.
    #[error("its `inputSchema` does not describe an object: make it one with `\"type\": \"object\"`")]
    InputNotAnObject,
    /// An earlier tool of the same server has this very name.
    #[error("its server lists this name twice: the first one stays, give this one another name")]
    Twice,
    /// An earlier tool of the same server has the identifier that this name becomes.
    #[error("it would be called `{identifier}` like an earlier tool of its server: rename it in the server")]
    IdentifierTaken {
        /// The identifier.
        identifier: String,
    },
    /// Its server has no usable id.
    #[error("its server's id is empty or longer than {RAW_NAME_BYTES_MAX} bytes: rename the server in the configuration")]
    ServerNotAName,
    /// Beyond the most tools of a server.
    #[error("its server lists more than {max} tools: the others stay, let the server offer fewer")]
    TooMany {
        /// How many are taken.
        max: usize,
    },
}

/// What one server answered to `tools/list`: definitions, each parsed or refused by itself.
#[derive(Debug, Default)]
pub struct DefinitionList(pub(crate) Vec<Result<Value, DefinitionError>>);

/// A text that is no list of tools.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Longer than [`LIST_BYTES_MAX`].
    #[error("the tool list has {bytes} bytes, more than {LIST_BYTES_MAX}: let the server offer fewer tools")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Neither an array nor a `tools/list` result.
    #[error("the tool list cannot be read: it must be an array of tools, or an object with `tools`")]
    NotAList(#[source] serde_json::Error),
}

impl DefinitionList {
    /// Reads the text of a `tools` array, or of a `tools/list` result (`{"tools": [...]}`).
    ///
    /// A tool whose text cannot be read is kept as its reason; [`crate::Catalog::load`] reports it.
    ///
    /// # Errors
    ///
    /// [`ListError`] when the text as a whole is too long or no list.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, ListError> {
        #[derive(Deserialize)]
        struct ListResult<'text> {
            #[serde(borrow)]
            tools: Vec<&'text RawValue>,
        }

        let text = text.as_ref();
        if text.len() > LIST_BYTES_MAX {
            return Err(ListError::TooLarge { bytes: text.len() });
        }
        let is_object = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let tools = if is_object {
            serde_json::from_slice::<ListResult<'_>>(text).map(|result| result.tools)
        } else {
            serde_json::from_slice::<Vec<&RawValue>>(text)
        };
        Ok(Self(tools.map_err(ListError::NotAList)?.into_iter().map(|tool| Self::parse_tool(tool.get())).collect()))
    }

    fn parse_tool(text: &str) -> Result<Value, DefinitionError> {
        if text.len() > TOOL_BYTES_MAX {
            return Err(DefinitionError::TooLarge { bytes: text.len() });
        }
        json::parse(text).map_err(DefinitionError::NotJson)
    }

    /// How many tools it lists, the refused ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it lists none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Value>> for DefinitionList {
    fn from(tools: Vec<Value>) -> Self {
        Self(tools.into_iter().map(Ok).collect())
    }
}

/// One tool of one server, as its server defined it.
#[derive(Debug)]
pub struct Tool {
    server: Arc<str>,
    identifier: String,
    raw: Value,
    hash: ContentHash,
    types: OnceLock<ToolTypes>,
    input_checker: OnceLock<Checker>,
    output_checker: OnceLock<Checker>,
}

impl Tool {
    /// Checks `raw` and takes it.
    pub(crate) fn new(server: &Arc<str>, raw: Value) -> Result<Self, DefinitionError> {
        if json::depth(&raw, TOOL_DEPTH_MAX) > TOOL_DEPTH_MAX {
            json::dismantle(raw);
            return Err(DefinitionError::TooDeep);
        }
        let Value::Object(members) = &raw else { return Err(DefinitionError::NotAnObject) };
        let name = match members.get("name") {
            Some(Value::String(name)) if !name.is_empty() && name.len() <= RAW_NAME_BYTES_MAX => name,
            _ => return Err(DefinitionError::NotAName),
        };
        if !members.get("inputSchema").is_none_or(admits_object) {
            return Err(DefinitionError::InputNotAnObject);
        }
        let identifier = crate::name::identifier(name);
        let text = serde_json::to_vec(&raw).map_err(DefinitionError::NotJson)?;
        if text.len() > TOOL_BYTES_MAX {
            return Err(DefinitionError::TooLarge { bytes: text.len() });
        }
        let hash = ContentHash::of([server.as_bytes(), &text]);
        Ok(Self {
            server: Arc::clone(server),
            identifier,
            raw,
            hash,
            types: OnceLock::new(),
            input_checker: OnceLock::new(),
            output_checker: OnceLock::new(),
        })
    }

    /// The id of its server, as the catalog was loaded with.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The name that its server calls it by; with the server's id, its identity.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    /// The identifier that its name becomes, unless a scope renames it.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// The title for people, if it has one: `title`, else `annotations.title`.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.text("title").or_else(|| self.annotations()?.get("title")?.as_str())
    }

    /// What it does, in its server's words, if it says so. Text of a stranger: data, never instructions.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.text("description")
    }

    /// The JSON Schema of its arguments; `true` when it has none, which means any object.
    #[must_use]
    pub fn input_schema(&self) -> &Value {
        self.raw.get("inputSchema").unwrap_or(&Value::Bool(true))
    }

    /// The JSON Schema of its structured result, if it has one.
    #[must_use]
    pub fn output_schema(&self) -> Option<&Value> {
        self.raw.get("outputSchema").filter(|schema| schema.is_object() || schema.is_boolean())
    }

    /// Its annotations, if any. Hints of a stranger: they grant nothing.
    #[must_use]
    pub fn annotations(&self) -> Option<&Value> {
        self.raw.get("annotations").filter(|annotations| annotations.is_object())
    }

    /// The whole definition as it came, for serving it again without loss.
    #[must_use]
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// The hash of its server's id and its whole definition: it changes when the server changes anything about the tool.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// Whether its result is fastmcp's `{"result": T}`, which callers get as `T` (`x-fastmcp-wrap-result`).
    #[must_use]
    pub fn unwraps_result(&self) -> bool {
        let wrapped = |schema: &Value| {
            schema.get("x-fastmcp-wrap-result") == Some(&Value::Bool(true)) && schema.pointer("/properties/result").is_some()
        };
        self.output_schema().is_some_and(wrapped)
    }

    /// The types of its arguments and its result, made at the first use.
    pub(crate) fn types(&self) -> &ToolTypes {
        self.types.get_or_init(|| ToolTypes::of(self))
    }

    /// `arguments` against the input schema, which is compiled at the first use.
    pub(crate) fn check_input(&self, arguments: &Value, steps_max: u64) -> Check {
        if !arguments.is_object() {
            return Check { verdict: Verdict::Differs(vec![Violation::no_object()]), steps: 0 };
        }
        self.input_checker().check(arguments, steps_max)
    }

    /// `structured` against the output schema, if there is one.
    pub(crate) fn check_output(&self, structured: &Value, steps_max: u64) -> Check {
        match self.output_checker() {
            Some(checker) => checker.check(structured, steps_max),
            None => Check { verdict: Verdict::Matches, steps: 0 },
        }
    }

    fn input_checker(&self) -> &Checker {
        self.input_checker.get_or_init(|| Checker::of(self.input_schema()))
    }

    fn output_checker(&self) -> Option<&Checker> {
        self.output_schema().map(|schema| self.output_checker.get_or_init(|| Checker::of(schema)))
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.raw.get(member)?.as_str()
    }
}

/// Whether arguments, which always are an object, can match `schema` as far as its own `type` says.
fn admits_object(schema: &Value) -> bool {
    match schema {
        Value::Bool(admits) => *admits,
        Value::Object(members) => match members.get("type") {
            None => true,
            Some(Value::String(name)) => name == "object",
            Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
            Some(_) => false,
        },
        _ => false,
    }
}
