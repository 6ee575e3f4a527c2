//! One readable golden file for each JSON Schema keyword: the schema, and the type that it becomes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use isolet_bindings::{Catalog, Grants};
use serde_json::{Value, json};

/// What the schemas become as the property `v`, each with its text.
fn shown(schemas: &[Value]) -> String {
    let mut text = String::new();
    for schema in schemas {
        let defs = schema.get("$defs").or_else(|| schema.get("definitions")).cloned().unwrap_or(json!({}));
        let mut bare = schema.clone();
        bare.as_object_mut().map(|members| (members.shift_remove("$defs"), members.shift_remove("definitions")));
        let tool = json!({"name": "f", "inputSchema": {"type": "object", "properties": {"v": bare}, "required": ["v"], "$defs": defs, "definitions": defs}});
        let catalog = Catalog::load([("s", vec![tool])]).unwrap();
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let types = scope.typescript().strip_prefix("declare namespace s {\n").unwrap().strip_suffix("}\n").unwrap().to_owned();
        text.push_str(&format!("{schema}\n{}\n", types.trim_end()));
        text.push('\n');
    }
    text
}

/// A test for each keyword, which compares with `snapshots/golden__KEYWORD.snap`.
macro_rules! golden {
    ($($keyword:ident: [$($schema:tt),+ $(,)?];)+) => {$(
        #[test]
        fn $keyword() {
            insta::with_settings!({ prepend_module_to_snapshot => true, omit_expression => true }, {
                insta::assert_snapshot!(stringify!($keyword), shown(&[$(json!($schema)),+]));
            });
        }
    )+};
}

