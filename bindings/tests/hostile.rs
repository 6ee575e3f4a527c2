//! Hostile definitions: whatever a server lists, the declarations are inert, bounded and made in no time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what is skipped is said")]

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
use std::time::{Duration, Instant};

use isolet_bindings::{Catalog, DefinitionList, Grants, ListError, TokenBudget};
use serde_json::{Value, json};

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

#[test]
fn declarations_are_inert_bounded_and_made_within_a_second() {
    let files = files();
    assert!(files.len() >= 3, "the project's own lists are there");
    for file in files {
        let start = Instant::now();
        let catalog = load(&file);
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let partial = scope.types(TokenBudget::new(1_000));
        let paths: Vec<&str> = scope.tools().iter().map(|tool| tool.path()).collect();
        let described = scope.describe(paths.iter().copied().chain(["*/ PWNED_99 /*"]));
        for tool in scope.tools() {
            // What comes of it does not matter, that it comes does.
            drop(tool.validate_arguments(&json!({"a": {"l": {"l": {"l": {"r": 1}}}}, "root": [[1]]})));
        }
        // Debug builds are some ten times slower.
        let time_max = if cfg!(debug_assertions) { 10 } else { 1 };
        assert!(start.elapsed() < Duration::from_secs(time_max), "{} took {:?}", file.display(), start.elapsed());
        for text in [scope.typescript(), &partial.text, &described] {
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

#[test]
fn one_bad_tool_never_costs_its_neighbours() {
    let catalog = load(&corpus::own_hostile_folder().join("unreadable.json"));
    assert_eq!(catalog.tools().map(|tool| tool.name()).collect::<Vec<_>>(), ["good"]);
    assert_eq!(catalog.dropped().len(), 12);
}

#[test]
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

#[test]
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

#[test]
fn the_compiler_accepts_every_declaration_as_inert() {
    let Some(packages) = corpus::node_packages() else {
        println!("1 skipped: the compiler is not there, `npm install --prefix target/oracle-node typescript@5.9.3`");
        return;
    };
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
