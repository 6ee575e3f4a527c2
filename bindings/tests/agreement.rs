//! Checks agree with the `jsonschema` crate, whatever the schema and the value, where both say something; and always end.
//!
//! In one thing they differ on purpose: a required property with a default may be left out of arguments. What that crate refuses for nothing
//! else is a match here, and nothing that it accepts is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use isolet_bindings::{CHECK_STEPS_MAX, Catalog, Grants, Verdict};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Values over a few names and texts, so that schemas and values often meet.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3_i64..4).prop_map(Value::from),
        prop::sample::select(vec![0.5, 1.0, -1.5, 2.0, 1e300]).prop_map(Value::from),
        prop::sample::select(vec!["", "a", "ab", "x-a", "\u{e9}\u{e9}", "2026-01-02"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((name(), inner), 0..4).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "x-a", "d"]).prop_map(str::to_owned)
}

fn kind() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["null", "boolean", "integer", "number", "string", "array", "object"]).prop_map(Value::from)
}

fn pattern() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["^a", "b$", "^x-", "^[a-z]+$", r"^\d{4}-\d{2}", "^.{1,2}$", "a|b", r"\w\W"])
}

/// Schemas of 2020-12 that are valid there.
fn schema() -> impl Strategy<Value = Value> {
    let reference = prop::sample::select(vec!["#/$defs/a", "#/$defs/b"]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        Just(json!({})),
        kind().prop_map(|kind| json!({"type": kind})),
        (kind(), kind()).prop_filter("two kinds", |(one, two)| one != two).prop_map(|(one, two)| json!({"type": [one, two]})),
        value().prop_map(|value| json!({"const": value})),
        prop::collection::vec(value(), 1..4).prop_map(|values| json!({"enum": values})),
        (-2_i32..3, 0_u32..3).prop_map(|(bound, count)| json!({"minimum": bound, "exclusiveMaximum": bound + 2, "multipleOf": 0.5, "minLength": count, "maxItems": count})),
        pattern().prop_map(|pattern| json!({"pattern": pattern})),
        prop::collection::btree_set(name(), 0..3).prop_map(|names| json!({"required": names, "maxProperties": 3})),
        (name(), prop::collection::btree_set(name(), 0..3)).prop_map(|(name, names)| json!({"dependentRequired": {name: names}})),
        Just(json!({"uniqueItems": true})),
        reference.prop_map(|reference| json!({"$ref": reference})),
    ];
    leaf.prop_recursive(4, 60, 4, |inner| {
        let schemas = || prop::collection::vec(inner.clone(), 1..4);
        let members = || prop::collection::vec((name(), inner.clone()), 0..4).prop_map(Map::from_iter);
        let object = (
            members(),
            prop::option::of((pattern(), inner.clone())),
            prop::option::of(inner.clone()),
            prop::option::of(inner.clone()),
        )
            .prop_map(|(properties, pattern, rest, names)| {
                let mut schema = json!({"properties": properties});
                if let Some((pattern, inner)) = pattern {
                    schema["patternProperties"] = json!({pattern: inner});
                }
                if let Some(rest) = rest {
                    schema["additionalProperties"] = rest;
                }
                if let Some(names) = names {
                    schema["propertyNames"] = names;
                }
                schema
            })
            .boxed();
        let array = (schemas(), prop::option::of(inner.clone()), prop::option::of((inner.clone(), 0_u32..3))).prop_map(
            |(first, rest, contains)| {
                let mut schema = json!({"prefixItems": first});
                if let Some(rest) = rest {
                    schema["items"] = rest;
                }
                if let Some((contains, least)) = contains {
                    schema["contains"] = contains;
                    schema["minContains"] = json!(least);
                    schema["maxContains"] = json!(least + 1);
                }
                schema
            },
        );
        let left_over = (object.clone(), schemas(), inner.clone()).prop_map(|(mut schema, schemas, rest)| {
            schema["anyOf"] = json!(schemas);
            schema["unevaluatedProperties"] = rest.clone();
            schema["unevaluatedItems"] = rest;
            schema
        });
        prop_oneof![
            object,
            array,
            left_over,
            schemas().prop_map(|schemas| json!({"allOf": schemas})),
            schemas().prop_map(|schemas| json!({"anyOf": schemas})),
            schemas().prop_map(|schemas| json!({"oneOf": schemas})),
            inner.clone().prop_map(|inner| json!({"not": inner})),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(one, two, three)| json!({"if": one, "then": two, "else": three})),
            (name(), inner.clone()).prop_map(|(name, inner)| json!({"dependentSchemas": {name: inner}})),
        ]
    })
}

