//! V8's sources: the package of the `v8` crate, the ICU data file that it lacks, and changes for clang 22.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::work_folder::WorkFolder;
use crate::console::say;
use crate::locked::LockedV8;
use crate::workspace::Workspace;

/// The crate with the ICU data file, and the major version of ICU whose data it has.
const ICU_DATA_CRATE: &str = "deno_core_icudata";
const ICU_DATA_VERSION: &str = "0.77.0";
const ICU_DATA_CHECKSUM: &str = "a9efff8990a82c1ae664292507e1a5c6749ddd2312898cdf9cd7cb1fd4bc64c6";
const ICU_MAJOR: &str = "77";

/// A change to one file of the sources: `from` must be there, exactly once.
struct Change {
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

/// Flags that clang 22 does not know. They choose diagnostics, sanitizer exceptions and an optimisation that the older
/// compiler does not have.
const CHANGES: [Change; 3] = [
    Change {
        file: "build/config/sanitizers/sanitizers.gni",
        from: "        \"-fsanitize-ignore-for-ubsan-feature=${invoker.sanitizer}\",\n",
        to: "",
    },
    Change {
        file: "build/config/compiler/BUILD.gn",
        from: "      cflags += [ \"-fdiagnostics-show-inlining-chain\" ]\n",
        to: "      cflags += []\n",
    },
    Change {
        file: "build/config/compiler/BUILD.gn",
        from: "      cflags += [ \"-fno-lifetime-dse\" ]\n",
        to: "      cflags += []\n",
    },
];

/// Copies and changes the sources; does nothing where that was done.
///
/// # Errors
///
/// When they cannot be copied, are of a V8 that this build does not know, or the ICU data file cannot be fetched.
pub(crate) fn prepare(locked: &LockedV8, folder: &WorkFolder, workspace: &Workspace) -> anyhow::Result<()> {
    let target = folder.source();
    if target.exists() {
        return Ok(());
    }
    say("V8: copying the sources");
    check_icu(&locked.source)?;
    let part = folder.path().join("source.part");
    if part.exists() {
        fs::remove_dir_all(&part).with_context(|| format!("`{}` cannot be removed", part.display()))?;
    }
    copy_folder(&locked.source, &part).with_context(|| {
        format!("`{}` cannot be copied to `{}`: see to space there, and call again", locked.source.display(), part.display())
    })?;
    // It asks rustup for a toolchain, which would be downloaded.
    fs::remove_file(part.join("rust-toolchain.toml")).context("the package of `v8` has no `rust-toolchain.toml`")?;
    for change in &CHANGES {
        change.apply(&part)?;
    }
    let data = fetch_icu_data(folder, workspace)?;
    let place = part.join("third_party/icu/common");
    fs::create_dir_all(&place).with_context(|| format!("`{}` cannot be made", place.display()))?;
    fs::copy(&data, place.join("icudtl.dat")).with_context(|| format!("`{}` cannot be copied", data.display()))?;
    fs::rename(&part, &target).with_context(|| format!("`{}` cannot be made", target.display()))
}

impl Change {
    fn apply(&self, source: &Path) -> anyhow::Result<()> {
        let path = source.join(self.file);
        let text = fs::read_to_string(&path).with_context(|| format!("the package of `v8` has no `{}`", self.file))?;
        let changed = self.changed(&text).with_context(|| {
            format!("`{}` is not as this build knows it: this version of the `v8` crate needs changes here first", self.file)
        })?;
        write(&path, &changed)
    }

