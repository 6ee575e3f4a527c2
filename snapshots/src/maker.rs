//! Makes snapshots: an isolate without one runs the bootstrap JavaScript, and has the bindings of a scope installed if it is to.
//!
//! In a process of its own, always (SECURITY.md S-80, S-83): deno_core's snapshot mode sets flags for the whole process, among
//! them a fixed random seed, and no guest's code ever ran there.

use deno_core::{JsRuntime, JsRuntimeForSnapshot, RuntimeOptions, v8};

use crate::{bootstrap, flags, ops};

/// A snapshot could not be made.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The bootstrap JavaScript failed: a fault of this crate.
    #[error("the bootstrap JavaScript failed in `{file}`")]
    Bootstrap {
        /// The file that failed.
        file: &'static str,
        /// What it threw.
        #[source]
        source: deno_core::error::CoreError,
    },
    /// The manifest is no JSON, or the glue threw while it installed it.
    #[error("the bindings could not be installed: their manifest is not one that this build makes")]
    Bindings,
}

/// An isolate that is to become a snapshot. At most one in a process, and in no process that does anything else with V8.
pub struct Maker {
    runtime: JsRuntimeForSnapshot,
    /// deno_core asks for a runtime that it can spawn on; nothing is ever spawned.
    _entered: tokio::runtime::EnterGuard<'static>,
}

impl Maker {
    /// Starts V8 with these flags and runs the bootstrap JavaScript.
    ///
    /// # Errors
    ///
    /// [`MakeError::Bootstrap`] with the file that threw.
    pub fn start(flags: &str) -> Result<Self, MakeError> {
        flags::set(flags);
        JsRuntime::init_platform(Some(v8::new_single_threaded_default_platform(false).make_shared()));
        let failed = |file| move |source| MakeError::Bootstrap { file, source };
        let tokio = tokio::runtime::Builder::new_current_thread().build().map_err(|error| failed("tokio")(error.into()))?;
        // For the rest of the process: there is one.
        let entered = Box::leak(Box::new(tokio)).enter();
        let options = RuntimeOptions { extensions: vec![ops::extension(ops::Use::Snapshot)], ..Default::default() };
        let mut runtime = JsRuntimeForSnapshot::try_new(options).map_err(failed("deno_core"))?;
        for (file, text) in bootstrap::FILES {
            runtime.execute_script(file, text).map_err(|error| failed(file)(error.into()))?;
        }
        Ok(Self { runtime, _entered: entered })
    }

    /// Makes the frozen namespaces of a scope. `manifest`: JSON of names, which enter as data and never as source text.
    ///
    /// # Errors
    ///
    /// [`MakeError::Bindings`] for a manifest that is none.
    pub fn install(&mut self, manifest: &str) -> Result<(), MakeError> {
        deno_core::scope!(scope, self.runtime);
        installed(scope, manifest).ok_or(MakeError::Bindings)
    }

    /// The snapshot.
    #[must_use]
    pub fn finish(self) -> Box<[u8]> {
        self.runtime.snapshot()
    }
}

/// Calls the `install` of the bootstrap JavaScript. `None` where V8 has an exception instead.
fn installed(scope: &mut v8::PinScope<'_, '_>, manifest: &str) -> Option<()> {
    v8::tc_scope!(let scope, scope);
    let manifest = v8::String::new(scope, manifest)?;
    let manifest = v8::json::parse(scope, manifest)?;
    let isolet = v8::String::new(scope, "__isolet")?;
    let install = v8::String::new(scope, "install")?;
    let isolet = scope.get_current_context().global(scope).get(scope, isolet.into())?;
    let install = v8::Local::<v8::Object>::try_from(isolet).ok()?.get(scope, install.into())?;
    let receiver = v8::undefined(scope).into();
    v8::Local::<v8::Function>::try_from(install).ok()?.call(scope, receiver, &[manifest]).map(drop)
}
