//! MCP names to JavaScript identifiers: kept where they are identifiers, mapped injectively where they are not.
//!
//! The guest writes `github.create_issue(...)`, so the mapping is part of the public surface: changing it breaks
//! programs that a model has already learned to write. A name is what one would guess (`get-sum` is `get_sum`) unless another name of the
//! same server is in the way; then it has a suffix that depends on nothing but itself. Kept names are never in anybody's way but win, so
//! a newcomer takes the identifier of another name only if it is called so itself.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::hash::ContentHash;

/// The most characters that an identifier has.
pub const IDENTIFIER_LENGTH_MAX: usize = 64;

/// The most bytes that a raw name of a tool or a server has. MCP says 128 (2025-11-25, tools, "Tool Names"), as a SHOULD.
pub const RAW_NAME_BYTES_MAX: usize = 1024;

/// The most bytes of a raw name that a guest can use as it is.
const PROPERTY_BYTES_MAX: usize = 128;

/// Hex digits of the raw name's hash in a mapped name: 24 bits tell apart what looks the same once mapped.
const SUFFIX_LENGTH: usize = 6;

/// Words that no tool and no server is called in the isolate, sorted by their bytes (a test holds that).
///
/// ECMAScript's reserved words, in strict mode and in modules; its globals and those of the isolate, so that a namespace never shadows
/// one; members of `Object.prototype` and names that the language calls by itself (`then`, `toJSON`); `tools`, our own namespace.
const RESERVED: &[&str] = &[
    "AbortController",
    "AbortSignal",
    "AggregateError",
    "Array",
    "ArrayBuffer",
    "AsyncDisposableStack",
    "AsyncFunction",
    "AsyncGenerator",
    "AsyncGeneratorFunction",
    "AsyncIterator",
    "Atomics",
    "BigInt",
    "BigInt64Array",
    "BigUint64Array",
    "Boolean",
    "DOMException",
    "DataView",
    "Date",
    "Deno",
    "DisposableStack",
    "Error",
    "EvalError",
    "Event",
    "EventTarget",
    "FinalizationRegistry",
    "Float16Array",
    "Float32Array",
    "Float64Array",
    "Function",
    "Generator",
    "GeneratorFunction",
    "Infinity",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "Intl",
    "Iterator",
    "JSON",
    "Map",
    "Math",
    "NaN",
    "Number",
    "Object",
    "Promise",
    "Proxy",
    "RangeError",
    "ReferenceError",
    "Reflect",
    "RegExp",
    "Set",
    "SharedArrayBuffer",
    "String",
    "SuppressedError",
    "Symbol",
    "SyntaxError",
    "Temporal",
    "TextDecoder",
    "TextEncoder",
    "ToolError",
    "TypeError",
    "URIError",
    "URL",
    "URLSearchParams",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "WeakMap",
    "WeakRef",
    "WeakSet",
    "WebAssembly",
    "__bootstrap",
    "__defineGetter__",
    "__defineSetter__",
    "__isolet",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "arguments",
    "atob",
    "await",
    "break",
    "btoa",
    "case",
    "catch",
    "class",
    "clearInterval",
    "clearTimeout",
    "console",
    "const",
    "constructor",
    "continue",
    "crypto",
    "debugger",
    "decodeURI",
    "decodeURIComponent",
    "default",
    "delete",
    "do",
    "else",
    "encodeURI",
    "encodeURIComponent",
    "enum",
    "escape",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "globalThis",
    "hasOwnProperty",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "isFinite",
    "isNaN",
    "isPrototypeOf",
    "let",
    "new",
    "null",
    "package",
    "parseFloat",
    "parseInt",
    "private",
    "propertyIsEnumerable",
    "protected",
    "prototype",
    "public",
    "queueMicrotask",
    "return",
    "setInterval",
    "setTimeout",
    "static",
    "structuredClone",
    "super",
    "switch",
    "then",
    "this",
    "throw",
    "toJSON",
    "toLocaleString",
    "toString",
    "tools",
    "true",
    "try",
    "typeof",
    "undefined",
    "unescape",
    "valueOf",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// Whether `name` is kept to the letter: an ASCII identifier of at most [`IDENTIFIER_LENGTH_MAX`] characters that is no reserved
/// word, no global of the isolate and no trap.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    name.len() <= IDENTIFIER_LENGTH_MAX && is_word(name) && RESERVED.binary_search(&name).is_err()
}

