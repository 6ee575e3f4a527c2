//! What a message tells its reader to do, read as a script can: a few instructions in words that all messages share, whatever they are about.

/// One change of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Instruction {
    /// `write NEW instead of OLD`. In both, `...` stands for what is written there.
    Replace { old: String, new: String },
    /// `write NEW instead of each OLD`.
    ReplaceEach { old: String, new: String },
    /// `return TEMPLATE of it`: what was returned last stands in it for each `...`.
    Return { template: String },
    /// `write NEW in place of OLD`, where both are names of members.
    Rename { old: String, new: String },
    /// A member whose value is to be another one: `/state: expected ..., came "OPEN": write "open"`. `...` is what stands there.
    Set { member: String, value: String },
    /// A member that is to be removed, or the statement at the place of the error where there is none.
    Remove { member: Option<String> },
    /// A member that is missing.
    Add { member: String },
    /// `write NEW before OLD`: of a call by its path.
    Before { new: String, path: String, line: Option<usize> },
    /// `write TEMPLATE`, a call with its arguments by name, for the call at the place of the error.
    Call { template: String },
    /// `end with STATEMENT`.
    End { statement: String },
}

/// The instructions of a message, the first way of each where there are several.
pub(crate) fn read(message: &str) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    // A place is no sentence: what comes after the first line shows the program.
    for line in message.lines().filter(|line| !line.contains(" | ") && !line.trim_start().starts_with("at ")) {
        for clause in line.split("; ") {
            instructions.extend(of_clause(clause));
        }
    }
    // What is written anew under another name is neither missing nor too much.
    let renamed: Vec<(String, String)> = instructions
        .iter()
        .filter_map(|one| match one {
            Instruction::Rename { old, new } => Some((old.clone(), new.clone())),
            _ => None,
        })
        .collect();
    instructions.retain(|one| match one {
        Instruction::Remove { member: Some(member) } => renamed.iter().all(|(old, _)| old != member),
        Instruction::Add { member } => renamed.iter().all(|(_, new)| new != member),
        _ => true,
    });
    let mut once: Vec<Instruction> = Vec::new();
    for instruction in instructions {
        if !once.contains(&instruction) {
            once.push(instruction);
        }
    }
    once
}

fn of_clause(clause: &str) -> Option<Instruction> {
    if let Some((_, statement)) = clause.split_once("end with ") {
        return Some(Instruction::End { statement: literal(statement)?.0 });
    }
    if let Some((template, after)) = clause.split_once("return ").and_then(|(_, rest)| literal(rest))
        && after.starts_with(" of it")
    {
        return Some(Instruction::Return { template });
    }
    if let Some((before, rest)) = clause.split_once("write ") {
        return written(before, rest);
    }
    let is_removal = ["remove it", "leave it out", "leave the import out"].iter().any(|words| clause.contains(words));
    if is_removal {
        let is_member = clause.contains("expected ");
        let member = pointed_at(clause).or_else(|| last_literal(clause)).filter(|_| is_member);
        return Some(Instruction::Remove { member });
    }
    if clause.contains("is missing: add it") {
        return Some(Instruction::Add { member: last_literal(clause)? });
    }
    None
}

/// An instruction that begins with `write`; `before` is what stands before that word in its clause.
fn written(before: &str, rest: &str) -> Option<Instruction> {
    let (new, after) = literal(rest)?;
    let second = |words: &str| after.strip_prefix(words).and_then(literal).map(|(old, _)| old);
    if let Some(old) = second(" instead of each ") {
        return Some(Instruction::ReplaceEach { old, new });
    }
    if let Some(old) = second(" instead of ") {
        return Some(Instruction::Replace { old, new });
    }
    if let Some(old) = second(" in place of ") {
        return Some(Instruction::Rename { old, new });
    }
    if after.starts_with(" in its place") {
        return Some(Instruction::Rename { old: last_literal(before)?, new });
    }
    if after.starts_with(" before ") {
        // `2 calls were not awaited: github.x at line 3`, or "`github.x` gives a promise".
        let path = last_literal(before).or_else(|| {
            let words = before.split("awaited: ").nth(1)?;
            words.split([' ', ',']).next().map(str::to_owned)
        })?;
        let line = before.split(" at line ").nth(1).and_then(|rest| rest.split([':', ',', ' ']).next()?.parse().ok());
        return Some(Instruction::Before { new, path, line });
    }
    if before.contains(", came ") {
        return Some(Instruction::Set { member: pointed_at(before)?, value: new });
    }
    new.contains('(').then_some(Instruction::Call { template: new })
}

