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
use std::time::{Duration, Instant};

use isolet_bindings::{Catalog, DESCRIBED_PATHS_MAX, DefinitionList, Grants, ListError, TokenBudget};
use libtest_mimic::{Arguments, Trial};
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

fn declarations_are_inert_bounded_and_made_within_a_second() {
    let files = files();
    assert!(files.len() >= 3, "the project's own lists are there");
    for file in files {
        let start = Instant::now();
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
        assert!(start.elapsed() < Duration::from_secs(time_max), "{} took {:?}", file.display(), start.elapsed());
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
    let identifier = isolet_bindings::name::identifier("create-issue");
    for names in [["create-issue", &identifier], [&identifier, "create-issue"]] {
        let catalog = Catalog::load([("s", vec![tool(names[0]), tool(names[1]), tool("good")])]).unwrap();
        assert_eq!(catalog.tools().map(|tool| tool.name()).collect::<Vec<_>>(), [names[0], "good"]);
        assert!(catalog.dropped()[0].to_string().contains(&identifier), "{}", catalog.dropped()[0]);
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
