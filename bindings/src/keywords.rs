//! The keywords of JSON Schema and OpenAPI that are read, all dialects at once: the one table of what each holds and what it is about.
//!
//! What says nothing of a value (`title`, `default`) is not here, nor is what nobody here reads.

/// A keyword.
#[derive(Debug)]
pub(crate) struct Keyword {
    pub(crate) name: &'static str,
    pub(crate) holds: Holds,
    pub(crate) says: Says,
    /// Whether it is ordinary: what it says is surely checked, and soon, if it holds what it should.
    pub(crate) is_plain: bool,
}

/// What a keyword's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// One word for a kind of value, or several.
    Kinds,
    Anything,
    /// A list of values.
    Literals,
    Number,
    /// A number of characters, items or members.
    Count,
    Flag,
    Text,
    Names,
    /// For each of some names, a list of names.
    NameMap,
    /// The address of a schema.
    Reference,
    /// A schema; in older drafts a list of them here and there.
    Schema,
    /// A list of schemas.
    Schemas,
    /// For each of some names, a schema; in older drafts a list of names here and there.
    SchemaMap,
}

/// What a keyword is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// No value: it holds schemas that others refer to.
    Nothing,
    /// Values by themselves, or what another keyword says of them.
    Values,
    /// The properties of objects: a type shows them.
    Objects,
    /// The items of arrays: a type shows them.
    Arrays,
    /// Whole schemas, and how they go together.
    Combination,
}

/// All of them, sorted.
const KEYWORDS: &[Keyword] = &[
    other("$defs", Holds::SchemaMap, Says::Nothing),
    other("$dynamicRef", Holds::Reference, Says::Values),
    other("$recursiveRef", Holds::Reference, Says::Values),
    other("$ref", Holds::Reference, Says::Values),
    other("additionalItems", Holds::Schema, Says::Values),
    plain("additionalProperties", Holds::Schema, Says::Objects),
    plain("allOf", Holds::Schemas, Says::Combination),
    plain("anyOf", Holds::Schemas, Says::Combination),
    plain("const", Holds::Anything, Says::Values),
    other("contains", Holds::Schema, Says::Combination),
    other("contentSchema", Holds::Schema, Says::Nothing),
    other("definitions", Holds::SchemaMap, Says::Nothing),
    other("dependencies", Holds::SchemaMap, Says::Combination),
    other("dependentRequired", Holds::NameMap, Says::Combination),
    other("dependentSchemas", Holds::SchemaMap, Says::Combination),
    other("else", Holds::Schema, Says::Values),
    plain("enum", Holds::Literals, Says::Values),
    other("exclusiveMaximum", Holds::Number, Says::Values),
    other("exclusiveMinimum", Holds::Number, Says::Values),
    other("if", Holds::Schema, Says::Combination),
    plain("items", Holds::Schema, Says::Arrays),
    other("maxContains", Holds::Count, Says::Values),
    plain("maxItems", Holds::Count, Says::Arrays),
    plain("maxLength", Holds::Count, Says::Values),
    other("maxProperties", Holds::Count, Says::Values),
    plain("maximum", Holds::Number, Says::Values),
    other("minContains", Holds::Count, Says::Values),
    plain("minItems", Holds::Count, Says::Values),
    plain("minLength", Holds::Count, Says::Values),
    other("minProperties", Holds::Count, Says::Values),
    plain("minimum", Holds::Number, Says::Values),
    other("multipleOf", Holds::Number, Says::Values),
    other("not", Holds::Schema, Says::Combination),
    plain("nullable", Holds::Flag, Says::Values),
    plain("oneOf", Holds::Schemas, Says::Combination),
    other("pattern", Holds::Text, Says::Values),
    other("patternProperties", Holds::SchemaMap, Says::Objects),
    other("prefixItems", Holds::Schemas, Says::Arrays),
    plain("properties", Holds::SchemaMap, Says::Objects),
    other("propertyNames", Holds::Schema, Says::Objects),
    plain("required", Holds::Names, Says::Objects),
    other("then", Holds::Schema, Says::Values),
    plain("type", Holds::Kinds, Says::Values),
    other("unevaluatedItems", Holds::Schema, Says::Arrays),
    other("unevaluatedProperties", Holds::Schema, Says::Objects),
    plain("uniqueItems", Holds::Flag, Says::Values),
];

/// The keyword `name`.
pub(crate) fn find(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.binary_search_by(|keyword| keyword.name.cmp(name)).ok().map(|place| &KEYWORDS[place])
}

const fn plain(name: &'static str, holds: Holds, says: Says) -> Keyword {
    Keyword { name, holds, says, is_plain: true }
}

const fn other(name: &'static str, holds: Holds, says: Says) -> Keyword {
    Keyword { name, holds, says, is_plain: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_of_the_table_is_found_and_no_other() {
        for keyword in KEYWORDS {
            assert_eq!(find(keyword.name).map(|found| found.name), Some(keyword.name));
        }
        for other in ["", "$schema", "title", "Type", "typ", "zzz"] {
            assert!(find(other).is_none(), "{other}");
        }
    }
}
