//! What shells and `man` know of the command line, as the program itself writes it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::entry::Entry;

/// Each shell, and the name under which it looks for a command's completions.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "isolet.bash"),
    ("elvish", "isolet.elv"),
    ("fish", "isolet.fish"),
    ("powershell", "isolet.ps1"),
    ("zsh", "_isolet"),
];

/// The completions and the pages of the manual.
pub(super) fn entries(program: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (shell, name) in SHELLS {
        let script = output(Command::new(program).args(["completions", shell]))?;
        ensure!(!script.is_empty(), "`isolet completions {shell}` says nothing");
        entries.push(Entry::file(format!("completions/{name}"), script));
    }
    let folder = tempfile::tempdir()?;
    output(Command::new(program).arg("manual").arg(folder.path()))?;
    entries.extend(Entry::read_all("man/man1", folder.path())?);
    Ok(entries)
}

/// What a command writes on standard output, if it succeeds.
pub(super) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("{command:?} does not start"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}: {}", output.status, errors.trim());
    Ok(output.stdout)
}
