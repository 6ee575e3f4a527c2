//! What a tool is called by classic MCP clients: `server__tool`.
//!
//! Names are kept where clients take them: at most [`NAME_BYTES_MAX`] characters of `[A-Za-z0-9_-]`. In any other name each other
//! character becomes `_`, what is too long is cut, and a suffix from the hash of server and tool is added. Whether a name is kept
//! depends on nothing but itself, so no tool ever renames another; and a name that looks like one with a suffix gets a suffix itself, so
//! that no tool can take another one's place.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

/// The longest name: what clients and the public conformance tests take.
pub(super) const NAME_BYTES_MAX: usize = 64;
/// Between server and tool.
const SEPARATOR: &str = "__";
/// Hex digits of a suffix, after an underscore.
const SUFFIX_DIGITS: usize = 12;

/// The name by which classic MCP clients call the tool that `server` calls `tool`: `server__tool`, of at most 64 characters of `[A-Za-z0-9_-]`.
#[must_use]
pub fn classic_name(server: &str, tool: &str) -> String {
    if is_kept(server, tool) {
        return format!("{server}{SEPARATOR}{tool}");
    }
    let mut sha = Sha256::new();
    sha.update(server.len().to_le_bytes());
    sha.update(server);
    sha.update(tool);
    let suffix: String = sha.finalize().iter().take(SUFFIX_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
    let mut name: String = server.chars().chain(SEPARATOR.chars()).chain(tool.chars()).map(replaced).collect();
    // Only ASCII is left, so any place is between characters.
    name.truncate(NAME_BYTES_MAX - SUFFIX_DIGITS - 1);
    format!("{name}_{suffix}")
}

/// How classic MCP clients name tools and prompts.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClassicNames {
    /// `server__tool`.
    #[default]
    OfServer,
    /// `tool`, as its server calls it, where clients take that and no other of the user's servers has one of that name; else `server__tool`. For
    /// deployments of one server: a name changes when another server comes that has it too.
    Bare,
}

/// The names by which classic MCP clients call these: `(server, tool)`, in the same order. All are different.
#[must_use]
pub fn classic_names<'n>(named: impl IntoIterator<Item = (&'n str, &'n str)>, names: ClassicNames) -> Vec<String> {
    let named: Vec<(&str, &str)> = named.into_iter().collect();
    let of_servers: Vec<String> = named.iter().map(|(server, tool)| classic_name(server, tool)).collect();
    if names == ClassicNames::OfServer {
        return of_servers;
    }
    let mut counts: HashMap<&str, usize> = of_servers.iter().map(|name| (name.as_str(), 1)).collect();
    for (_, tool) in &named {
        *counts.entry(tool).or_default() += 1;
    }
    let is_taken = |tool: &str| tool.len() <= NAME_BYTES_MAX && tool.chars().all(|character| replaced(character) == character);
    let bare = |(_, tool): &(&str, &str)| {
        (counts.get(tool) == Some(&1) && !tool.is_empty() && is_taken(tool)).then(|| (*tool).to_owned())
    };
    named.iter().zip(&of_servers).map(|(named, of_server)| bare(named).unwrap_or_else(|| of_server.clone())).collect()
}

/// Whether server and tool can be read back from the name, and no suffix is in it. With a separator or an underscore at its end the
/// server could be another one whose tool begins with an underscore.
fn is_kept(server: &str, tool: &str) -> bool {
    let is_taken = |text: &str| !text.is_empty() && text.chars().all(|character| replaced(character) == character);
    is_taken(server)
        && is_taken(tool)
        && server.len() + SEPARATOR.len() + tool.len() <= NAME_BYTES_MAX
        && !server.contains(SEPARATOR)
        && !server.ends_with('_')
        && !has_suffix(tool)
}

fn has_suffix(tool: &str) -> bool {
    let (_, last) = tool.rsplit_once('_').unwrap_or(("", tool));
    last.len() == SUFFIX_DIGITS && last.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

fn replaced(character: char) -> char {
    if character.is_ascii_alphanumeric() || matches!(character, '_' | '-') { character } else { '_' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_kept_where_it_is_one_and_nobody_elses() {
        let named = [("a", "one"), ("a", "both"), ("b", "both"), ("b", "a.b"), ("b", "a__one"), ("a", "")];
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        let named = named.into_iter().chain([("a", long.as_str())]);
        let bare = classic_names(named.clone(), ClassicNames::Bare);
        assert_eq!(bare[..3], ["one", "a__both", "b__both"]);
        // `a__one` is what `one` is called elsewhere.
        assert_eq!(
            bare[3..],
            [("b", "a.b"), ("b", "a__one"), ("a", ""), ("a", long.as_str())].map(|(server, tool)| classic_name(server, tool))
        );
        assert_eq!(classic_names(named, ClassicNames::OfServer)[0], "a__one");
    }

    #[test]
    fn ordinary_names_are_kept() {
        assert_eq!(classic_name("github", "create_issue"), "github__create_issue");
        assert_eq!(classic_name("my-server", "read-file"), "my-server__read-file");
        assert_eq!(classic_name("a", "_b"), "a___b");
    }

    #[test]
    fn every_name_is_taken_by_clients() {
        for (server, tool) in [("git hub", "näme"), ("", ""), ("s", "a/b.c"), ("s", &"x".repeat(200)), (&"ü".repeat(99), "t")]
        {
            let name = classic_name(server, tool);
            assert!(name.len() <= NAME_BYTES_MAX && name.chars().all(|character| replaced(character) == character), "{name}");
        }
        let edge = "t".repeat(NAME_BYTES_MAX - 3);
        assert_eq!(classic_name("s", &edge), format!("s__{edge}"));
        assert_ne!(classic_name("s", &format!("{edge}t")), format!("s__{edge}t"));
    }

    #[test]
    fn no_two_tools_share_a_name() {
        let parts =
            ["a", "a_", "a__b", "_a", "b", "__b", "_b", "a b", "a-b", "a_b", "a.b", "ä", "A", "0123456789ab", "x_0123456789ab"];
        let mut seen = HashMap::new();
        for server in parts {
            for tool in parts {
                let name = classic_name(server, tool);
                assert_eq!(seen.insert(name.clone(), (server, tool)), None, "{name}");
            }
        }
        let imitated = classic_name("s", "a b");
        let (_, tool) = imitated.split_once(SEPARATOR).unwrap_or_default();
        assert_ne!(classic_name("s", tool), imitated, "a tool cannot take the place of another one");
    }
}
