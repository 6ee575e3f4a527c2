//! The command line, and what `--help` says.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use isolet::mcp::Destination;

use crate::deployment::WALL_SECONDS_MAX;
use crate::import::ConfigCommand;
use crate::tier::Tier;

const EXIT_CODES: &str = "\
Exit codes:
  0  the program returned; the types or tools were shown
  1  the program threw an error
  2  the command line, the configuration or a pattern is wrong, or a file cannot be read
  3  the program was stopped by a limit
  4  no server could be used, or a guest process failed

A server that fails is named on standard error, and what can be done without it goes on.";

const DOCTOR_EXIT_CODES: &str = "\
Exit codes:
  0  programs run here, also with `--strict`
  4  no program runs here
  5  programs run here, but not with `--strict`: a wall is missing";

const MCP_HELP: &str = "\
Examples:
  isolet mcp --config servers.json --print-config
  isolet mcp --config servers.json --mode classic --allow 'github.*' --deny '*.delete_*'

It ends with 0 when the client closes standard input, or at SIGTERM; with 2 and 4 as the other commands do.";

const SERVE_HELP: &str = "\
Examples:
  isolet serve --config servers.json
  isolet serve --config isolet.toml --listen 127.0.0.1:8808

Standard output has the address, when requests are taken. Without keys in the file there is one user, and a key in a file that only you can read.
When the file changes, and at SIGHUP, it is read again: users, roles, keys and servers.
It ends with 0 at SIGTERM, when what is under way has ended; with 2 and 4 as the other commands do.";

const COMPARE_HELP: &str = "\
Examples:
  isolet compare --config servers.json
  isolet compare --config servers.json --task report.ts --task triage.ts --html comparison.html

A task's program runs in code mode, and the calls that it makes are then made once more as an MCP client would make them, one by one:
do not give it a program that must not call its tools twice. A server that does not start is named, and the others go on.
It ends with 0, and with 2 and 4 as the other commands do.";

const LOGIN_HELP: &str = "\
What you grant is kept in `credentials.db`, sealed with the key in `credentials.key`, both of this user alone, in the folder `isolet` of your data (see
`--credentials`). All commands use it; no program sees it. For a machine without a browser, forward the port of the address that is shown.

It ends with 0 when you are logged in, and with 2 and 4 as the other commands do.";

/// What `--version` says; `-V` says the version alone.
const BUILD: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nbuilt for: ",
    env!("BUILD_TARGET"),
    "\nbuilt as: ",
    env!("BUILD_PROFILE"),
    "\nisolet exec: protocol 1, outcome 1",
);

const EXEC_HELP: &str = "\
JSON-RPC 2.0, one message a line: `initialize`, `scope/open`, `types`, `run`, `cancel`, `scope/close`, `shutdown`, and `tool/call` from this program
to its caller. `docs/exec.md` has every message; the packages `isolet` for Python and Node.js speak it.

A caller that closes its end takes its runs with it. It ends with 0 then, or at SIGTERM; with 2 if the socket cannot be made.";

