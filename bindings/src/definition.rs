//! One MCP tool definition, parsed once, with caps; and why one cannot be used.
//!
//! Definitions are taken as raw JSON, tool by tool: one that is wrong is dropped with its reason and never costs its neighbours.
//! What is wrong but not needed (a description that is a number) is ignored, so that real servers keep their tools.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::check::{Check, Checker, Finding, Verdict, Violation};
use crate::defaults::Direction;
use crate::hash::ContentHash;
use crate::json;
use crate::name::RAW_NAME_BYTES_MAX;
use crate::schema::ToolTypes;
use crate::words::{TypeKeyword, kinds};

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
    /// Another tool of the same server has the identifier that this name becomes.
    #[error("it would be called `{identifier}` like another tool of its server: rename it in the server")]
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

/// The most definitions of one list that are kept, good ones and such as turn out to be none.
const LISTED_MAX: usize = 20_000;

/// The most definitions of one server that are refused with a reason; the others are counted.
pub(crate) const REFUSALS_MAX: usize = 20;

/// What one server answered to `tools/list`: definitions, each parsed or refused by itself.
#[derive(Debug, Default)]
pub struct DefinitionList {
    /// The place of each definition in the list, and the definition.
    pub(crate) definitions: Vec<(usize, Result<Value, DefinitionError>)>,
    refusals: usize,
    len: usize,
}

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
        struct ListResult {
            tools: DefinitionList,
        }

        let text = text.as_ref();
        if text.len() > LIST_BYTES_MAX {
            return Err(ListError::TooLarge { bytes: text.len() });
        }
        let is_object = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let list = if is_object {
            serde_json::from_slice::<ListResult>(text).map(|result| result.tools)
        } else {
            serde_json::from_slice::<Self>(text)
        };
        list.map_err(ListError::NotAList)
    }

    /// Takes one more definition. Of what cannot be one, however much there is, no more than the first reasons are kept.
    fn push(&mut self, definition: Result<Value, DefinitionError>) {
        let place = self.len;
        self.len += 1;
        let definition = definition.and_then(|raw| match name_of(&raw) {
            Ok(_) => Ok(raw),
            Err(error) => {
                json::dismantle(raw);
                Err(error)
            }
        });
        self.refusals += usize::from(definition.is_err());
        if self.definitions.len() < LISTED_MAX && (definition.is_ok() || self.refusals <= REFUSALS_MAX) {
            self.definitions.push((place, definition));
        } else if let Ok(raw) = definition {
            json::dismantle(raw);
        }
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
        self.len
    }

    /// Whether it lists none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl From<Vec<Value>> for DefinitionList {
    fn from(tools: Vec<Value>) -> Self {
        let mut list = Self::default();
        tools.into_iter().for_each(|tool| list.push(Ok(tool)));
        list
    }
}

impl<'de> Deserialize<'de> for DefinitionList {
    /// Reads an array, definition by definition: no more is in memory than is kept.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Definitions;

        impl<'de> Visitor<'de> for Definitions {
            type Value = DefinitionList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of tools")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut tools: A) -> Result<DefinitionList, A::Error> {
                let mut list = DefinitionList::default();
                while let Some(tool) = tools.next_element::<&RawValue>()? {
                    list.push(DefinitionList::parse_tool(tool.get()));
                }
                Ok(list)
            }
        }

        deserializer.deserialize_seq(Definitions)
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
    input_checker: Checker,
    output_checker: Option<Checker>,
}

/// What of a tool's schemas is not checked: the first keywords, each with its place in the definition, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct Unchecked {
    pub(crate) findings: Vec<Finding>,
    pub(crate) count: usize,
}

