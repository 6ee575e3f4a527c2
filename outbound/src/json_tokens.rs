//! JSON text as its tokens, without a tree: whatever is no JSON is still divided into parts that are the whole again.

/// A part of JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'json> {
    /// A string, with its quotation marks.
    String(&'json str),
    /// A number, `true`, `false`, `null`.
    Word(&'json str),
    /// Punctuation and white space.
    Between(&'json str),
}

impl<'json> Token<'json> {
    /// The text of it.
    pub(crate) fn text(self) -> &'json str {
        match self {
            Self::String(text) | Self::Word(text) | Self::Between(text) => text,
        }
    }
}

/// The tokens of `json`, in order: their texts together are the whole text.
pub(crate) fn tokens(json: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = json;
    std::iter::from_fn(move || {
        let first = *rest.as_bytes().first()?;
        let is_between = |byte: u8| matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':') || byte.is_ascii_whitespace();
        let end = match first {
            b'"' => Some(string_length(rest)),
            byte if is_between(byte) => rest.bytes().position(|byte| !is_between(byte)),
            _ => rest.bytes().position(|byte| is_between(byte) || byte == b'"'),
        };
        let (token, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(match first {
            b'"' => Token::String(token),
            byte if is_between(byte) => Token::Between(token),
            _ => Token::Word(token),
        })
    })
}

/// The length of the string at the beginning of `text`, to its closing quotation mark if it has one.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_are_the_whole_text() {
        use Token::{Between, String, Word};

        let json = r#"{"a\"b": [1.5e3,null]}"#;
        let expected =
            [Between("{"), String(r#""a\"b""#), Between(": ["), Word("1.5e3"), Between(","), Word("null"), Between("]}")];
        assert_eq!(tokens(json).collect::<Vec<_>>(), expected);
        for text in ["", "\"", "\"\\", "x\"y", "größe{\"é", "\"a\"\"b\""] {
            assert_eq!(tokens(text).map(Token::text).collect::<std::string::String>(), text);
        }
    }
}
