//! `isolet completions` and `isolet manual`: what shells and `man` know of the command line, made from the command line itself.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::command_line::{CommandLine, CompletionsCommand, ManualCommand};
use crate::fault::Fault;
use crate::terminal;

/// Prints the script with which a shell completes commands.
pub(crate) fn completions(command: CompletionsCommand) -> Result<ExitCode, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut CommandLine::command(), "isolet", &mut script);
    terminal::print_script(&script).map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the pages of the manual: `isolet.1`, and one for each command.
pub(crate) fn manual(command: ManualCommand) -> Result<ExitCode, Fault> {
    let folder = command.folder;
    let written = std::fs::create_dir_all(&folder).and_then(|()| clap_mangen::generate_to(CommandLine::command(), &folder));
    let unwritable = || format!("the manual cannot be written into `{}`", folder.display());
    written.with_context(unwritable).map_err(Fault::Usage)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use clap::ValueEnum as _;
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn every_shell_completes_every_command() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut CommandLine::command(), "isolet", &mut script);
            let script = String::from_utf8(script).unwrap();
            for command in CommandLine::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }

    #[test]
    fn every_command_has_a_page() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("man1");
        manual(ManualCommand { folder: folder.clone() }).unwrap();
        for command in CommandLine::command().get_subcommands() {
            let page = std::fs::read_to_string(folder.join(format!("isolet-{}.1", command.get_name()))).unwrap();
            assert!(page.contains(".SH"), "{}", command.get_name());
        }
        assert!(folder.join("isolet.1").is_file());
        let file = place.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(manual(ManualCommand { folder: file }), Err(Fault::Usage(_))));
    }
}
