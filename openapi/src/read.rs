//! A document's text, JSON or YAML, becomes a value: bounded in bytes, depth and what YAML's aliases unfold.

use serde_json::Value;

use crate::fault::{DOCUMENT_BYTES_MAX, DocumentError};

/// The most levels that a document nests.
pub const DOCUMENT_DEPTH_MAX: usize = 120;

/// The most values in a document, those that YAML's aliases repeat included. GitHub's has a quarter of a million.
const VALUES_MAX: usize = 1_000_000;

/// The most values that YAML's aliases repeat.
const ALIASED_MAX: usize = 200_000;

/// The stack of the thread that parses YAML.
const PARSER_STACK_BYTES: usize = 32 << 20;

/// Reads `text`, which is JSON if it begins with a brace and YAML otherwise.
pub(crate) fn value(text: &[u8]) -> Result<Value, DocumentError> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentError::TooLarge { bytes: text.len() });
    }
    let text = std::str::from_utf8(text).map_err(|_| DocumentError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        if json_values(text.as_bytes()) > VALUES_MAX {
            return Err(DocumentError::NotRead { detail: format!("it has more than {VALUES_MAX} values") });
        }
        // serde_json stops at 128 levels by itself.
        serde_json::from_str(text).map_err(|error| DocumentError::NotRead { detail: one_line(&error.to_string()) })
    } else {
        yaml(text)
    }
}

/// At least as many values as `text`, which is JSON, has: each begins the text, or follows one of these.
pub(crate) fn json_values(text: &[u8]) -> usize {
    let (mut count, mut in_text, mut is_escaped) = (1, false, false);
    for byte in text {
        match *byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' | b',' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

/// The parser goes down a level of its own stack for each level of the document, some 20 KB in a build without optimisation; what the
/// caller has left of its stack nobody knows.
fn yaml(text: &str) -> Result<Value, DocumentError> {
    let not_read = |detail: String| DocumentError::NotRead { detail };
    std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().name("yaml".to_owned()).stack_size(PARSER_STACK_BYTES);
        let parser = parser.spawn_scoped(scope, || parse_yaml(text)).map_err(|error| not_read(error.to_string()))?;
        parser.join().unwrap_or_else(|_| Err(not_read("the parser gave up".to_owned())))
    })
}

fn parse_yaml(text: &str) -> Result<Value, DocumentError> {
    let budget = serde_saphyr::budget! {
        max_depth: DOCUMENT_DEPTH_MAX,
        max_events: 2 * VALUES_MAX,
        max_nodes: VALUES_MAX,
        max_total_scalar_bytes: DOCUMENT_BYTES_MAX,
        max_recorded_anchor_events: ALIASED_MAX,
        max_recorded_anchor_bytes: DOCUMENT_BYTES_MAX,
        max_reader_input_bytes: Some(DOCUMENT_BYTES_MAX),
    };
    let aliases = serde_saphyr::alias_limits! { max_total_replayed_events: ALIASED_MAX };
    // As YAML 1.2 has it: `no` is a word.
    let options = serde_saphyr::options! { budget: budget, alias_limits: aliases, strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| DocumentError::NotRead { detail: one_line(&error.to_string()) })
}

/// The first line of a parser's message, at most 200 characters.
fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use serde_json::json;

    use super::*;

    #[test]
    fn json_and_yaml_are_the_same_document() {
        let expected = json!({"a": {"200": [1, 2.5, null, true, "x", "2020-01-01", "no", "1.0.0"]}});
        assert_eq!(value(expected.to_string().as_bytes()).unwrap(), expected);
        assert_eq!(value(b"\xef\xbb\xbf{\"a\": 1}").unwrap(), json!({"a": 1}));
        assert_eq!(value(b"# comment\na:\n  200: [1, 2.5, null, true, x, 2020-01-01, no, 1.0.0]\n").unwrap(), expected);
        assert_eq!(value(b"a: &x {b: 1}\nc: *x\n").unwrap(), json!({"a": {"b": 1}, "c": {"b": 1}}));
        assert_eq!(value(b"a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n").unwrap()["c"]["d"], json!(2));
    }

    #[test]
    fn what_is_neither_is_refused_with_a_reason() {
        for text in [&b"{\"a\": }"[..], b"a: [1", b"\xff\xfe", b"a: 1\na: 2\n", b"{\"a\": 1} trailing", b"*missing"] {
            let error = value(text).unwrap_err().to_string();
            assert!(error.starts_with("the document "), "{error}");
        }
    }

    #[test]
    fn bombs_do_not_go_off() {
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            laughs.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        assert!(matches!(value(laughs.as_bytes()), Err(DocumentError::NotRead { .. })));
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("a: {", "}"), ("a: [", "]")]
        {
            for depth in [130, 4_000, 200_000] {
                let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                assert!(matches!(value(deep.as_bytes()), Err(DocumentError::NotRead { .. })), "{open}");
            }
        }
        let deep: String = (0..3_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        assert!(matches!(value(deep.as_bytes()), Err(DocumentError::NotRead { .. })));
        assert!(matches!(value(&vec![b' '; DOCUMENT_BYTES_MAX + 1]), Err(DocumentError::TooLarge { .. })));
    }

    /// A value takes up to a hundred times the memory of its text.
    #[test]
    fn a_document_of_too_many_values_is_not_read_in_either_notation() {
        for inner in ["{\"\":0},", "[],", "0,"] {
            let list = inner.repeat(VALUES_MAX + 1);
            let json = format!("{{\"a\":[{list}0]}}");
            assert!(json.len() < DOCUMENT_BYTES_MAX);
            let error = value(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("values"), "{error}");
        }
        let yaml = format!("a: [{}0]", "0,".repeat(VALUES_MAX + 1));
        assert!(matches!(value(yaml.as_bytes()), Err(DocumentError::NotRead { .. })));
        let text = format!("{{\"a\": \"{}\", \"b\": \"\\\"{}\"}}", "{[,".repeat(VALUES_MAX), ",".repeat(VALUES_MAX));
        assert!(value(text.as_bytes()).is_ok(), "what stands in a text is no value");
    }
}