impl Tool {
    /// Checks `raw` and takes it. `patterns_left` is how many more patterns its server may have.
    pub(crate) fn new(server: &Arc<str>, raw: Value, patterns_left: &mut usize) -> Result<(Self, Unchecked), DefinitionError> {
        if json::depth(&raw, TOOL_DEPTH_MAX) > TOOL_DEPTH_MAX {
            json::dismantle(raw);
            return Err(DefinitionError::TooDeep);
        }
        name_of(&raw)?;
        if !admits_object(input_schema(&raw)) {
            return Err(DefinitionError::InputNotAnObject);
        }
        let text = serde_json::to_vec(&raw).map_err(DefinitionError::NotJson)?;
        if text.len() > TOOL_BYTES_MAX {
            return Err(DefinitionError::TooLarge { bytes: text.len() });
        }
        let hash = ContentHash::of([server.as_bytes(), &text]);
        let mut unchecked = Unchecked::default();
        let input_checker = unchecked.read("/inputSchema", input_schema(&raw), Direction::ToServer, patterns_left);
        let output_checker =
            output_schema(&raw).map(|schema| unchecked.read("/outputSchema", schema, Direction::FromServer, patterns_left));
        let (identifier, types) = (String::new(), OnceLock::new());
        let tool = Self { server: Arc::clone(server), identifier, raw, hash, types, input_checker, output_checker };
        Ok((tool, unchecked))
    }

    /// The same tool, of which it is known how its server's other tools are called.
    pub(crate) fn called(self, identifier: String) -> Self {
        Self { identifier, ..self }
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

    /// The identifier that its name becomes among those of its server, unless a scope renames it.
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
        input_schema(&self.raw)
    }

    /// The JSON Schema of its structured result, if it has one.
    #[must_use]
    pub fn output_schema(&self) -> Option<&Value> {
        output_schema(&self.raw)
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
        self.types.get_or_init(|| ToolTypes::of(self.name(), self.input_schema(), self.output_schema(), self.unwraps_result()))
    }

    /// `arguments` against the input schema.
    pub(crate) fn check_input(&self, arguments: &Value, steps_max: u64) -> Check {
        if !arguments.is_object() {
            return Check { verdict: Verdict::Differs(vec![Violation::no_object()]), steps: 0 };
        }
        self.input_checker.check(self.input_schema(), arguments, steps_max)
    }

    /// `structured` against the output schema, if there is one.
    pub(crate) fn check_output(&self, structured: &Value, steps_max: u64) -> Check {
        match (&self.output_checker, self.output_schema()) {
            (Some(checker), Some(schema)) => checker.check(schema, structured, steps_max),
            _ => Check { verdict: Verdict::Matches, steps: 0 },
        }
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.raw.get(member)?.as_str()
    }
}

impl Unchecked {
    /// Reads the schema that is at `pointer` in its definition.
    fn read(&mut self, pointer: &str, schema: &Value, direction: Direction, patterns_left: &mut usize) -> Checker {
        let (checker, mut findings, count) = Checker::of(schema, direction, patterns_left);
        findings.iter_mut().for_each(|finding| finding.pointer.insert_str(0, pointer));
        self.findings.append(&mut findings);
        self.count += count;
        checker
    }
}

/// The name of a definition.
fn name_of(raw: &Value) -> Result<&str, DefinitionError> {
    let Value::Object(members) = raw else { return Err(DefinitionError::NotAnObject) };
    match members.get("name") {
        Some(Value::String(name)) if !name.is_empty() && name.len() <= RAW_NAME_BYTES_MAX => Ok(name),
        _ => Err(DefinitionError::NotAName),
    }
}

/// The schema of a definition's arguments. A null is as good as none.
fn input_schema(raw: &Value) -> &Value {
    raw.get("inputSchema").filter(|schema| !schema.is_null()).unwrap_or(&Value::Bool(true))
}

fn output_schema(raw: &Value) -> Option<&Value> {
    raw.get("outputSchema").filter(|schema| schema.is_object() || schema.is_boolean())
}

/// Whether arguments, which always are an object, can match `schema` as far as its own `type` says.
fn admits_object(schema: &Value) -> bool {
    match schema {
        Value::Bool(admits) => *admits,
        Value::Object(members) => match members.get("type").map(|said| kinds(said, None)) {
            Some(TypeKeyword::Only(kinds)) => kinds.contains(&"object"),
            // A word that nobody here knows may mean an object; what is no word means nothing.
            Some(TypeKeyword::Unknown) => members.get("type").is_some_and(Value::is_string),
            None | Some(TypeKeyword::Any) => true,
        },
        _ => false,
    }
}
