//! The program `isolet`: runs a program against the tools of MCP servers, and shows what it can call.
//!
//! Standard output carries results and nothing else; what is said about them goes to standard error. `main.rs` is [`run_command_line`]
//! and nothing else, so that tests can be the program without finding it.

mod command_line;
mod compare;
mod doctor;
mod fault;
mod log;
mod mcp;
mod run;
mod servers;
mod snapshot;
mod terminal;
mod tools;
mod types;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use command_line::{Command, CommandLine};
use fault::Fault;

/// Does what the command line says (`arguments`, with the program's name as the first), in a process that has called
/// [`isolet::init`]. The exit codes are those of `isolet --help`. A command line that is wrong ends the process, as `--help` does.
pub fn run_command_line(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = CommandLine::parse_from(arguments).command;
    log::init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Fault::host(error)),
    };
    let end = runtime.block_on(async {
        match command {
            Command::Run(command) => run::run(command).await,
            Command::Types(command) => types::types(command).await,
            Command::Tools(command) => tools::tools(command).await,
            Command::Compare(command) => compare::compare(command).await,
            Command::Doctor(command) => doctor::doctor(command).await,
            Command::Mcp(command) => mcp::mcp(command).await,
            Command::Snapshot(command) => snapshot::snapshot(command).await,
        }
    });
    // A thread that still reads standard input would be waited for.
    runtime.shutdown_background();
    end.unwrap_or_else(|fault| report(&fault))
}

fn report(fault: &Fault) -> ExitCode {
    terminal::say(&fault.to_string());
    fault.exit_code()
}
