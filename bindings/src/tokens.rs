//! How much of a model's context a text takes.

use serde::Serialize;

/// The most tokens that [`crate::Scope::types`] spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenBudget(usize);

impl TokenBudget {
    /// Everything in full.
    pub const UNLIMITED: Self = Self(usize::MAX);

    /// At most `tokens`.
    #[must_use]
    pub const fn new(tokens: usize) -> Self {
        Self(tokens)
    }

    /// The number of tokens.
    #[must_use]
    pub const fn tokens(self) -> usize {
        self.0
    }
}

/// A number of tokens and how it was found.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TokenCount {
    /// The tokens.
    pub tokens: usize,
    /// Whether this is bytes / 4 rather than a tokenizer's count.
    pub estimate: bool,
}

/// How many tokens `text` has: OpenAI's `o200k_base`, text that looks like a special token included.
#[cfg(feature = "tokens")]
#[must_use]
pub fn count_tokens(text: &str) -> TokenCount {
    TokenCount { tokens: tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len(), estimate: false }
}

/// How many tokens `text` has: an estimate, a quarter of its bytes. The feature `tokens` counts them.
#[cfg(not(feature = "tokens"))]
#[must_use]
pub fn count_tokens(text: &str) -> TokenCount {
    TokenCount { tokens: text.len().div_ceil(4), estimate: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_says_how_it_was_found() {
        let count = count_tokens("declare namespace github {");
        assert_eq!(count.estimate, cfg!(not(feature = "tokens")));
        assert_eq!(count.tokens, if count.estimate { 7 } else { 4 });
        assert_eq!(count_tokens("").tokens, 0);
    }
}
