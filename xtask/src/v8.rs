//! Sees to it that plain cargo finds V8: `cargo xtask v8`, and the first step of every task that links V8.
//!
//! The ways, in this order: the archive is there already; a folder `../shared/v8` beside the checkout has it; the
//! releases of the `v8` crate can be reached; it is built from source. What is about to happen is said before it does.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};

use crate::archive::{self, Examined, Unfit, Variables, Wanted};
use crate::consent::Consent;
use crate::console::{answer, say};
use crate::download;
use crate::locked::LockedV8;
use crate::source_build;
use crate::workspace::Workspace;

/// What `cargo xtask v8` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Build V8 from source, even where an archive is there or can be had
    #[arg(long, conflicts_with_all = ["archive", "check", "print"])]
    from_source: bool,
    /// Take this archive, packed or not, if it fits the lock file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["check", "print"])]
    archive: Option<PathBuf>,
    /// Say what is there and whether it fits the lock file; ends with 1 if it does not
    #[arg(long, conflicts_with = "print")]
    check: bool,
    /// Print the file that plain cargo looks for
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    consent: Consent,
}

/// Runs `cargo xtask v8`.
///
/// # Errors
///
/// When the archive that was asked for does not fit, or none can be had.
pub(crate) fn run(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let locked = LockedV8::read(workspace)?;
    let wanted = Wanted::new(&locked, workspace.cargo_home(), &Variables::read())?;
    if arguments.print {
        answer(wanted.path.display());
    } else if arguments.check {
        return Ok(check(&wanted));
    } else if let Some(file) = &arguments.archive {
        take(file, &wanted)?;
    } else if arguments.from_source {
        refuse_variable(&wanted)?;
        source_build::run(&locked, &wanted, &arguments.consent, workspace)?;
    } else {
        get(&locked, &wanted, &arguments.consent, workspace)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Sees to it that plain cargo finds V8; does nothing where it does.
///
/// # Errors
///
/// When no way leads to an archive; the error names the ways out.
pub(crate) fn ensure(consent: &Consent, workspace: &Workspace) -> anyhow::Result<()> {
    let locked = LockedV8::read(workspace)?;
    let wanted = Wanted::new(&locked, workspace.cargo_home(), &Variables::read())?;
    get(&locked, &wanted, consent, workspace)
}

fn get(locked: &LockedV8, wanted: &Wanted, consent: &Consent, workspace: &Workspace) -> anyhow::Result<()> {
    match archive::examine(&wanted.path, wanted) {
        Ok(_) => return Ok(()),
        Err(Unfit::Missing) => refuse_variable(wanted)?,
        Err(Unfit::Broken(reason)) => {
            refuse_variable(wanted)?;
            say(format!("V8: `{}` is of no use ({reason}) and will be replaced", wanted.path.display()));
        }
    }
    if shared(wanted, workspace)? {
        return Ok(());
    }
    match download::archive(wanted) {
        Ok(()) => return Ok(()),
        Err(error) => say(format!("V8: the released archive cannot be had: {error:#}")),
    }
    source_build::run(locked, wanted, consent, workspace)
}

/// Refuses to put an archive anywhere while `RUSTY_V8_ARCHIVE` sends cargo to a file of the user's.
fn refuse_variable(wanted: &Wanted) -> anyhow::Result<()> {
    ensure!(
        !wanted.by_variable,
        "`RUSTY_V8_ARCHIVE` is `{}`, and there is no archive that fits: unset the variable, or let it name one that does",
        wanted.address
    );
    Ok(())
}

fn check(wanted: &Wanted) -> ExitCode {
    let (place, remedy) = if wanted.by_variable {
        ("named by `RUSTY_V8_ARCHIVE`", "unset the variable, or let it name another file")
    } else {
        ("where plain cargo looks", "call `cargo xtask v8`")
    };
    match archive::examine(&wanted.path, wanted) {
        Ok(examined) => {
            answer(format!(
                "{}: {place}: V8 {}, {}",
                wanted.path.display(),
                wanted.engine_version,
                described(&examined, wanted)
            ));
            ExitCode::SUCCESS
        }
        Err(Unfit::Missing) => {
            answer(format!("{}: {place}: nothing there: {remedy}", wanted.path.display()));
            ExitCode::FAILURE
        }
        Err(Unfit::Broken(reason)) => {
            answer(format!("{}: {place}: {reason}: {remedy}", wanted.path.display()));
            ExitCode::FAILURE
        }
    }
}

fn described(examined: &Examined, wanted: &Wanted) -> String {
    let (packed, unpacked) = (examined.packed_bytes / 1_000_000, examined.unpacked_bytes / 1_000_000);
    format!("{} ({} object files, {packed} MB, {unpacked} MB unpacked): fits the lock file", wanted.target, examined.members)
}

/// Takes an archive that the user has.
fn take(file: &Path, wanted: &Wanted) -> anyhow::Result<()> {
    refuse_variable(wanted)?;
    match archive::examine(file, wanted) {
        Ok(examined) => {
            archive::place(file, wanted)?;
            say(format!("V8 {} is in place: {}", wanted.engine_version, described(&examined, wanted)));
            Ok(())
        }
        Err(Unfit::Missing) => bail!("there is no file `{}`: give the path of an archive", file.display()),
        Err(Unfit::Broken(reason)) => {
            bail!("`{}` is not taken: {reason}: the one wanted is `{}`", file.display(), wanted.file_name())
        }
    }
}

/// Takes the archive from the folder `../shared/v8`, if there is one with this archive; says whether it did.
fn shared(wanted: &Wanted, workspace: &Workspace) -> anyhow::Result<bool> {
    let Some(folder) = workspace.root().parent().map(|parent| parent.join("shared/v8")) else { return Ok(false) };
    if !folder.join("install.sh").is_file() || !folder.join(wanted.file_name()).is_file() {
        return Ok(false);
    }
    say(format!("V8: taking the archive from `{}`", folder.display()));
    let status = Command::new("bash")
        .arg(folder.join("install.sh"))
        .env("CARGO_HOME", workspace.cargo_home())
        .status()
        .context("`bash` does not start")?;
    ensure!(
        status.success(),
        "`{}/install.sh` failed: see above, or move the folder away to go on without it",
        folder.display()
    );
    match archive::examine(&wanted.path, wanted) {
        Ok(_) => Ok(true),
        Err(unfit) => bail!("`{}` gave no usable archive ({unfit}): move it away to go on without it", folder.display()),
    }
}
