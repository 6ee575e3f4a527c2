//! The base snapshot: an isolate that has run the bootstrap JavaScript and nothing else.
//!
//! It is made at build time by a process of its own and embedded in the library (SECURITY.md S-80, S-83): deno_core's
//! snapshot mode sets flags for the whole process, among them a fixed random seed.

use deno_core::{JsRuntime, JsRuntimeForSnapshot, RuntimeOptions, v8};

use crate::flags::{self, Jit};
use crate::{bootstrap, ops};

/// The bootstrap JavaScript failed while a snapshot was made: a fault of this crate.
#[derive(Debug, thiserror::Error)]
#[error("the bootstrap JavaScript failed in `{file}`")]
pub struct BootstrapError {
    /// The file that failed.
    pub file: &'static str,
    /// What it threw.
    #[source]
    pub source: deno_core::error::CoreError,
}

/// Makes the base snapshot. At most once in a process, and in no process that does anything else with V8.
///
/// # Errors
///
/// [`BootstrapError`] with the file that threw.
pub fn make(jit: Jit) -> Result<Box<[u8]>, BootstrapError> {
    flags::set(jit);
    JsRuntime::init_platform(Some(v8::new_single_threaded_default_platform(false).make_shared()));
    let failed = |file| move |source| BootstrapError { file, source };

    // deno_core asks for a runtime that it can spawn on; nothing is ever spawned.
    let entered = tokio::runtime::Builder::new_current_thread().build().map_err(|error| failed("tokio")(error.into()))?;
    let _guard = entered.enter();

    let options = RuntimeOptions { extensions: vec![ops::extension(ops::Use::Snapshot)], ..Default::default() };
    let mut runtime = JsRuntimeForSnapshot::try_new(options).map_err(failed("deno_core"))?;
    for (file, text) in bootstrap::FILES {
        runtime.execute_script(file, text).map_err(|error| failed(file)(error.into()))?;
    }
    Ok(runtime.snapshot())
}