/// Runs a TypeScript program against the tools of MCP servers, in an isolate and a process of its own.
#[derive(Debug, Parser)]
#[command(name = "isolet", version, long_version = BUILD, after_help = EXIT_CODES)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a program and print what it returns.
    #[command(after_help = EXIT_CODES)]
    Run(RunCommand),
    /// Print the TypeScript that a model would see.
    #[command(after_help = EXIT_CODES)]
    Types(TypesCommand),
    /// List the tools that a program could call, each with the pattern that grants it where that is not its path.
    #[command(after_help = EXIT_CODES)]
    Tools(ToolsCommand),
    /// Say how programs are isolated on this machine, and what is missing.
    ///
    /// Makes a runtime as `run` does, runs a program in it, and asks for strict isolation.
    #[command(after_help = DOCTOR_EXIT_CODES)]
    Doctor(DoctorCommand),
    /// Compare code mode and classic MCP on the same tools: start-up, tokens, round trips, tasks.
    #[command(after_help = COMPARE_HELP)]
    Compare(CompareCommand),
    /// Serve the tools to a desktop client as one MCP server, over standard input and output.
    #[command(after_help = MCP_HELP)]
    Mcp(McpCommand),
    /// Serve the tools to the users of a deployment over HTTP: programs, types, and MCP.
    #[command(after_help = SERVE_HELP)]
    Serve(ServeCommand),
    /// Say what is wrong with a deployment's file, without starting anything.
    #[command(after_help = EXIT_CODES)]
    Check(CheckCommand),
    /// Say which tools a user of a deployment sees, and which line of its file decided.
    #[command(after_help = EXIT_CODES)]
    Explain(ExplainCommand),
    /// Make a key for a user of a deployment: itself on standard output, its hash for the file on standard error.
    Key,
    /// Make a configuration of the servers that your desktop clients have.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Serve as the runtime of a program in another language, over standard input and output or a Unix socket.
    #[command(after_help = EXEC_HELP)]
    Exec(ExecCommand),
    /// Print the script with which a shell completes these commands.
    Completions(CompletionsCommand),
    /// Write the pages of the manual, for `man`.
    Manual(ManualCommand),
    /// Authorize a server as yourself: opens a browser, and keeps what you grant.
    #[command(after_help = LOGIN_HELP)]
    Login(LoginCommand),
    /// Take back what you granted a server, and forget it.
    Logout(LogoutCommand),
    /// Show to which servers you are logged in, for what, and for how long.
    Whoami(WhoamiCommand),
    /// Make, list, check and remove scope snapshots on disk.
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
}

