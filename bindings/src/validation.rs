//! Values against a tool's schemas, before and after a call.

use std::fmt;

use serde_json::Value;

/// One way in which a value does not match its schema. `Display` is one line: where, what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The JSON pointer of the wrong part, empty for the whole.
    pub pointer: String,
    /// What was expected there, and what came.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{pointer}: {}", self.message)
    }
}

/// The most violations that are reported for one value.
const VIOLATIONS_MAX: usize = 8;

/// How `value` violates `schema`; nothing when the schema itself cannot be used.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<Violation> {
    let Ok(validator) = jsonschema::options().build(schema) else { return Vec::new() };
    let violation = |error: jsonschema::ValidationError<'_>| Violation { pointer: error.instance_path().to_string(), message: error.to_string() };
    validator.iter_errors(value).take(VIOLATIONS_MAX).map(violation).collect()
}
