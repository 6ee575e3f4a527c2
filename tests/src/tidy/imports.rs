//! Which file of a crate imports from which, and the circles among them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use libtest_mimic::Failed;

use super::modules::{Crate, Module};

/// A name may be handed on this often before it is found.
const HANDED_ON_MAX: usize = 16;

/// For each file the files that it imports from, with a path that it names for that.
type Imports = BTreeMap<PathBuf, BTreeMap<PathBuf, String>>;

/// The circles of imports in the crates that have their root among `files`, one line each; files are named as they are below `root`.
pub(super) fn circles<'f>(root: &Path, files: impl IntoIterator<Item = &'f PathBuf>) -> Result<BTreeSet<String>, Failed> {
    let mut circles = BTreeSet::new();
    for file in files.into_iter().filter(|file| is_root(file)) {
        circles.extend(circles_of(root, &imports_of(&Crate::read(file)?)));
    }
    Ok(circles)
}

/// Whether cargo builds a crate from this file: a library, a program, a test, a bench, an example, a build script.
fn is_root(file: &Path) -> bool {
    let folder = file.parent().and_then(Path::file_name).unwrap_or_default();
    let name = file.file_name().unwrap_or_default();
    ["lib.rs", "main.rs", "build.rs"].iter().any(|root| name == *root)
        || ["bin", "tests", "benches", "examples", "fuzz_targets"].iter().any(|root| folder == *root)
}

/// Who imports from whom. What a module hands on of its own children is nothing that it imports: whoever names it there imports from where
/// it is defined.
fn imports_of(one: &Crate) -> Imports {
    let mut imports = Imports::new();
    for (place, module) in one.modules.iter().enumerate() {
        let named = module.named.iter().map(|path| (path, false)).chain(module.handed_on.iter().map(|path| (path, true)));
        for (path, is_handed_on) in named {
            let Some(owner) = owner(one, place, path, HANDED_ON_MAX) else { continue };
            let file = &one.modules[owner].file;
            if *file != module.file && !(is_handed_on && is_below(one, owner, place)) {
                let imported = imports.entry(module.file.clone()).or_default();
                imported.entry(file.clone()).or_insert_with(|| path.join("::"));
            }
        }
    }
    imports
}

fn is_below(one: &Crate, place: usize, above: usize) -> bool {
    std::iter::successors(Some(place), |place| one.modules[*place].parent).any(|place| place == above)
}

/// The module in which that is defined which `path` means in the module `from`; nothing for another crate's.
fn owner(one: &Crate, from: usize, path: &[String], handed_on: usize) -> Option<usize> {
    let (mut at, mut rest) = match path.first()?.as_str() {
        "crate" => (0, &path[1..]),
        "self" => (from, &path[1..]),
        "super" => (one.modules[from].parent?, &path[1..]),
        _ => return found(one, from, path, handed_on),
    };
    while let [first, others @ ..] = rest
        && first == "super"
    {
        (at, rest) = (one.modules[at].parent?, others);
    }
    Some(if rest.is_empty() { at } else { found(one, at, rest, handed_on).unwrap_or(at) })
}

/// The module in which that is defined which `path` means as a name of the module `at`.
fn found(one: &Crate, at: usize, path: &[String], handed_on: usize) -> Option<usize> {
    let handed_on = handed_on.checked_sub(1)?;
    let Module { children, items, aliases, globs, .. } = &one.modules[at];
    let (first, rest) = path.split_first()?;
    let from = |alias: &[String]| alias.iter().chain(rest).cloned().collect::<Vec<_>>();
    match (children.get(first), rest) {
        (Some(child), [_, ..]) => return Some(found(one, *child, rest, handed_on).unwrap_or(*child)),
        (Some(child), []) if !items.contains(first) && !aliases.contains_key(first) => return Some(*child),
        _ => {}
    }
    if items.contains(first) {
        return Some(at);
    }
    if let Some(alias) = aliases.get(first) {
        return owner(one, at, &from(alias), handed_on);
    }
    globs.iter().find_map(|glob| {
        let module = owner(one, at, glob, handed_on)?;
        found(one, module, path, handed_on)
    })
}

