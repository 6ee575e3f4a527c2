//! What is wrong with a document, or with one operation of it. Why a call failed is [`crate::CallError`].

use crate::reference::Unresolved;

/// The most bytes of a document.
pub const DOCUMENT_BYTES_MAX: usize = 32 << 20;

/// A text that is no OpenAPI document that can be used.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    #[error("the document has {bytes} bytes, more than {DOCUMENT_BYTES_MAX}: take one without examples, or split it")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the document is not UTF-8 text: save it as that")]
    NotText,
    /// Neither JSON nor YAML, or too deep, or unfolding to too much.
    #[error("the document cannot be read, {detail}: correct it")]
    NotRead {
        /// What the parser says.
        detail: String,
    },
    /// Not OpenAPI 3.
    #[error("the document says it is `{version}`: only OpenAPI 3.0 and later is read, so convert it")]
    Version {
        /// What it says it is.
        version: String,
    },
    /// No paths, or none that can be used.
    #[error("the document has no `paths` with an operation in it: nothing can be called")]
    NoOperation,
}

/// Why an operation is no tool. Its neighbours stay.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// It refers to something that is not there.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// Not an object.
    #[error("it is not an object: correct it in the document")]
    NotAnObject,
    /// A path that no request can have.
    #[error("its path cannot be called, {what}: correct it in the document")]
    Path {
        /// What is wrong.
        what: String,
    },
    /// Parameters that are none.
    #[error("its parameters are no list of objects with names: correct them in the document")]
    Parameters,
    /// A parameter that cannot be given.
    #[error("its parameter `{name}` {what}: correct it in the document")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// More parameters than are taken.
    #[error("it has more than {max} parameters: nobody could fill them in")]
    TooManyParameters {
        /// The most.
        max: usize,
    },
    /// Beyond the most operations, or bytes of definitions, of a document.
    #[error("the document has more operations than are taken: split it, or take out what is not needed")]
    TooMany,
}
