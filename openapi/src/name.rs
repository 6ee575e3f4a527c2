//! What operations are called as tools, and parameters as arguments: by their own names, told apart where two are the same.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::excerpt::beginning;

/// The most characters of a tool's name. MCP says 128; a namespace and clients' own prefixes have to fit too.
const LENGTH_MAX: usize = 64;

/// The most characters of an `operationId` that are looked at.
const ID_LENGTH_MAX: usize = 1_000;

/// Hex digits that tell two operations apart.
const SUFFIX_LENGTH: usize = 6;

/// Gives each operation a name of its own.
#[derive(Default)]
pub(crate) struct ToolNames {
    taken: HashSet<String>,
}

impl ToolNames {
    /// The name of the operation: its `operationId`, else `method_path`; with a suffix of its own if an earlier one has that.
    pub(crate) fn give(&mut self, operation_id: Option<&str>, method: &str, path: &str) -> String {
        let wished =
            operation_id.map(plain).filter(|name| !name.is_empty()).unwrap_or_else(|| plain(&format!("{method}_{path}")));
        let name = if self.taken.contains(&wished) { self.suffixed(&wished, method, path) } else { wished };
        self.taken.insert(name.clone());
        name
    }

    /// Method and path are an operation's identity: the suffix stays when others come and go. A number follows where somebody has written
    /// that name, suffix and all, as an `operationId`.
    fn suffixed(&self, name: &str, method: &str, path: &str) -> String {
        let suffix = hash(&format!("{method} {path}"));
        let with = |suffix: &str| {
            let end = name.len().min(LENGTH_MAX - suffix.len() - 1);
            format!("{}_{suffix}", name.get(..end).unwrap_or_default())
        };
        let is_free = |name: &String| !self.taken.contains(name);
        let suffixed = with(&suffix);
        if is_free(&suffixed) {
            return suffixed;
        }
        (2..).map(|number| with(&format!("{suffix}_{number}"))).find(is_free).unwrap_or(suffixed)
    }
}

/// `text` in the characters that every client takes, without runs of underscores, at most [`LENGTH_MAX`] of them.
fn plain(text: &str) -> String {
    let text = beginning(text, ID_LENGTH_MAX);
    let mut name = String::new();
    for c in text.chars() {
        let c = if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        if c != '_' || !(name.is_empty() || name.ends_with('_')) {
            name.push(c);
        }
    }
    if name.len() > LENGTH_MAX {
        return format!("{}_{}", name.get(..LENGTH_MAX - SUFFIX_LENGTH - 1).unwrap_or_default(), hash(text));
    }
    name.trim_end_matches('_').to_owned()
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(SUFFIX_LENGTH / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// Gives each argument a name of its own: the first comes first, later ones say where they go.
pub(crate) fn argument(taken: &HashSet<String>, name: &str, location: &str) -> String {
    if !taken.contains(name) {
        return name.to_owned();
    }
    let said = format!("{name}_{location}");
    if !taken.contains(&said) {
        return said;
    }
    (2..).map(|number| format!("{said}_{number}")).find(|name| !taken.contains(name)).unwrap_or(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(operations: &[(Option<&str>, &str, &str)], expected: &[&str]) {
        let mut names = ToolNames::default();
        let given: Vec<String> = operations.iter().map(|(id, method, path)| names.give(*id, method, path)).collect();
        assert_eq!(given, expected);
    }

    #[test]
    fn an_operation_id_is_kept_in_plain_characters() {
        check(&[(Some("listPets"), "get", "/pets"), (Some("repos/get-by id"), "get", "/x")], &["listPets", "repos_get-by_id"]);
    }

    #[test]
    fn without_one_method_and_path_are_the_name() {
        check(
            &[(None, "get", "/pets/{petId}/"), (Some("…"), "post", "/"), (Some(""), "put", "/a.b")],
            &["get_pets_petId", "post", "put_a_b"],
        );
    }

    #[test]
    fn the_same_name_twice_is_told_apart_by_what_does_not_change() {
        check(
            &[(Some("get"), "get", "/a"), (Some("get"), "get", "/b"), (Some("get"), "get", "/c")],
            &["get", "get_16a73f", "get_5689ce"],
        );
    }

    #[test]
    fn a_long_name_is_cut_and_still_its_own() {
        let (one, other) = ("a".repeat(100), format!("{}b", "a".repeat(99)));
        let mut names = ToolNames::default();
        let (one, other) = (names.give(Some(&one), "get", "/"), names.give(Some(&other), "get", "/"));
        assert!(one.len() == 64 && other.len() == 64 && one != other);
    }

    #[test]
    fn arguments_say_where_they_go_if_they_have_to() {
        let taken: HashSet<String> = ["id", "x", "x_body"].map(str::to_owned).into();
        assert_eq!(argument(&taken, "name", "body"), "name");
        assert_eq!(argument(&taken, "id", "query"), "id_query");
        assert_eq!(argument(&taken, "x", "body"), "x_body_2");
    }
}
