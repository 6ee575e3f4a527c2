//! Rules that can be read from the source.

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use crate::attacks;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("tidy::there_is_one_v8", there_is_one_v8),
        Trial::test("tidy::the_version_of_deno_core_is_known", the_version_of_deno_core_is_known),
        Trial::test("tidy::every_module_says_what_it_is", every_module_says_what_it_is),
        Trial::test("tidy::the_guest_leaves_deno_cores_loop_alone", the_guest_leaves_deno_cores_loop_alone),
        Trial::test("tidy::only_two_places_name_the_engine", only_two_places_name_the_engine),
        Trial::test("tidy::only_mcp_speaks_the_protocol", only_mcp_speaks_the_protocol),
        Trial::test("tidy::every_promise_is_held", every_promise_is_held),
        Trial::test("tidy::every_security_claim_is_held", every_security_claim_is_held),
        Trial::test("tidy::the_readme_shows_the_program_that_is_compiled", the_readme_shows_the_program_that_is_compiled),
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
    for folder in [
        "bindings/src",
        "snapshots/src",
        "outbound/src",
        "outbound/tests",
        "openapi/src",
        "openapi/tests",
        "openapi/examples",
        "runtime/src",
        "comparison/src",
        "server/src",
        "examples/src",
        "tests/src",
        "xtask/src",
    ] {
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
    for folder in [
        "bindings/src",
        "outbound/src",
        "openapi/src",
        "runtime/src/host",
        "runtime/src/mcp",
        "comparison/src",
        "server/src",
        "examples/src",
    ] {
        none_has(&rust_files(folder)?, &["deno_core", "v8::", "serde_v8"])?;
    }
    Ok(())
}

fn only_mcp_speaks_the_protocol() -> Result<(), Failed> {
    for folder in
        ["bindings/src", "snapshots/src", "outbound/src", "openapi/src", "runtime/src/host", "runtime/src/guest", "server/src"]
    {
        none_has(&rust_files(folder)?, &["rmcp::"])?;
    }
    Ok(())
}

/// SPECIFICATION.md names the test or bench that holds each promise: each name has to stand somewhere in the code.
fn every_promise_is_held() -> Result<(), Failed> {
    let specification = std::fs::read_to_string(root().join("SPECIFICATION.md"))?;
    check_names("SPECIFICATION.md", rows_of(&specification).skip(1))
}

/// SECURITY.md names the tests that hold each requirement, and scripts of the attack corpus by number.
fn every_security_claim_is_held() -> Result<(), Failed> {
    let security = std::fs::read_to_string(root().join("SECURITY.md"))?;
    let (_, claims) = security.split_once("## What holds it").ok_or("SECURITY.md says nothing of what holds it")?;
    check_names("SECURITY.md", rows_of(claims))?;
    let scripts = attacks::scripts()?;
    let is_there = |number: &str| scripts.iter().any(|script| script.id.split('-').next() == Some(number));
    let numbers = rows_of(claims).skip(1).filter_map(|row| row.split('|').nth(3)).flat_map(str::split_ascii_whitespace);
    let unknown: Vec<_> = numbers.filter(|number| !is_there(number)).collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(format!("SECURITY.md names scripts that are not there: {}", unknown.join(", ")).into())
    }
}

/// The rows of a table, its head included.
fn rows_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with("| "))
}

/// The last column of each row names tests, as `module::test`: a file of that module has to have one of that name.
fn check_names<'text>(document: &str, rows: impl Iterator<Item = &'text str>) -> Result<(), Failed> {
    let mut files = Vec::new();
    for folder in
        ["bindings", "snapshots", "outbound", "openapi", "runtime", "comparison", "server", "examples", "tests", "xtask"]
    {
        files.extend(rust_files(folder)?);
    }
    let is_there = |name: &str| {
        let (module, test) = name.rsplit_once("::").unwrap_or(("", name));
        files.iter().any(|(path, text)| {
            (module.is_empty() || path.file_stem().is_some_and(|stem| stem == module)) && text.contains(test)
        })
    };
    let mut unknown = Vec::new();
    for row in rows {
        let held = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let names = held.split('`').skip(1).step_by(2).filter(|name| name.contains("::") || !name.contains(['.', '!']));
        unknown.extend(names.filter(|name| !is_there(name)).map(str::to_owned));
    }
    if unknown.is_empty() { Ok(()) } else { Err(format!("{document} names what is not there: {}", unknown.join(", ")).into()) }
}

/// The README's Rust is `embed.rs` after its header, byte for byte.
fn the_readme_shows_the_program_that_is_compiled() -> Result<(), Failed> {
    let readme = std::fs::read_to_string(root().join("README.md"))?;
    let program = std::fs::read_to_string(root().join("examples/src/bin/embed.rs"))?;
    let shown = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```\n").next()).ok_or("README.md has no Rust")?;
    let (_, compiled) = program.split_once("\n\n").ok_or("`embed.rs` has no header")?;
    if shown == compiled { Ok(()) } else { Err("README.md and `examples/src/bin/embed.rs` differ: copy the latter".into()) }
}
