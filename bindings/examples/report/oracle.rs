//! The oracles: programs for Node that ask the TypeScript compiler. They come with the corpus; without it `tsc` alone is asked.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// What is missing where the compiler is not there, and the way out.
pub(crate) const MISSING: &str = "needs Node.js and `cargo xtask test --node-packages`";

/// What `check.mjs` found, in percent.
pub(crate) struct Semantics {
    pub(crate) clean: f64,
    pub(crate) valid_accepted: f64,
    pub(crate) invalid_refused: f64,
}

/// Runs `harness/check.mjs` of the corpus on the declarations in `folder`.
pub(crate) fn check(harness: &Path, packages: &Path, folder: &Path, instances: &Path) -> Result<Semantics> {
    let result = folder.join("result.json");
    let output = Command::new("node")
        .arg(harness.join("check.mjs"))
        .arg(folder)
        .arg("--instances")
        .arg(instances)
        .arg("--json")
        .arg(&result)
        .env("NODE_PACKAGES", packages)
        .output()
        .context("node cannot be started")?;
    ensure!(output.status.success(), "check.mjs failed: {}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_slice(&std::fs::read(result)?)?;
    let number = |pointer: &str| {
        result.pointer(pointer).and_then(Value::as_f64).with_context(|| format!("check.mjs gave no `{pointer}`"))
    };
    Ok(Semantics {
        clean: number("/tsc_clean_pct")?,
        valid_accepted: number("/semantic/valid_accepted_pct")?,
        invalid_refused: number("/semantic/invalid_expressible_rejected_pct")?,
    })
}

/// What `check-generated.mjs` says against the declarations in `file`: nothing if they are inert.
pub(crate) fn check_generated(oracle: &Path, packages: &Path, file: &Path) -> Result<Option<String>> {
    let output = Command::new("node")
        .arg(oracle)
        .arg(file)
        .args(["--max-bytes", "262144"])
        .env("TYPESCRIPT", packages.join("node_modules"))
        .output()?;
    Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// What `tsc --strict` says against `file`: nothing if it is clean.
pub(crate) fn check_strict(packages: &Path, file: &Path) -> Result<Option<String>> {
    let output = Command::new("node")
        .arg(packages.join("node_modules/typescript/bin/tsc"))
        .args([
            "--strict",
            "--noEmit",
            "--target",
            "es2022",
            "--lib",
            "es2022",
            "--skipLibCheck",
            "false",
            "--skipDefaultLibCheck",
        ])
        .arg(file)
        .output()?;
    Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}
