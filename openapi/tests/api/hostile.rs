//! Hostile documents: bounded, never a panic, and what is wrong with one operation costs that operation.

use std::time::{Duration, Instant};

use isolet_bindings::{Catalog, Grants};
use isolet_openapi::{Api, OPERATIONS_MAX, OperationError};
use serde_json::{Map, Value, json};

/// A document with `operation` between two that are fine.
fn between(path: &str, item: Value, components: Value) -> Api {
    let good = json!({"get": {"responses": {"200": {"content": {"application/json": {"schema": {"type": "object"}}}}}}});
    let mut paths = Map::from_iter([("/first".to_owned(), good.clone())]);
    paths.insert(path.to_owned(), item);
    paths.insert("/last".to_owned(), good);
    Api::parse(json!({"openapi": "3.1.0", "paths": paths, "components": components}).to_string()).unwrap()
}

/// All tools are taken by the catalog and become types.
fn typed(api: &Api) -> String {
    let catalog = Catalog::load([("api", api.tools())]).unwrap();
    assert!(catalog.dropped().is_empty(), "{:?}", catalog.dropped());
    catalog.scope(&Grants::new().allow("*")).unwrap().typescript().to_string()
}

#[test]
fn one_bad_operation_costs_itself() {
    let get = |operation: Value| json!({ "get": operation });
    let parameters = |parameters: Value| get(json!({ "parameters": parameters }));
    let many: Vec<Value> = (0..201).map(|number| json!({"name": format!("p{number}"), "in": "query"})).collect();
    for (path, item) in [
        ("/a", json!({"$ref": "#/missing"})),
        ("/a", json!({"$ref": "https://evil.example/paths.yaml#/a"})),
        ("/a", json!({"$ref": "#/paths/~1a"})),
        ("/a", get(json!(1))),
        ("/a", get(Value::Null)),
        ("/a", parameters(json!({"name": "x"}))),
        ("/a", parameters(json!([1]))),
        ("/a", parameters(json!([{"in": "query"}]))),
        ("/a", parameters(json!([{"name": "", "in": "query"}]))),
        ("/a", parameters(json!([{"name": "x".repeat(201), "in": "query"}]))),
        ("/a", parameters(json!([{"name": "x", "in": "body"}]))),
        ("/a", parameters(json!([{"$ref": "#/components/parameters/missing"}]))),
        ("/a", parameters(json!([{"$ref": "other.yaml#/x"}]))),
        ("/a", parameters(json!([{"$ref": "file:///etc/passwd"}]))),
        ("/a", parameters(json!([{"name": "x", "in": "query", "schema": {"$ref": "#/missing"}}]))),
        ("/a", parameters(Value::Array(many))),
        ("/a", get(json!({"requestBody": {"$ref": "#/missing"}}))),
        ("/a", get(json!({"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/missing"}}}}}))),
        (
            "/a",
            get(
                json!({"requestBody": {"required": true, "content": {"application/json": {"schema": {"properties": {"": {}}}}}}}),
            ),
        ),
        ("a", get(json!({}))),
        ("https://evil.example/a", get(json!({}))),
        ("/a/../../b", get(json!({}))),
        ("/%2e%2e/b", get(json!({}))),
        ("/a?x={y}", get(json!({}))),
        ("/a#b", get(json!({}))),
        ("/{a", get(json!({}))),
        ("/a\r\nHost: evil", get(json!({}))),
    ] {
        let api = between(path, item.clone(), Value::Null);
        let names: Vec<&str> = api.operations().iter().map(|operation| operation.name()).collect();
        assert_eq!((names.as_slice(), api.dropped().len()), (&["get_first", "get_last"][..], 1), "{path} {item}");
        assert!(api.dropped()[0].reason.to_string().contains(": "), "a reason says the way out: {}", api.dropped()[0].reason);
    }
}

#[test]
fn what_refers_to_itself_ends() {
    let schemas = json!({
        "Self": {"$ref": "#/components/schemas/Self"}, "A": {"allOf": [{"$ref": "#/components/schemas/B"}]},
        "B": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"b": {"$ref": "#/components/schemas/B"}}}]},
        "Tree": {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
        "Deep": {"properties": {"document": {"$ref": "#"}, "paths": {"$ref": "#/paths"}, "own": {"$ref": "#/components/schemas/Deep/properties/own"}}}
    });
    for name in ["A", "B", "Tree", "Deep"] {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let content = json!({"application/json": {"schema": schema}});
        let item = json!({"post": {
            "parameters": [{"name": "q", "in": "query", "schema": schema}], "requestBody": {"content": content},
            "responses": {"200": {"content": content}}
        }});
        let api = between("/a", item, json!({ "schemas": schemas }));
        assert!(api.dropped().is_empty() && api.operations().len() == 3);
        typed(&api);
    }
    let item = json!({"get": {"parameters": [{"name": "q", "in": "query", "schema": {"$ref": "#/components/schemas/Self"}}]}});
    assert_eq!(
        between("/a", item, json!({ "schemas": schemas })).dropped().len(),
        1,
        "a chain that never ends leads to nothing"
    );
}

