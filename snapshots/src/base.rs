//! The base snapshot: an isolate that has run the bootstrap JavaScript and nothing else.
//!
//! It is made at build time and embedded in the library (SECURITY.md S-80).

use crate::maker::{MakeError, Maker};

/// Makes the base snapshot. At most once in a process, and in no process that does anything else with V8. `flags`: those of V8.
///
/// # Errors
///
/// [`MakeError::Bootstrap`] with the file that threw.
pub fn make(flags: &str) -> Result<Box<[u8]>, MakeError> {
    Ok(Maker::start(flags)?.finish())
}
