//! The packages for Node.js: one that drives the program and depends on nothing, and one with the program for this platform, which npm installs beside
//! it where it fits, as esbuild does it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value, json};

use super::entry::Entry;
use super::ingredients::Ingredients;
use super::package::{Kind, Package};
use super::shell_help::output;
use super::tarball::tarball;
use crate::test_packages;
use crate::workspace::Workspace;

/// Where the package is in the checkout.
const FOLDER: &str = "clients/node";
/// Everything in a package for npm is in a folder of this name.
const TOP: &str = "package";

/// Both packages.
///
/// # Errors
///
/// When TypeScript cannot be had or the package does not compile, or when it does not name the other one at the version of the program.
pub(super) fn packages(of: &Ingredients<'_>) -> anyhow::Result<Vec<Package>> {
    Ok(vec![library(of)?, with_program(of)?])
}

/// The name of the package with the program: `@isolet/linux-x64`.
fn name_of_program(of: &Ingredients<'_>) -> String {
    let (system, processor) = of.program.node_platform();
    format!("@isolet/{system}-{processor}")
}

/// The package that drives the program.
fn library(of: &Ingredients<'_>) -> anyhow::Result<Package> {
    let folder = of.workspace.root().join(FOLDER);
    let text = std::fs::read_to_string(folder.join("package.json")).context("`clients/node/package.json` cannot be read")?;
    let manifest: Map<String, Value> = serde_json::from_str(&text).context("`clients/node/package.json` is no object")?;
    let version = &of.program.version;
    let (own, wanted) = (&manifest["version"], &manifest["optionalDependencies"][&name_of_program(of)]);
    ensure!(
        own == version && wanted == version,
        "`{FOLDER}` is of version {own} and wants the program's at {wanted}: both have to be {version}"
    );
    let compiled = tempfile::tempdir()?;
    compile(&folder, compiled.path(), of)?;
    let mut entries = vec![
        Entry::file("package.json", manifest_text(passed_on(manifest))),
        Entry::read("README.md", &folder.join("README.md"))?,
    ];
    entries.extend(Entry::read_all("dist", compiled.path())?);
    entries.extend(of.licences.iter().cloned());
    let bytes = tarball(TOP, entries, of.stamp, of.effort)?;
    Ok(Package { name: format!("isolet-{version}.tgz"), bytes, kind: Kind::NpmLibrary })
}

/// A manifest without what is for the checkout alone.
fn passed_on(mut manifest: Map<String, Value>) -> Map<String, Value> {
    for name in ["scripts", "devDependencies"] {
        manifest.shift_remove(name);
    }
    manifest
}

fn manifest_text(manifest: impl Into<Value>) -> Vec<u8> {
    format!("{:#}\n", manifest.into()).into_bytes()
}

/// Makes JavaScript of the package, with the TypeScript of the tests.
fn compile(folder: &Path, to: &Path, of: &Ingredients<'_>) -> anyhow::Result<()> {
    output(compiler(of.workspace)?.arg("--project").arg(folder).arg("--outDir").arg(to))
        .map(drop)
        .context("the package for Node.js does not compile")
}

/// TypeScript, which knows the types of Node.js.
///
/// # Errors
///
/// When it cannot be had.
pub(super) fn compiler(workspace: &Workspace) -> anyhow::Result<Command> {
    let node = which::which("node").context("`node` is missing: install Node.js 20 or later")?;
    test_packages::NODE.install(workspace)?;
    let modules = test_packages::NODE.folder(workspace).join("node_modules");
    let mut compiler = Command::new(node);
    compiler.arg(modules.join("typescript/bin/tsc")).arg("--typeRoots").arg(modules.join("@types"));
    Ok(compiler)
}

/// The package with the program.
fn with_program(of: &Ingredients<'_>) -> anyhow::Result<Package> {
    let (system, processor) = of.program.node_platform();
    let (version, name) = (&of.program.version, name_of_program(of));
    let glibc = of.program.glibc;
    let manifest = json!({
        "name": name,
        "version": version,
        "description": format!("The program of the package `isolet` for {system} on {processor} with glibc {glibc} or later"),
        "license": "MIT OR Apache-2.0",
        "os": [system],
        "cpu": [processor],
        "libc": ["glibc"],
        // What is executed is no member of an archive.
        "preferUnplugged": true,
        "files": ["bin"],
    });
    let readme = format!(
        "# {name}\n\nThe program of the package [`isolet`](https://www.npmjs.com/package/isolet), which installs this one where it fits.\n"
    );
    let mut entries = vec![
        Entry::file("package.json", manifest_text(manifest)),
        Entry::file("README.md", readme.into_bytes()),
        Entry::program("bin/isolet", of.program.stripped.clone()),
    ];
    entries.extend(of.licences.iter().chain(&of.sbom).cloned());
    let bytes = tarball(TOP, entries, of.stamp, of.effort)?;
    Ok(Package { name: format!("isolet-{system}-{processor}-{version}.tgz"), bytes, kind: Kind::NpmProgram })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_checkout_alone_is_not_passed_on() {
        let manifest =
            json!({ "name": "isolet", "scripts": {}, "optionalDependencies": {}, "devDependencies": { "typescript": "5" } });
        let Value::Object(manifest) = manifest else { unreachable!("an object is written above") };
        assert_eq!(Value::Object(passed_on(manifest)), json!({ "name": "isolet", "optionalDependencies": {} }));
    }
}
