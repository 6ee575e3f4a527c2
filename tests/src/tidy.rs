//! Rules that can be read from the source.

mod crates;
mod foreign;
mod imports;
mod maps;
mod modules;
mod names;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};

use self::names::Names;
use crate::attacks;

/// What the checkout shows at its root. What begins with a dot belongs to a tool.
const ROOT: [&str; 29] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Containerfile",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "SPECIFICATION.md",
    "bindings",
    "clients",
    "comparison",
    "deny.toml",
    "docs",
    "examples",
    "fuzz",
    "http",
    "identity",
    "observations",
    "openapi",
    "outbound",
    "rpc",
    "runtime",
    "rustfmt.toml",
    "server",
    "snapshots",
    "tests",
    "xtask",
];
/// What may be there too, and is in no commit.
const NOT_COMMITTED: [&str; 2] = ["target", "node_modules"];
/// The folders with the project's Rust.
const FOLDERS: [&str; 15] = [
    "bindings",
    "snapshots",
    "rpc",
    "outbound",
    "observations",
    "openapi",
    "runtime",
    "http",
    "identity",
    "comparison",
    "server",
    "examples",
    "tests",
    "tests/conformance",
    "xtask",
];

/// The most lines of a file: one noun each.
const FILE_LINES_MAX: usize = 500;