/// For each file that is in a circle and in none that is told already, the shortest one.
fn circles_of(root: &Path, imports: &Imports) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut circles = Vec::new();
    for start in imports.keys() {
        if told.contains(start) {
            continue;
        }
        let Some(circle) = shortest_circle(imports, start) else { continue };
        let name = |file: &Path| file.strip_prefix(root).unwrap_or(file).display().to_string();
        let mut line = name(start);
        for (file, next) in circle.iter().zip(circle.iter().skip(1)) {
            line.push_str(&format!(" -> {} (`{}`)", name(next), imports[*file][*next]));
        }
        told.extend(circle.into_iter().cloned());
        circles.push(line);
    }
    circles
}

/// The shortest way from `start` back to it.
fn shortest_circle<'i>(imports: &'i Imports, start: &'i PathBuf) -> Option<Vec<&'i PathBuf>> {
    let mut before: BTreeMap<&PathBuf, &PathBuf> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(file) = waiting.pop_front() {
        for next in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut circle: Vec<_> = std::iter::successors(Some(file), |file| before.get(file).copied()).collect();
                circle.reverse();
                circle.push(start);
                return Some(circle);
            }
            if !before.contains_key(next) {
                before.insert(next, file);
                waiting.push_back(next);
            }
        }
    }
    None
}

/// What a crate of these files is found to have of circles.
fn circles_in(files: &[(&str, &str)]) -> Result<BTreeSet<String>, Failed> {
    let folder = tempfile::tempdir()?;
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().ok_or("a file is in a folder")?)?;
        std::fs::write(file, text)?;
    }
    circles(folder.path(), &[folder.path().join("lib.rs")])
}

pub(super) fn a_circle_is_found_however_it_is_written() -> Result<(), Failed> {
    let root = "mod a; mod b; pub use b::Two;";
    let a = "use crate::Two; pub struct One; fn f(_: Two) {}";
    let expected = ["a.rs -> b.rs (`crate::Two`) -> a.rs (`NAMED`)"];
    for (b, named) in [
        ("use crate::a::One; pub struct Two; fn f(_: One) {}", "crate::a::One"),
        ("pub struct Two; fn f(_: super::a::One) {}", "super::a::One"),
        ("pub struct Two; fn f() { drop(vec![crate::a::One]) }", "crate::a::One"),
        ("pub struct Two; mod inner { use super::super::a; fn f(_: a::One) {} }", "super::super::a"),
        ("use crate::{a::*, Two as _}; pub struct Two;", "crate::a"),
    ] {
        let found = circles_in(&[("lib.rs", root), ("a.rs", a), ("b.rs", b)])?;
        if found != BTreeSet::from(expected.map(|line| line.replace("NAMED", named))) {
            return Err(format!("{b}: {found:?}").into());
        }
    }
    Ok(())
}

pub(super) fn what_is_handed_on_and_what_tests_name_is_no_circle() -> Result<(), Failed> {
    let a = "use crate::{Two, Shared}; use serde::serde; mod c; pub struct One; fn f(_: Two, _: Shared) {}";
    let b = "#[cfg(test)] mod tests { use crate::a::One; } pub struct Two;";
    let c = "use super::super::b::Two; fn f(_: Two) {}";
    let handed_on = [("lib.rs", "mod a; mod b; pub use b::Two; pub struct Shared;"), ("a.rs", a), ("b.rs", b), ("a/c.rs", c)];
    let found = circles_in(&handed_on)?;
    if !found.is_empty() {
        return Err(format!("{found:?}").into());
    }
    // The same root that uses for itself what it would hand on.
    let mut used = handed_on;
    used[0].1 = "mod a; mod b; use b::Two; pub struct Shared(a::One, Two);";
    if circles_in(&used)?.len() == 1 { Ok(()) } else { Err("a root that imports from its children is in a circle".into()) }
}
