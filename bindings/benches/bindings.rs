//! What bindings cost. Each bench answers the question in its doc comment.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use isolet_bindings::{Catalog, Grants, Scope};
use serde_json::{Value, json};

/// Tools as they are: six parameters with descriptions, an enum, a nested object, and every third with a result.
fn tools(count: usize) -> Vec<Value> {
    let tool = |number: usize| {
        let mut tool = json!({
            "name": format!("update_record_{number}"),
            "description": "Updates one record of the workspace and returns it. Fields that are left out stay as they are.",
            "inputSchema": {"type": "object", "additionalProperties": false, "required": ["workspace", "record"], "properties": {
                "workspace": {"type": "string", "description": "The identifier of the workspace."},
                "record": {"type": "string", "description": format!("The identifier of the record of kind {number}.")},
                "state": {"type": "string", "enum": ["open", "in_progress", "done", "archived"], "description": "The new state."},
                "labels": {"type": "array", "items": {"type": "string"}, "description": "Labels that replace the present ones."},
                "assignee": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "Who works on it; null for nobody."},
                "due": {"type": "object", "properties": {"date": {"type": "string", "format": "date"}, "zone": {"type": "string"}}},
            }},
        });
        if number.is_multiple_of(3) {
            tool["outputSchema"] = json!({"type": "object", "required": ["id"], "properties": {
                "id": {"type": "string"}, "state": {"type": "string"}, "updated": {"type": "string", "format": "date-time"},
                format!("kind_{number}"): {"type": "integer"}}});
        }
        tool
    };
    (0..count).map(tool).collect()
}

fn scope(tools: Vec<Value>) -> Scope {
    let catalog = Catalog::load([("records", tools)]).expect("one server");
    catalog.scope(&Grants::new().allow("*")).expect("a pattern")
}

/// From definitions to a catalog, a scope and its declarations, for 100, 1,000 and 10,000 tools. Answers: is it linear, and fast
/// enough to be done when a server's list arrives?
fn declarations_by_tool_count(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("declarations_by_tool_count");
    group.sample_size(10);
    for count in [100, 1_000, 10_000] {
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &tools(count), |bencher, tools| {
            bencher.iter_batched(
                || tools.clone(),
                |tools| black_box(scope(tools)).typescript().len(),
                criterion::BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// A scope of all tools cut from a loaded catalog, without declarations. Answers: what does one request pay?
fn scope_by_tool_count(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scope_by_tool_count");
    for count in [100, 1_000, 10_000] {
        let catalog = Catalog::load([("records", tools(count))]).expect("one server");
        let grants = Grants::new().allow("records.*").deny("records.delete_*");
        group.bench_with_input(BenchmarkId::from_parameter(count), &catalog, |bencher, catalog| {
            bencher.iter(|| black_box(catalog.scope(&grants).expect("patterns")).tools().len());
        });
    }
    group.finish();
}

/// A search in 1,000 tools, the index made. Answers: can a model search as often as it likes?
fn search_in_1000_tools(criterion: &mut Criterion) {
    let scope = scope(tools(1_000));
    criterion.bench_function("search_in_1000_tools", |bencher| {
        bencher.iter(|| black_box(scope.search("update the state of a record", 10)).len())
    });
}

/// Arguments of one call against a compiled schema. Answers: what does validation add to a call?
fn validate_arguments(criterion: &mut Criterion) {
    let scope = scope(tools(1));
    let arguments = json!({"workspace": "w", "record": "r", "state": "open", "labels": ["a", "b"], "assignee": null, "due": {"date": "2026-01-01"}});
    criterion.bench_function("validate_arguments", |bencher| {
        bencher.iter(|| scope.tools()[0].validate_arguments(black_box(&arguments)).is_ok())
    });
}

criterion_group!(benches, declarations_by_tool_count, scope_by_tool_count, search_in_1000_tools, validate_arguments);
criterion_main!(benches);
