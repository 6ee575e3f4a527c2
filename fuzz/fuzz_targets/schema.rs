//! Any JSON as the schemas of a tool, and as its arguments: declarations and violations come, in bounded time and memory.

#![no_main]

use isolet_bindings::{Catalog, Grants, TokenBudget};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    let Ok(schema) = serde_json::from_str::<Value>(text) else { return };
    let tool = json!({"name": "tool", "inputSchema": schema, "outputSchema": schema});
    let inner = json!({"name": "inner", "inputSchema": {"type": "object", "properties": {"a": schema}, "$defs": {"a": schema}}});
    let catalog = Catalog::load([("server", vec![tool, inner])]).expect("one server");
    let scope = catalog.scope(&Grants::new().allow("*")).expect("a pattern");
    assert!(scope.typescript().len() < 1 << 20);
    assert!(scope.types(TokenBudget::new(500)).tokens.tokens <= 500);
    for tool in scope.tools() {
        drop(tool.validate_arguments(&json!({"a": schema})));
        drop(tool.validate_result(&schema));
    }
});