    fn changed(&self, text: &str) -> Option<String> {
        (text.matches(self.from).count() == 1).then(|| text.replacen(self.from, self.to, 1))
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("`{}` cannot be written", path.display()))
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Checks that the sources are of the ICU whose data file is known here.
fn check_icu(source: &Path) -> anyhow::Result<()> {
    let header = source.join("third_party/icu/source/common/unicode/uvernum.h");
    let text = fs::read_to_string(&header).with_context(|| format!("`{}` cannot be read", header.display()))?;
    let line = format!("#define U_ICU_VERSION_MAJOR_NUM {ICU_MAJOR}\n");
    ensure!(
        text.contains(&line),
        "the sources of `v8` are not of ICU {ICU_MAJOR}, whose data `{ICU_DATA_CRATE}` {ICU_DATA_VERSION} has: \
         this version of the `v8` crate needs changes here first"
    );
    Ok(())
}

/// Fetches the crate with the ICU data by a package of no other use, and gives the path of the file in it.
fn fetch_icu_data(folder: &WorkFolder, workspace: &Workspace) -> anyhow::Result<std::path::PathBuf> {
    let package = folder.path().join("icu-data");
    fs::create_dir_all(package.join("src")).with_context(|| format!("`{}` cannot be made", package.display()))?;
    write(&package.join("src/lib.rs"), "")?;
    write(&package.join("Cargo.toml"), &icu_manifest())?;
    write(&package.join("Cargo.lock"), &icu_lock_file())?;
    let metadata = cargo_metadata::MetadataCommand::new()
        .cargo_path(workspace.cargo().get_program())
        .manifest_path(package.join("Cargo.toml"))
        .other_options(vec!["--locked".to_owned()])
        .exec()
        .with_context(|| format!("the crate `{ICU_DATA_CRATE}` cannot be fetched: see to the network, and call again"))?;
    let found = metadata.packages.iter().find(|package| package.name.as_str() == ICU_DATA_CRATE);
    let manifest = &found.with_context(|| format!("cargo did not fetch `{ICU_DATA_CRATE}`"))?.manifest_path;
    Ok(manifest.parent().context("a package has no folder")?.join("src/icudtl.dat").into())
}

fn icu_manifest() -> String {
    format!(
        "[package]\nname = \"icu-data\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{ICU_DATA_CRATE} = \"={ICU_DATA_VERSION}\"\n\n[workspace]\n"
    )
}

/// A lock file, so that what comes is what this build was tried with.
fn icu_lock_file() -> String {
    format!(
        "version = 4\n\n[[package]]\nname = \"{ICU_DATA_CRATE}\"\nversion = \"{ICU_DATA_VERSION}\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{ICU_DATA_CHECKSUM}\"\n\n\
         [[package]]\nname = \"icu-data\"\nversion = \"0.0.0\"\ndependencies = [\n \"{ICU_DATA_CRATE}\",\n]\n"
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn a_change_needs_its_text_exactly_once() {
        let change = Change { file: "any", from: "old\n", to: "new\n" };
        assert_eq!(change.changed("a\nold\nb\n").unwrap(), "a\nnew\nb\n");
        assert_eq!(change.changed("a\nb\n"), None);
        assert_eq!(change.changed("old\nold\n"), None);
    }

    #[test]
    fn sources_of_another_icu_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let unicode = folder.path().join("third_party/icu/source/common/unicode");
        fs::create_dir_all(&unicode).unwrap();
        fs::write(unicode.join("uvernum.h"), "#define U_ICU_VERSION_MAJOR_NUM 77\n").unwrap();
        check_icu(folder.path()).unwrap();
        fs::write(unicode.join("uvernum.h"), "#define U_ICU_VERSION_MAJOR_NUM 78\n").unwrap();
        let said = check_icu(folder.path()).unwrap_err().to_string();
        assert!(said.starts_with("the sources of `v8` are not of ICU 77"), "{said}");
    }

    #[test]
    fn folders_are_copied_whole() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(from.path().join("a/b")).unwrap();
        fs::write(from.path().join("a/b/file"), "text").unwrap();
        copy_folder(from.path(), &to.path().join("copy")).unwrap();
        assert_eq!(fs::read_to_string(to.path().join("copy/a/b/file")).unwrap(), "text");
    }
}
