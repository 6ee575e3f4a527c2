//! Which crate of the workspace imports which: as the manifests say, and as ARCHITECTURE.md shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use libtest_mimic::Failed;

/// What stands before the table.
const BEFORE: &str = "Which crate imports which of the others";

/// What ARCHITECTURE.md shows of the crates in `folders` that is not so: a line each.
pub(super) fn not_as_shown(root: &Path, architecture: &str, folders: &[&str]) -> Result<Vec<String>, Failed> {
    let shown = shown(architecture)?;
    let mut wrong = Vec::new();
    for folder in folders {
        let imports = imports(&std::fs::read_to_string(root.join(folder).join("Cargo.toml"))?)?;
        if shown.get(*folder) != Some(&imports) {
            wrong.push(format!("`{folder}` imports {imports:?}, and ARCHITECTURE.md shows {:?}", shown.get(*folder)));
        }
    }
    Ok(wrong)
}

/// For each crate of the table, by its folder, those that it imports.
fn shown(architecture: &str) -> Result<BTreeMap<&str, BTreeSet<String>>, Failed> {
    let (_, rest) = architecture.split_once(BEFORE).ok_or("ARCHITECTURE.md does not show which crate imports which")?;
    let rows = rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).skip(2);
    let mut shown = BTreeMap::new();
    for row in rows {
        let mut columns = row.trim_matches('|').split('|');
        let mut names = || columns.next().unwrap_or_default().split('`').skip(1).step_by(2);
        let (crates, imports) = (names(), names());
        let imports: BTreeSet<String> = imports.map(str::to_owned).collect();
        shown.extend(crates.map(|name| (name, imports.clone())));
    }
    Ok(shown)
}

/// The crates of the workspace that a manifest names for a build, by their folders.
fn imports(manifest: &str) -> Result<BTreeSet<String>, Failed> {
    let manifest: toml::Value = toml::from_str(manifest)?;
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let all = targets.into_iter().flat_map(|targets| targets.values()).chain([&manifest]);
    let kinds = |table| ["dependencies", "build-dependencies"].map(|kind| toml::Value::get(table, kind));
    let tables = all.flat_map(kinds).flatten().filter_map(toml::Value::as_table);
    let folder_of = |name: &String| match name.as_str() {
        "isolet" => Some("runtime".to_owned()),
        name => name.strip_prefix("isolet-").map(str::to_owned),
    };
    Ok(tables.flat_map(toml::Table::keys).filter_map(folder_of).collect())
}

pub(super) fn a_table_that_lacks_or_adds_something_is_wrong() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    for (name, manifest) in [
        ("one", ""),
        (
            "two",
            "[dependencies]\nisolet-one.workspace = true\nserde = \"1\"\n[target.'cfg(unix)'.dependencies]\nisolet = \"1\"",
        ),
    ] {
        std::fs::create_dir(folder.path().join(name))?;
        std::fs::write(folder.path().join(name).join("Cargo.toml"), manifest)?;
    }
    for (rows, wrong) in [
        ("| `one` | none |\n| `two` | `one`, `runtime` |", 0),
        ("| `one`, `two` | none |", 1),
        ("| `one` | `two` |\n| `two` | `one`, `runtime`, `three` |", 2),
        ("| `two` | `one`, `runtime` |", 1),
    ] {
        let page =
            format!("{BEFORE}:\n\n| crate | imports |\n|---|---|\n{rows}\n\n| word | means |\n|---|---|\n| `one` | x |\n");
        let found = not_as_shown(folder.path(), &page, &["one", "two"])?;
        if found.len() != wrong {
            return Err(format!("{rows}: {found:?}").into());
        }
    }
    Ok(())
}
