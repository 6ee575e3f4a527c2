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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TokenCount {
    /// The tokens.
    pub tokens: usize,
    /// Whether this is bytes / 4 rather than a tokenizer's count.
    pub estimate: bool,
}

/// How many tokens `text` has: an estimate, a quarter of its bytes.
#[must_use]
pub fn count_tokens(text: &str) -> TokenCount {
    TokenCount { tokens: text.len().div_ceil(4), estimate: true }
}