/// The trials of this module; `trials` are the names of all others.
pub(crate) fn trials(trials: Vec<String>) -> Vec<Trial> {
    let trials = Arc::new(trials);
    let of_all = |name: &str, test: fn(&[String]) -> Result<(), Failed>| {
        let trials = Arc::clone(&trials);
        Trial::test(name, move || test(&trials))
    };
    vec![
        Trial::test("tidy::there_is_one_v8", there_is_one_v8),
        Trial::test("tidy::the_version_of_deno_core_is_known", the_version_of_deno_core_is_known),
        Trial::test("tidy::every_module_says_what_it_is", every_module_says_what_it_is),
        Trial::test("tidy::no_files_import_in_a_circle", no_files_import_in_a_circle),
        Trial::test("tidy::a_circle_is_found_however_it_is_written", imports::a_circle_is_found_however_it_is_written),
        Trial::test(
            "tidy::what_is_handed_on_and_what_tests_name_is_no_circle",
            imports::what_is_handed_on_and_what_tests_name_is_no_circle,
        ),
        Trial::test("tidy::the_map_shows_which_crate_imports_which", the_map_shows_which_crate_imports_which),
        Trial::test(
            "tidy::a_table_that_lacks_or_adds_something_is_wrong",
            crates::a_table_that_lacks_or_adds_something_is_wrong,
        ),
        Trial::test("tidy::no_file_is_too_long_to_be_read", no_file_is_too_long_to_be_read),
        Trial::test("tidy::the_guest_leaves_deno_cores_loop_alone", the_guest_leaves_deno_cores_loop_alone),
        Trial::test("tidy::only_two_places_name_the_engine", only_two_places_name_the_engine),
        Trial::test("tidy::only_mcp_speaks_the_protocol", only_mcp_speaks_the_protocol),
        Trial::test("tidy::one_place_writes_to_a_terminal", one_place_writes_to_a_terminal),
        Trial::test("tidy::what_is_foreign_is_logged_visibly", what_is_foreign_is_logged_visibly),
        Trial::test("tidy::public_items_name_no_crate_that_is_not_listed", public_items_name_no_crate_that_is_not_listed),
        Trial::test(
            "tidy::a_crate_is_found_in_every_public_item_and_in_no_other",
            foreign::a_crate_is_found_in_every_public_item_and_in_no_other,
        ),
        Trial::test("tidy::maps_that_users_share_are_keyed_by_whose_it_is", maps_are_keyed_by_whose_it_is),
        Trial::test("tidy::shared_maps_are_found_wherever_they_are", maps::shared_maps_are_found_wherever_they_are),
        of_all("tidy::every_promise_is_held", every_promise_is_held),
        of_all("tidy::every_security_claim_is_held", every_security_claim_is_held),
        of_all("tidy::every_misfortune_of_an_authorization_is_held", every_misfortune_is_held),
        of_all("tidy::every_maximum_is_held", every_maximum_is_held),
        Trial::test("tidy::the_root_holds_what_is_listed_and_nothing_else", the_root_holds_what_is_listed),
        Trial::test("tidy::a_name_is_known_as_a_whole_or_not_at_all", names::a_name_is_known_as_a_whole_or_not_at_all),
        Trial::test("tidy::the_readme_shows_the_program_that_is_compiled", the_readme_shows_the_program_that_is_compiled),
        Trial::test("tidy::the_cookbook_has_ten_tasks_that_are_compiled", the_cookbook_has_ten_tasks_that_are_compiled),
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

/// A file that a shell or a test has left there is not committed with the next change.
fn the_root_holds_what_is_listed() -> Result<(), Failed> {
    let entries = std::fs::read_dir(root())?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let found: Vec<_> = entries.filter(|name| !name.starts_with('.') && !NOT_COMMITTED.contains(&&**name)).collect();
    let names = found.iter().map(String::as_str);
    none_of(names.filter(|name| !ROOT.contains(name)), "the root holds what `tidy::ROOT` does not list")?;
    let is_missing = |name: &&str| !found.iter().any(|found| found == name);
    none_of(ROOT.into_iter().filter(is_missing), "the root lacks what `tidy::ROOT` lists")
}

fn every_module_says_what_it_is() -> Result<(), Failed> {
    let mut silent = Vec::new();
    for folder in FOLDERS {
        silent.extend(
            rust_files(&format!("{folder}/src"))?
                .into_iter()
                .filter(|(_, text)| !text.starts_with("//!"))
                .map(|(path, _)| path.display().to_string()),
        );
    }
    if silent.is_empty() { Ok(()) } else { Err(format!("no `//!` header: {}", silent.join(", ")).into()) }
}

/// Who reads one of two files that import from each other has to read both at once.
fn no_files_import_in_a_circle() -> Result<(), Failed> {
    let mut circles = Vec::new();
    for folder in FOLDERS {
        circles.extend(imports::circles(&root(), rust_files(folder)?.iter().map(|(path, _)| path))?);
    }
    if circles.is_empty() { Ok(()) } else { Err(circles.join("\n").into()) }
}

/// ARCHITECTURE.md shows each crate but the tests, which import all.
fn the_map_shows_which_crate_imports_which() -> Result<(), Failed> {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let folders: Vec<&str> = FOLDERS.into_iter().filter(|folder| !folder.starts_with("tests")).collect();
    let wrong = crates::not_as_shown(&root(), &architecture, &folders)?;
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// What a library's public items name of others has to be named again wherever that breaks.
fn public_items_name_no_crate_that_is_not_listed() -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for library in foreign::libraries() {
        let manifest = std::fs::read_to_string(root().join(library).join("Cargo.toml"))?;
        wrong.extend(foreign::not_as_listed(library, &manifest, &rust_files(&format!("{library}/src"))?)?);
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn no_file_is_too_long_to_be_read() -> Result<(), Failed> {
    let mut long = Vec::new();
    for folder in FOLDERS {
        for (path, text) in rust_files(folder)? {
            let lines = text.lines().count();
            if lines > FILE_LINES_MAX {
                long.push(format!("{} has {lines} lines: take another noun out of it", path.display()));
            }
        }
    }
    if long.is_empty() { Ok(()) } else { Err(long.join("\n").into()) }
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
        "rpc/src",
        "outbound/src",
        "openapi/src",
        "runtime/src/host",
        "runtime/src/mcp",
        "http/src",
        "identity/src",
        "comparison/src",
        "server/src",
        "examples/src",
    ] {
        none_has(&rust_files(folder)?, &["deno_core", "v8::", "serde_v8"])?;
    }
    Ok(())
}

fn only_mcp_speaks_the_protocol() -> Result<(), Failed> {
    for folder in [
        "bindings/src",
        "snapshots/src",
        "rpc/src",
        "outbound/src",
        "openapi/src",
        "runtime/src/host",
        "runtime/src/guest",
        "http/src",
        "server/src",
    ] {
        none_has(&rust_files(folder)?, &["rmcp::"])?;
    }
    Ok(())
}

/// What the program prints goes through `server/src/terminal.rs`, which shows text of strangers and never obeys it.
fn one_place_writes_to_a_terminal() -> Result<(), Failed> {
    let mut files = rust_files("server/src")?;
    files.retain(|(path, _)| !path.ends_with("terminal.rs"));
    none_has(&files, &["stdout()", "stderr()", "print!(", "println!(", "dbg!("])?;
    // What is not seen is found in one place too.
    let mut files = Vec::new();
    for folder in ["bindings/src", "rpc/src", "runtime/src", "identity/src", "comparison/src", "server/src"] {
        files.extend(rust_files(folder)?);
    }
    files.retain(|(path, _)| !path.ends_with("visible.rs"));
    none_has(&files, &["escape_debug", "escape_default", "is_control()", "get_general_category"])
}

/// Where texts of servers and clients are at hand, a value is logged as it is displayed only if it was made visible, or is a number of ours; an error
/// makes its own texts visible (`error::what_a_server_wrote_is_one_line_that_is_seen`).
fn what_is_foreign_is_logged_visibly() -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for (path, text) in rust_files("runtime/src/mcp")? {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (place, _) in code.match_indices("tracing::") {
            let (before, logged) = (&code[..place], code[place..].split(';').next().unwrap_or_default());
            let sigils = logged.match_indices(['%', '?']).map(|(sigil, _)| &logged[sigil + 1..]);
            let names =
                sigils.map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || "_:".contains(c))).next().unwrap_or_default());
            // `%visible::line(x)`, or `%x` right after `let x = visible::line(..)`.
            let is_seen = |name: &str| name.starts_with("visible::") || before.contains(&format!("let {name} = visible::"));
            wrong.extend(names.filter(|name| !is_seen(name)).map(|name| format!("{}: `{name}` in {logged}", path.display())));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// SPECIFICATION.md names what holds each promise, and what measured each number.
fn every_promise_is_held(trials: &[String]) -> Result<(), Failed> {
    let specification = std::fs::read_to_string(root().join("SPECIFICATION.md"))?;
    let (promises, measured) = specification.split_once("## Measured").ok_or("SPECIFICATION.md has no measurements")?;
    let known = known_names(trials)?;
    for (rows, is_command) in [(promises, false), (measured, true)] {
        let rows = rows_of(rows).skip(1);
        let is_held = |name: &str| known.has(name) || is_command && name.starts_with("cargo xtask ");
        none_of(rows.filter(|row| !held_by(row).any(is_held)), "SPECIFICATION.md has rows that nothing holds")?;
    }
    known.none_unknown("SPECIFICATION.md", rows_of(&specification).flat_map(held_by))
}

/// SECURITY.md names the tests that hold each requirement, and scripts of the attack corpus by number; two pages of docs/ those of each finding and behaviour.
fn every_security_claim_is_held(trials: &[String]) -> Result<(), Failed> {
    let security = std::fs::read_to_string(root().join("SECURITY.md"))?;
    let (_, claims) = security.split_once("## What holds it").ok_or("SECURITY.md says nothing of what holds it")?;
    let known = known_names(trials)?;
    known.none_unknown("SECURITY.md", rows_of(claims).flat_map(held_by))?;
    let scripts = attacks::scripts()?;
    let is_there = |number: &str| scripts.iter().any(|script| script.id.split('-').next() == Some(number));
    let numbers = rows_of(claims).skip(1).filter_map(|row| row.split('|').nth(3)).flat_map(str::split_ascii_whitespace);
    none_of(numbers.filter(|number| !is_there(number)), "SECURITY.md names scripts that are not there")?;
    for page in ["docs/hardening.md", "docs/mcp-behaviour.md"] {
        let text = std::fs::read_to_string(root().join(page))?;
        let rows = rows_of(&text).skip(1);
        none_of(rows.filter(|row| !held_by(row).any(|name| known.has(name))), &format!("{page} has rows that nothing holds"))?;
        known.none_unknown(page, rows_of(&text).flat_map(held_by))?;
    }
    Ok(())
}

/// docs/authorization.md names the tests of each thing that goes wrong, and of each place where no token is.
fn every_misfortune_is_held(trials: &[String]) -> Result<(), Failed> {
    let page = std::fs::read_to_string(root().join("docs/authorization.md"))?;
    let known = known_names(trials)?;
    for section in ["## What goes wrong", "## Where no token is"] {
        let (_, rest) = page.split_once(section).ok_or_else(|| format!("docs/authorization.md has no `{section}`"))?;
        let rows = rest.split("\n## ").next().unwrap_or_default();
        let unheld = rows_of(rows).skip(1).filter(|row| !held_by(row).any(|name| known.has(name)));
        none_of(unheld, "docs/authorization.md has rows that nothing holds")?;
        known.none_unknown("docs/authorization.md", rows_of(rows).flat_map(held_by))?;
    }
    Ok(())
}

fn maps_are_keyed_by_whose_it_is() -> Result<(), Failed> {
    let mut files = Vec::new();
    for folder in maps::FOLDERS {
        files.extend(rust_files(folder)?);
    }
    let wrong = maps::not_as_listed(&root(), &files)?;
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// ARCHITECTURE.md names the test of each maximum of what outlives a request.
fn every_maximum_is_held(trials: &[String]) -> Result<(), Failed> {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let (_, rest) =
        architecture.split_once("## What outlives a request").ok_or("ARCHITECTURE.md does not say what outlives a request")?;
    let rows = rest.split("\n## ").next().unwrap_or_default();
    let known = known_names(trials)?;
    none_of(
        rows_of(rows).skip(1).filter(|row| !held_by(row).any(|name| known.has(name))),
        "ARCHITECTURE.md has maxima that nothing holds",
    )?;
    known.none_unknown("ARCHITECTURE.md", rows_of(rows).flat_map(held_by))
}

fn known_names(trials: &[String]) -> Result<Names, Failed> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        files.extend(rust_files(folder)?);
    }
    Ok(Names::of(trials, &files))
}

/// The rows of the tables, the head of the first included and those of the others not.
fn rows_of(text: &str) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = text.lines().collect();
    let is_head = |place: usize| lines.get(place + 1).is_some_and(|line| line.starts_with("|---"));
    let mut heads = 0;
    let mut rows = Vec::new();
    for (place, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("| ")) {
        heads += usize::from(is_head(place));
        if !is_head(place) || heads == 1 {
            rows.push(*line);
        }
    }
    rows.into_iter()
}

