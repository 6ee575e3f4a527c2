//! MCP names to JavaScript identifiers: kept where they are identifiers, mapped injectively where they are not.
//!
//! The guest writes `github.create_issue(...)`, so the mapping is part of the public surface: changing it breaks
//! programs that a model has already learned to write. It looks at one name alone, so adding a tool or a server never renames another.

use std::fmt::Write as _;

use crate::hash::ContentHash;

/// The most characters that an identifier has.
pub const IDENTIFIER_LENGTH_MAX: usize = 64;

/// The most bytes that a raw name of a tool or a server has. MCP says 128 (2025-11-25, tools, "Tool Names"), as a SHOULD.
pub const RAW_NAME_BYTES_MAX: usize = 1024;

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

/// The identifier under which a guest reaches the tool or server `name`.
///
/// An identifier ([`is_identifier`]) stays as it is. In any other name each other character becomes `_`, a leading digit gets a `_`
/// before it, what is too long is cut, and `_` with six hex digits of the raw name's hash is added. A name may be spelled like what
/// another one is mapped to: of two such tools of a server a catalog keeps the first, and says so.
///
/// ```
/// use isolet_bindings::name::identifier;
/// assert_eq!(identifier("list_repos"), "list_repos");
/// assert_eq!(identifier("create-issue"), "create_issue_a2458b");
/// ```
#[must_use]
pub fn identifier(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { mapped(name) }
}

/// The identifier of a name that cannot be kept: its recognisable part and a suffix from its hash.
pub(crate) fn mapped(name: &str) -> String {
    let length_max = IDENTIFIER_LENGTH_MAX - SUFFIX_LENGTH - 1;
    let mut mapped = String::with_capacity(IDENTIFIER_LENGTH_MAX);
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        mapped.push('_');
    }
    for character in name.chars() {
        if mapped.len() == length_max {
            break;
        }
        mapped.push(if is_word_character(character) { character } else { '_' });
    }
    let hash = ContentHash::of([name.as_bytes()]);
    mapped.push('_');
    for byte in &hash.as_bytes()[..SUFFIX_LENGTH / 2] {
        write!(mapped, "{byte:02x}").expect("a string takes every write");
    }
    mapped
}

/// What is left of an identifier that [`mapped`] made without the suffix that it added.
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
        let mapped = identifier(&"a".repeat(IDENTIFIER_LENGTH_MAX + 1));
        assert!(mapped.starts_with("aaa") && mapped.len() == IDENTIFIER_LENGTH_MAX && is_identifier(&mapped), "{mapped}");
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

    #[test]
    fn what_looks_the_same_once_mapped_stays_apart() {
        let names = ["get-user", "get.user", "get user", "get/user", "get\u{200b}user"];
        let mut identifiers: Vec<String> = names.iter().map(|name| identifier(name)).collect();
        identifiers.sort();
        identifiers.dedup();
        assert_eq!(identifiers.len(), names.len());
    }

    #[test]
    fn a_name_beyond_ascii_is_mapped_not_a_panic() {
        assert!(identifier("\u{e9}t\u{e9}").starts_with("_t__"));
        assert!(is_identifier(&identifier("1\u{1f600}")));
        assert!(is_identifier(&identifier("")));
    }
}
