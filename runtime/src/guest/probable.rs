//! What a text that is no program probably is, in words: a module, Python, a shell command, a function that lacks its `async`.

use swc_ecma_ast::{ImportDecl, ImportSpecifier, ModuleDecl, ModuleExportName, ModuleItem};

use super::lacking_async;
use super::slip;
use super::syntax::{self, SyntaxError, position_in};
use crate::contract::facts::Said;

/// The first words of commands that a shell has.
const COMMANDS: [&str; 36] = [
    "awk", "bash", "cat", "cd", "chmod", "cp", "curl", "docker", "echo", "export", "find", "gh", "git", "grep", "head", "jq",
    "kubectl", "ls", "mkdir", "mv", "node", "npm", "npx", "pip", "psql", "pwd", "python", "python3", "rm", "sed", "sh", "sudo",
    "tail", "touch", "wget", "which",
];
/// Names that are taken of a module.
const NAMES_MAX: usize = 10;

/// The error, with what the text probably is.
pub(super) fn explained(text: &str, error: SyntaxError) -> SyntaxError {
    if let Some(line) = python(text) {
        return at_line(text, line, "this looks like Python: write TypeScript, the body of an async function");
    }
    if let Some(line) = shell(text) {
        return at_line(text, line, "this looks like a command for a shell, and there is none: call the tools, in TypeScript");
    }
    if is_json(text) {
        let message = "this is JSON: send the program that is in it alone, without quotes around it".to_owned();
        return SyntaxError::at(position_in(text, text.len() - text.trim_start().len()), message);
    }
    if let Some((place, said)) = import(text) {
        let message = "`import` is not available".to_owned();
        return SyntaxError { message, position: Some(position_in(text, place)), said: Some(Box::new(said)) };
    }
    if error.message.contains("Unterminated template") {
        let message = "a backtick (`) begins a text that no other one ends: remove it, or end the text".to_owned();
        return SyntaxError { message, ..error };
    }
    if let Some(position) = error.position.filter(|position| lacking_async::is_to_blame(text, *position)) {
        let remedy = match lacking_async::head(text, position) {
            Some(head) => format!("write `async {head}` instead of `{head}`"),
            None => "write `async` before the function that it stands in".to_owned(),
        };
        return SyntaxError { message: format!("`await` is only valid in an `async` function: {remedy}"), ..error };
    }
    if is_formatted_text(text, &error) {
        return SyntaxError {
            message: "this looks like Python: a text with values in it stands in backticks, each value as `${value}`"
                .to_owned(),
            ..error
        };
    }
    slip::found(text, &error).unwrap_or(error)
}

/// Whether a text is an object of JSON.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Whether what the parser did not expect is the quote of Python's `f"..."`.
fn is_formatted_text(text: &str, error: &SyntaxError) -> bool {
    let place = error.position.and_then(|position| lacking_async::byte_of(text, position));
    let Some((before, after)) = place.and_then(|place| text.split_at_checked(place)) else { return false };
    let is_alone = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.'));
    after.starts_with(['"', '\'']) && before.strip_suffix('f').is_some_and(is_alone)
}

fn at_line(text: &str, line: usize, message: &str) -> SyntaxError {
    let start = text.split_inclusive('\n').take(line).map(str::len).sum();
    SyntaxError::at(position_in(text, start), message.to_owned())
}

/// The first line that only Python has.
fn python(text: &str) -> Option<usize> {
    let is_name =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ',' | ' '));
    text.lines().position(|line| {
        let line = line.trim();
        let opens = |words: &[&str]| line.ends_with(':') && words.iter().any(|word| line.starts_with(word));
        let imports = line.strip_prefix("import ").is_some_and(is_name)
            || (line.starts_with("from ")
                && line.split_once(" import ").is_some_and(|(module, names)| is_name(module) && is_name(names)));
        imports
            || opens(&["def ", "async def ", "elif ", "except", "with ", "async with "])
            || (opens(&["for ", "if ", "while "]) && !line.contains('('))
            || is_comprehension(line)
            || line.starts_with("print(f\"")
            || line.starts_with("print(f'")
    })
}

