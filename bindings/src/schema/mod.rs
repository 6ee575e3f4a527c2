//! JSON Schema to types: 2020-12, 2019-09, draft-07 and OpenAPI's `nullable`, in one bounded walk.
//!
//! The walk visits at most [`walk::NODES_MAX`] schemas, [`walk::DEPTH_MAX`] deep, and meets types within [`walk::FUEL`]; beyond that everything is
//! `unknown`. A schema that refers to itself becomes a named type.

mod array;
mod combine;
mod literal;
mod object;
mod recursion;
mod refusal;
mod unsaid;
mod walk;

use serde_json::Value;

pub(crate) use self::recursion::RecursiveType;
use self::recursion::break_circles;
use self::walk::Walk;
use crate::defaults::Direction;
use crate::shape::{Alternative, Rest, ValueType};

/// The types of one tool.
#[derive(Debug)]
pub(crate) struct ToolTypes {
    /// Its arguments: always an object.
    pub(crate) input: ValueType,
    /// Its result as the guest gets it, if the server says.
    pub(crate) output: Option<ValueType>,
    /// Its recursive types, which [`Alternative::Named`] counts.
    pub(crate) definitions: Vec<RecursiveType>,
    /// What other types are called in the schemas.
    pub(crate) names: Vec<(ValueType, String)>,
}

impl ToolTypes {
    /// The types of the tool `name` with these schemas. If `unwraps_result`, the guest gets the `result` of what `output` describes.
    pub(crate) fn of(name: &str, input: &Value, output: Option<&Value>, unwraps_result: bool) -> Self {
        let mut definitions = Vec::new();
        let mut names = Vec::new();
        let any_object = ValueType::object(Vec::new(), Rest::Values(ValueType::Unknown));
        let input = Walk::over(input, Direction::ToServer, &mut definitions, &mut names).root(&[], &format!("{name}_input"));
        let input = as_object(input, &definitions).unwrap_or_else(|| any_object.clone());
        let output = output.map(|schema| {
            let path: &[&str] = if unwraps_result { &["properties", "result"] } else { &[] };
            Walk::over(schema, Direction::FromServer, &mut definitions, &mut names).root(path, &format!("{name}_output"))
        });
        break_circles(&mut definitions);
        Self { input, output: output.filter(|output| *output != ValueType::Unknown && !output.is_never()), definitions, names }
    }
}

/// The objects of `input`, which arguments always are.
fn as_object(input: ValueType, definitions: &[RecursiveType]) -> Option<ValueType> {
    let input = match input.alternatives() {
        [Alternative::Named(place)] if !matches!(definitions[*place].value.alternatives(), [Alternative::Object(_)]) => {
            definitions[*place].value.clone()
        }
        _ => input,
    };
    let is_object =
        |alternative: &Alternative| matches!(alternative, Alternative::Object(_) | Alternative::Named(_) | Alternative::All(_));
    let objects: Vec<Alternative> = input.alternatives().iter().filter(|alternative| is_object(alternative)).cloned().collect();
    if objects.is_empty() && !input.is_never() { None } else { Some(ValueType::Union(objects)) }
}
