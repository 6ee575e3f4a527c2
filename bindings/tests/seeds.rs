//! The seeds of the fuzz targets, done without a fuzzer: what each target does with its input, once for each seed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/code.rs"]
mod code;

use std::fs;
use std::path::Path;

use isolet_bindings::name::{identifier, is_identifier};
use isolet_bindings::{Catalog, Grants, TokenBudget};
use serde_json::{Value, json};

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let seeds: Vec<Vec<u8>> = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(seeds.len() >= 3, "{target} has seeds");
    seeds
}

#[test]
fn names_become_identifiers() {
    for seed in seeds("name") {
        let name = String::from_utf8(seed).unwrap();
        assert!(is_identifier(&identifier(&name)), "{name}");
    }
}

#[test]
fn schemas_become_declarations() {
    for seed in seeds("schema") {
        let schema: Value = serde_json::from_slice(&seed).unwrap();
        let inner =
            json!({"name": "inner", "inputSchema": {"type": "object", "properties": {"a": schema}, "$defs": {"a": schema}}});
        let catalog =
            Catalog::load([("server", vec![json!({"name": "tool", "inputSchema": schema, "outputSchema": schema}), inner])])
                .unwrap();
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        code::assert_inert(scope.typescript());
        assert!(scope.types(TokenBudget::new(500)).tokens.tokens <= 500);
        for tool in scope.tools() {
            drop(tool.validate_arguments(&json!({"a": schema})));
            drop(tool.validate_result(&schema));
        }
    }
}

#[test]
fn lists_become_catalogs_with_reasons() {
    for seed in seeds("definition_list") {
        let Ok(catalog) = Catalog::load_json([("server", seed)]) else { continue };
        assert!(catalog.dropped().iter().all(|dropped| dropped.to_string().contains(": ")));
        assert_eq!(catalog.scope(&Grants::new().allow("server.*")).unwrap().tools().len(), catalog.tools().count());
    }
}
