//! Which keys of a reply are names, and which may be somebody's secret.

use crate::name::is_word;

/// The most characters of a name.
const LENGTH_MAX: usize = 40;
/// The most digits of a name: what has more is a number, or one of many like it.
const DIGITS_MAX: usize = 4;
/// A word of so many characters that has a digit is a token.
const TOKEN_LENGTH_MIN: usize = 16;

/// Whether a key is a name: a short identifier that people have made, as far as that shows.
pub(super) fn is_name(key: &str) -> bool {
    key.len() <= LENGTH_MAX && key != "__proto__" && is_word(key) && !is_token(key)
}

/// Whether an identifier looks like a number or a token: `user_10293`, `AKIAIOSFODNN7EXAMPLE`.
fn is_token(key: &str) -> bool {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    digits(key) > DIGITS_MAX || key.split(['_', '$']).any(|word| word.len() >= TOKEN_LENGTH_MIN && digits(word) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_make_stay() {
        for name in
            ["id", "createdAt", "iso8601", "sha256", "address_line_1", "_links", "$ref", "default", "constructor", "x86_64"]
        {
            assert!(is_name(name), "{name}");
        }
    }

    #[test]
    fn numbers_and_tokens_are_no_names() {
        for key in [
            "user_10293",
            "AKIAIOSFODNN7EXAMPLE",
            "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
            "d41d8cd98f00b204e9800998ecf8427e",
            "id-1",
            "1a",
        ] {
            assert!(!is_name(key), "{key}");
        }
    }
}
