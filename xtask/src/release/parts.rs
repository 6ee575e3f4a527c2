//! What a program consists of: its sections, and whose code and data are in them.

use std::collections::BTreeMap;

use anyhow::anyhow;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

/// So many sections, and so many whose code it is, are shown.
const SHOWN: usize = 8;

/// A part of a program, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// The largest sections that are loaded, the debug information as a whole, and the crates and libraries with the most code and data.
pub(super) fn largest(program: &[u8]) -> anyhow::Result<Vec<Part>> {
    let file = object::File::parse(program).map_err(|error| anyhow!("the program cannot be read: {error}"))?;
    let (mut sections, mut owners) = (BTreeMap::new(), BTreeMap::new());
    for section in file.sections() {
        let is_loaded = section.address() != 0;
        let name = if is_loaded { format!("section {}", section.name()?) } else { "symbols and debug information".to_owned() };
        // What is zero at the start takes no place in the file.
        *sections.entry(name).or_insert(0) += section.file_range().map_or(0, |(_, bytes)| bytes);
    }
    for symbol in file.symbols().filter(|symbol| symbol.is_definition()) {
        if let Some(owner) = symbol.name().ok().and_then(owner) {
            *owners.entry(format!("of `{owner}`")).or_insert(0) += symbol.size();
        }
    }
    Ok([sections, owners].into_iter().flat_map(first_by_size).collect())
}

fn first_by_size(sizes: BTreeMap<String, u64>) -> Vec<Part> {
    let mut parts: Vec<_> = sizes.into_iter().map(|(name, bytes)| Part { name, bytes }).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    parts.truncate(SHOWN);
    parts
}

/// The crate or the namespace that a mangled name begins with: `v8` of `_ZN2v88internal5FlagsE`. Of an implementation that of the type.
fn owner(symbol: &str) -> Option<&str> {
    if symbol.starts_with("Builtins_") {
        return Some("v8");
    }
    let rest = symbol.strip_prefix("_ZN")?;
    let rest = rest.strip_prefix('K').unwrap_or(rest);
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let name = rest.get(digits..digits + rest[..digits].parse::<usize>().ok()?)?;
    let name = name.trim_start_matches('_').trim_start_matches("$LT$").trim_start_matches("$RF$");
    name.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().filter(|owner| !owner.is_empty())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn a_mangled_name_begins_with_its_owner() {
        for (symbol, expected) in [
            ("_ZN2v88internal5FlagsE", Some("v8")),
            ("_ZNK2v88internal5FlagsE", Some("v8")),
            ("_ZN13isolet_server16run_command_lineE", Some("isolet_server")),
            ("_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Debug$GT$3fmtE", Some("alloc")),
            ("Builtins_ArrayPush", Some("v8")),
            ("sqlite3VdbeExec", None),
            ("_ZN99v8", None),
            ("_ZN", None),
        ] {
            assert_eq!(owner(symbol), expected, "{symbol}");
        }
    }

    #[test]
    fn code_and_debug_information_are_among_the_parts_of_this_test() {
        let parts = largest(&std::fs::read(std::env::current_exe().unwrap()).unwrap()).unwrap();
        for name in ["section .text", "symbols and debug information", "of `core`"] {
            assert!(parts.iter().any(|part| part.name == name && part.bytes > 0), "{name}: {parts:?}");
        }
    }
}
