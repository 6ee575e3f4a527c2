//! The program `isolet`: runs a program against the tools of MCP servers, and shows what it can call.
//!
//! Standard output carries results and nothing else; what is said about them goes to standard error. `main.rs` is [`run_command_line`]
//! and nothing else, so that tests can be the program without finding it.

mod changed_servers;
mod check;
mod command_line;
mod compare;
mod credentials;
mod deployment;
mod doctor;
mod exec;
mod explain;
mod fault;
mod import;
mod key;
mod log;
mod login;
mod mcp;
mod observed;
mod redirect;
mod run;
mod said;
mod serve;
mod servers;
mod shell_help;
mod shell_word;
mod snapshot;
mod surroundings;
mod terminal;
mod tier;
mod tools;
mod types;
mod watched_files;

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser as _;
use isolet::RunError;

use command_line::{Command, CommandLine};
use fault::Fault;

/// Does what the command line says (`arguments`, with the program's name as the first), in a process that has called
/// [`isolet::init`]. The exit codes are those of `isolet --help`. A command line that is wrong ends the process, as `--help` does.
pub fn run_command_line(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = CommandLine::parse_from(arguments).command;
    log::init();
    let runtime = match threads() {
        Ok(runtime) => runtime,
        Err(fault) => return report(&fault),
    };
    let end = runtime.block_on(async {
        match command {
            Command::Run(command) => run::run(command).await,
            Command::Types(command) => types::types(command).await,
            Command::Tools(command) => tools::tools(command).await,
            Command::Compare(command) => compare::compare(command).await,
            Command::Doctor(command) => doctor::doctor(command).await,
            Command::Exec(command) => exec::exec(command).await,
            Command::Completions(command) => shell_help::completions(command),
            Command::Manual(command) => shell_help::manual(command),
            Command::Mcp(command) => mcp::mcp(command).await,
            Command::Login(command) => login::login(command).await,
            Command::Logout(command) => login::logout(command).await,
            Command::Whoami(command) => login::whoami(command).await,
            Command::Serve(command) => serve::serve(command).await,
            Command::Check(command) => check::check(&command),
            Command::Explain(command) => explain::explain(command).await,
            Command::Config(command) => import::config(&command),
            Command::Key => key::key(),
            Command::Snapshot(command) => snapshot::snapshot(command).await,
        }
    });
    // A thread that still reads standard input would be waited for.
    runtime.shutdown_background();
    end.unwrap_or_else(|fault| report(&fault))
}

/// The threads that everything runs on. tokio panics where the system refuses it a socket or a thread, so both are tried before.
fn threads() -> Result<tokio::runtime::Runtime, Fault> {
    /// The pool's keeper, and one that waits for a file.
    const BESIDE_WORKERS: usize = 2;
    let refused = |call: &'static str| move |source: io::Error| Fault::host(RunError::System { call, source });
    UnixStream::pair().map_err(refused("socketpair"))?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    try_threads(workers + BESIDE_WORKERS).map_err(refused("clone"))?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().map_err(refused("epoll_create1"))
}

/// Starts so many threads at once, and ends them.
fn try_threads(count: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    std::thread::scope(|scope| {
        // They wait behind this until all are there, or one could not be had.
        let _closed = gate.lock();
        for _ in 0..count {
            std::thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()))?;
        }
        Ok(())
    })
}

fn report(fault: &Fault) -> ExitCode {
    terminal::say(&fault.to_string());
    fault.exit_code()
}
