//! A whole document: its tools, what the catalog makes of them, and what a model sees.

use isolet_bindings::{Catalog, Grants};
use isolet_openapi::{Api, DocumentError};
use serde_json::json;

#[test]
fn a_document_becomes_tools() {
    let api = Api::parse(include_str!("pets.yaml")).unwrap();
    assert_eq!((api.title(), api.version(), api.description()), ("Pets", "1.0.0", Some("All of them.")));
    assert!(api.dropped().is_empty());
    let pet = |of_request: bool| {
        let mut pet = json!({
            "type": "object",
            "properties": {
                "id": {"type": "integer", "readOnly": true}, "name": {"type": "string"}, "kind": {"$ref": "#/$defs/Kind"},
                "mate": {"anyOf": [{"$ref": "#/$defs/Pet"}, {"type": "null"}]}, "secret": {"type": "string", "writeOnly": true}
            },
            "required": if of_request { json!(["kind", "name"]) } else { json!(["id", "kind", "name"]) }
        });
        pet["properties"].as_object_mut().unwrap().remove(if of_request { "id" } else { "secret" });
        pet
    };
    let kind = json!({"type": "string", "enum": ["cat", "dog"]});
    let tools = api.tools();
    assert_eq!(
        tools[0],
        json!({
            "name": "pets_list",
            "title": "Lists pets.",
            "description": "Lists pets. The newest come first.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "kinds": {"type": "array", "items": {"$ref": "#/$defs/Kind"}, "x-in": "query"},
                    "limit": {
                        "type": "integer", "minimum": 1, "maximum": 100, "default": 20, "description": "How many.", "x-in": "query"
                    }
                },
                "additionalProperties": false,
                "$defs": {"Kind": kind}
            },
            "outputSchema": {
                "type": "object",
                "properties": {"result": {"type": "array", "items": {"$ref": "#/$defs/Pet"}}},
                "required": ["result"],
                "x-fastmcp-wrap-result": true,
                "$defs": {"Pet": pet(false), "Kind": kind}
            },
            "annotations": {"readOnlyHint": true, "idempotentHint": true, "openWorldHint": true}
        })
    );
    assert_eq!(tools[1]["name"], "pets_create");
    assert_eq!(tools[1]["description"], "Deprecated.\n\nPOST /pets");
    assert_eq!(tools[1]["inputSchema"]["required"], json!(["name", "kind"]));
    assert_eq!(tools[1]["inputSchema"]["$defs"]["Pet"], pet(true));
    assert_eq!(tools[1]["outputSchema"]["properties"], pet(false)["properties"]);
    assert_eq!(tools[1]["annotations"]["readOnlyHint"], false);
    assert_eq!(tools[2]["name"], "delete_pets_petId");
    assert!(tools[2].get("outputSchema").is_none());
    assert_eq!(tools[2]["annotations"]["destructiveHint"], true);
}

#[test]
fn a_model_sees_exact_types() {
    let api = Api::parse(include_str!("pets.yaml")).unwrap();
    let catalog = Catalog::load([("pets", api.tools())]).unwrap();
    assert!(catalog.dropped().is_empty());
    let typescript = catalog.scope(&Grants::new().allow("*")).unwrap().typescript().to_string();
    for line in ["function pets_list(", "kinds?: (\"cat\" | \"dog\")[]", "function delete_pets_petId(", "petId: string"] {
        assert!(typescript.contains(line), "{line} is not in\n{typescript}");
    }
}

#[test]
fn both_versions_and_both_notations_are_read() {
    let document = |version: &str| json!({"openapi": version, "paths": {"/": {"get": {"summary": "s"}}}}).to_string();
    for version in ["3.0.0", "3.0.4", "3.1.1", "3.2.0"] {
        assert_eq!(Api::parse(document(version)).unwrap().operations().len(), 1);
    }
    assert_eq!(Api::parse("openapi: 3.0.0\npaths:\n  /:\n    get: {summary: s}\n").unwrap().operations()[0].name(), "get");
    for (text, expected) in [
        (document("2.0"), "2.0"),
        (json!({"swagger": "2.0", "paths": {}}).to_string(), "2.0"),
        ("openapi: 4.0.0".to_owned(), "4.0.0"),
        ("{}".to_owned(), ""),
        ("[]".to_owned(), ""),
        ("just text".to_owned(), ""),
        (String::new(), ""),
    ] {
        assert_eq!(Api::parse(&text).unwrap_err(), DocumentError::Version { version: expected.to_owned() }, "{text}");
    }
    for paths in [json!({}), json!([]), json!({"/": {}}), json!({"/": {"trace": {}, "x-get": {}}})] {
        let text = json!({"openapi": "3.1.0", "paths": paths}).to_string();
        assert_eq!(Api::parse(text).unwrap_err(), DocumentError::NoOperation);
    }
}