#[derive(Debug, Args)]
pub(crate) struct RunCommand {
    /// The program: the body of an async function, in TypeScript. `-` reads it from standard input.
    pub(crate) program: PathBuf,
    /// The servers, as `{"mcpServers": {NAME: {"command": ..., "args": [...], "env": {...}}}}`. Without it the program has no tools.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) servers: ServerArguments,
    /// Stop the program after this many seconds, tool calls included. Default: 30, most: 86400.
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=WALL_SECONDS_MAX))]
    pub(crate) wall_max: Option<u64>,
    /// Run nothing unless the program's process has no new privileges, landlock and seccomp (`isolet doctor` says what there is).
    #[arg(long)]
    pub(crate) strict: bool,
    /// Run nothing unless these walls stand: `strict`, or without landlock `system-calls`. Default: what is missing is said.
    #[arg(long, value_name = "TIER", conflicts_with = "strict")]
    pub(crate) isolation: Option<Tier>,
    /// Print the whole outcome as JSON: end, console lines, calls, cost.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TypesCommand {
    /// The servers, as for `run`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) servers: ServerArguments,
    /// Spend at most this many tokens: tools are shortened, then left out. Default: everything in full.
    #[arg(long, value_name = "TOKENS")]
    pub(crate) budget: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct ToolsCommand {
    /// The servers, as for `run`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) servers: ServerArguments,
    /// Print a JSON array of the tools, each with its path, its name and its definition as its server gave them, and the pattern that grants
    /// it alone.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorCommand {
    /// Ask these servers too, each by itself: how many tools it has, or what is wrong with it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) servers: ServerArguments,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompareCommand {
    /// The servers, as for `run`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) servers: ServerArguments,
    /// Compare what this program does with the same calls made one by one. Can be repeated. Its tools are called four times: once to see which calls it makes, and on three faces.
    #[arg(long, value_name = "FILE")]
    pub(crate) task: Vec<PathBuf>,
    /// Measure each start this many times; servers at most 5 times.
    #[arg(long, default_value = "50", value_parser = value_parser!(u16).range(1..))]
    pub(crate) runs: u16,
    /// Also write a page with charts, which loads nothing.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct McpCommand {
    /// The servers, as for `run`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// How the client sees the tools.
    #[arg(long, value_enum, default_value = "code")]
    pub(crate) mode: McpMode,
    /// Spend at most this many tokens of the description of `run_code` on the tools: in full if all fit, else a line each, else names.
    #[arg(long, value_name = "TOKENS", default_value = "2000")]
    pub(crate) index_tokens: usize,
    /// Offer `search_tools` and `get_types` also where that description says everything.
    #[arg(long)]
    pub(crate) always_search: bool,
    /// Where the result of a program is. A client that passes text and structured content to its model pays twice for `both`.
    #[arg(long, value_enum, default_value = "both")]
    pub(crate) results: McpResults,
    /// Show at most this many tokens of a program's value and console lines; the next program can read the whole value.
    #[arg(long, value_name = "TOKENS", default_value = "6000")]
    pub(crate) result_tokens: usize,
    /// Answer the first list of tools after this many seconds at the latest; the tools of servers that take longer to start come later.
    #[arg(long, value_name = "SECONDS", default_value = "2")]
    pub(crate) list_wait: u64,
    /// Stop a program after this many seconds, tool calls included, and a call of a tool too. Default: a program after 30, or what its call asks for
    /// with `timeout_ms`, up to 300; most: 86400.
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=WALL_SECONDS_MAX))]
    pub(crate) wall_max: Option<u64>,
    #[command(flatten)]
    pub(crate) observed: crate::observed::ObservedArguments,
    #[command(flatten)]
    pub(crate) servers: ServerArguments,
    /// Print what to paste into the settings of Claude Desktop, VS Code and Cursor, and end.
    #[arg(long)]
    pub(crate) print_config: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeCommand {
    /// The deployment: `isolet.toml`, or a file of another client with servers alone.
    #[arg(long, value_name = "FILE", default_value = "isolet.toml")]
    pub(crate) config: PathBuf,
    /// Listen at this address instead of the file's. Default: 127.0.0.1:8808.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Let anybody in who is on this machine. Refused where others can reach the address.
    #[arg(long)]
    pub(crate) no_auth: bool,
    /// Where the key is if the file has none: made with mode 0600 where there is no such file. Default: beside the configuration, `.key`.
    #[arg(long, value_name = "FILE", conflicts_with = "no_auth")]
    pub(crate) key_file: Option<PathBuf>,
    /// Stop a program after this many seconds, tool calls included. Default: the file's, or 30; most: 86400.
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=WALL_SECONDS_MAX))]
    pub(crate) wall_max: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckCommand {
    /// The deployment.
    #[arg(long, value_name = "FILE", default_value = "isolet.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainCommand {
    /// The user.
    pub(crate) user: String,
    /// One tool, by its path or the name that its server gives it. Default: all.
    pub(crate) tool: Option<String>,
    /// The deployment.
    #[arg(long, value_name = "FILE", default_value = "isolet.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ExecCommand {
    /// Serve the callers of this Unix socket, which must run as the same user, in place of the one on standard input and output.
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsCommand {
    /// The shell: `source <(isolet completions bash)`.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManualCommand {
    /// The folder for the pages, such as `/usr/local/share/man/man1`. Made where there is none.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum McpMode {
    /// `run_code`, and `search_tools` and `get_types` where there are more tools than it can describe: the model writes programs.
    Code,
    /// One MCP tool for each tool: `server__tool`.
    Classic,
    /// `search_tools` and `call_tool`: neither programs nor a long list.
    Search,
    /// `code` and `classic`.
    Both,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum McpResults {
    /// As text and as structured content.
    Both,
    /// As text alone.
    Text,
    /// As structured content alone.
    Structured,
}

#[derive(Debug, Args)]
pub(crate) struct LoginCommand {
    /// The server, as the configuration calls it.
    pub(crate) server: String,
    /// Print the address and open no browser.
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Log in on another device, with a code, where the authorization server offers that.
    #[arg(long, conflicts_with = "no_browser")]
    pub(crate) device: bool,
    #[command(flatten)]
    pub(crate) account: AccountArguments,
}

#[derive(Debug, Args)]
pub(crate) struct LogoutCommand {
    /// The server, as the configuration calls it.
    pub(crate) server: String,
    #[command(flatten)]
    pub(crate) account: AccountArguments,
}

#[derive(Debug, Args)]
pub(crate) struct WhoamiCommand {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) account: AccountArguments,
}

/// Which servers there are, and where what the user granted is kept.
#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    /// The servers, as for `run`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Allow the configuration to use this variable of the environment. Can be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Vec<String>,
    /// Let servers, and those that they send you to, be called at this host, address or range, as for `run`. Can be repeated.
    #[arg(long, value_name = "DESTINATION")]
    pub(crate) allow_address: Vec<Destination>,
    /// Keep what is granted in this folder. Default: `isolet` in `XDG_DATA_HOME`, or in `~/.local/share`.
    #[arg(long, value_name = "DIR")]
    pub(crate) credentials: Option<PathBuf>,
}