/// `schema` with a default, which says nothing to a validator, in some of the properties that it declares, at every depth.
fn with_defaults(schema: &mut Value, choice: &mut impl Iterator<Item = bool>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                for property in properties.values_mut().filter_map(Value::as_object_mut) {
                    if choice.next() == Some(true) {
                        property.insert("default".to_owned(), json!(1));
                    }
                }
                // Names that are declared meet names that are required more often.
                let names: Vec<Value> = properties.keys().map(|name| json!(name)).collect();
                if choice.next() == Some(true) {
                    members.insert("required".to_owned(), Value::Array(names));
                }
            }
            members.values_mut().for_each(|member| with_defaults(member, choice));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| with_defaults(item, choice)),
        _ => {}
    }
}

/// `schema` without the names among its `required` whose properties have a default there.
fn without_presumed(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let properties = members.get("properties").cloned();
            if let Some(Value::Array(names)) = members.get_mut("required") {
                let has_default = |name: &Value| properties.as_ref()?.get(name.as_str()?)?.get("default");
                names.retain(|name| has_default(name).is_none());
            }
            members.values_mut().for_each(without_presumed);
        }
        Value::Array(items) => items.iter_mut().for_each(without_presumed),
        _ => {}
    }
}

/// Schemas of which more is never less: a value that matches still does where less is required.
fn growing_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!({})), kind().prop_map(|kind| json!({"type": kind}))];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let members = prop::collection::vec((name(), inner.clone()), 0..4).prop_map(Map::from_iter);
        let schemas = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            3 => members.prop_map(|properties| json!({"properties": properties})),
            1 => inner.clone().prop_map(|items| json!({"items": items})),
            1 => schemas().prop_map(|schemas| json!({"allOf": schemas})),
            1 => schemas().prop_map(|schemas| json!({"anyOf": schemas})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn checks_agree_with_the_jsonschema_crate(inner in schema(), a in schema(), b in schema(), values in prop::collection::vec(value(), 1..6)) {
        let schema = json!({"properties": {"v": inner}, "$defs": {"a": a, "b": b}});
        let catalog = Catalog::load([("s", vec![json!({"name": "t", "inputSchema": schema})])]).unwrap();
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let reference = jsonschema::draft202012::new(&schema).unwrap();
        for value in values {
            let arguments = json!({"v": value});
            let check = scope.tools()[0].check_arguments(&arguments, CHECK_STEPS_MAX);
            match check.verdict {
                Verdict::Matches if catalog.unchecked().is_empty() => prop_assert!(reference.is_valid(&arguments), "{schema} {arguments}"),
                Verdict::Matches => {}
                Verdict::Differs(violations) => {
                    prop_assert!(!reference.is_valid(&arguments), "{schema} {arguments} {violations:?}");
                    prop_assert!((1..=8).contains(&violations.len()));
                    prop_assert!(violations.iter().all(|violation| violation.to_string().len() < 2_000));
                }
                Verdict::Excessive => prop_assert!(false, "{schema} {arguments}"),
            }
        }
    }

    /// Whatever schemas say beside it: a default never makes a check refuse what it would not without.
    #[test]
    fn a_default_never_refuses_what_the_crate_accepts(inner in schema(), a in schema(), choices in prop::collection::vec(any::<bool>(), 1..9), values in prop::collection::vec(value(), 1..6)) {
        let mut schema = json!({"properties": {"v": inner}, "$defs": {"a": a, "b": {}}});
        with_defaults(&mut schema, &mut choices.into_iter().cycle());
        let catalog = Catalog::load([("s", vec![json!({"name": "t", "inputSchema": schema})])]).unwrap();
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let reference = jsonschema::draft202012::new(&schema).unwrap();
        for value in values {
            let arguments = json!({"v": value});
            let verdict = scope.tools()[0].check_arguments(&arguments, CHECK_STEPS_MAX).verdict;
            prop_assert!(verdict == Verdict::Matches || !reference.is_valid(&arguments), "{schema} {arguments} {verdict:?}");
        }
    }

    /// The crate says the same of the schema in which what has a default is not required; in results it is.
    #[test]
    fn a_required_property_with_a_default_may_be_left_out_of_arguments(inner in growing_schema(), choices in prop::collection::vec(any::<bool>(), 1..9), values in prop::collection::vec(value(), 1..6)) {
        let mut schema = json!({"properties": {"v": inner}});
        with_defaults(&mut schema, &mut choices.into_iter().cycle());
        let mut presumed = schema.clone();
        without_presumed(&mut presumed);
        let catalog = Catalog::load([("s", vec![json!({"name": "t", "inputSchema": schema, "outputSchema": schema})])]).unwrap();
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let (of_arguments, of_results) = (jsonschema::draft202012::new(&presumed).unwrap(), jsonschema::draft202012::new(&schema).unwrap());
        for value in values {
            let value = json!({"v": value});
            prop_assert_eq!(scope.tools()[0].validate_arguments(&value).is_ok(), of_arguments.is_valid(&value), "{} {}", schema, value);
            prop_assert_eq!(scope.tools()[0].validate_result(&value).is_empty(), of_results.is_valid(&value), "{} {}", schema, value);
        }
    }
}
