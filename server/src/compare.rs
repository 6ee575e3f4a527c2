//! `isolet compare`: code mode and classic MCP on the tools of a configuration.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use isolet::Limits;
use isolet_comparison::{Comparison, Setting, Task};
use tempfile::NamedTempFile;

use crate::command_line::CompareCommand;
use crate::fault::Fault;
use crate::run::read_program;
use crate::servers::Servers;
use crate::terminal;

/// Measures, prints the tables or JSON, and writes the page.
pub(crate) async fn compare(command: CompareCommand) -> Result<ExitCode, Fault> {
    // What cannot be read or written is said before minutes of work.
    let tasks = command.task.iter().map(|path| task(path)).collect::<Result<_, _>>().map_err(Fault::Usage)?;
    let page = command.html.map(Page::open).transpose().map_err(Fault::Usage)?;
    let servers = Servers::open(Some(&command.config), &command.servers).await?;
    let host = servers.host.clone();
    let setting = Setting {
        scope: servers.scope.clone(),
        hosts: Arc::new(move || host.clone()),
        servers: servers.configuration.clone(),
        options: servers.options.clone(),
        tasks,
        runs: command.runs.into(),
        progress: Arc::new(terminal::show_progress),
    };
    let comparison = Comparison::make(setting).await;
    terminal::show_progress("");
    servers.close().await;
    let comparison = comparison.map_err(Fault::Host)?;
    if let Some(page) = page {
        page.write(&comparison).map_err(Fault::Host)?;
    }
    print(&comparison, command.json).map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}

/// The program of a file, under the file's name.
fn task(path: &Path) -> anyhow::Result<Task> {
    let program = read_program(path, Limits::default().source_bytes_max)?;
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok(Task { name, program })
}

fn print(comparison: &Comparison, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        terminal::print_json(&serde_json::to_string_pretty(comparison)?)?;
    } else {
        terminal::print(&comparison.to_string())?;
    }
    Ok(())
}

/// The page while it is measured: a new file beside the old one, which takes its place at the end and is gone if there is none.
struct Page {
    path: PathBuf,
    file: NamedTempFile,
}

impl Page {
    fn open(path: PathBuf) -> anyhow::Result<Self> {
        if path.is_dir() {
            bail!("cannot write the page `{}`: it is a folder: name a file in it", path.display());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        // As any other file of this user: the umask takes away what it should.
        let file = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)).tempfile_in(folder);
        let file =
            file.with_context(|| format!("cannot write the page `{}`: name a file in a folder that is yours", path.display()))?;
        Ok(Self { path, file })
    }

    fn write(mut self, comparison: &Comparison) -> anyhow::Result<()> {
        self.file.write_all(comparison.page().as_bytes())?;
        self.file.persist(&self.path).with_context(|| format!("cannot write the page `{}`", self.path.display()))?;
        Ok(())
    }
}
