//! A program mended by what a message says, as a script can do it: it reads the message, applies the instructions in it, and knows nothing else, neither
//! kinds of faults nor tools.
//!
//! It stands in for a model that does what it is told and has no ideas of its own, so what it gets right says how good the messages are.

use serde_json::Value;

use crate::instruction::{self, Instruction};

/// `program`, changed as `told` says, which is a message, or the result of `run_code` as JSON. `None` where it says nothing that a script can do.
#[must_use]
pub fn repaired(program: &str, told: &str) -> Option<String> {
    let message = message_of(told);
    let place = place_of(&message).and_then(|(line, column)| offset(program, line, column));
    let mut mended = Text { text: program.to_owned(), place };
    for instruction in instruction::read(&message) {
        mended.apply(&instruction);
    }
    (mended.text != program).then_some(mended.text)
}

/// The words of an outcome: its message and its notes.
fn message_of(told: &str) -> String {
    let Ok(Value::Object(outcome)) = serde_json::from_str(told) else { return told.to_owned() };
    let message = outcome.get("message").and_then(Value::as_str);
    let notes = outcome.get("notes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    message.into_iter().chain(notes).collect::<Vec<_>>().join("\n")
}

/// The first `at main.ts:LINE:COLUMN`.
fn place_of(message: &str) -> Option<(usize, usize)> {
    let mut numbers = message.split("main.ts:").nth(1)?.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The byte of a program at a line and a column, which count from one.
fn offset(program: &str, line: usize, column: usize) -> Option<usize> {
    let start: usize = program.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let within =
        program.get(start..)?.char_indices().nth(column.checked_sub(1)?).map_or(program.len() - start, |(byte, _)| byte);
    Some(start + within)
}

/// A program that is being changed.
struct Text {
    text: String,
    /// Where the error is, if the message says it.
    place: Option<usize>,
}

impl Text {
    fn apply(&mut self, instruction: &Instruction) {
        match instruction {
            Instruction::Replace { old, new } => self.replace(old, new),
            Instruction::ReplaceEach { old, new } => {
                for from in occurrences(&self.text, old).into_iter().rev() {
                    self.text.replace_range(from..from + old.len(), new);
                }
            }
            Instruction::Return { template } => {
                let Some(from) = occurrences(&self.text, "return").pop().map(|from| from + "return".len()) else { return };
                let end = self.text[from..].find(';').map_or(self.text.trim_end().len(), |end| from + end);
                if let Some(value) = self.text.get(from..end).map(str::trim) {
                    let value = template.replace("...", value);
                    self.text.replace_range(from..end, &format!(" {value}"));
                }
            }
            Instruction::Rename { old, new } => {
                let found = self.member(old).map(|member| member.name).or_else(|| self.nearest(old));
                if let Some(from) = found {
                    let is_shorthand = !self.text[from + old.len()..].trim_start().starts_with(':');
                    let new = if is_shorthand { format!("{new}: {old}") } else { new.clone() };
                    self.text.replace_range(from..from + old.len(), &new);
                }
            }
            Instruction::Set { member, value } => {
                if let Some(member) = self.member(member) {
                    let value = value.replace("...", self.text[member.value..member.end].trim_end());
                    self.text.replace_range(member.value..member.end, &value);
                }
            }
            Instruction::Remove { member: Some(name) } => {
                if let Some(member) = self.member(name) {
                    self.cut(member.name, member.end);
                }
            }
            Instruction::Remove { member: None } => self.remove_at_place(),
            Instruction::Add { member } => self.add(member),
            Instruction::Before { new, path, line } => self.before(new, path, *line),
            Instruction::Call { template } => self.call(template),
            Instruction::End { statement } => {
                let end = self.text.trim_end().len();
                self.text.replace_range(end.., &format!("\n{statement}\n"));
            }
        }
    }

    /// The occurrence of `word` at the place of the error; or the nearest on its line, before it sooner than after it; or the nearest at all.
    fn nearest(&self, word: &str) -> Option<usize> {
        let found = occurrences(&self.text, word);
        let Some(place) = self.place else { return found.last().copied() };
        let line = self.text.get(..place).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let line = line..self.text.get(place..).and_then(|after| after.find('\n')).map_or(self.text.len(), |end| place + end);
        let rank = |from: &&usize| {
            let is_at = **from <= place && place < **from + word.len();
            (is_at, line.contains(*from), **from <= place, std::cmp::Reverse(from.abs_diff(place)))
        };
        found.iter().max_by_key(rank).copied()
    }

    /// Puts `new` in the place of `old`. `...` in both is what stands there.
    fn replace(&mut self, old: &str, new: &str) {
        if let Some((head, tail)) = old.split_once("...") {
            let Some(from) = self.nearest(head) else { return };
            let within = from + head.len();
            let Some(closing) = closing(&self.text, within) else { return };
            if self.text[closing..].starts_with(tail) {
                let put = new.replacen("...", &self.text[within..closing], 1);
                self.text.replace_range(from..closing + tail.len(), &put);
            }
            return;
        }
        if let Some(from) = self.nearest(old) {
            self.text.replace_range(from..from + old.len(), new);
        }
    }

    /// The first member `name` in an object after the place of the error.
    fn member(&self, name: &str) -> Option<Member> {
        let place = self.place.unwrap_or(0);
        let found = occurrences(&self.text, name).into_iter().filter(|from| *from >= place);
        found.filter_map(|from| self.member_at(from, name)).next()
    }

    fn member_at(&self, from: usize, name: &str) -> Option<Member> {
        let is_quoted = self.text[..from].ends_with(['"', '\'']);
        let (start, mut after) = if is_quoted { (from - 1, from + name.len() + 1) } else { (from, from + name.len()) };
        let opens = self.text[..start].trim_end().chars().next_back()?;
        if !matches!(opens, '{' | ',') {
            return None;
        }
        after += self.text[after..].len() - self.text[after..].trim_start().len();
        if !self.text[after..].starts_with(':') {
            let ends = matches!(self.text[after..].chars().next(), Some(',' | '}'));
            return ends.then_some(Member { name: start, value: start, end: from + name.len() });
        }
        let value = after + 1 + (self.text[after + 1..].len() - self.text[after + 1..].trim_start().len());
        let end = value_end(&self.text, value)?;
        Some(Member { name: start, value, end })
    }

    /// Takes a member away, and the comma and the white space that part it from the next one.
    fn cut(&mut self, from: usize, end: usize) {
        let rest = &self.text[end..];
        if let Some(after) = rest.strip_prefix(',') {
            let space = after.len() - after.trim_start().len();
            self.text.replace_range(from..end + 1 + space, "");
            return;
        }
        let before = self.text[..from].trim_end().trim_end_matches(',').len();
        self.text.replace_range(before..end, " ");
    }

    /// Removes what stands at the place: a statement that begins there, or else the character.
    fn remove_at_place(&mut self) {
        let Some(place) = self.place.filter(|place| *place < self.text.len()) else { return };
        if self.text[place..].starts_with(|first: char| first.is_alphabetic()) {
            let end = self.text[place..].find([';', '\n']).map_or(self.text.len(), |end| place + end + 1);
            self.text.replace_range(place..end, "");
        } else if let Some(first) = self.text[place..].chars().next() {
            self.text.replace_range(place..place + first.len_utf8(), "");
        }
    }

    /// Adds a member to the call at the place, with the value that the program gives one of this name elsewhere.
    fn add(&mut self, name: &str) {
        let known = occurrences(&self.text, name).into_iter().find_map(|from| self.member_at(from, name));
        let (Some(known), Some(place)) = (known, self.place) else { return };
        let value = self.text[known.value..known.end].trim_end().to_owned();
        let Some(open) = self.text[place..].find('(').map(|open| place + open + 1) else { return };
        if self.text[open..].starts_with('{') {
            self.text.insert_str(open + 1, &format!(" {name}: {value},"));
        } else if self.text[open..].starts_with(')') {
            self.text.insert_str(open, &format!("{{ {name}: {value} }}"));
        }
    }

    /// Writes a word before the call of `path`, on `line` if that is known.
    fn before(&mut self, new: &str, path: &str, line: Option<usize>) {
        let from = line.and_then(|line| offset(&self.text, line, 1)).unwrap_or(0);
        let found = occurrences(&self.text, path).into_iter().find(|place| {
            *place >= from && self.text[place + path.len()..].starts_with('(') && !self.text[..*place].trim_end().ends_with(new)
        });
        if let Some(place) = found {
            self.text.insert_str(place, &format!("{new} "));
        }
    }

    /// Writes the call at the place as `template` does: each `...` is the argument that stood there, in their order.
    fn call(&mut self, template: &str) {
        let Some((path, _)) = template.split_once('(') else { return };
        let Some(from) = self.nearest(path) else { return };
        let open = from + path.len() + 1;
        let Some(close) = closing(&self.text, open) else { return };
        let mut arguments = Vec::new();
        let mut start = open;
        while start < close {
            let end = value_end(&self.text, start).unwrap_or(close).min(close);
            arguments.push(self.text[start..end].trim().to_owned());
            start = end + 1;
        }
        arguments.retain(|argument| !argument.is_empty());
        let wanted = template.matches("...").count();
        if arguments.len() != wanted || arguments.iter().any(|argument| argument.starts_with('{')) {
            return;
        }
        let mut call = template.to_owned();
        for argument in arguments {
            call = call.replacen("...", &argument, 1);
        }
        self.text.replace_range(from..=close, &call);
    }
}

/// A member of an object, by bytes.
struct Member {
    name: usize,
    value: usize,
    end: usize,
}

/// Where `word` stands in `text`, not as a part of a longer name.
fn occurrences(text: &str, word: &str) -> Vec<usize> {
    let is_name = |character: Option<char>| {
        character.is_some_and(|character| character.is_alphanumeric() || matches!(character, '_' | '$'))
    };
    let (first, last) = (word.chars().next(), word.chars().next_back());
    let found = text.match_indices(word).map(|(from, _)| from);
    let is_whole = |from: &usize| {
        let before = text[..*from].chars().next_back();
        let after = text[from + word.len()..].chars().next();
        !(is_name(first) && (is_name(before) || before == Some('.')) || is_name(last) && is_name(after))
    };
    found.filter(is_whole).collect()
}

/// The end of the value that begins at `from`: the comma or the bracket after it.
fn value_end(text: &str, from: usize) -> Option<usize> {
    walk(text, from, true)
}

/// The bracket that closes the one that was opened before `from`.
fn closing(text: &str, from: usize) -> Option<usize> {
    walk(text, from, false)
}

/// Goes over brackets and quoted texts to the next closing bracket of this level, or to a comma of this level.
fn walk(text: &str, from: usize, stops_at_comma: bool) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None::<char>);
    let mut characters = text.get(from..)?.char_indices();
    while let Some((place, character)) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => drop(characters.next()),
            (Some(open), _) => quote = (character != open).then_some(open),
            (None, '"' | '\'' | '`') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth == 0 => return Some(from + place),
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 && stops_at_comma => return Some(from + place),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(program: &str, told: &str, expected: Option<&str>) {
        assert_eq!(repaired(program, told).as_deref(), expected, "{told}");
    }

    #[test]
    fn a_program_is_changed_where_the_message_says_it() {
        let at = |message: &str, column: usize| format!("{message}\n    at main.ts:1:{column}");
        check("a.x({ y: a.x })", &at("write `a.z` instead of `a.x`", 1), Some("a.z({ y: a.x })"));
        check(
            "f(1); a.x({ n: \"12\", m: 2 })",
            &at("/n: expected number, came string \"12\": write 12 without quotes", 7),
            Some("f(1); a.x({ n: 12, m: 2 })"),
        );
        check("a.x({ e: 1, b: null })", &at("/b: expected string, came null: leave it out", 1), Some("a.x({ e: 1 })"));
        check(
            "a.x({ e: { f: 1 }, b: 2 })",
            &at("/e: expected array, came object {f}: write `[...]` around it", 1),
            Some("a.x({ e: [{ f: 1 }], b: 2 })"),
        );
        check("a.x({ dry: true, b: 1 })", &at("/: expected no property `dry`: remove it", 1), Some("a.x({ b: 1 })"));
        check(
            "a.x({ perPage: 5 })",
            &at("/: expected no property `perPage`: write `per_page` in its place", 1),
            Some("a.x({ per_page: 5 })"),
        );
        check(
            "a.x({ perPage })",
            &at("/: expected no property `perPage`: write `per_page` in its place", 1),
            Some("a.x({ per_page: perPage })"),
        );
        check(
            "a.x(\"b, c\", [1, 2])",
            &at("takes one object: write `a.x({ d: ..., e: ... })`", 1),
            Some("a.x({ d: \"b, c\", e: [1, 2] })"),
        );
        check("a.y({ r: 1 }); a.x({ s: 2 })", &at("/: `r` is missing: add it", 16), Some("a.y({ r: 1 }); a.x({ r: 1, s: 2 })"));
        check("import a from \"b\";\na.x()", &at("`import` is not available: leave it out", 1), Some("\na.x()"));
        check("`const a = 1", &at("a backtick (`) begins a text: remove it", 1), Some("const a = 1"));
        check("a.y({ r: 1 }); a.x()", &at("/: `r` is missing: add it", 16), Some("a.y({ r: 1 }); a.x({ r: 1 })"));
        check("f(p.n(), p.n())", &at("write `d()` instead of each `p.n()`", 3), Some("f(d(), d())"));
        check(
            "const b = 1;\nreturn b;",
            "a typed array: return `Array.from(...)` of it",
            Some("const b = 1;\nreturn Array.from(b);"),
        );
        check(
            "B.from(f(1)).toString(\"b\")",
            &at("write `btoa(...)` instead of `B.from(...).toString(\"b\")`", 1),
            Some("btoa(f(1))"),
        );
    }

    #[test]
    fn an_outcome_is_read_by_its_message_and_its_notes() {
        let told = r#"{"end":"returned","value":null,"notes":["`main` is never called: end with `return await main();`"]}"#;
        check("async function main() {}\n", told, Some("async function main() {}\nreturn await main();\n"));
        check(
            "const a = a.x();\nreturn a.y",
            "1 call was not awaited: a.x at line 1: write `await` before it",
            Some("const a = await a.x();\nreturn a.y"),
        );
        check("return 1", "out of time", None);
    }
}