/// The member that a clause is about, by the last name of its pointer: `/fields/1/type: expected ...`.
fn pointed_at(clause: &str) -> Option<String> {
    let pointer = clause.split(' ').find(|word| word.starts_with('/') && word.ends_with(':') && word.len() > 2)?;
    let mut names = pointer.trim_end_matches(':').split('/');
    names.rfind(|name| !name.is_empty() && name.parse::<usize>().is_err()).map(str::to_owned)
}

/// What is quoted at the beginning of a text, and what follows: in backticks without these, in double quotes with them, or a number.
fn literal(text: &str) -> Option<(String, &str)> {
    let first = text.chars().next()?;
    if first == '`' {
        let end = text[1..].find('`')? + 1;
        return Some((text[1..end].to_owned(), &text[end + 1..]));
    }
    if first == '"' {
        let mut is_escaped = false;
        let end = text.char_indices().skip(1).find(|(_, character)| {
            let ends = *character == '"' && !is_escaped;
            is_escaped = *character == '\\' && !is_escaped;
            ends
        });
        let end = end?.0;
        return Some((text[..=end].to_owned(), &text[end + 1..]));
    }
    let end = text.find([' ', ':', ';', ',']).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

/// What was put in backticks last.
fn last_literal(text: &str) -> Option<String> {
    let end = text.rfind('`')?;
    let start = text[..end].rfind('`')?;
    Some(text[start + 1..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expected: &[Instruction]) {
        assert_eq!(read(message), expected, "{message}");
    }

    #[test]
    fn instructions_are_read_from_the_words_that_all_messages_share() {
        let text = str::to_owned;
        check(
            "there is no tool `a.x`: write `a.y` instead of `a.x`\n    at main.ts:1:1\n1 | a.x()\n  | ^",
            &[Instruction::Replace { old: text("a.x"), new: text("a.y") }],
        );
        check(
            "the number 9 is beyond: write \"9\" instead of 9, in quotes",
            &[Instruction::Replace { old: text("9"), new: text("\"9\"") }],
        );
        check(
            "/: `b_c` is missing: write `b_c` in place of `bC`; /: expected no property `bC`: write `b_c` in its place",
            &[Instruction::Rename { old: text("bC"), new: text("b_c") }],
        );
        check(
            "do not match: /state: expected one of \"open\", came \"OPEN\": write \"open\"",
            &[Instruction::Set { member: text("state"), value: text("\"open\"") }],
        );
        check(
            "/n: expected number, came string \"12\": write 12 without quotes",
            &[Instruction::Set { member: text("n"), value: text("12") }],
        );
        check("/button: expected string, came null: leave it out", &[Instruction::Remove { member: Some(text("button")) }]);
        check("/: expected no property `dryRun`: remove it", &[Instruction::Remove { member: Some(text("dryRun")) }]);
        check("`import` is not available: leave it out: `a` is there", &[Instruction::Remove { member: None }]);
        check("/: `repo` is missing: add it", &[Instruction::Add { member: text("repo") }]);
        check(
            "`a.x` gives a promise: write `await` before its call",
            &[Instruction::Before { new: text("await"), path: text("a.x"), line: None }],
        );
        check(
            "1 call was not awaited: a.x at line 2: write `await` before it",
            &[Instruction::Before { new: text("await"), path: text("a.x"), line: Some(2) }],
        );
        check("takes one object: write `a.x({ b: ... })`", &[Instruction::Call { template: text("a.x({ b: ... })") }]);
        check(
            "`main` is never called: end with `return await main();`",
            &[Instruction::End { statement: text("return await main();") }],
        );
        check("write `b` instead of each `a`", &[Instruction::ReplaceEach { old: text("a"), new: text("b") }]);
        check("a typed array: return `f(...)` of it, or a text", &[Instruction::Return { template: text("f(...)") }]);
        check("out of time: the limit is 3 s", &[]);
    }
}
