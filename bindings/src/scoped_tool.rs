//! One tool of a scope.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::check::{self, CHECK_STEPS_MAX, Check, Verdict, Violation};
use crate::coercion::Coerced;
use crate::definition::Tool;
use crate::grants::WILDCARDS;

/// The keywords of a schema by which each member is judged by itself.
const PLAIN: [&str; 10] = [
    "$schema",
    "$defs",
    "additionalProperties",
    "default",
    "definitions",
    "description",
    "properties",
    "required",
    "title",
    "type",
];

/// One tool of a scope: its definition, and how this scope shows it.
#[derive(Clone, Debug)]
pub struct ScopedTool {
    pub(crate) index: u32,
    pub(crate) namespace: Arc<str>,
    pub(crate) path: String,
    pub(crate) definition: Arc<Tool>,
    pub(crate) description: Option<String>,
    pub(crate) pinned: Map<String, Value>,
    pub(crate) is_read_only: bool,
}

impl ScopedTool {
    /// What a guest writes: `github.create_issue`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The identifier of its server's global.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its identifier within the namespace.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.path[self.namespace.len() + 1..]
    }

    /// The server's id, as the catalog was loaded with.
    #[must_use]
    pub fn server(&self) -> &str {
        self.definition.server()
    }

    /// The name that its server calls it by.
    #[must_use]
    pub fn name(&self) -> &str {
        self.definition.name()
    }

    /// The pattern that grants this tool and no other: `server.tool`, as both call themselves, what would be a wildcard escaped.
    #[must_use]
    pub fn grant_pattern(&self) -> String {
        let mut pattern = String::new();
        for character in [self.server(), ".", self.name()].into_iter().flat_map(str::chars) {
            if WILDCARDS.contains(&character) {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern
    }

    /// The name that its server calls it by, if the guest has to call it by another that was made from that.
    pub(crate) fn mapped_name(&self) -> Option<&str> {
        (self.identifier() == self.definition.identifier() && self.identifier() != self.name()).then(|| self.name())
    }

    /// Its definition, as its server gave it.
    #[must_use]
    pub fn definition(&self) -> &Tool {
        &self.definition
    }

    /// Its index in the scope: all that a guest sends of it.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// What it does: in the application's words, else in its server's.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref().or_else(|| self.definition.description())
    }

    /// Whether any argument is fixed in this scope.
    #[must_use]
    pub fn has_pinned(&self) -> bool {
        !self.pinned.is_empty()
    }

    /// Whether `argument` is fixed in this scope.
    #[must_use]
    pub fn is_pinned(&self, argument: &str) -> bool {
        self.pinned.contains_key(argument)
    }

    /// `arguments` with the pinned ones, which win over what is there: what is validated and sent.
    #[must_use]
    pub fn with_pinned(&self, mut arguments: Map<String, Value>) -> Map<String, Value> {
        arguments.extend(self.pinned.clone());
        arguments
    }

    /// Checks `arguments`, the pinned ones among them, against the tool's schema, in at most `steps_max` steps.
    ///
    /// Each step is paid before it is made, so the check ends within them whatever the schema and the value are; it takes no locks and no
    /// more stack than a thread has. [`Verdict::Excessive`] is no match: try again where there is more time ([`CHECK_STEPS_MAX`] at the most),
    /// or refuse the value. A caller that must not block tries with few steps where it is, and elsewhere with more.
    #[must_use]
    pub fn check_arguments(&self, arguments: &Value, steps_max: u64) -> Check {
        self.definition.check_input(arguments, steps_max)
    }

    /// Whether the operator trusts it to change nothing: [`crate::Grants::trust_read_only`].
    #[must_use]
    pub fn is_trusted_read_only(&self) -> bool {
        self.is_read_only
    }

    /// `arguments`, which do not match the schema, as what they plainly mean: `None` if there is nothing that is meant.
    #[must_use]
    pub fn coerced(&self, arguments: &Map<String, Value>) -> Option<Coerced> {
        Coerced::of(self.definition.input_schema(), arguments, self.is_read_only)
    }

    /// What is wrong with every call whose arguments are `literals` and, with values that are not known or may be none, `others`. Empty where
    /// that cannot be told from so little.
    #[must_use]
    pub fn provable_violations(&self, literals: &Map<String, Value>, others: &[String], steps_max: u64) -> Vec<Violation> {
        let schema = self.definition.input_schema();
        let is_told_by_parts = schema.as_object().is_some_and(|schema| schema.keys().all(|key| PLAIN.contains(&key.as_str())));
        if !is_told_by_parts {
            return Vec::new();
        }
        let value = Value::Object(self.with_pinned(literals.clone()));
        let Verdict::Differs(violations) = self.check_arguments(&value, steps_max).verdict else { return Vec::new() };
        let is_of_others = |violation: &Violation| {
            violation.pointer.is_empty()
                && others.iter().any(|name| violation.message.starts_with(&format!("`{name}` is missing")))
        };
        let mut violations: Vec<Violation> = violations.into_iter().filter(|violation| !is_of_others(violation)).collect();
        let known = value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), Some(value)));
        let given: Vec<_> = known.chain(others.iter().map(|name| (name.as_str(), None))).collect();
        check::say_names(schema, &given, &mut violations);
        violations
    }

    /// Checks a structured result against the tool's `outputSchema`, in at most `steps_max` steps. What comes of it is a warning, never a
    /// reason to lose the result.
    #[must_use]
    pub fn check_result(&self, structured: &Value, steps_max: u64) -> Check {
        self.definition.check_output(structured, steps_max)
    }

    /// Checks `arguments` as [`ScopedTool::check_arguments`] does, in at most [`CHECK_STEPS_MAX`] steps.
    ///
    /// # Errors
    ///
    /// Each violation found, eight at most; one that says so if the check was given up.
    pub fn validate_arguments(&self, arguments: &Value) -> Result<(), Vec<Violation>> {
        match self.check_arguments(arguments, CHECK_STEPS_MAX).verdict {
            Verdict::Matches => Ok(()),
            Verdict::Differs(violations) => Err(violations),
            Verdict::Excessive => Err(vec![Violation::excessive()]),
        }
    }

    /// How a structured result differs from the tool's `outputSchema`, as [`ScopedTool::check_result`] finds in at most
    /// [`CHECK_STEPS_MAX`] steps; one violation says so if the check was given up.
    #[must_use]
    pub fn validate_result(&self, structured: &Value) -> Vec<Violation> {
        match self.check_result(structured, CHECK_STEPS_MAX).verdict {
            Verdict::Matches => Vec::new(),
            Verdict::Differs(violations) => violations,
            Verdict::Excessive => vec![Violation::excessive()],
        }
    }

    /// Whether its structured result is `{"result": T}`, which the guest gets as `T` (fastmcp's `x-fastmcp-wrap-result`).
    #[must_use]
    pub fn unwraps_result(&self) -> bool {
        self.definition.unwraps_result()
    }
}
