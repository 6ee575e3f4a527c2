//! The names by which documents call tests and benches: `module::name`, each matched as a whole.
//!
//! A module is a trial's own, or the file of a `#[test]`. A bench is a function that takes `criterion`. `folder::*` are the trials made
//! of the files of a folder, where there is one for each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use libtest_mimic::Failed;

/// The trials of which there is one for each file of a folder.
const FAMILIES: [&str; 3] = ["attacks::alone::*", "cases::*", "examples::programs::*"];

/// Every name there is.
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The names of `trials`, and of the tests and benches in `files`.
    pub(super) fn of(trials: &[String], files: &[(PathBuf, String)]) -> Self {
        let mut names: BTreeSet<_> = trials.iter().cloned().collect();
        for (path, text) in files {
            let module = module_of(path);
            names.extend(functions_of(text).map(|name| format!("{module}::{name}")));
        }
        Self(names)
    }

    /// Whether `name` is one of them, as a whole.
    pub(super) fn has(&self, name: &str) -> bool {
        match name.strip_suffix('*') {
            Some(family) => FAMILIES.contains(&name) && self.0.iter().any(|known| known.starts_with(family)),
            None => self.0.contains(name),
        }
    }

    /// Fails with those of `named` that look like names, and are none.
    pub(super) fn none_unknown<'text>(&self, document: &str, named: impl Iterator<Item = &'text str>) -> Result<(), Failed> {
        let unknown: Vec<_> = named.filter(|name| name.contains("::") && !self.has(name)).collect();
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(format!("{document} names what is not there: {}", unknown.join(", ")).into())
        }
    }
}

fn module_of(path: &Path) -> &str {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if stem == "mod" {
        path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default()
    } else {
        stem
    }
}

/// The functions of a file that are tests or benches: by attribute, by what they take, or as trials of a harness of their own.
fn functions_of(text: &str) -> impl Iterator<Item = &str> {
    let mut has_attribute = false;
    text.lines().filter_map(move |line| {
        let line = line.trim_start();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            has_attribute = true;
            return None;
        }
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
        let (name, takes) = function.split_once('(')?;
        let is_trial =
            || takes.starts_with(')') && ["\"", "::"].iter().any(|before| text.contains(&format!("{before}{name}\"")));
        let is_test = std::mem::take(&mut has_attribute) || takes.starts_with("criterion: &mut Criterion") || is_trial();
        is_test.then_some(name)
    })
}

/// The test of this file.
pub(super) fn a_name_is_known_as_a_whole_or_not_at_all() -> Result<(), Failed> {
    let files = [
        (
            "host/places.rs",
            "fn helper() {}\n    #[test]\n    fn users_take_turns() {}\n    #[tokio::test]\n    async fn a_place() {}\n",
        ),
        ("guest/mod.rs", "#[test]\nfn a_mode() {}"),
        ("benches/runs.rs", "fn origins(criterion: &mut Criterion) {}"),
        ("tests/hostile.rs", "    trial(\"one_bad_tool\", one_bad_tool),\nfn one_bad_tool() {}\nfn other() {}"),
    ];
    let files = files.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    let names = Names::of(&["limits::the_heap_ends_the_run".to_owned(), "cases::values::one".to_owned()], &files);
    for name in [
        "places::users_take_turns",
        "places::a_place",
        "guest::a_mode",
        "runs::origins",
        "hostile::one_bad_tool",
        "limits::the_heap_ends_the_run",
        "cases::values::one",
        "cases::*",
    ] {
        if !names.has(name) {
            return Err(format!("`{name}` is not known").into());
        }
    }
    for name in [
        "places::users_take",
        "take_turns",
        "places::helper",
        "hostile::other",
        "limits::the_heap",
        "heap_ends_the_run",
        "limits::trials",
        "limits::*",
        "examples::programs::*",
        "cases::values",
        "",
    ] {
        if names.has(name) {
            return Err(format!("`{name}` is known").into());
        }
    }
    Ok(())
}
