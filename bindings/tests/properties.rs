//! Properties of whatever is loaded: it never panics, ends, is inert, is the same each time, and its names are injective and stable.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/code.rs"]
mod code;

use std::collections::HashSet;

use isolet_bindings::{Catalog, Grants, TokenBudget, name};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Keywords with values of the right kind, of the wrong one, and references to wherever.
fn schema() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z_$-]{1,6}",
        any::<String>().prop_map(|text| text.chars().take(12).collect()),
        Just("*/ PWNED_1 /*".to_owned()),
        Just("\"; PWNED_2".to_owned())
    ];
    let reference = prop_oneof![
        Just("#"),
        Just("#/$defs/a"),
        Just("#/$defs/b"),
        Just("#/properties/a"),
        Just("#/anyOf/0"),
        Just("http://x/y")
    ];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        reference.prop_map(|reference| json!({"$ref": reference})),
        prop::sample::select(vec!["string", "integer", "number", "boolean", "null", "object", "array", "any"])
            .prop_map(|kind| json!({"type": kind})),
        prop::collection::vec(text.clone(), 0..4).prop_map(|values| json!({"enum": values})),
        any::<f64>().prop_map(|number| json!({"const": number})),
        (any::<i64>(), text.clone())
            .prop_map(|(number, text)| json!({"const": [number, text], "description": text, "default": number})),
        Just(json!({"required": ["a"], "nullable": true})),
    ];
    leaf.prop_recursive(4, 48, 4, move |inner| {
        let members = prop::collection::vec((text.clone(), inner.clone()), 0..4).prop_map(Map::from_iter);
        prop_oneof![
            (members.clone(), prop::option::of(inner.clone())).prop_map(|(properties, rest)| {
                let mut schema = json!({"type": "object", "properties": properties, "required": properties.keys().take(1).collect::<Vec<_>>()});
                if let Some(rest) = rest {
                    schema["additionalProperties"] = rest;
                }
                schema
            }),
            (members.clone(), members.clone()).prop_map(|(patterns, defs)| json!({"patternProperties": patterns, "$defs": defs, "$ref": "#/$defs/a"})),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|schemas| json!({"allOf": schemas, "type": "object", "unevaluatedProperties": false})),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|schemas| json!({"anyOf": schemas})),
            (prop::collection::vec(inner.clone(), 0..4), inner.clone()).prop_map(|(schemas, item)| json!({"type": ["array", "null"], "prefixItems": schemas, "items": item, "minItems": 1})),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(one, two, three)| json!({"if": one, "then": two, "else": three, "not": one})),
            (text.clone(), inner).prop_map(|(keyword, inner)| json!({keyword: inner, "oneOf": [inner, {"type": "string", "pattern": "^\\d{2}-x$"}]})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_schema_becomes_inert_declarations_the_same_each_time(schema in schema(), output in schema(), words in any::<String>(), arguments in schema()) {
        let definition = json!({"name": "tool", "description": words, "inputSchema": {"type": "object", "properties": {"a": schema}, "$defs": {"a": schema, "b": output}}, "outputSchema": output});
        let make = || {
            let catalog = Catalog::load([("server", vec![definition.clone(), json!({"name": words, "inputSchema": schema})])]).unwrap();
            catalog.scope(&Grants::new().allow("*")).unwrap()
        };
        let scope = make();
        code::assert_inert(scope.typescript());
        let again = make();
        prop_assert_eq!(scope.typescript(), again.typescript());
        prop_assert_eq!(scope.hash(), again.hash());
        code::assert_inert(&scope.describe(scope.tools().iter().map(|tool| tool.path())));
        for tool in scope.tools() {
            drop(tool.validate_arguments(&arguments));
            drop(tool.validate_result(&arguments));
        }
    }

    #[test]
    fn types_stay_within_their_budget(schemas in prop::collection::vec(schema(), 1..12), budget in 60_usize..2_000) {
        let tools = schemas.into_iter().enumerate().map(|(number, schema)| json!({"name": format!("tool_{number}"), "inputSchema": {"type": "object", "properties": {"a": schema}}}));
        let scope = Catalog::load([("server", tools.collect::<Vec<_>>())]).unwrap().scope(&Grants::new().allow("*")).unwrap();
        let types = scope.types(TokenBudget::new(budget));
        prop_assert!(types.tokens.tokens <= budget, "{} > {budget}", types.tokens.tokens);
        let shown: usize = types.servers.iter().map(|server| server.full + server.compact + server.named + server.omitted).sum();
        prop_assert_eq!(shown, scope.tools().len());
        code::assert_inert(&types.text);
    }

    #[test]
    fn identifiers_are_injective_stable_and_safe(mut names in prop::collection::vec(prop_oneof![any::<String>(), "[a-z._-]{0,5}", "[a-z_]{60,70}"], 1..20), another in any::<String>()) {
        let identifiers = |names: &[String]| {
            let tools = names.iter().map(|name| json!({"name": name, "inputSchema": {"type": "object"}}));
            let catalog = Catalog::load([("server", tools.collect::<Vec<_>>())]).unwrap();
            let tools = catalog.tools().map(|tool| (tool.name().to_owned(), tool.identifier().to_owned()));
            tools.collect::<Vec<_>>()
        };
        let before = identifiers(&names);
        let distinct: HashSet<&String> = before.iter().map(|(_, identifier)| identifier).collect();
        prop_assert_eq!(distinct.len(), before.len());
        for (raw, identifier) in &before {
            prop_assert!(name::is_identifier(identifier), "{identifier}");
            prop_assert_eq!(name::is_identifier(raw), raw == identifier);
        }
        let reversed: Vec<String> = names.iter().rev().cloned().collect();
        let sorted = |mut tools: Vec<(String, String)>| { tools.sort(); tools };
        prop_assert_eq!(sorted(identifiers(&reversed)), sorted(before.clone()));
        names.push(another.clone());
        // A newcomer may take a tool's guessed name from it, and gets it only if it is called so itself.
        let after = identifiers(&names);
        for (raw, identifier) in &after {
            let had = before.iter().find(|(_, had)| had == identifier);
            prop_assert!(had.is_none_or(|(earlier, _)| earlier == raw) || (raw == &another && raw == identifier), "{identifier}");
        }
    }

    #[test]
    fn any_text_is_a_list_or_an_error(text in any::<Vec<u8>>(), json in "[\\[\\]{}:,\"a1 ]{0,40}") {
        drop(Catalog::load_json([("server", text.as_slice())]));
        drop(Catalog::load_json([("server", json)]));
    }

    #[test]
    fn grants_never_panic_and_denial_wins(allow in any::<String>(), deny in any::<String>(), tool in "[a-z.]{1,8}") {
        let catalog = Catalog::load([("server", vec![json!({"name": tool, "inputSchema": {"type": "object"}})])]).unwrap();
        let grants = Grants::new().allow(allow).deny(deny);
        drop(catalog.scope(&grants));
        let all = catalog.scope(&Grants::new().allow("*").deny(format!("server.{tool}"))).unwrap();
        prop_assert!(all.tools().is_empty());
    }

    #[test]
    fn what_a_listing_shows_can_be_copied_into_a_grant(
        server in prop::sample::select(vec!["github", "git-hub", "a*b", "[x]{y}", "\u{e9}"]),
        names in prop::collection::hash_set(prop_oneof![any::<String>(), "[a-z*?{}.,!\\[\\]\\\\-]{1,8}", "[a-z-]{1,4}"], 1..8),
        renamed in any::<prop::sample::Index>(),
    ) {
        let tools: Vec<Value> = names.iter().map(|name| json!({"name": name, "inputSchema": {"type": "object"}})).collect();
        // Two, so that something is left whichever tool is denied.
        let others = ["tool", "neighbour"].map(|name| json!({"name": name, "inputSchema": {"type": "object"}}));
        let catalog = Catalog::load([(server, tools), ("other", others.to_vec())]).unwrap();
        let scope = |grants: Grants| catalog.scope(&grants).unwrap();
        let names_of = |scope: &isolet_bindings::Scope| scope.tools().iter().map(|tool| tool.name().to_owned()).collect::<Vec<_>>();
        let all = scope(Grants::new().allow("*"));
        for tool in all.tools() {
            for copied in [tool.path().to_owned(), tool.grant_pattern()] {
                let denied = scope(Grants::new().allow("*").deny(&copied));
                prop_assert!(!names_of(&denied).contains(&tool.name().to_owned()), "{copied}");
                prop_assert!(denied.warnings().is_empty(), "{:?}", denied.warnings());
                let allowed = scope(Grants::new().allow(&copied));
                prop_assert_eq!(names_of(&allowed), [tool.name()]);
                prop_assert!(allowed.warnings().is_empty(), "{:?}", allowed.warnings());
            }
            let pinned = scope(Grants::new().allow("*").pin(tool.path(), "argument", 1));
            prop_assert!(pinned.find(tool.path()).unwrap().is_pinned("argument"));
        }
        let tool = renamed.get(all.tools());
        let renaming = Grants::new().allow("*").rename(tool.path(), "renamed_tool");
        let shown = scope(renaming.clone());
        let shown = shown.tools().iter().find(|shown| shown.name() == tool.name() && shown.server() == tool.server()).unwrap();
        prop_assert_eq!(shown.identifier(), "renamed_tool");
        let denied = scope(renaming.deny(shown.path()));
        prop_assert!(denied.tools().iter().all(|left| left.definition().hash() != tool.definition().hash()));
    }
}
