//! The package for Python as a wheel that holds the program, as `maturin` lays it out for `bindings = "bin"`.
//!
//! maturin itself builds the program that it packs, so that it would not be the one of the archive, and setuptools gives a wheel with a program no tag
//! of its own. The format is a zip archive with a list of its files (PEP 427, core metadata 2.4), and its bytes are ours to keep the same.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::entry::Entry;
use super::ingredients::Ingredients;
use super::package::{Kind, Package};
use super::stamp::Stamp;

/// Where the package is in the checkout.
const FOLDER: &str = "clients/python";

/// The part of `pyproject.toml` that a wheel repeats.
#[derive(Deserialize)]
struct Manifest {
    project: Project,
}

/// What PEP 621 names so.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Project {
    name: String,
    description: String,
    requires_python: String,
    license: String,
    classifiers: Vec<String>,
    dependencies: Vec<String>,
}

/// The wheel.
///
/// # Errors
///
/// When a file of the package cannot be read, or it is of another version than the program.
pub(super) fn wheel(of: &Ingredients<'_>) -> anyhow::Result<Package> {
    let folder = of.workspace.root().join(FOLDER);
    let read =
        |name: &str| std::fs::read_to_string(folder.join(name)).with_context(|| format!("`{FOLDER}/{name}` cannot be read"));
    let project =
        toml::from_str::<Manifest>(&read("pyproject.toml")?).context("`pyproject.toml` cannot be understood")?.project;
    let version = &of.program.version;
    ensure!(
        read("src/isolet/_runtime.py")?.contains(&format!("\nVERSION = \"{version}\"\n")),
        "`{FOLDER}` is of another version than the program, which is {version}"
    );
    let tag = format!("py3-none-{}", of.program.wheel_platform());
    let top = format!("{}-{version}", project.name);
    let mut entries = Entry::read_all(&project.name, &folder.join("src").join(&project.name))?;
    entries.push(Entry::program(format!("{top}.data/scripts/isolet"), of.program.stripped.clone()));
    let information = format!("{top}.dist-info");
    let metadata = metadata(&project, version, &read("README.md")?, &of.licences);
    entries.push(Entry::file(format!("{information}/METADATA"), metadata.into_bytes()));
    entries.push(Entry::file(format!("{information}/WHEEL"), wheel_file(&tag).into_bytes()));
    entries.extend(of.licences.iter().map(|licence| licence.below(&format!("{information}/licenses"))));
    entries.extend(of.sbom.iter().map(|sbom| sbom.below(&format!("{information}/sboms"))));
    let record = format!("{information}/RECORD");
    entries.push(Entry::file(record.clone(), record_file(&entries, &record).into_bytes()));
    Ok(Package { name: format!("{top}-{tag}.whl"), bytes: zip(&entries, of.stamp, of.effort)?, kind: Kind::Wheel })
}

/// Core metadata, with the README as its description.
fn metadata(project: &Project, version: &str, readme: &str, licences: &[Entry]) -> String {
    let mut text = format!(
        "Metadata-Version: 2.4\nName: {}\nVersion: {version}\nSummary: {}\nLicense-Expression: {}\n",
        project.name, project.description, project.license
    );
    let lines = [
        ("License-File", licences.iter().map(|licence| licence.path.clone()).collect::<Vec<_>>()),
        ("Classifier", project.classifiers.clone()),
        ("Requires-Dist", project.dependencies.clone()),
        ("Requires-Python", vec![project.requires_python.clone()]),
        ("Description-Content-Type", vec!["text/markdown".to_owned()]),
    ];
    for (name, values) in lines {
        // Writing to a text cannot fail.
        values.iter().for_each(|value| _ = writeln!(text, "{name}: {value}"));
    }
    text + "\n" + readme
}

/// Not pure: what is beside the modules is for one platform.
fn wheel_file(tag: &str) -> String {
    format!("Wheel-Version: 1.0\nGenerator: isolet-xtask ({})\nRoot-Is-Purelib: false\nTag: {tag}\n", env!("CARGO_PKG_VERSION"))
}

/// The list of all files with their checksums, without one of itself.
fn record_file(entries: &[Entry], record: &str) -> String {
    let mut text = String::new();
    for entry in entries {
        let sum = URL_SAFE_NO_PAD.encode(Sha256::digest(&entry.contents));
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{},sha256={sum},{}", entry.path, entry.contents.len());
    }
    text + record + ",,\n"
}

/// A zip archive of these files, in this order: the list of files last, as installers like it.
fn zip(entries: &[Entry], stamp: Stamp, effort: Compression) -> anyhow::Result<Vec<u8>> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for entry in entries {
        let file = archive
            .new_file(entry.path.as_str())
            .compression_method(CompressionMethod::DEFLATE)
            // A regular file, as `stat` has it: installers look whether it is one.
            .unix_permissions(0o100_000 | entry.mode())
            .last_modified(UtcDateTime::from_unix(stamp.seconds()));
        let (mut writer, config) = file.start()?;
        let mut data = config.wrap(DeflateEncoder::new(&mut writer, effort));
        io::copy(&mut &*entry.contents, &mut data)?;
        data.flush()?;
        let (encoder, written) = data.finish()?;
        encoder.finish()?;
        writer.finish(written)?;
    }
    Ok(archive.finish()?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn entries() -> Vec<Entry> {
        vec![
            Entry::file("isolet/__init__.py", b"VERSION = 1\n".as_slice()),
            Entry::program("isolet-1.data/scripts/isolet", b"#!".as_slice()),
        ]
    }

    #[test]
    fn the_record_has_a_checksum_for_every_file_but_itself() {
        let text = record_file(&entries(), "isolet-1.dist-info/RECORD");
        // As `printf 'VERSION = 1\n' | openssl sha256 -binary | basenc --base64url` has it.
        let module = "isolet/__init__.py,sha256=4Mud69tWMCW3wRgX7BYZjaB2CQ1G2-6MzEw9WKNzSrk,12";
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[0], lines[2]), (3, module, "isolet-1.dist-info/RECORD,,"));
    }

    #[test]
    fn the_same_files_give_the_same_archive_with_their_modes() {
        let pack = || zip(&entries(), Stamp::OF_TESTS, Compression::fast()).unwrap();
        let packed = pack();
        assert_eq!(packed, pack());
        let archive = rawzip::ZipArchive::from_slice(&packed).unwrap();
        let modes: Vec<_> = archive
            .entries()
            .map(|entry| {
                let entry = entry.unwrap();
                (String::from_utf8(entry.file_path().as_ref().to_vec()).unwrap(), entry.mode().value() & 0o777)
            })
            .collect();
        assert_eq!(modes, [("isolet/__init__.py".to_owned(), 0o644), ("isolet-1.data/scripts/isolet".to_owned(), 0o755)]);
    }

    #[test]
    fn the_metadata_is_that_of_the_project() {
        let project = Project {
            name: "isolet".to_owned(),
            description: "Runs it".to_owned(),
            requires_python: ">=3.10".to_owned(),
            license: "MIT".to_owned(),
            classifiers: vec!["Typing :: Typed".to_owned()],
            dependencies: Vec::new(),
        };
        let expected = "Metadata-Version: 2.4\nName: isolet\nVersion: 1\nSummary: Runs it\nLicense-Expression: MIT\nLicense-File: LICENSE-MIT\n\
            Classifier: Typing :: Typed\nRequires-Python: >=3.10\nDescription-Content-Type: text/markdown\n\n# isolet\n";
        assert_eq!(metadata(&project, "1", "# isolet\n", &[Entry::file("LICENSE-MIT", b"".as_slice())]), expected);
    }
}
