//! Replies against the `outputSchema` of their tool: a mismatch is a warning in the record of the call, never a lost reply.
//!
//! It comes after the answer, and is work of the run as the check of arguments is: a moment's is done at once, more of it aside. What is too much
//! is not checked, and the warning says so.

use std::sync::Arc;

use isolet_bindings::{CHECK_STEPS_MAX, Scope, ScopedTool, ToolReply, Verdict, Violation};
use serde_json::Value;

use super::estimate::{self, MOMENT_STEPS_MAX, TREE_BYTES_MAX, Work};
use super::observation;
use super::record::unchecked;
use super::work::HostWork;

/// The most characters of a warning: a part of the reply may be in it.
const WARNING_CHARACTERS_MAX: usize = 500;

/// The warnings of one reply.
pub(crate) enum Check {
    /// They are known.
    Done(Vec<String>),
    /// They will be, once this is waited for.
    Aside(Aside),
}

/// A check that is more than a moment's work.
pub(crate) struct Aside {
    index: u32,
    reply: ToolReply,
}

impl Check {
    /// Checks the reply of a tool, if that is a moment's work. One without a schema is observed instead, where its scope does that.
    pub(crate) fn of(scope: &Scope, work: &Arc<HostWork>, index: u32, reply: ToolReply) -> Self {
        let Some(tool) = checked_tool(scope, index) else {
            observation::observe(scope, work, index, &reply);
            return Self::Done(Vec::new());
        };
        let at_once = || warnings_of(tool, &reply, MOMENT_STEPS_MAX);
        let warnings = match Work::of_reading(reply.as_json().len()) {
            Work::Trifle => at_once(),
            Work::Moment => work.here(at_once),
            Work::More => None,
        };
        warnings.map_or_else(|| Self::Aside(Aside { index, reply }), Self::Done)
    }
}

impl Aside {
    /// Makes the check when it is this run's turn. Whoever drops this does not know what it would have come to.
    pub(crate) async fn warnings(self, scope: Scope, work: &Arc<HostWork>) -> Vec<String> {
        let Self { index, reply } = self;
        let tree_bytes = estimate::tree_bytes(reply.as_json());
        if tree_bytes > TREE_BYTES_MAX {
            return unchecked("it would take too much memory");
        }
        let too_much = || unchecked("it would take too much work");
        let check = move || {
            let tool = checked_tool(&scope, index)?;
            Some(warnings_of(tool, &reply, CHECK_STEPS_MAX).unwrap_or_else(too_much))
        };
        let checked = work.aside(tree_bytes, check).await;
        checked.map_or_else(|_| unchecked("the host could not do it"), Option::unwrap_or_default)
    }
}

/// The tool that a guest calls by this index, if its replies have a schema.
fn checked_tool(scope: &Scope, index: u32) -> Option<&ScopedTool> {
    scope.tool(index).filter(|tool| tool.definition().output_schema().is_some())
}

/// How the reply differs from the schema, at the places where the program has it; none if that would take more steps.
fn warnings_of(tool: &ScopedTool, reply: &ToolReply, steps_max: u64) -> Option<Vec<String>> {
    let value: Value = match serde_json::from_str(reply.as_json()) {
        Ok(value) => value,
        Err(error) => return Some(unchecked(&error.to_string())),
    };
    // The schema is that of what the server sends, of which the program gets what is inside.
    let is_wrapped = tool.unwraps_result();
    let value = if is_wrapped { Value::Object([("result".to_owned(), value)].into_iter().collect()) } else { value };
    let shortened = |mut violation: Violation| {
        if let Some(inside) = violation.pointer.strip_prefix("/result").filter(|_| is_wrapped) {
            violation.pointer = inside.to_owned();
        }
        violation.to_string().chars().take(WARNING_CHARACTERS_MAX).collect()
    };
    match tool.check_result(&value, steps_max).verdict {
        Verdict::Matches => Some(Vec::new()),
        Verdict::Differs(violations) => Some(violations.into_iter().map(shortened).collect()),
        Verdict::Excessive => None,
    }
}
