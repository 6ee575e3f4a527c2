//! Which V8 the lock file asks for: version, features, sources.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};
use cargo_metadata::Metadata;

use crate::workspace::Workspace;

/// The `v8` crate that the workspace builds with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LockedV8 {
    /// The crate's version, such as `150.4.0`.
    pub(crate) version: String,
    /// The crate's features that are on and change the archive, in the order of its file name.
    pub(crate) features: Vec<String>,
    /// The unpacked package of the crate: V8's sources are in it.
    pub(crate) source: PathBuf,
    /// The target that cargo builds for when it is not told another, such as `x86_64-unknown-linux-gnu`.
    pub(crate) target: String,
}

/// The crate's features that ask for another archive, with their part of its file name.
const ARCHIVE_FEATURES: [(&str, &str); 3] =
    [("v8_enable_pointer_compression", "ptrcomp"), ("v8_enable_sandbox", "sandbox"), ("simdutf", "simdutf")];

impl LockedV8 {
    /// Asks cargo, which fetches what the lock file names and Cargo home does not have yet.
    ///
    /// # Errors
    ///
    /// When cargo cannot resolve the workspace (no network and packages missing), or when the lock file holds no `v8`
    /// or more than one.
    pub(crate) fn read(workspace: &Workspace) -> anyhow::Result<Self> {
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(workspace.root().join("Cargo.toml"))
            .exec()
            .context("cargo cannot read the dependencies: if the network is closed, call `cargo fetch` where it is open")?;
        Self::among(&metadata, target()?)
    }

    fn among(metadata: &Metadata, target: String) -> anyhow::Result<Self> {
        let mut found = metadata.packages.iter().filter(|package| package.name.as_str() == "v8");
        let package = found.next().context("`Cargo.lock` holds no `v8`: nothing here needs an archive")?;
        if let Some(other) = found.next() {
            bail!(
                "`Cargo.lock` holds `v8` {} and {}, and only one V8 can be linked: use `cargo tree -i v8` to see who asks for which",
                package.version,
                other.version
            );
        }
        let resolved = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes).find(|node| node.id == package.id);
        let on = |name: &str| resolved.is_some_and(|node| node.features.iter().any(|feature| feature.as_str() == name));
        Ok(Self {
            version: package.version.to_string(),
            features: ARCHIVE_FEATURES.iter().filter(|(name, _)| on(name)).map(|(_, part)| (*part).to_owned()).collect(),
            source: package.manifest_path.parent().context("the package of `v8` has no folder")?.into(),
            target,
        })
    }

    /// The version of V8 itself, such as `15.0.245.2`, as its sources say it.
    ///
    /// # Errors
    ///
    /// When the package's sources lack `v8-version.h` or one of its four numbers.
    pub(crate) fn engine_version(&self) -> anyhow::Result<String> {
        let header = self.source.join("v8/include/v8-version.h");
        let text = fs::read_to_string(&header).with_context(|| format!("`{}` cannot be read", header.display()))?;
        engine_version(&text).with_context(|| format!("`{}` does not say V8's version", header.display()))
    }
}

fn engine_version(header: &str) -> Option<String> {
    let number = |name: &str| {
        let definition = format!("#define V8_{name} ");
        header.lines().find_map(|line| line.strip_prefix(definition.as_str())).map(str::trim)
    };
    let (major, minor) = (number("MAJOR_VERSION")?, number("MINOR_VERSION")?);
    let (build, patch) = (number("BUILD_NUMBER")?, number("PATCH_LEVEL")?);
    // V8 leaves a patch level of 0 out when it says its version.
    Some(if patch == "0" { format!("{major}.{minor}.{build}") } else { format!("{major}.{minor}.{build}.{patch}") })
}

/// The target of a plain `cargo build`.
fn target() -> anyhow::Result<String> {
    if let Ok(target) = env::var("CARGO_BUILD_TARGET") {
        return Ok(target);
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc).arg("-vV").output().context("`rustc` does not start: install Rust from rustup.rs")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("`rustc -vV` does not name its host")
}

#[cfg(test)]
impl LockedV8 {
    /// The V8 that tests ask about.
    pub(crate) fn example(source: &std::path::Path) -> Self {
        Self {
            version: "150.4.0".to_owned(),
            features: vec!["simdutf".to_owned()],
            source: source.to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
        }
    }
}
