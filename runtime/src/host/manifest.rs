//! The bindings of a scope, as a guest process gets them.

use isolet_bindings::Scope;

use super::run_error::RunError;

/// The JSON of a scope's bindings. Without it no run of the scope could call anything, so there is none then.
pub(crate) fn manifest_of(scope: &Scope) -> Result<String, RunError> {
    serde_json::to_string(scope.manifest())
        .map_err(|error| RunError::bug(format!("the manifest of a scope is no JSON: {error}")))
}