golden! {
    type_: [{"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}, {"type": "null"}, {"type": "object"}, {"type": "array"}, {"type": ["string", "null"]}, {"type": ["object", "null"]}, {"type": ["integer", "number"]}];
    boolean_and_empty: [true, false, {}];
    properties: [{"type": "object", "properties": {"a": {"type": "string"}, "b-c": {"type": "number"}, "__proto__": {}, "default": {"type": "boolean"}}}, {"properties": {"a": {"type": "string"}}}];
    required: [{"type": "object", "properties": {"a": {}}, "required": ["a", "b"]}, {"required": ["a"]}];
    additional_properties: [{"type": "object", "additionalProperties": false}, {"type": "object", "additionalProperties": true}, {"type": "object", "additionalProperties": {"type": "number"}}, {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "number"}}, {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false}];
    pattern_properties: [{"type": "object", "patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": false}, {"type": "object", "patternProperties": {"^[a-z]+$": {"type": "number"}}}, {"type": "object", "properties": {"x-a": {}}, "patternProperties": {"^x-": {"type": "string"}}}];
    property_names: [{"type": "object", "propertyNames": {"enum": ["a", "b"]}, "additionalProperties": {"type": "number"}}, {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}, "additionalProperties": {"type": "number"}}];
    dependent_required: [{"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "dependentRequired": {"a": ["b"]}}];
    unevaluated_properties: [{"type": "object", "properties": {"a": {}}, "unevaluatedProperties": false}, {"type": "object", "allOf": [{"properties": {"a": {"type": "string"}}}], "properties": {"b": {}}, "unevaluatedProperties": false}];
    items: [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": ["string", "null"]}}, {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "number"}}]}}, {"type": "array", "items": false}, {"items": {"type": "string"}}];
    items_as_array: [{"type": "array", "items": [{"type": "string"}, {"type": "number"}], "additionalItems": false, "minItems": 2}, {"type": "array", "items": [{"type": "string"}]}];
    prefix_items: [{"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": false}, {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "minItems": 1}, {"type": "array", "items": {"type": "number"}, "minItems": 2_147_483_647, "maxItems": 2_147_483_647}];
    enum_: [{"enum": ["a", "b"]}, {"type": "string", "enum": ["a", 1, null]}, {"enum": [1, 1.5, true, false, null]}, {"enum": [9_007_199_254_740_993_u64, 9_007_199_254_740_991_u64]}, {"enum": [{"a": [1, 2]}]}, {"type": "string", "nullable": true, "enum": ["a"]}];
    const_: [{"const": "a"}, {"const": {"a": false}}, {"const": null}, {"const": "\u{2028}</script>\"\\"}];
    any_of: [{"anyOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [{"type": "string", "enum": ["pd", "pw"]}, {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}$"}]}, {"type": "object", "properties": {"a": {}, "b": {}, "c": {}, "d": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"properties": {"a": {"type": "string"}}, "type": "object", "anyOf": [{"properties": {"b": {"type": "number"}}, "required": ["b"]}, {"properties": {"c": {"type": "number"}}}]}];
    one_of: [{"oneOf": [{"type": "object", "properties": {"kind": {"const": "a"}, "x": {"type": "number"}}, "required": ["kind", "x"]}, {"type": "object", "properties": {"kind": {"const": "b"}}, "required": ["kind"]}]}, {"oneOf": [{"const": "a", "description": "all of them"}, {"const": "b", "title": "None"}]}];
    all_of: [{"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, {"type": "object", "properties": {"b": {"type": "number"}, "a": {"enum": ["x", 1]}}}]}, {"allOf": [{"type": ["string", "number"]}, {"type": ["number", "null"]}]}, {"allOf": [{"type": "string"}, {"type": "number"}]}];
    not_: [{"not": {"type": "string"}}, {"type": ["string", "null"], "not": {"type": "null"}}, {"enum": ["a", "b"], "not": {"const": "a"}}, {"type": "object", "properties": {"a": {}, "b": {}}, "not": {"required": ["a"]}}, {"type": "string", "not": {"pattern": "x"}}];
    if_then_else: [{"type": "object", "properties": {"a": {"type": "string"}}, "if": {"properties": {"a": {"const": "x"}}}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}, {"type": "object", "properties": {"a": {"type": "string"}}, "if": {"properties": {"a": {"const": "x"}}}, "then": {"required": ["b"]}}];
    ref_: [{"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}, {"$ref": "#/$defs/a", "properties": {"b": {"type": "string"}}, "$defs": {"a": {"type": "object", "properties": {"c": {"type": "number"}}}}}, {"$ref": "#/properties/v/properties/a", "properties": {"a": {"type": "string"}}}, {"$ref": "https://example.org/elsewhere"}, {"$ref": "#/$defs/none"}];
    ref_recursive: [{"$ref": "#/$defs/filter", "$defs": {"filter": {"type": "object", "properties": {"and": {"type": "array", "items": {"$ref": "#/$defs/filter"}}, "field": {"type": "string"}}}}}, {"$ref": "#/$defs/json", "$defs": {"json": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/json"}}, {"type": "object", "additionalProperties": {"$ref": "#/$defs/json"}}]}}}, {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}];
    anchor: [{"$ref": "#here", "$defs": {"a": {"$anchor": "here", "type": "string"}}}, {"$ref": "item.json", "$defs": {"a": {"$id": "item.json", "type": "number"}}}];
    nullable: [{"type": "string", "nullable": true}, {"type": "object", "properties": {"a": {"type": "number"}}, "nullable": true}];
    description: [{"type": "object", "properties": {"a": {"type": "string", "description": "What it is.\nMore of it."}, "b": {"type": "array", "description": "Names.", "items": {"type": "string", "description": "One name."}}}}];
    title: [{"type": "object", "properties": {"user_id": {"type": "string", "title": "User ID"}, "x": {"type": "number", "title": "The column"}}}];
    default: [{"type": "object", "properties": {"a": {"type": "number", "default": 10}, "b": {"type": "number", "description": "Defaults to 10.", "default": 10}, "c": {"type": "string", "default": null}}}, {"type": "object", "properties": {"a": {"type": "number", "default": 10}, "b": {"type": "string"}, "c": {"type": "string", "default": null}, "d": {"type": ["string", "null"], "default": null}}, "required": ["a", "b", "c", "d"]}];
    deprecated: [{"type": "object", "properties": {"a": {"type": "number", "deprecated": true}}}];
    format: [{"type": "object", "properties": {"a": {"type": "string", "format": "date-time"}, "b": {"type": "integer", "format": "int64"}, "c": {"type": "string", "format": "uri", "description": "A URI."}}}];
    constraints: [{"type": "object", "properties": {"a": {"type": "integer", "minimum": 1, "maximum": 100}, "b": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5}, "c": {"type": "string", "minLength": 2, "maxLength": 2}, "d": {"type": "array", "maxItems": 3, "uniqueItems": true}, "e": {"type": "string", "pattern": "^[a-z]+$"}, "f": {"type": "object", "minProperties": 1}}}];
}

#[test]
fn a_required_property_with_a_default_may_be_left_out_of_arguments_and_is_in_results() {
    let page = json!({"type": "object", "properties": {"size": {"type": "integer", "default": 10}}, "required": ["size"]});
    let input = json!({"type": "object", "properties": {"page": page}, "required": ["page"]});
    let catalog = Catalog::load([(
        "s",
        vec![json!({"name": "f", "inputSchema": input, "outputSchema": page}), json!({"name": "g", "inputSchema": page})],
    )])
    .unwrap();
    let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
    let types = scope.typescript();
    assert_eq!((types.matches(" size?: integer").count(), types.matches(" size: integer").count()), (2, 1), "{types}");
    assert!(types.contains("function f(args: ") && types.contains("function g(args?: "), "{types}");
    assert_eq!(scope.tools()[0].validate_arguments(&json!({"page": {}})), Ok(()));
    assert_eq!(scope.tools()[0].validate_result(&json!({})).len(), 1);
}

#[test]
fn shared_types_are_named_once_for_a_server() {
    let issue = json!({"type": "object", "required": ["id", "title"], "properties": {"id": {"type": "integer"}, "title": {"type": "string", "description": "One line."}, "state": {"enum": ["open", "closed"]}}});
    let tools = vec![
        json!({"name": "get_issue", "description": "One issue.", "inputSchema": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}, "outputSchema": issue}),
        json!({"name": "list_issues", "description": "All issues.", "inputSchema": {"type": "object", "properties": {}}, "outputSchema": {"type": "object", "properties": {"issues": {"type": "array", "items": issue}}, "required": ["issues"]}}),
        json!({"name": "wrapped", "inputSchema": {"type": "object"}, "outputSchema": {"type": "object", "properties": {"result": {"type": "array", "items": {"type": "string"}}}, "x-fastmcp-wrap-result": true}}),
    ];
    let catalog = Catalog::load([("tracker", tools)]).unwrap();
    let scope = catalog.scope(&Grants::new().allow("*").pin("tracker.get_issue", "id", 7)).unwrap();
    insta::assert_snapshot!("shared", scope.typescript());
    insta::assert_snapshot!("signatures", scope.signatures(["tracker.get_issue", "tracker.list_issues", "tracker.list_isues"]));
}