/// What the last column of a row names.
fn held_by(row: &str) -> impl Iterator<Item = &str> {
    row.trim_end_matches('|').rsplit('|').next().unwrap_or_default().split('`').skip(1).step_by(2)
}

fn none_of<'text>(found: impl Iterator<Item = &'text str>, what: &str) -> Result<(), Failed> {
    let found: Vec<_> = found.collect();
    if found.is_empty() { Ok(()) } else { Err(format!("{what}: {}", found.join(", ")).into()) }
}

/// The README's Rust is `embed.rs` after its header, byte for byte.
fn the_readme_shows_the_program_that_is_compiled() -> Result<(), Failed> {
    let readme = std::fs::read_to_string(root().join("README.md"))?;
    let program = std::fs::read_to_string(root().join("examples/src/bin/embed.rs"))?;
    let shown = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```\n").next()).ok_or("README.md has no Rust")?;
    let (_, compiled) = program.split_once("\n\n").ok_or("`embed.rs` has no header")?;
    if shown == compiled { Ok(()) } else { Err("README.md and `examples/src/bin/embed.rs` differ: copy the latter".into()) }
}

/// Each task has one program, and the documentation's tests compile it.
fn the_cookbook_has_ten_tasks_that_are_compiled() -> Result<(), Failed> {
    let cookbook = std::fs::read_to_string(root().join("runtime/cookbook.md"))?;
    let tasks: Vec<&str> = cookbook.split("\n## ").skip(1).collect();
    let programs =
        |task: &str| task.lines().filter(|line| line.starts_with("```")).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let is_compiled = |fence: &String| ["```", "```no_run"].contains(&fence.as_str());
    let wrong = tasks.iter().filter(|task| !matches!(&programs(task)[..], [fence] if is_compiled(fence)));
    none_of(
        wrong.map(|task| task.lines().next().unwrap_or_default()),
        "the cookbook has tasks without one program that is compiled",
    )?;
    if tasks.len() == 10 { Ok(()) } else { Err(format!("the cookbook has {} tasks: it says ten", tasks.len()).into()) }
}
