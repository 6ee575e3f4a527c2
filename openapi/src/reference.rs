//! `$ref` within the document. Nothing is ever fetched: what lies elsewhere is said to be missing.

use serde_json::Value;

/// The most references that lead from one to the next.
const CHAIN_MAX: usize = 16;

/// The most bytes of a reference.
const REFERENCE_BYTES_MAX: usize = 2_000;

/// A reference that leads to nothing in this document.
#[expect(clippy::exhaustive_structs, reason = "a reference that leads nowhere is all there is to say")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{reference}` is not in the document: add it there, since nothing is fetched")]
pub struct Unresolved {
    /// The reference, shortened.
    pub reference: String,
}

/// What `value` means: itself, or what its `$ref` leads to.
pub(crate) fn resolve<'a>(document: &'a Value, value: &'a Value) -> Result<&'a Value, Unresolved> {
    let mut value = value;
    for _ in 0..CHAIN_MAX {
        match of(value) {
            None => return Ok(value),
            Some(reference) => value = find(document, reference).ok_or_else(|| unresolved(reference))?,
        }
    }
    Err(unresolved(of(value).unwrap_or_default()))
}

/// The reference that `value` is, if it is one.
pub(crate) fn of(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

/// What `reference` points to, by one step.
pub(crate) fn find<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#').filter(|pointer| pointer.len() <= REFERENCE_BYTES_MAX)?;
    let decoded = percent_encoding::percent_decode_str(pointer).decode_utf8().ok()?;
    document.pointer(&decoded)
}

pub(crate) fn unresolved(reference: &str) -> Unresolved {
    Unresolved { reference: reference.chars().filter(|c| !c.is_control()).take(200).collect() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_followed_within_the_document_and_nowhere_else() {
        let document = json!({
            "a": {"$ref": "#/b"}, "b": {"$ref": "#/c~1d/0"}, "c/d": [{"x": 1}], "with space": {"y": 2},
            "loop": {"$ref": "#/pool"}, "pool": {"$ref": "#/loop"}, "self": {"$ref": "#/self"}
        });
        assert_eq!(resolve(&document, &document["a"]).unwrap(), &json!({"x": 1}));
        for name in ["loop", "self"] {
            assert!(resolve(&document, &document[name]).is_err());
        }
        assert_eq!(find(&document, "#/with%20space"), Some(&json!({"y": 2})));
        for reference in ["#/missing", "other.yaml#/a", "https://example.com/a", "/a", "", "#a", "file:///etc/passwd"] {
            assert_eq!(find(&document, reference), None, "{reference}");
        }
    }
}
