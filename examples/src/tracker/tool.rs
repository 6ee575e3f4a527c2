//! One tool: its definition as MCP shows it, and the function behind it.
//!
//! Both schemas are derived from the Rust types that the function takes and gives, and the arguments are checked against
//! the schema before they reach it. So a definition cannot promise what the tool does not hold.

use std::{fmt, sync::OnceLock};

use jsonschema::{ValidationError, Validator};
use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    error::TrackerError,
    role::{Caller, Role},
    store::Store,
};

/// What a tool does to the tracker, told to clients as MCP annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Changes nothing.
    Reads,
    /// Adds rows; twice the same call adds two.
    Adds,
    /// Sets fields to given values; a second same call has no further effect.
    Sets,
    /// Loses data that cannot be had again.
    Destroys,
}

/// What a tool answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A value that conforms to the tool's output schema.
    Structured(Value),
    /// Text, from a tool that has no output schema.
    Text(String),
}

type Function = Box<dyn Fn(&mut Store, &Caller, Value) -> Result<Reply, TrackerError> + Send + Sync>;

/// A tool of the tracker.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) needs: Role,
    pub(crate) effect: Effect,
    title: &'static str,
    description: &'static str,
    input_schema: Value,
    output_schema: Option<Value>,
    arguments: OnceLock<Result<Validator, ValidationError<'static>>>,
    /// Why the value does not decode: says more than a failed `oneOf` does.
    decoding_error: fn(&Value) -> Option<String>,
    function: Function,
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool").field("name", &self.name).field("needs", &self.needs).finish_non_exhaustive()
    }
}

/// What a tool is called, and how it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) needs: Role,
    pub(crate) effect: Effect,
    pub(crate) description: &'static str,
}

impl Tool {
    /// A tool that answers a value of type `O`.
    pub(crate) fn structured<I, O>(about: About, function: fn(&mut Store, &Caller, I) -> Result<O, TrackerError>) -> Self
    where
        I: DeserializeOwned + JsonSchema + 'static,
        O: Serialize + JsonSchema + 'static,
    {
        let output_schema = tidy(SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<O>());
        Self::new(about, Some(output_schema), move |store, caller, arguments: I| {
            let answer = function(store, caller, arguments)?;
            let value = serde_json::to_value(answer).map_err(|error| TrackerError::bug(about.name, error.to_string()))?;
            Ok(Reply::Structured(value))
        })
    }

    /// A tool that answers text.
    pub(crate) fn text<I>(about: About, function: fn(&mut Store, &Caller, I) -> Result<String, TrackerError>) -> Self
    where
        I: DeserializeOwned + JsonSchema + 'static,
    {
        Self::new(about, None, move |store, caller, arguments: I| function(store, caller, arguments).map(Reply::Text))
    }

    fn new<I>(
        about: About,
        output_schema: Option<Value>,
        function: impl Fn(&mut Store, &Caller, I) -> Result<Reply, TrackerError> + Send + Sync + 'static,
    ) -> Self
    where
        I: DeserializeOwned + JsonSchema + 'static,
    {
        let About { name, title, needs, effect, description } = about;
        let input_schema = tidy(SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<I>());
        let function: Function = Box::new(move |store, caller, arguments| {
            let arguments = serde_json::from_value(arguments).map_err(|error| invalid(name, error.to_string()))?;
            function(store, caller, arguments)
        });
        let decoding_error = |arguments: &Value| I::deserialize(arguments).err().map(|error| error.to_string());
        let arguments = OnceLock::new();
        Self { name, needs, effect, title, description, input_schema, output_schema, arguments, decoding_error, function }
    }

    /// The definition, as `tools/list` gives it.
    pub(crate) fn definition(&self) -> Value {
        let mut definition = json!({
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input_schema,
        });
        if let Some(output_schema) = &self.output_schema {
            definition["outputSchema"] = output_schema.clone();
        }
        definition["annotations"] = json!({
            "title": self.title,
            "readOnlyHint": self.effect == Effect::Reads,
            "destructiveHint": self.effect == Effect::Destroys,
            "idempotentHint": self.effect != Effect::Adds,
            "openWorldHint": false,
        });
        definition
    }

    /// Checks the caller's role and the arguments, then does the work.
    pub(crate) fn call(&self, store: &mut Store, caller: &Caller, arguments: Value) -> Result<Reply, TrackerError> {
        if caller.role < self.needs {
            return Err(TrackerError::forbidden(&caller.handle, caller.role, format!("use `{}`", self.name), self.needs));
        }
        let validator = self
            .arguments
            .get_or_init(|| jsonschema::validator_for(&self.input_schema))
            .as_ref()
            .map_err(|error| TrackerError::bug(self.name, format!("its input schema is no schema: {error}")))?;
        if let Err(error) = validator.validate(&arguments) {
            return Err(invalid(self.name, (self.decoding_error)(&arguments).unwrap_or_else(|| explain(&error))));
        }
        (self.function)(store, caller, arguments)
    }
}

pub(crate) fn invalid(tool: &str, reason: impl Into<String>) -> TrackerError {
    TrackerError::InvalidArguments { tool: tool.to_owned(), reason: reason.into() }
}

fn explain(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    if place.is_empty() { error.to_string() } else { format!("at `{place}`: {error}") }
}

/// A schema without the name of our Rust type as its title, without a dialect (2020-12 is MCP's default), and without the
/// names of Rust's number types as formats: JSON Schema knows none of them.
fn tidy(mut schema: Schema) -> Value {
    schema.remove("title");
    schema.remove("$schema");
    RecursiveTransform(remove_number_format).transform(&mut schema);
    schema.to_value()
}

fn remove_number_format(schema: &mut Schema) {
    if matches!(schema.get("format").and_then(Value::as_str), Some("uint" | "uint32" | "double")) {
        schema.remove("format");
    }
}
