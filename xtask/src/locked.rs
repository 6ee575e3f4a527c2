//! Which V8 the lock file asks for: version, features, sources.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, anyhow, bail};
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
        let metadata =
            cargo_metadata::MetadataCommand::new().manifest_path(workspace.root().join("Cargo.toml")).exec().map_err(
                |error| anyhow!("cargo cannot resolve `Cargo.lock` ({}): see to the network, and call again", reason(&error)),
            )?;
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

/// What cargo said, in one line: it says its reason first, and then where it comes from.
fn reason(error: &cargo_metadata::Error) -> String {
    let cargo_metadata::Error::CargoMetadata { stderr } = error else { return error.to_string() };
    let said = stderr.lines().map(str::trim).find_map(|line| line.strip_prefix("error: "));
    said.or_else(|| stderr.lines().last()).unwrap_or("no reason given").to_owned()
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    /// What `cargo metadata` says of a workspace with these packages, the last with `features`.
    fn among(packages: &[(&str, &str)], features: &[&str]) -> anyhow::Result<LockedV8> {
        let id = |name: &str, version: &str| format!("registry+https://registry.example#{name}@{version}");
        let list: Vec<String> = packages
            .iter()
            .map(|(name, version)| {
                let id = id(name, version);
                format!(
                    r#"{{"name":"{name}","version":"{version}","id":"{id}","dependencies":[],"targets":[],"features":{{}},
                       "manifest_path":"/registry/{name}-{version}/Cargo.toml","edition":"2024"}}"#
                )
            })
            .collect();
        let nodes: Vec<String> = packages
            .iter()
            .map(|(name, version)| {
                let id = id(name, version);
                let features: Vec<String> = features.iter().map(|feature| format!("\"{feature}\"")).collect();
                format!(r#"{{"id":"{id}","dependencies":[],"deps":[],"features":[{}]}}"#, features.join(","))
            })
            .collect();
        let text = format!(
            r#"{{"packages":[{}],"workspace_members":[],"resolve":{{"nodes":[{}],"root":null}},
               "workspace_root":"/w","target_directory":"/w/target","version":1,"metadata":null}}"#,
            list.join(","),
            nodes.join(",")
        );
        LockedV8::among(&cargo_metadata::MetadataCommand::parse(text)?, "x86_64-unknown-linux-gnu".to_owned())
    }

    #[test]
    fn the_version_and_the_features_of_the_archive_are_read() {
        let locked = among(&[("serde", "1.0.0"), ("v8", "150.4.0")], &["default", "simdutf", "use_custom_libcxx"]).unwrap();
        assert_eq!(locked, LockedV8::example(std::path::Path::new("/registry/v8-150.4.0")));
        let locked = among(&[("v8", "150.4.0")], &["v8_enable_sandbox", "v8_enable_pointer_compression"]).unwrap();
        assert_eq!(locked.features, ["ptrcomp", "sandbox"]);
    }

    #[test]
    fn no_v8_and_two_are_refused() {
        let said = among(&[("serde", "1.0.0")], &[]).unwrap_err().to_string();
        assert_eq!(said, "`Cargo.lock` holds no `v8`: nothing here needs an archive");
        let said = among(&[("v8", "150.4.0"), ("v8", "152.2.0")], &[]).unwrap_err().to_string();
        assert!(said.starts_with("`Cargo.lock` holds `v8` 150.4.0 and 152.2.0, and only one V8 can be linked: "), "{said}");
    }

    #[test]
    fn the_engine_s_version_is_the_one_of_its_header() {
        let header = "#define V8_MAJOR_VERSION 15\n#define V8_MINOR_VERSION 0\n#define V8_BUILD_NUMBER 245\n";
        assert_eq!(engine_version(&format!("{header}#define V8_PATCH_LEVEL 2\n")).unwrap(), "15.0.245.2");
        assert_eq!(engine_version(&format!("{header}#define V8_PATCH_LEVEL 0\n")).unwrap(), "15.0.245");
        assert_eq!(engine_version(header), None);
    }

    #[test]
    fn what_cargo_says_becomes_one_line() {
        let stderr = "warning: slow\nerror: no matching package named `v8` found\nlocation searched: the index\n".to_owned();
        let error = cargo_metadata::Error::CargoMetadata { stderr };
        assert_eq!(reason(&error), "no matching package named `v8` found");
    }
}
