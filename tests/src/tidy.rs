//! Rules that can be read from the source.

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("tidy::there_is_one_v8", there_is_one_v8),
        Trial::test("tidy::the_version_of_deno_core_is_known", the_version_of_deno_core_is_known),
        Trial::test("tidy::every_module_says_what_it_is", every_module_says_what_it_is),
        Trial::test("tidy::the_guest_leaves_deno_cores_loop_alone", the_guest_leaves_deno_cores_loop_alone),
        Trial::test("tidy::only_two_places_name_the_engine", only_two_places_name_the_engine),
        Trial::test("tidy::only_mcp_speaks_the_protocol", only_mcp_speaks_the_protocol),
        Trial::test("tidy::every_promise_is_held", every_promise_is_held),
    ]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file below a folder, with its text.
fn rust_files(folder: &str) -> Result<Vec<(PathBuf, String)>, Failed> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path)?;
                files.push((path, text));
            }
        }
    }
    Ok(files)
}

/// Fails with the files in which a word stands that must not.
fn none_has(files: &[(PathBuf, String)], words: &[&str]) -> Result<(), Failed> {
    let found: Vec<String> = files
        .iter()
        .flat_map(|(path, text)| {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            code.filter(|line| words.iter().any(|word| line.contains(word)))
                .map(move |line| format!("{}: {}", path.display(), line.trim()))
        })
        .collect();
    if found.is_empty() { Ok(()) } else { Err(found.join("\n").into()) }
}

fn there_is_one_v8() -> Result<(), Failed> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    match lock.lines().filter(|line| *line == "name = \"v8\"").count() {
        1 => Ok(()),
        count => Err(format!("Cargo.lock has {count} versions of `v8`: there must be the one of deno_core").into()),
    }
}

/// It is part of the key of every snapshot, and deno_core does not say it.
fn the_version_of_deno_core_is_known() -> Result<(), Failed> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    let known = format!("name = \"deno_core\"\nversion = \"{}\"\n", isolet_snapshots::identity::DENO_CORE_VERSION);
    if lock.contains(&known) { Ok(()) } else { Err(format!("Cargo.lock does not have {known}").into()) }
}

fn every_module_says_what_it_is() -> Result<(), Failed> {
    let mut silent = Vec::new();
    for folder in ["bindings/src", "snapshots/src", "runtime/src", "server/src", "examples/src", "tests/src", "xtask/src"] {
        silent.extend(
            rust_files(folder)?
                .into_iter()
                .filter(|(_, text)| !text.starts_with("//!"))
                .map(|(path, _)| path.display().to_string()),
        );
    }
    if silent.is_empty() { Ok(()) } else { Err(format!("no `//!` header: {}", silent.join(", ")).into()) }
}

/// ENGINE.md §5.4: these turn values of the guest into values of Rust by running its getters.
fn the_guest_leaves_deno_cores_loop_alone() -> Result<(), Failed> {
    none_has(
        &rust_files("runtime/src/guest")?,
        &["execute_script", "poll_event_loop", "with_event_loop_promise", "JsError", "op2(async", "serde_v8::from_v8"],
    )
}

fn only_two_places_name_the_engine() -> Result<(), Failed> {
    for folder in ["bindings/src", "runtime/src/host", "runtime/src/mcp", "server/src", "examples/src"] {
        none_has(&rust_files(folder)?, &["deno_core", "v8::", "serde_v8"])?;
    }
    Ok(())
}

fn only_mcp_speaks_the_protocol() -> Result<(), Failed> {
    for folder in ["bindings/src", "snapshots/src", "runtime/src/host", "runtime/src/guest", "server/src"] {
        none_has(&rust_files(folder)?, &["rmcp::"])?;
    }
    Ok(())
}

/// SPECIFICATION.md names the test or bench that holds each promise: each name has to stand somewhere in the code.
fn every_promise_is_held() -> Result<(), Failed> {
    let specification = std::fs::read_to_string(root().join("SPECIFICATION.md"))?;
    let mut code = String::new();
    for folder in ["bindings", "snapshots", "runtime", "server", "examples", "tests", "xtask"] {
        code.extend(rust_files(folder)?.into_iter().map(|(_, text)| text));
    }
    let mut unknown = Vec::new();
    for row in specification.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise")) {
        let held = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let names = held.split('`').skip(1).step_by(2).map(|name| name.rsplit("::").next().unwrap_or(name));
        unknown.extend(names.filter(|name| !code.contains(*name)).map(str::to_owned));
    }
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(format!("SPECIFICATION.md names what is not there: {}", unknown.join(", ")).into())
    }
}
