//! The names that a program finds in the global object, beside the namespaces of its scope.

use std::sync::LazyLock;

/// The names, a line each, sorted.
pub const NAMES: &str = include_str!("globals.txt");

/// The same, to look into: made by the first who asks, and inherited by forks.
static SORTED: LazyLock<Vec<&str>> = LazyLock::new(|| NAMES.lines().collect());

/// Whether there is a global of this name.
#[must_use]
pub fn has(name: &str) -> bool {
    SORTED.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_and_no_other() {
        assert!(SORTED.is_sorted());
        assert!(NAMES.lines().all(has));
        assert!(!["", "A", "console ", "fetch", "zzz"].into_iter().any(has));
    }
}
