//! Isolet's tasks: `cargo xtask demo`, `cargo xtask test` and what they need.
//!
//! Everything that links V8 needs the `v8` crate's archive, which that crate downloads while it is built. Behind a
//! closed network this fails with an unreadable build error, so each task first sees to it that the archive is there
//! ([`v8`]), and only then calls cargo. Nothing here depends on V8 itself.

mod archive;
mod bench;
mod bfcl;
mod cargo;
mod consent;
mod console;
mod criterion;
mod download;
mod installs;
mod locked;
mod pairs;
mod python_packages;
mod release;
mod servers;
mod soak;
mod source_build;
mod test;
mod test_packages;
mod v8;
mod walls;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Isolet's tasks", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Gets V8, then runs the demonstration: two users, one program, real tools
    Demo(cargo::Arguments),
    /// Gets V8, then runs all tests; the last line counts them
    Test(test::Arguments),
    /// Gets the V8 archive, where plain cargo finds it
    V8(v8::Arguments),
    /// Runs the benches, or with `--against` one of them in turns with that of another commit
    Bench(bench::Arguments),
    /// Makes conversations of the Berkeley Function Calling Leaderboard as programs and call by call; says whether both leave the same, and what they cost
    Bfcl(bfcl::Arguments),
    /// Shows how complete the generated TypeScript is on real tool definitions
    BindingsReport(cargo::Arguments),
    /// Runs 10,000 programs that take their process down against one host, and says what of it changed
    Kill(cargo::Arguments),
    /// Half an hour of traffic while processes are killed at random and one tenant of four is hostile; says what broke its bound
    Soak(soak::Arguments),
    /// Starts, lists, types and calls twelve MCP servers from npm and PyPI, four of them over HTTP
    Servers(servers::Arguments),
    /// Measures what programs and MCP calls over HTTP cost more than in the same process, in turns, and how many a second 32 clients are given
    Overhead(cargo::Arguments),
    /// Has 200 users with a token each call servers at random, 20,000 requests, and renews 10,000 tokens: none leaves, is lost or is used twice
    Canaries(cargo::Arguments),
    /// Runs the official MCP conformance suite against a server by itself and through `isolet serve`, and prints both tables
    Conformance(cargo::Arguments),
    /// Holds 5,000 runs that wait for a tool alive at once, and says what each takes of the memory
    Crowd(cargo::Arguments),
    /// Makes the archive, the wheel, the npm packages, the bill of materials and the checksums of a release, from one build
    Release(release::Arguments),
    /// Installs the packages of a release as the README says, each in an empty folder, and says how long a first outcome takes
    Installs(installs::Arguments),
    /// Tries which walls stand in two dozen kinds of containers and limits, and prints a table
    Walls(walls::Arguments),
}

fn main() -> ExitCode {
    let task = Arguments::parse().task;
    match Workspace::find().and_then(|workspace| run(&task, &workspace)) {
        Ok(code) => code,
        Err(error) => {
            console::say(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    match task {
        Task::Demo(arguments) => {
            cargo::run(&["run", "--package", "isolet-examples", "--bin", "demo", "--"], arguments, workspace)
        }
        Task::Test(arguments) => test::run(arguments, workspace),
        Task::V8(arguments) => v8::run(arguments, workspace),
        Task::Bench(arguments) => bench::run(arguments, workspace),
        Task::Bfcl(arguments) => bfcl::run(arguments, workspace),
        Task::BindingsReport(arguments) => cargo::run_without_v8(
            &["run", "--package", "isolet-bindings", "--release", "--features", "tokens", "--example", "bindings-report", "--"],
            arguments,
            workspace,
        ),
        Task::Kill(arguments) => {
            cargo::run(&["test", "--workspace", "--release", "--test", "isolet", "--", "kill"], arguments, workspace)
        }
        Task::Soak(arguments) => soak::run(arguments, workspace),
        Task::Servers(arguments) => servers::run(arguments, workspace),
        Task::Overhead(arguments) => {
            cargo::run(&["test", "--workspace", "--release", "--test", "isolet", "--", "overhead"], arguments, workspace)
        }
        Task::Canaries(arguments) => {
            cargo::run(&["test", "--workspace", "--release", "--test", "isolet", "--", "canaries"], arguments, workspace)
        }
        Task::Conformance(arguments) => {
            cargo::run(&["test", "--workspace", "--test", "isolet", "--", "conformance"], arguments, workspace)
        }
        Task::Crowd(arguments) => {
            cargo::run(&["test", "--workspace", "--release", "--test", "isolet", "--", "crowd"], arguments, workspace)
        }
        Task::Release(arguments) => release::run(arguments, workspace),
        Task::Installs(arguments) => installs::run(arguments, workspace),
        Task::Walls(arguments) => walls::run(arguments, workspace),
    }
}
