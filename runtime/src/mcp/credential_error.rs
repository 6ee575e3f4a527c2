//! Why a credential cannot be got.

/// Why a source can give nothing now. Its text is for the operator, and no secret is in it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CredentialError {
    message: String,
    is_temporary: bool,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl CredentialError {
    /// An error that lasts until somebody does something about it.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_temporary: false, source: None }
    }

    /// The same, which may be gone at the next try.
    #[must_use]
    pub fn temporary(mut self) -> Self {
        self.is_temporary = true;
        self
    }

    /// The same, with its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether it may be gone at the next try.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.is_temporary
    }
}
