//! Hostile definitions: whatever a server lists, the declarations are inert, bounded and made in no time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/code.rs"]
mod code;
#[path = "../examples/report/corpus.rs"]
#[expect(dead_code, reason = "the report uses the rest")]
mod corpus;
#[path = "../examples/report/oracle.rs"]
#[expect(dead_code, reason = "the report uses the rest")]
mod oracle;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use isolet_bindings::{Catalog, DESCRIBED_PATHS_MAX, DefinitionList, Grants, ListError, TokenBudget};
use libtest_mimic::{Arguments, Trial};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

fn main() -> ExitCode {
    // Which lists there are stands in the lines of the tests that are about all of them.
    let lists = if corpus::hostile_folder() == corpus::own_hostile_folder() { "over the project's own lists" } else { "" };
    let trial = |name, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let has_compiler = corpus::node_packages().is_some();
    let trials = vec![
        trial(
            "declarations_are_inert_bounded_and_made_within_a_second",
            declarations_are_inert_bounded_and_made_within_a_second,
        )
        .with_kind(lists),
        trial("the_compiler_accepts_every_declaration_as_inert", the_compiler_accepts_every_declaration_as_inert)
            .with_kind(if has_compiler { lists } else { oracle::MISSING })
            .with_ignored_flag(!has_compiler),
        trial("one_bad_tool_never_costs_its_neighbours", one_bad_tool_never_costs_its_neighbours),
        trial(
            "a_tool_spelled_like_anothers_identifier_is_left_out_with_its_reason",
            a_tool_spelled_like_anothers_identifier_is_left_out,
        ),
        trial("a_list_beyond_its_depth_is_refused_without_an_overflow", a_list_beyond_its_depth_is_refused_without_an_overflow),
        trial("namespaces_are_safe_unique_globals", namespaces_are_safe_unique_globals),
        trial("a_flood_of_bad_tools_is_counted_and_not_listed", a_flood_of_bad_tools_is_counted_and_not_listed),
        trial("no_shared_type_is_declared_as_itself", no_shared_type_is_declared_as_itself),
        trial("the_compiler_accepts_every_keyword_in_a_shared_place", the_compiler_accepts_every_keyword_in_a_shared_place)
            .with_kind(if has_compiler { "" } else { oracle::MISSING })
            .with_ignored_flag(!has_compiler),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn load(file: &Path) -> Catalog {
    let text = fs::read(file).unwrap();
    let names = serde_json::from_slice::<Value>(&text).ok().and_then(|value| value.get("namespaces")?.as_array().cloned());
    let list = |name: &Value| {
        (
            name.as_str().unwrap().to_owned(),
            json!([{"name": "good", "inputSchema": {"type": "object"}}]).to_string().into_bytes(),
        )
    };
    let lists = names.map_or_else(|| vec![("hostile".to_owned(), text)], |names| names.iter().map(list).collect());
    Catalog::load_json(lists).unwrap()
}

/// Every list of the project and, if it is there, of the folder beside the checkout.
fn files() -> Vec<std::path::PathBuf> {
    let mut files = corpus::json_files(&corpus::own_hostile_folder());
    if corpus::hostile_folder() != corpus::own_hostile_folder() {
        files.extend(corpus::json_files(&corpus::hostile_folder()));
    }
    files
}

/// The processor time of this thread so far: what else the machine does is not in it.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

fn declarations_are_inert_bounded_and_made_within_a_second() {
    let files = files();
    assert!(files.len() >= 3, "the project's own lists are there");
    for file in files {
        let start = processor_time();
        let catalog = load(&file);
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let partial = scope.types(TokenBudget::new(1_000));
        let paths: Vec<&str> = scope.tools().iter().map(|tool| tool.path()).collect();
        let mut described = vec![scope.describe(["*/ PWNED_99 /*"])];
        described.extend(paths.chunks(DESCRIBED_PATHS_MAX).map(|paths| scope.describe(paths.iter().copied())));
        for tool in scope.tools() {
            // What comes of it does not matter, that it comes does.
            drop(tool.validate_arguments(&json!({"a": {"l": {"l": {"l": {"r": 1}}}}, "root": [[1]]})));
        }
        // Debug builds are some ten times slower.
        let time_max = if cfg!(debug_assertions) { 10 } else { 1 };
        let took = processor_time().saturating_sub(start);
        assert!(took < Duration::from_secs(time_max), "{} took {took:?}", file.display());
        for text in [scope.typescript(), &partial.text].into_iter().chain(described.iter().map(String::as_str)) {
            code::assert_inert(text);
            assert!(text.len() < 256 << 10, "{}: {} bytes", file.display(), text.len());
        }
        assert_eq!(
            scope.typescript(),
            load(&file).scope(&Grants::new().allow("*")).unwrap().typescript(),
            "same input, same bytes"
        );
        for dropped in catalog.dropped() {
            let line = dropped.to_string();
            assert!(line.contains(": ") && !line.chars().any(char::is_control), "{line:?}");
        }
    }
}

fn one_bad_tool_never_costs_its_neighbours() {
    let catalog = load(&corpus::own_hostile_folder().join("unreadable.json"));
    assert_eq!(catalog.tools().map(|tool| tool.name()).collect::<Vec<_>>(), ["good"]);
    assert_eq!(catalog.dropped().len(), 12);
}

/// Found by the fuzz target `name`.
fn a_tool_spelled_like_anothers_identifier_is_left_out() {
    let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
    for names in [["create-issue", "create_issue_a2458b"], ["create_issue_a2458b", "create-issue"]] {
        let of = |more: &[&str]| {
            let tools = names.iter().chain(more).map(|name| tool(name)).collect::<Vec<_>>();
            Catalog::load([("s", tools)]).unwrap()
        };
        assert_eq!(of(&["good"]).tools().count(), 3, "{:?}", of(&["good"]).dropped());
        // Where the suffix is needed, who is called so has it.
        let catalog = of(&["create_issue", "good"]);
        let left: Vec<&str> = catalog.tools().map(|tool| tool.name()).collect();
        assert_eq!(left, ["create_issue_a2458b", "create_issue", "good"]);
        assert!(catalog.dropped()[0].to_string().contains("create_issue_a2458b"), "{}", catalog.dropped()[0]);
    }
}

fn a_list_beyond_its_depth_is_refused_without_an_overflow() {
    let deep = format!(
        r#"[{{"name":"deep","inputSchema":{}{}}},{{"name":"good"}}]"#,
        r#"{"not":"#.repeat(100_000),
        "1".to_owned() + &"}".repeat(100_000)
    );
    let catalog = Catalog::load_json([("s", deep)]).unwrap();
    assert_eq!(catalog.tools().map(|tool| tool.name()).collect::<Vec<_>>(), ["good"]);
    assert!(catalog.dropped()[0].to_string().contains("recursion limit exceeded"), "{}", catalog.dropped()[0]);
    assert!(matches!(DefinitionList::parse("{}"), Err(ListError::NotAList(_))));
    assert!(matches!(DefinitionList::parse([b'['; 8]), Err(ListError::NotAList(_))));
}

fn namespaces_are_safe_unique_globals() {
    let names = [
        "github",
        "GitHub",
        "git-hub",
        "__proto__",
        "console",
        "tools",
        "then",
        "Promise",
        "a/b",
        "a b",
        "\u{1f600}",
        "*/ x",
        "class",
        "0",
    ];
    let tools = || vec![json!({"name": "echo", "inputSchema": {"type": "object"}})];
    let catalog = Catalog::load(names.map(|name| (name, tools()))).unwrap();
    let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
    let mut namespaces: Vec<&str> = scope.manifest().namespaces.iter().map(|namespace| namespace.name.as_str()).collect();
    assert_eq!(namespaces.len(), names.len());
    assert!(namespaces.iter().all(|name| isolet_bindings::name::is_identifier(name)), "{namespaces:?}");
    namespaces.sort_unstable();
    namespaces.dedup();
    assert_eq!(namespaces.len(), names.len());
    code::assert_inert(scope.typescript());
}

fn the_compiler_accepts_every_declaration_as_inert() {
    let packages = corpus::node_packages().expect(oracle::MISSING);
    let work = std::env::temp_dir().join(format!("isolet-hostile-{}", std::process::id()));
    fs::create_dir_all(&work).unwrap();
    for file in files() {
        let target = work.join("generated.d.ts");
        fs::write(&target, load(&file).scope(&Grants::new().allow("*")).unwrap().typescript()).unwrap();
        let oracle = corpus::hostile_folder().join("check-generated.mjs");
        let complaint = if oracle.is_file() {
            oracle::check_generated(&oracle, &packages, &target)
        } else {
            oracle::check_strict(&packages, &target)
        };
        assert_eq!(complaint.unwrap(), None, "{}", file.display());
    }
    fs::remove_dir_all(&work).unwrap();
}

fn a_flood_of_bad_tools_is_counted_and_not_listed() {
    const BAD: usize = 300_000;
    let start = processor_time();
    let good = r#"{"name":"good","inputSchema":{"type":"object"}}"#;
    for bad in ["7", r#"{"name":7}"#, r#"{"name":"bad","inputSchema":7}"#, good, r#"{"name":"\ud800"}"#] {
        let text = format!("[{good}{}]", format!(",{bad}").repeat(BAD));
        let catalog = Catalog::load_json([("flood", text), ("calm", format!("[{good}]"))]).unwrap();
        assert_eq!(catalog.tools().map(|tool| tool.server()).collect::<Vec<_>>(), ["calm", "flood"], "{bad}");
        assert_eq!((catalog.dropped().len(), catalog.dropped_count()), (20, BAD), "{bad}");
        let said: usize = catalog.dropped().iter().map(|dropped| dropped.to_string().len()).sum();
        assert!(said < 8 << 10, "{bad}: {said} bytes");
    }
    let values = Catalog::load([("flood", vec![json!({"name": "x".repeat(10_000)}); 5_000])]).unwrap();
    assert_eq!((values.dropped().len(), values.dropped_count()), (20, 5_000));
    let took = processor_time().saturating_sub(start);
    assert!(took < Duration::from_secs(60), "{took:?}");
}

/// Every keyword that says something by schemas or values, and what is worth a name of its own.
fn keywords() -> Vec<(&'static str, Value)> {
    let text = json!({"type": "string", "description": "Some words that make it worth a name, wherever it is used."});
    let object = |name: &str| json!({"type": "object", "properties": {name: text, "count": {"type": "integer"}}});
    let [one, two] = [object("number_of_the_order"), object("number_of_the_customer")];
    let literals = json!(["waiting_for_payment", "waiting_for_delivery", "delivered", "returned_by_the_customer"]);
    let node = json!({"$ref": "#/$defs/node"});
    vec![
        ("properties", one.clone()),
        ("additionalProperties", json!({"type": "object", "additionalProperties": {"anyOf": [one, two, {"type": "null"}]}})),
        (
            "patternProperties",
            json!({"type": "object", "patternProperties": {"^x-": {"anyOf": [one, two]}}, "additionalProperties": false}),
        ),
        ("propertyNames", json!({"type": "object", "propertyNames": {"enum": literals}, "additionalProperties": one})),
        ("unevaluatedProperties", json!({"allOf": [one, two], "unevaluatedProperties": false})),
        ("minProperties", json!({"type": "object", "minProperties": 1, "additionalProperties": one})),
        ("required", json!({"type": "object", "required": ["number_of_the_order", "count"], "properties": one["properties"]})),
        ("items", json!({"type": "array", "items": one})),
        ("prefixItems", json!({"type": "array", "prefixItems": [one, two], "items": false, "minItems": 1})),
        ("contains", json!({"type": "array", "contains": one, "items": {"anyOf": [one, two]}})),
        ("anyOf", json!({"anyOf": [one, two, {"type": "array", "items": text}]})),
        ("oneOf", json!({"oneOf": [one, two, {"type": "null"}]})),
        ("allOf", json!({"allOf": [one, {"anyOf": [two, {"required": ["count"]}]}]})),
        ("not", json!({"allOf": [one], "not": {"required": ["count"]}})),
        ("if", json!({"if": one, "then": two, "else": {"type": "string"}})),
        (
            "dependentRequired",
            json!({"type": "object", "properties": one["properties"], "dependentRequired": {"count": ["number_of_the_order"]}}),
        ),
        ("dependentSchemas", json!({"type": "object", "properties": one["properties"], "dependentSchemas": {"count": two}})),
        ("enum", json!({"enum": literals})),
        ("const", json!({"const": {"number_of_the_order": literals, "count": [1, {"a": literals}]}})),
        ("nullable", json!({"type": "object", "nullable": true, "properties": one["properties"]})),
        ("type", json!({"type": ["object", "array", "string", "null"], "properties": one["properties"], "items": two})),
        ("ref", json!({"$ref": "#/$defs/one"})),
        ("recursive object", node.clone()),
        ("recursive map", json!({"$ref": "#/$defs/map"})),
        ("recursive list", json!({"$ref": "#/$defs/list"})),
        ("recursive union", json!({"$ref": "#/$defs/union"})),
        ("recursive in a map", json!({"type": "object", "additionalProperties": {"anyOf": [node, one]}})),
        ("circle", json!({"$ref": "#/$defs/circle"})),
    ]
}

/// Tools of which several use `schema`: alone and in every place that a schema can have in another.
fn sharing(schema: &Value) -> Vec<Value> {
    let text = json!({"type": "string", "description": "Some words that make it worth a name, wherever it is used."});
    let one = json!({"type": "object", "properties": {"number_of_the_order": text, "count": {"type": "integer"}}});
    let defs = json!({"order": schema, "one": one,
        "node": {"type": "object", "properties": {"words": text, "next": {"$ref": "#/$defs/node"}}},
        "map": {"type": "object", "additionalProperties": {"$ref": "#/$defs/map"}},
        "list": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/list"}, one]}},
        "union": {"anyOf": [one, {"type": "object", "additionalProperties": {"$ref": "#/$defs/union"}}, {"type": "null"}]},
        "circle": {"anyOf": [{"$ref": "#/$defs/circle"}, {"$ref": "#/$defs/node"}]}});
    let map = json!({"type": "object", "additionalProperties": schema});
    let places = [
        schema.clone(),
        json!({"$ref": "#/$defs/order"}),
        map.clone(),
        json!({"type": "object", "additionalProperties": map}),
        json!({"type": "object", "patternProperties": {"^x-": schema}, "additionalProperties": {"type": "string"}}),
        json!({"type": "array", "items": schema}),
        json!({"type": "array", "items": map}),
        json!({"type": "array", "prefixItems": [schema, map], "items": schema}),
        json!({"anyOf": [schema, {"type": "null"}]}),
        json!({"anyOf": [map, {"type": "null"}, {"type": "array", "items": schema}]}),
        json!({"allOf": [schema, {"type": "object", "properties": {"order": schema}}]}),
        json!({"type": "object", "required": ["order"], "properties": {"order": schema, "orders": map}}),
        json!({"type": "object", "properties": {"order": {"type": "object", "properties": {"order": {"anyOf": [schema, map]}}}}}),
    ];
    let tool = |(number, place): (usize, &Value)| {
        json!({"name": format!("tool_{number}"), "inputSchema": {"type": "object", "properties": {"order": place}, "$defs": defs},
            "outputSchema": {"type": "object", "properties": {"orders": place, "order": schema}, "$defs": defs}})
    };
    let mut tools: Vec<Value> = places.iter().chain(&places).enumerate().map(tool).collect();
    tools.push(json!({"name": "alone", "inputSchema": {"type": "object", "allOf": [schema], "$defs": defs}}));
    tools
}

fn every_keyword_shared() -> Vec<(&'static str, String)> {
    let declared = |(keyword, schema): (&'static str, Value)| {
        let catalog = Catalog::load([("s", sharing(&schema))]).unwrap();
        assert_eq!(catalog.dropped_count(), 0, "{keyword}");
        (keyword, catalog.scope(&Grants::new().allow("*")).unwrap().typescript().to_owned())
    };
    keywords().into_iter().map(declared).collect()
}

fn no_shared_type_is_declared_as_itself() {
    for (keyword, text) in every_keyword_shared() {
        let declarations: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.strip_prefix("type ")?.split_once(" = ")).collect();
        let is_shared = text.contains("interface ") || declarations.iter().any(|(name, _)| *name != "integer");
        assert!(is_shared, "{keyword}: nothing is shared: {text}");
        for (name, value) in declarations {
            assert_ne!(value.trim_end_matches(';'), name, "{keyword}");
        }
    }
}

fn the_compiler_accepts_every_keyword_in_a_shared_place() {
    let packages = corpus::node_packages().expect(oracle::MISSING);
    let work = std::env::temp_dir().join(format!("isolet-shared-{}", std::process::id()));
    fs::create_dir_all(&work).unwrap();
    let target = work.join("generated.d.ts");
    // One namespace a keyword: the compiler is started once.
    let shared = every_keyword_shared();
    let text: String = shared
        .iter()
        .enumerate()
        .map(|(place, (_, text))| text.replacen("namespace s ", &format!("namespace s{place} "), 1))
        .collect();
    fs::write(&target, text).unwrap();
    assert_eq!(oracle::check_strict(&packages, &target).unwrap(), None, "{:?}", target);
    fs::remove_dir_all(&work).unwrap();
}
