//! What a model is told of the servers whose tools are missing: comments of TypeScript beside its tools, a line each.

use std::fmt::Write as _;

use isolet_bindings::{Scope, visible};

/// Servers that are named, of those that still start and of those that could not be asked.
const SERVERS_SHOWN_MAX: usize = 8;

/// The lines: `starting` are servers whose tools come later, and `scope` knows which could not be asked.
pub(super) fn remarks(scope: &Scope, starting: &[String]) -> String {
    let mut remarks = String::new();
    for server in starting.iter().take(SERVERS_SHOWN_MAX) {
        let _ = writeln!(remarks, "// the server `{}` is still starting: its tools come later", visible::line(server));
    }
    for server in scope.lacking().iter().take(SERVERS_SHOWN_MAX) {
        let _ = writeln!(remarks, "// {server}");
    }
    let beyond = |count: usize| count.saturating_sub(SERVERS_SHOWN_MAX);
    let more = beyond(starting.len()) + beyond(scope.lacking().len());
    if more > 0 {
        let _ = writeln!(remarks, "// {more} more servers are starting or cannot be used");
    }
    remarks
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_bindings::{Catalog, Grants};

    use super::*;

    #[test]
    fn each_server_that_is_missing_has_a_line_up_to_a_maximum_and_only_for_who_may_use_it() {
        let names: Vec<String> = (0..10).map(|place| format!("s{place}")).collect();
        let catalog = Catalog::load([("here", Vec::new())]).unwrap().lacking(names.iter().map(|name| (name, "exit\n1")));
        let all = catalog.scope(&Grants::new().allow("*")).unwrap();
        let text = remarks(&all, &["late".to_owned()]);
        assert_eq!(text.lines().count(), 1 + SERVERS_SHOWN_MAX + 1, "{text}");
        assert!(text.starts_with("// the server `late` is still starting") && text.lines().all(|line| line.starts_with("// ")));
        assert!(text.contains("// the server `s0` cannot be used now: ") && text.contains("exit"), "{text}");
        assert!(text.ends_with("// 2 more servers are starting or cannot be used\n"), "{text}");
        let one = catalog.scope(&Grants::new().allow("s3.*")).unwrap();
        assert_eq!(remarks(&one, &[]).lines().count(), 1);
        let none = catalog.scope(&Grants::new().allow("*").deny("s3.*").allow("here.*")).unwrap();
        assert!(!remarks(&none, &[]).contains("`s3`"));
    }
}