/// The identifier under which a guest reaches the tool or server `name`, unless another name is in the way.
///
/// An identifier ([`is_identifier`]) stays as it is. In any other name each other character becomes `_`, a leading digit gets a `_`
/// before it, and what is too long is cut. If that is no identifier either (a reserved word), or is what another tool of its server, or
/// another server, is called or would be called, `_` with six hex digits of the raw name's hash is added.
///
/// ```
/// use isolet_bindings::name::identifier;
/// assert_eq!(identifier("list_repos"), "list_repos");
/// assert_eq!(identifier("create-issue"), "create_issue");
/// assert!(identifier("delete").starts_with("delete_"), "a reserved word has a suffix");
/// ```
#[must_use]
pub fn identifier(name: &str) -> String {
    let plain = plain(name, IDENTIFIER_LENGTH_MAX);
    if is_identifier(&plain) { plain } else { suffixed(name) }
}

/// The identifiers of `names`, in their order: all tools of one server, or all servers, none twice. Their order decides nothing.
///
/// A name that is kept has its own. Another has what one would guess, if it alone would have that; else it is [`suffixed`]. None where
/// even that is what another name is called.
pub(crate) fn identifiers(names: &[&str]) -> Vec<Option<String>> {
    let kept: HashSet<&str> = names.iter().copied().filter(|name| is_identifier(name)).collect();
    let mut guesses: HashMap<String, usize> = HashMap::new();
    // The name that has a suffixed identifier: the first of two, which share 24 bits of their hashes.
    let mut owners: HashMap<String, &str> = HashMap::new();
    for name in names.iter().copied().filter(|name| !kept.contains(name)) {
        *guesses.entry(plain(name, IDENTIFIER_LENGTH_MAX)).or_default() += 1;
        owners.entry(suffixed(name)).and_modify(|owner| *owner = name.min(*owner)).or_insert(name);
    }
    let of_name = |name: &str| {
        if kept.contains(name) {
            return Some(name.to_owned());
        }
        let guess = plain(name, IDENTIFIER_LENGTH_MAX);
        let is_free = is_identifier(&guess) && !kept.contains(guess.as_str()) && !owners.contains_key(&guess);
        if is_free && guesses[&guess] == 1 {
            return Some(guess);
        }
        let suffixed = suffixed(name);
        (owners[&suffixed] == name && !kept.contains(suffixed.as_str())).then_some(suffixed)
    };
    names.iter().map(|name| of_name(name)).collect()
}

/// What `name` may be called where it cannot be kept, and each of these without the suffix; nothing for a name that is kept.
pub(crate) fn other_names(name: &str) -> Vec<String> {
    if is_identifier(name) {
        return Vec::new();
    }
    let suffixed = suffixed(name);
    let mut names = vec![plain(name, IDENTIFIER_LENGTH_MAX), without_suffix(&suffixed).to_owned(), suffixed];
    names.dedup();
    names
}

/// Whether a guest may use `name` itself, as a property in quotes, beside the identifier that it has: it has no form of an identifier, so
/// that it is neither another tool's nor a name that the language calls by itself.
pub(crate) fn is_property(name: &str) -> bool {
    !is_word(name) && !name.is_empty() && name.len() <= PROPERTY_BYTES_MAX
}

/// The recognisable part of `name`, of at most `length_max` characters: what it is called if that is an identifier, and nobody else's.
fn plain(name: &str, length_max: usize) -> String {
    let mut plain = String::with_capacity(IDENTIFIER_LENGTH_MAX);
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        plain.push('_');
    }
    for character in name.chars() {
        if plain.len() >= length_max {
            break;
        }
        plain.push(if is_word_character(character) { character } else { '_' });
    }
    plain
}

/// The identifier of a name that cannot have what one would guess: its recognisable part and a suffix from its hash.
pub(crate) fn suffixed(name: &str) -> String {
    let mut suffixed = plain(name, IDENTIFIER_LENGTH_MAX - SUFFIX_LENGTH - 1);
    let hash = ContentHash::of([name.as_bytes()]);
    suffixed.push('_');
    for byte in &hash.as_bytes()[..SUFFIX_LENGTH / 2] {
        write!(suffixed, "{byte:02x}").expect("a string takes every write");
    }
    suffixed
}

/// What is left of an identifier that [`suffixed`] made without the suffix that it added.
pub(crate) fn without_suffix(identifier: &str) -> &str {
    let length = identifier.len().saturating_sub(SUFFIX_LENGTH + 1);
    identifier.get(..length).filter(|rest| !rest.is_empty()).unwrap_or(identifier)
}

/// Whether `text` has the form of an identifier, reserved or not: what TypeScript takes as a property name without quotes.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(|first: char| first.is_ascii_digit()) && text.chars().all(is_word_character)
}

