//! Any two texts as the names of tools: their identifiers are safe, each its own, and names that are identifiers are kept.

#![no_main]

use isolet_bindings::Catalog;
use isolet_bindings::name::{identifier, is_identifier};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|names: (&str, &str)| {
    let (one, other) = names;
    assert!(is_identifier(&identifier(one)));
    assert_eq!(is_identifier(one), identifier(one) == one);
    let tools = [one, other].map(|name| json!({"name": name, "inputSchema": {"type": "object"}}));
    let catalog = Catalog::load([("server", tools.to_vec())]).expect("one server");
    let mut identifiers: Vec<&str> = catalog.tools().map(|tool| tool.identifier()).collect();
    // Two names whose hashes begin alike: then one is left out, with the reason.
    assert_eq!(identifiers.len() + catalog.dropped().len(), 2);
    identifiers.dedup();
    assert_eq!(identifiers.len(), catalog.tools().count());
});
