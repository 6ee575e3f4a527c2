//! `isolet config import`: the servers that the user's desktop clients have, as one file for Isolet. Starts nothing, and shows what would be run before it
//! writes.

mod clients;
mod entry;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use isolet::mcp::{Configuration, ConfigurationError};
use isolet::with_causes;
use serde_json::{Map, Value, json};

use self::clients::ClientFile;
use self::entry::{Found, Imported};
use crate::fault::Fault;
use crate::terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Find the servers that your desktop clients have, and write them into one file.
    Import(ImportArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The files to read. Default: those of Claude Desktop, Claude Code, Cursor, Windsurf, VS Code, Codex and Zed in your home folder.
    files: Vec<PathBuf>,
    /// The file to write, for you alone to read.
    #[arg(long, value_name = "FILE", default_value = "servers.json")]
    to: PathBuf,
    /// Write without asking.
    #[arg(long)]
    yes: bool,
    /// Replace the file if it is there.
    #[arg(long)]
    replace: bool,
}

/// What was found in all files.
#[derive(Default)]
struct Import {
    servers: BTreeMap<String, (String, Imported)>,
    /// What is shown of it.
    report: String,
}

/// Shows what there is, and writes it if that is wanted.
pub(crate) fn config(command: &ConfigCommand) -> Result<ExitCode, Fault> {
    let ConfigCommand::Import(arguments) = command;
    let mut import = Import::default();
    for file in files(arguments)? {
        import.take(&file, !arguments.files.is_empty())?;
    }
    if import.servers.is_empty() {
        terminal::print(&import.report).map_err(Fault::host)?;
        return Err(Fault::usage(anyhow!("there are no servers to import: name a client's file")));
    }
    if arguments.to.exists() && !arguments.replace {
        terminal::print(&import.report).map_err(Fault::host)?;
        let message =
            format!("`{}` is there already: name another file with `--to`, or say `--replace`", arguments.to.display());
        return Err(Fault::usage(anyhow!(message)));
    }
    terminal::print(&import.report).map_err(Fault::host)?;
    let count = import.servers.len();
    let servers = if count == 1 { "1 server".to_owned() } else { format!("{count} servers") };
    let question = format!("write {servers} into `{}`", arguments.to.display());
    if !arguments.yes && !terminal::agrees(&question).map_err(Fault::host)? {
        terminal::say("nothing was written: `--yes` writes without asking");
        return Ok(ExitCode::SUCCESS);
    }
    write(&arguments.to, &import.text()).map_err(Fault::Usage)?;
    terminal::say(&import.next(&arguments.to));
    Ok(ExitCode::SUCCESS)
}

/// The files that are read, whether they are there or not.
fn files(arguments: &ImportArguments) -> Result<Vec<ClientFile>, Fault> {
    if !arguments.files.is_empty() {
        return Ok(arguments.files.iter().map(|path| ClientFile::named(path)).collect());
    }
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let home = home.ok_or_else(|| Fault::usage(anyhow!("there is no home folder: set HOME, or name the files")))?;
    Ok(clients::files(&home))
}

impl Import {
    /// Takes the servers of one file. One that was not named may be missing.
    fn take(&mut self, file: &ClientFile, is_named: bool) -> Result<(), Fault> {
        let written = match Configuration::written(&file.path) {
            Err(ConfigurationError::Read { source, .. }) if !is_named && source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(());
            }
            // A client that has none.
            Err(ConfigurationError::NoServers) if !is_named => return Ok(()),
            written => written,
        };
        let path = file.path.display().to_string();
        let _ = writeln!(self.report, "{}", if is_named { path } else { format!("{}, {path}", file.client) });
        let written = match written {
            Err(error) if is_named => return Err(Fault::usage(error)),
            Err(error) => {
                let _ = writeln!(self.report, "  is left out: {}", with_causes(&error));
                return Ok(());
            }
            Ok(written) => written,
        };
        let absolute = std::path::absolute(&file.path).map_err(Fault::host)?;
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        for (name, entry) in written {
            let what = match Found::of(&name, entry, folder) {
                Found::Off => "is left out: it is switched off there".to_owned(),
                Found::Wrong(why) => format!("is left out: {why}"),
                Found::Entry(imported) => self.add(&name, file, imported),
            };
            let _ = writeln!(self.report, "  {name}: {what}");
        }
        Ok(())
    }

    /// Adds a server, under another name if another client has another one of that name; what is said of it.
    fn add(&mut self, name: &str, file: &ClientFile, imported: Imported) -> String {
        let is_same = |other: &Imported| other.entry == imported.entry;
        if let Some((client, _)) = self.servers.get(name).filter(|(_, other)| is_same(other)) {
            return format!("is that of {client}");
        }
        let is_free = |name: &str| !self.servers.contains_key(name);
        let names = std::iter::once(name.to_owned()).chain((1..).map(|count| match count {
            1 => format!("{name}_{}", file.suffix()),
            count => format!("{name}_{}{count}", file.suffix()),
        }));
        let free = names.into_iter().find(|name| is_free(name)).unwrap_or_default();
        let mut said = if free == name { String::new() } else { format!("(as {free}) ") };
        said.push_str(&imported.summary());
        if !imported.variables.is_empty() {
            let variables: Vec<String> = imported.variables.iter().map(|name| format!("--env {name}")).collect();
            let _ = write!(said, "; needs {}", variables.join(" "));
        }
        for warning in &imported.warnings {
            let _ = write!(said, "\n    {warning}");
        }
        self.servers.insert(free, (file.client.clone(), imported));
        said
    }

    /// The file.
    fn text(&self) -> String {
        let servers: Map<String, Value> =
            self.servers.iter().map(|(name, (_, imported))| (name.clone(), imported.entry.clone())).collect();
        format!("{:#}\n", json!({ "mcpServers": servers }))
    }

    /// What can be done with the file.
    fn next(&self, path: &Path) -> String {
        let variables: BTreeSet<&String> = self.servers.values().flat_map(|(_, imported)| &imported.variables).collect();
        let variables: String = variables.into_iter().map(|name| format!(" --env {name}")).collect();
        let path = path.display();
        format!("`{path}` is written: `isolet tools --config {path}{variables}` starts the servers and lists their tools")
    }
}

/// Writes a file that its owner alone can read: there may be secrets in it. Never through what is there already.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = || format!("cannot write `{}`: name a file in a folder that you can write to", path.display());
    // A temporary file has the mode 0600, and takes the place of the old one at once.
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}
