//! What the arguments of several tools have in common.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

/// The arguments of a tool that takes none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Which way a listing is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    Ascending,
    #[default]
    Descending,
}

/// Decodes a field that may be absent (`None`), null (`Some(None)`) or a value.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Removes `default: null` from the schema of a field for which null and absence mean two things.
pub(super) fn without_default(schema: &mut Schema) {
    schema.remove("default");
}
