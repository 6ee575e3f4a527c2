//! What an agent has been told of tools, by the text of an index, of a search and of declarations.

use std::collections::BTreeMap;

use crate::need::Need;

/// How much of what a call needs has been said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// That there is such a tool has not been said.
    Nothing,
    /// The tool's name has, and not all that the call needs.
    Name,
    /// All that the call needs has.
    Everything,
}

/// What has been said.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    /// By path.
    tools: BTreeMap<String, String>,
    /// The named types of each namespace.
    types: BTreeMap<String, String>,
}

impl Knowledge {
    /// Reads a text in which tools stand in one of the forms in which the faces show them: declarations of a namespace, a line with all names of a
    /// namespace, a line for each tool. Other lines say nothing.
    pub(crate) fn read(&mut self, text: &str) {
        let (mut namespace, mut tool) = (None::<&str>, None::<String>);
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("declare namespace ") {
                (namespace, tool) = (rest.split([' ', '{']).next(), None);
                continue;
            }
            if line == "}" {
                (namespace, tool) = (None, None);
                continue;
            }
            match namespace {
                Some(namespace) => {
                    if let Some(function) = line.strip_prefix("function ") {
                        tool = Some(format!("{namespace}.{}", name_of(function)));
                    } else if line.starts_with("type ") || line.starts_with("interface ") || line.starts_with("/**") {
                        tool = None;
                    }
                    match &tool {
                        Some(path) => append(&mut self.tools, path, line),
                        None if line.starts_with("/**") => {}
                        None => append(&mut self.types, namespace, line),
                    }
                }
                None => tool = self.read_line(line, tool),
            }
        }
    }

    /// A line outside of a namespace; gives the tool of which the next line may go on.
    fn read_line(&mut self, line: &str, before: Option<String>) -> Option<String> {
        if let Some((namespace, entries)) = names_of(line) {
            for entry in entries {
                append(&mut self.tools, &format!("{namespace}.{}", name_of(entry)), entry);
            }
            return None;
        }
        let path = line.split_once('(').map(|(path, _)| path);
        if let Some(path) = path.filter(|path| path.split('.').count() == 2 && path.split('.').all(is_name)) {
            append(&mut self.tools, path, line);
            return Some(path.to_owned());
        }
        if let Some(path) = &before
            && line.starts_with("type ")
        {
            append(&mut self.tools, path, line);
        }
        before
    }

    /// How much is known of what `need` says.
    pub(crate) fn of(&self, need: &Need) -> Known {
        let Some(said) = self.tools.get(&need.path) else { return Known::Nothing };
        let types = need.path.split('.').next().and_then(|namespace| self.types.get(namespace)).map_or("", String::as_str);
        let is_said = |word: &str| has_word(said, word) || has_word(types, word);
        let is_known =
            need.names.iter().all(|name| is_said(name)) && need.listed.iter().all(|word| is_said(&format!("{word:?}")));
        if is_known { Known::Everything } else { Known::Name }
    }
}

fn append(texts: &mut BTreeMap<String, String>, key: &str, line: &str) {
    let text = texts.entry(key.to_owned()).or_default();
    text.push_str(line);
    text.push('\n');
}

/// What stands before the parameters.
fn name_of(text: &str) -> &str {
    text.split('(').next().unwrap_or(text).trim()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '$'))
}

/// The tools of a line such as `github (2 of 20): list_issues({state?, limit?}), get_issue`.
fn names_of(line: &str) -> Option<(&str, Vec<&str>)> {
    let (head, list) = line.split_once("): ")?;
    let (namespace, count) = head.split_once(" (")?;
    if !is_name(namespace) || !count.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (mut entries, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (place, character) in list.char_indices() {
        match character {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                entries.push(list[from..place].trim());
                from = place + 1;
            }
            _ => {}
        }
    }
    entries.push(list[from..].trim());
    Some((namespace, entries))
}

/// Whether `word` stands in `text`, not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric() || character == '_');
    text.match_indices(word)
        .any(|(place, _)| !is_part(text[..place].chars().next_back()) && !is_part(text[place + word.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(path: &str, names: &[&str], listed: &[&str]) -> Need {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Need { path: path.to_owned(), names: set(names), listed: set(listed) }
    }

    #[track_caller]
    fn check(text: &str, need: &Need, expected: Known) {
        let mut knowledge = Knowledge::default();
        knowledge.read(text);
        assert_eq!(knowledge.of(need), expected, "{text}");
    }

    #[test]
    fn declarations_say_all_that_stands_in_them_and_in_the_types_of_their_namespace() {
        let text = "// all 2 tools\ndeclare namespace a {\ntype Filter = { state: \"open\" };\n/** Lists by owner. */\n\
                    function list(args: {\n /** at most */\n limit?: number;\n filter: Filter;\n}): Promise<unknown>;\n\
                    function get(args: { id: string }): Promise<unknown>; // by state\n}\n";
        check(text, &need("a.list", &["limit", "filter"], &["open"]), Known::Everything);
        check(text, &need("a.list", &["id"], &[]), Known::Name);
        check(text, &need("a.list", &["owner"], &[]), Known::Name);
        check(text, &need("a.list", &[], &["ope"]), Known::Name);
        check(text, &need("a.get", &["id"], &[]), Known::Everything);
        check(text, &need("b.get", &[], &[]), Known::Nothing);
    }

    #[test]
    fn a_line_of_names_says_the_parameters_that_stand_there_and_no_words() {
        let text =
            "Calls one. The tools:\n// all 3 tools by name\na (2 of 20): list({state?, limit?}), get-it\nb (1 tool): run({})\n";
        check(text, &need("a.list", &["limit"], &[]), Known::Everything);
        check(text, &need("a.list", &["state"], &["open"]), Known::Name);
        check(text, &need("b.run", &[], &[]), Known::Everything);
        check(text, &need("b.list", &[], &[]), Known::Nothing);
    }

    #[test]
    fn what_a_search_finds_is_known_with_its_types() {
        let text =
            "a.list(args?: { state?: \"open\" }): Promise<Row[]>; // Lists.\ntype Row = { id: string };\n// 3 more match\n";
        check(text, &need("a.list", &["state"], &["open"]), Known::Everything);
        check(text, &need("a.get", &[], &[]), Known::Nothing);
        check("// no tool matches (a): try other words\n", &need("a.get", &[], &[]), Known::Nothing);
    }
}
