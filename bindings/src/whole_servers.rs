//! Which servers grants allow as a whole: what of a server is no tool, its resources and prompts, has no patterns of its own.

use std::sync::OnceLock;

use crate::grant_patterns::Patterns;
use crate::grants::Grants;
use crate::name;

/// What no pattern names: who allows it of a server allows what nobody thought of, and who denies it denies that.
const NAMELESS: &str = "\u{0}what is no tool\u{0}";

/// The patterns of grants, for servers as a whole. They are read when the first server is asked about.
pub(crate) struct WholeServers {
    allowed: Vec<String>,
    denied: Vec<String>,
    patterns: OnceLock<(Patterns, Patterns)>,
}

impl WholeServers {
    pub(crate) fn of(grants: &Grants) -> Self {
        Self { allowed: grants.allowed.clone(), denied: grants.denied.clone(), patterns: OnceLock::new() }
    }

    /// Whether `server` is allowed as a whole, and under none of its names denied as a whole.
    pub(crate) fn has(&self, server: &str) -> bool {
        let (allowed, denied) = self.patterns.get_or_init(|| (Patterns::of(&self.allowed), Patterns::of(&self.denied)));
        let nameless = |server: &str| format!("{server}.{NAMELESS}");
        let others = name::other_names(server);
        let every_name: Vec<String> = std::iter::once(server).chain(others.iter().map(String::as_str)).map(nameless).collect();
        !allowed.of_names(every_name.iter().take(1), []).is_empty() && denied.of_names(every_name.iter(), []).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_allowed_by_patterns_for_all_of_it_and_denied_by_such_alone() {
        let has = |allowed: &[&str], denied: &[&str], server: &str| {
            let grants = allowed.iter().fold(Grants::new(), |grants, pattern| grants.allow(*pattern));
            WholeServers::of(&denied.iter().fold(grants, |grants, pattern| grants.deny(*pattern))).has(server)
        };
        for allowed in ["*", "git-hub.*", "git*.*", "{git-hub,other}.*"] {
            assert!(has(&[allowed], &[], "git-hub"), "{allowed}");
            assert!(has(&[allowed], &["git-hub.delete_*", "*.write_file", "other.*"], "git-hub"), "{allowed}");
        }
        // A tool, or some of them, is not the server.
        for allowed in ["git-hub.list_issues", "git-hub.list_*", "other.*", "git-hub", "git_hub.*", "git-hub.?"] {
            assert!(!has(&[allowed], &[], "git-hub"), "{allowed}");
        }
        // Under any of its names.
        for denied in ["*", "git-hub.*", "git_hub.*", "*.*", "g*"] {
            assert!(!has(&["*"], &[denied], "git-hub"), "{denied}");
        }
        assert!(!has(&[], &[], "git-hub"));
    }
}