fn is_word_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one place in this file that knows how names are produced.
    #[track_caller]
    fn check(raw_names: &[&str], expected: &str) {
        let identifiers: Vec<String> = raw_names.iter().map(|name| identifier(name)).collect();
        assert_eq!(identifiers.join(" "), expected);
    }

    #[test]
    fn the_reserved_words_are_sorted() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn an_identifier_is_kept() {
        check(
            &["create_issue", "createIssue", "$", "_", "fetch", "async", "name"],
            "create_issue createIssue $ _ fetch async name",
        );
    }

    #[test]
    fn the_longest_identifier_is_kept_and_one_more_is_mapped() {
        let longest = "a".repeat(IDENTIFIER_LENGTH_MAX);
        assert_eq!(identifier(&longest), longest);
        let longer = "a".repeat(IDENTIFIER_LENGTH_MAX + 1);
        assert_eq!(identifier(&longer), longest);
        let suffixed = identifiers(&[&longest, &longer])[1].clone().unwrap_or_default();
        assert!(suffixed.len() == IDENTIFIER_LENGTH_MAX && is_identifier(&suffixed) && suffixed != longest, "{suffixed}");
    }

    #[test]
    fn reserved_words_globals_and_traps_are_mapped() {
        for name in [
            "delete",
            "await",
            "Promise",
            "URL",
            "console",
            "tools",
            "then",
            "__proto__",
            "constructor",
            "toJSON",
            "setTimeout",
        ] {
            assert!(identifier(name).starts_with(&format!("{name}_")), "{name}");
        }
    }

    /// Whatever the order in which they are listed.
    #[track_caller]
    fn check_together(raw_names: &[&str], expected: &[&str]) {
        let found = |names: &[&str]| identifiers(names).into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>();
        assert_eq!(found(raw_names), expected);
        let reversed = |names: &[&str]| names.iter().rev().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let names = reversed(raw_names);
        assert_eq!(found(&names.iter().map(String::as_str).collect::<Vec<_>>()), reversed(expected));
    }

    #[test]
    fn a_name_is_what_one_would_guess_unless_another_is_in_the_way() {
        check_together(&["get-sum"], &["get_sum"]);
        check_together(&["get-sum", "echo", "get-env"], &["get_sum", "echo", "get_env"]);
        check_together(&["get-sum", "get_sum"], &["get_sum_73fbf2", "get_sum"]);
        check_together(&["get-sum", "get.sum"], &["get_sum_73fbf2", &suffixed("get.sum")]);
        check_together(&["2d", "_2d", "delete"], &[&suffixed("2d"), "_2d", &suffixed("delete")]);
    }

    #[test]
    fn what_is_spelled_like_a_suffixed_name_gives_way_or_wins_as_any_other() {
        check_together(&["get-sum", "get_sum", "get_sum_73fbf2"], &["", "get_sum", "get_sum_73fbf2"]);
        check_together(&["get-sum", "get_sum_73fbf2"], &["get_sum", "get_sum_73fbf2"]);
        let spelled = suffixed("get-sum-73fbf2");
        check_together(&["get-sum", "get_sum", "get-sum-73fbf2"], &["get_sum_73fbf2", "get_sum", &spelled]);
    }

    #[test]
    fn a_newcomer_takes_no_name_but_its_own() {
        let together = |names: &[&str]| identifiers(names).into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>();
        assert_eq!(together(&["get-sum", "get_sum"])[1], "get_sum");
        for newcomer in ["get.sum", "get sum", "get_env", "get_sum_73fbf2", "get-sum-73fbf2"] {
            assert_ne!(together(&["get-sum", newcomer])[1], "get_sum", "{newcomer}");
        }
    }

    #[test]
    fn what_looks_the_same_once_mapped_stays_apart() {
        let names = ["get-user", "get.user", "get user", "get/user", "get\u{200b}user"];
        let mut identifiers: Vec<String> = identifiers(&names).into_iter().flatten().collect();
        identifiers.sort();
        identifiers.dedup();
        assert_eq!(identifiers.len(), names.len());
    }

    #[test]
    fn only_a_name_that_is_no_word_is_a_property_too() {
        assert!(is_property("get-sum") && is_property("2d") && is_property("\u{e9}"));
        for name in ["get_sum", "then", "__proto__", "delete", "", &"-".repeat(PROPERTY_BYTES_MAX + 1)] {
            assert!(!is_property(name), "{name}");
        }
    }

    #[test]
    fn a_name_beyond_ascii_is_mapped_not_a_panic() {
        assert_eq!(identifier("\u{e9}t\u{e9}"), "_t_");
        assert!(is_identifier(&identifier("1\u{1f600}")));
        assert!(is_identifier(&identifier("")));
    }
}