/// Whether a line has a list that is made of another one: `[issue["title"] for issue in issues]`.
fn is_comprehension(line: &str) -> bool {
    let Some((before, after)) = line.split_once(" for ") else { return false };
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ',' | ' '));
    before.contains('[') && after.contains(']') && after.split_once(" in ").is_some_and(|(names, _)| is_name(names))
}

/// The first line that says something, if it is a command.
fn shell(text: &str) -> Option<usize> {
    let place = text.lines().position(|line| !line.trim().is_empty() && !line.trim().starts_with('#'))?;
    let line = text.lines().nth(place)?.trim();
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let (command, rest) = line.split_once(' ')?;
    let is_command = COMMANDS.contains(&command) && !rest.trim_start().starts_with(['=', '(', '.', '+', ',', ';']);
    is_command.then_some(place)
}

/// The first import of a module, and where it stands.
fn import(text: &str) -> Option<(usize, Said)> {
    // What comes after the imports may be no module: a `return`.
    let head: usize = text.split_inclusive('\n').take_while(|line| is_head(line)).map(str::len).sum();
    let tree = syntax::module(text).or_else(|| syntax::module(&text[..head]))?;
    tree.items.iter().find_map(|item| match item {
        ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => Some((tree.bytes(import.span).start, said(import))),
        _ => None,
    })
}

/// Whether a line may be one of those that a module begins with.
fn is_head(line: &str) -> bool {
    let line = line.trim();
    let begins = ["import ", "import{", "//", "/*", "*", "}", "\"use strict\"", "'use strict'"];
    line.is_empty() || begins.iter().any(|begin| line.starts_with(begin)) || (line.ends_with(',') && !line.contains('('))
}

fn said(import: &ImportDecl) -> Said {
    let name = |specifier: &ImportSpecifier| match specifier {
        ImportSpecifier::Named(named) => match &named.imported {
            Some(ModuleExportName::Ident(name)) => name.sym.to_string(),
            _ => named.local.sym.to_string(),
        },
        ImportSpecifier::Default(default) => default.local.sym.to_string(),
        ImportSpecifier::Namespace(namespace) => namespace.local.sym.to_string(),
    };
    let module = import.src.value.to_string_lossy().chars().take(100).collect();
    let names = import.specifiers.iter().take(NAMES_MAX).map(name).map(|name| name.chars().take(100).collect()).collect();
    Said::Import { module, names }
}

#[cfg(test)]
mod tests {
    use swc_common::{GLOBALS, Globals};

    use super::*;
    use crate::guest::program::Program;

    #[track_caller]
    fn check(text: &str, message: &str, line: u32) {
        let error = Program::new(text, 100).err().unwrap_or_default();
        assert!(error.message.contains(message), "{text}: {}", error.message);
        assert_eq!(error.position.map(|position| position.line), Some(line), "{text}");
    }

    #[test]
    fn python_and_commands_are_called_what_they_are() {
        check("import json\n\nprint(json)", "Python", 1);
        check("x = 1\nfor name in x:\n    print(name)", "Python", 2);
        check("# list\n$ ls -la /srv", "shell", 2);
        check("const f = 1;\nls -la of", "xpect", 2);
        check("const a = 1;\nreturn f\"{a}\";", "`${value}`", 2);
        check("\n{\"code\": \"return 1\"}", "this is JSON", 2);
    }

    #[test]
    fn a_lacking_async_and_a_stray_backtick_are_named() {
        check("const f = (x) => {\n  return await x.y();\n};\nreturn f(1);", "`async`", 2);
        check("return 1;\n`", "backtick", 2);
    }

    #[test]
    fn an_import_is_told_with_what_it_takes() {
        let error = Program::new("import a, { b as c } from \"d\";\nreturn c;", 100).err().unwrap_or_default();
        let names = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(error.said, Some(Box::new(Said::Import { module: "d".to_owned(), names })));
        assert!(GLOBALS.set(&Globals::new(), || import("const text = 'import a';")).is_none());
    }
}
