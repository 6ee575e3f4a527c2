//! `cargo xtask release`: everything that is passed on, made from one build: an archive, a wheel, npm packages, a bill of materials, checksums.
//!
//! The same program, sources and time give the same bytes, whatever machine packs them: nothing here asks the clock, a user's name or the order of a
//! folder.

mod checksums;
mod entry;
mod ingredients;
mod linkage;
mod npm;
mod package;
mod parts;
mod program;
mod sbom;
mod shell_help;
mod sizes;
mod stamp;
mod tarball;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use flate2::Compression;

use self::entry::Entry;
use self::ingredients::Ingredients;
use self::package::{Kind, Package};
use self::program::Program;
use self::stamp::Stamp;
use crate::consent::Consent;
use crate::console::{answer, say};
use crate::v8;
use crate::workspace::Workspace;

/// What `cargo xtask release` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Package this program instead of building one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Where the packages go, instead of `dist` in the target folder; packages that are there are replaced
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
    /// For a trial of the packages: compress little, hold no bound of size, make no bill of materials
    #[arg(long)]
    trial: bool,
    #[command(flatten)]
    consent: Consent,
}

/// Makes the packages, and prints what they and their largest parts take.
///
/// # Errors
///
/// When V8 cannot be had, a tool is missing, the program is of another version or needs more of a system than its packages may say, or when a package
/// is larger than its bound.
pub(crate) fn run(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    look_for_tools(arguments.trial, workspace)?;
    let built = match &arguments.program {
        Some(program) => program.clone(),
        None => build(&arguments.consent, workspace)?,
    };
    let folder = arguments.to.clone().unwrap_or_else(|| workspace.target().join("dist"));
    make(&built, &folder, arguments.trial, workspace)?;
    Ok(ExitCode::SUCCESS)
}

/// Packages `built` into `folder`.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn make(built: &Path, folder: &Path, is_trial: bool, workspace: &Workspace) -> anyhow::Result<()> {
    let program = Program::of(built, workspace)?;
    let stamp = Stamp::of(workspace)?;
    let ingredients = Ingredients {
        workspace,
        program: &program,
        licences: ["LICENSE-APACHE", "LICENSE-MIT"]
            .into_iter()
            .map(|name| Entry::read(name, &workspace.root().join(name)))
            .collect::<anyhow::Result<_>>()?,
        sbom: if is_trial { None } else { Some(sbom::of(&program, stamp, workspace)?) },
        stamp,
        effort: if is_trial { Compression::fast() } else { Compression::best() },
    };
    let mut packages = vec![archive(&ingredients)?, wheel::wheel(&ingredients)?];
    packages.extend(npm::packages(&ingredients)?);
    if let Some(sbom) = &ingredients.sbom {
        packages.push(Package { name: sbom.path.clone(), bytes: sbom.contents.to_vec(), kind: Kind::Document });
    }
    packages.push(checksums::of(&packages));
    write(&packages, folder)?;
    answer(sizes::table(&program, &packages));
    if is_trial { Ok(()) } else { sizes::hold(&program, &packages) }
}

/// Says what is missing before a build that takes the better part of an hour, not after it.
fn look_for_tools(is_trial: bool, workspace: &Workspace) -> anyhow::Result<()> {
    Stamp::of(workspace)?;
    program::strip()?;
    if !is_trial {
        sbom::tool(workspace)?;
    }
    npm::compiler(workspace).map(drop)
}

/// The release build of the program.
fn build(consent: &Consent, workspace: &Workspace) -> anyhow::Result<PathBuf> {
    v8::ensure(consent, workspace)?;
    // All of the workspace decides about features: what is tested is what is packaged.
    let status = workspace.cargo().args(["build", "--release", "--locked", "--workspace", "--bin", "isolet"]).status();
    ensure!(status.context("cargo does not start")?.success(), "the program does not build: see above");
    Ok(workspace.target().join("release/isolet"))
}

/// What whoever wants the program alone takes, and `cargo binstall` (`server/Cargo.toml`).
fn archive(of: &Ingredients<'_>) -> anyhow::Result<Package> {
    let top = format!("isolet-{}-{}", of.program.version, of.program.target);
    let mut entries = vec![Entry::program("isolet", of.program.stripped.clone())];
    entries.extend(shell_help::entries(&of.program.path)?);
    for name in ["README.md", "CHANGELOG.md", "SECURITY.md", "Containerfile"] {
        entries.push(Entry::read(name, &of.workspace.root().join(name))?);
    }
    entries.extend(of.licences.iter().chain(&of.sbom).cloned());
    let bytes = tarball::tarball(&top, entries, of.stamp, of.effort)?;
    Ok(Package { name: format!("{top}.tar.gz"), bytes, kind: Kind::Archive })
}

/// Writes them, in place of packages that were there before.
fn write(packages: &[Package], folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Names of ours alone: the folder may be anybody's.
        let is_package = name.starts_with("isolet-") && [".tar.gz", ".whl", ".tgz"].iter().any(|end| name.ends_with(end));
        if is_package {
            fs::remove_file(entry.path()).with_context(|| format!("`{}` cannot be removed", entry.path().display()))?;
        }
    }
    for package in packages {
        let path = folder.join(&package.name);
        fs::write(&path, &package.bytes).with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    say(format!("{} files in `{}`", packages.len(), folder.display()));
    Ok(())
}