#[test]
fn a_document_of_too_many_operations_keeps_the_first() {
    let paths: Map<String, Value> =
        (0..OPERATIONS_MAX + 10).map(|number| (format!("/p{number}"), json!({"get": {}}))).collect();
    let api = Api::parse(json!({"openapi": "3.1.0", "paths": paths}).to_string()).unwrap();
    assert_eq!((api.operations().len(), api.dropped().len()), (OPERATIONS_MAX, 10));
    assert!(api.dropped().iter().all(|dropped| dropped.reason == OperationError::TooMany));
}

#[test]
fn schemas_that_multiply_are_cut() {
    // Each level refers ten times to the next, from each operation: unfolded it would be 10^30.
    let mut schemas = Map::new();
    for level in 0..30 {
        let properties: Map<String, Value> = (0..10)
            .map(|number| (format!("p{number}"), json!({"$ref": format!("#/components/schemas/L{}", level + 1)})))
            .collect();
        schemas.insert(
            format!("L{level}"),
            json!({ "type": "object", "properties": properties, "description": "d".repeat(100_000) }),
        );
    }
    schemas.insert("L30".to_owned(), json!({"enum": (0..100_000).map(|number| format!("value {number}")).collect::<Vec<_>>()}));
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/L0"}}});
    let paths: Map<String, Value> = (0..5)
        .map(|number| {
            (
                format!("/p{number}"),
                json!({"post": {"requestBody": {"content": content}, "responses": {"200": {"content": content}}}}),
            )
        })
        .collect();
    let begin = Instant::now();
    let api = Api::parse(json!({"openapi": "3.1.0", "paths": paths, "components": {"schemas": schemas}}).to_string()).unwrap();
    assert_eq!(api.operations().len(), 5);
    for tool in api.tools() {
        assert!(tool.to_string().len() < 1 << 20);
    }
    typed(&api);
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn names_that_are_traps_are_names() {
    let names =
        ["__proto__", "constructor", "then", "toString", "ünïcödé", "a b", "*/ alert(1)", "`${x}`", "../..", "\u{0}", "💥"];
    let mut paths = Map::new();
    for (number, name) in names.iter().enumerate() {
        let schema =
            json!({"type": "object", "properties": {*name: {"type": "string", "description": *name}}, "required": [name]});
        let operation = json!({
            "operationId": name, "summary": name, "description": format!("{name} */ ``` \u{202e}"), "tags": [name],
            "parameters": [{"name": name, "in": "query", "description": name}],
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
            "responses": {"200": {"content": {"application/json": {"schema": schema}}}}
        });
        paths.insert(format!("/p{number}"), json!({ "post": operation }));
    }
    let api = Api::parse(json!({"openapi": "3.1.0", "paths": paths}).to_string()).unwrap();
    assert!(api.dropped().is_empty());
    let is_plain = |name: &str| name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    assert!(api.operations().iter().all(|operation| is_plain(operation.name())), "{:?}", api.operations());
    let mut own: Vec<&str> = api.operations().iter().map(|operation| operation.name()).collect();
    own.sort_unstable();
    own.dedup();
    assert_eq!(own.len(), names.len(), "each has a name of its own");
    typed(&api);
}

/// The suffix of one operation is written out as the name of another.
#[test]
fn a_name_that_looks_like_a_suffix_is_not_given_twice() {
    let get = |id: &str| json!({"get": {"operationId": id}});
    let taken = "get_5689ce";
    let paths = json!({"/a": get("get"), "/x": get(taken), "/c": get("get"), "/d": get(taken), "/e": get("get_5689ce_2")});
    let api = Api::parse(json!({"openapi": "3.1.0", "paths": paths}).to_string()).unwrap();
    let mut names: Vec<&str> = api.operations().iter().map(|operation| operation.name()).collect();
    assert_eq!((names.len(), &names[..2]), (5, &["get", taken][..]));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn schemas_of_one_name_are_told_apart_at_once() {
    let properties: Map<String, Value> =
        (0..3_000).map(|number| (format!("p{number}"), json!({"$ref": format!("#/x/{number}/S")}))).collect();
    let schemas: Map<String, Value> = (0..3_000).map(|number| (number.to_string(), json!({"S": {"type": "string"}}))).collect();
    let schema = json!({"type": "object", "properties": properties});
    let paths: Map<String, Value> = (0..5)
        .map(|number| {
            (format!("/p{number}"), json!({"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}))
        })
        .collect();
    let begin = Instant::now();
    let api = Api::parse(json!({"openapi": "3.1.0", "paths": paths, "x": schemas}).to_string()).unwrap();
    assert!(api.tools()[0]["inputSchema"]["$defs"].as_object().unwrap().len() > 1_000);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}

/// One path item that thousands of paths refer to: whatever is long in it must not be gone through for each.
#[test]
fn what_many_operations_share_is_not_gone_through_for_each() {
    let (long, many) = ("x".repeat(1 << 20), 100_000);
    let numbered =
        |value: Value| -> Value { (0..many).map(|number| (format!("n{number}"), value.clone())).collect::<Map<_, _>>().into() };
    let body = |schema: Value| json!({"requestBody": {"content": {"application/json": { "schema": schema }}}});
    let query = |schema: Value| json!({"parameters": [{"name": "q", "in": "query", "schema": schema}]});
    let big = json!({"anyOf": vec![json!({"type": "string", "title": "t"}); 4_000]});
    for (what, operation) in [
        ("description", json!({ "description": long, "summary": long })),
        ("operation id", json!({ "operationId": long })),
        ("parameter's description", json!({"parameters": [{"name": "q", "in": "query", "description": long}]})),
        ("default", query(json!({ "default": vec![1; many] }))),
        ("const", query(json!({ "const": long }))),
        ("enum", query(json!({"enum": [long]}))),
        ("pattern", query(json!({ "pattern": long }))),
        ("reference", query(json!({ "$ref": format!("#/{long}") }))),
        ("name of a property", query(json!({"properties": { long.clone(): {} }}))),
        ("properties left out", query(json!({"properties": numbered(json!({"readOnly": true}))}))),
        ("required", query(json!({ "required": vec![json!(1); many] }))),
        ("required of a body", body(json!({"properties": {"a": {}}, "required": vec!["a"; many]}))),
        ("media types", json!({"requestBody": {"content": numbered(json!({}))}})),
        ("responses", json!({ "responses": numbered(json!({})) })),
        ("media types of a response", json!({"responses": {"200": {"content": numbered(json!({}))}}})),
        ("own parameters", json!({ "parameters": vec![json!({"name": "host", "in": "header"}); 50_000] })),
        ("scopes", json!({"security": [{ "a": vec![1; many] }]})),
        ("encodings", json!({"requestBody": {"content": {"multipart/form-data": {"encoding": numbered(json!({}))}}}})),
        (
            "what fails late",
            json!({"parameters": [{"name": "q", "in": "query", "schema": big}], "requestBody": {"content": {"application/json": {"schema": {"properties": {"": {}}}}}}}),
        ),
    ] {
        let paths: Map<String, Value> = (0..6_000).map(|number| (format!("/p{number}"), json!({"$ref": "#/x"}))).collect();
        let text = json!({"openapi": "3.1.0", "paths": paths, "x": { "post": operation }}).to_string();
        let begin = Instant::now();
        if let Ok(api) = Api::parse(text) {
            assert!(api.operations().len() <= OPERATIONS_MAX && api.dropped().len() <= OPERATIONS_MAX);
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{what}: {:?}", begin.elapsed());
    }
}

/// Whatever stands anywhere in a document: it is read or refused, and what is read is typed.
#[test]
fn a_document_with_anything_anywhere_is_read_or_refused() {
    let document: Value = serde_json::to_value(serde_saphyr::from_str::<Value>(include_str!("pets.yaml")).unwrap()).unwrap();
    let odd = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("#/"),
        json!("#/paths"),
        json!([]),
        json!({}),
        json!([[]]),
        json!({"$ref": "#"}),
        json!({"$ref": "#/components/schemas/Pet"}),
        json!({"$ref": 1}),
        json!("x".repeat(5000)),
        json!({"": {"": {}}}),
    ];
    let mut pointers = Vec::new();
    collect(&document, String::new(), &mut pointers);
    assert!(pointers.len() > 100);
    for pointer in &pointers {
        for value in &odd {
            let mut changed = document.clone();
            *changed.pointer_mut(pointer).unwrap() = value.clone();
            if let Ok(api) = Api::parse(changed.to_string()) {
                let catalog = Catalog::load([("api", api.tools())]).unwrap();
                assert!(catalog.dropped().is_empty(), "{pointer} = {value}: {:?}", catalog.dropped());
            }
        }
    }
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    pointers.push(pointer.clone());
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, inner)| collect(inner, format!("{pointer}/{}", escape(key)), pointers))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, inner)| collect(inner, format!("{pointer}/{at}"), pointers))
        }
        _ => {}
    }
}
