//! The program `isolet`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: this executable is also its own guest processes and the supervisors of its servers.
    isolet::init();
    isolet_server::run_command_line(std::env::args_os())
}