/// What may be called, and how long its servers may take.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// Allow only the tools that match this pattern for `server.tool` as both call themselves, such as `github.*`, or the tool with exactly this
    /// path. Can be repeated. Default: all.
    #[arg(long, value_name = "GLOB")]
    pub(crate) allow: Vec<String>,
    /// Deny the tools that match this pattern by any name that `isolet tools` shows, with or without a suffix, whatever allows them. Can be
    /// repeated. A server that is denied as `NAME.*` is not started.
    #[arg(long, value_name = "GLOB")]
    pub(crate) deny: Vec<String>,
    /// Give each server this many seconds to start and to answer the handshake. Default: 60.
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..))]
    pub(crate) start_max: Option<u64>,
    /// End a server that has not been called for this many seconds, with what it remembers; the next call starts it again. Default: never.
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..))]
    pub(crate) idle_max: Option<u64>,
    /// Allow the configuration to use this variable of the environment, as `${NAME}` or `${env:NAME}`, and pass it to the servers that are started.
    /// Can be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Vec<String>,
    /// Let servers be called at this host, address or range, such as `mcp.internal` or `10.1.0.0/16`; with `http://` before it, in the clear too.
    /// Can be repeated. Default: https to public addresses, and this machine.
    #[arg(long, value_name = "DESTINATION")]
    pub(crate) allow_address: Vec<Destination>,
    /// Use what `isolet login` has kept in this folder. Default: `isolet` in `XDG_DATA_HOME`, or in `~/.local/share`.
    #[arg(long, value_name = "DIR")]
    pub(crate) credentials: Option<PathBuf>,
}

const SNAPSHOT_EXAMPLES: &str = "\
A scope snapshot is an isolate with the names of one scope's tools in it, and nothing of any user. Processes that are spawned for a
run boot from it: `Config::start = Start::Spawn` with `Config::snapshot_folder` and this program as `Config::executable`.

Examples:
  isolet snapshot build  --folder /var/cache/isolet --key /etc/isolet/snapshot.key --config servers.json --allow 'github.*'
  isolet snapshot list   --folder /var/cache/isolet --key /etc/isolet/snapshot.key
  isolet snapshot verify --folder /var/cache/isolet --key /etc/isolet/snapshot.key
  isolet snapshot clear  --folder /var/cache/isolet --key /etc/isolet/snapshot.key --unusable

Exit codes:
  0  done
  1  `verify`: a file would be refused
  2  the command line, the configuration or a pattern is wrong, or the folder or the key file cannot be used
  4  a server or a guest process failed, or a file could not be written or removed";

#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotCommand {
    /// Make the snapshot of what the servers offer, unless it is there.
    #[command(after_help = SNAPSHOT_EXAMPLES)]
    Build(BuildArguments),
    /// List the snapshots: name, length, time since the last use, namespaces with their numbers of tools.
    #[command(after_help = SNAPSHOT_EXAMPLES)]
    List(ListArguments),
    /// Check every file as before a use: owner, mode, MAC, name.
    #[command(after_help = SNAPSHOT_EXAMPLES)]
    Verify(FolderArguments),
    /// Remove the snapshots, and what is left of any that were never finished.
    #[command(after_help = SNAPSHOT_EXAMPLES)]
    Clear(ClearArguments),
}

#[derive(Debug, Args)]
pub(crate) struct FolderArguments {
    /// The folder with the snapshots. Made with mode 0700 where there is none.
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// The file with the key that proves them, outside of the folder. Made with mode 0600 where there is none.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BuildArguments {
    #[command(flatten)]
    pub(crate) folder: FolderArguments,
    /// The servers, as for `run`. Without it there are no tools.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) servers: ServerArguments,
    /// For a runtime whose V8 compiles to machine code: such snapshots are others.
    #[arg(long)]
    pub(crate) jit: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) folder: FolderArguments,
    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ClearArguments {
    #[command(flatten)]
    pub(crate) folder: FolderArguments,
    /// Remove only those that this program would not use: refused, or of another build.
    #[arg(long)]
    pub(crate) unusable: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }
}
