//! scratch
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "scratch")]
use isolet_bindings::*; use serde_json::json; use std::time::Instant;
fn main() {
    let tool = |number: usize| {
        json!({"name": format!("update_record_{number}"), "description": "Updates one record and returns it.",
            "inputSchema": {"type": "object", "additionalProperties": false, "required": ["workspace", "record"], "properties": {
                "workspace": {"type": "string", "description": "The identifier of the workspace."},
                "record": {"type": "string", "description": format!("The identifier of the record of kind {number}.")},
                "state": {"type": "string", "enum": ["open", "in_progress", "done", "archived"], "description": "The new state."},
                "labels": {"type": "array", "items": {"type": "string"}, "description": "Labels that replace the present ones."},
                "assignee": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "Who works on it; null for nobody."},
                "due": {"type": "object", "properties": {"date": {"type": "string", "format": "date"}, "zone": {"type": "string"}}}}}})
    };
    for _ in 0..3 {
    let tools: Vec<_> = (0..10000).map(tool).collect();
    let t = Instant::now(); let c = Catalog::load([("r", tools)]).unwrap(); println!("load {:?}", t.elapsed());
    let t = Instant::now(); let s = c.scope(&Grants::new().allow("*")).unwrap(); println!("scope {:?}", t.elapsed());
    let t = Instant::now(); s.describe(["r.update_record_1"]); println!("declarations {:?}", t.elapsed());
    let t = Instant::now(); let n = s.typescript().len(); println!("typescript {:?} {n}", t.elapsed());
    }
}
