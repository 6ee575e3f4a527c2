//! The process between us and an MCP server, which sees to it that nothing of the server outlives us.
//!
//! A server is often a chain (`npx`, `uv`, `sh`) whose last link does the work, and many ignore that their input has ended. If the
//! host is killed with SIGKILL, nobody is left to kill them, and `PDEATHSIG` reaches one process only, and fires when a thread ends.
//! So the host starts its own executable again under the name [`NAME`], and that process starts the server. It reads nothing and
//! writes nothing; it watches the pipe that is the server's standard input:
//!
//! | when | then |
//! |---|---|
//! | the host closed the pipe, or died | the server has [`INPUT_GRACE`], then SIGTERM to its group, then [`TERMINATE_GRACE`] |
//! | the server ended, or its time is over | SIGKILL to its group and to every descendant, also one that left the group |
//!
//! Descendants cannot get away: on Linux the supervisor is their subreaper, and ends only when it has none left. On macOS a descendant that leaves
//! the group is not found. There is one way to end a server, and the host only has to close a pipe, which the kernel does for it if need be.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, wait};

/// `argv[0]` of a supervisor: how it is recognised, and what `ps` shows before the server's own command.
///
/// Not an argument: a program that passes arguments of others on to itself must not become one by them.
pub(super) const NAME: &str = "isolet-supervisor";

/// What a server has to end by itself after its input has ended.
pub(super) const INPUT_GRACE: Duration = Duration::from_millis(500);

/// What a server has to end after SIGTERM.
pub(super) const TERMINATE_GRACE: Duration = Duration::from_millis(1000);

/// The exit code of a supervisor whose server could not be started, as a shell has it.
const CANNOT_START: i32 = 127;

static INITIALISED: AtomicBool = AtomicBool::new(false);

/// Becomes a supervisor if this process was started to be one, and then does not return.
pub(crate) fn init() {
    INITIALISED.store(true, Ordering::Relaxed);
    let mut arguments = std::env::args_os();
    if arguments.next().is_some_and(|name| name == NAME) {
        std::process::exit(supervise(arguments));
    }
}

/// Whether [`init`] was called, so that this executable serves as a supervisor.
pub(super) fn is_initialised() -> bool {
    INITIALISED.load(Ordering::Relaxed)
}

/// Runs the server whose command is `arguments`; returns its exit code when nothing of it is left.
fn supervise(mut arguments: impl Iterator<Item = OsString>) -> i32 {
    let Some(program) = arguments.next() else { return CANNOT_START };
    close_inherited();
    let server = match start(&program, arguments) {
        Ok(server) => server,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the host reads standard error and shows it when a server ends at once")]
            {
                eprintln!("cannot start {}: {error}", program.display());
            }
            return CANNOT_START;
        }
    };
    let group = Pid::from_child(&server);
    std::thread::spawn(move || {
        wait_for_hang_up();
        std::thread::sleep(INPUT_GRACE);
        let _ = kill_process_group(group, Signal::TERM);
        std::thread::sleep(TERMINATE_GRACE);
        let _ = kill_process_group(group, Signal::KILL);
    });
    let code = wait_for(group);
    kill_remains(group);
    code
}

fn start(program: &OsString, arguments: impl Iterator<Item = OsString>) -> io::Result<Child> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let server = Command::new(program).args(arguments).process_group(0).spawn()?;
    // The host must see the end of the server's output when the server closes it, and nothing but the server may write there.
    let nowhere = std::fs::File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    Ok(server)
}

/// Closes every descriptor but standard input, output and error: what the host's parent left open is for neither us nor the server.
#[expect(unsafe_code, reason = "closing descriptors by number")]
fn close_inherited() {
    const FIRST: i32 = 3;
    #[cfg(target_os = "linux")]
    // SAFETY: takes numbers only. This process has one thread and has opened nothing yet, so no descriptor from here on has an owner.
    unsafe {
        libc::syscall(libc::SYS_close_range, FIRST, u32::MAX, 0);
    }
    #[cfg(not(target_os = "linux"))]
    // SAFETY: as above.
    for descriptor in FIRST..unsafe { libc::getdtablesize() } {
        // SAFETY: as above.
        unsafe {
            libc::close(descriptor);
        }
    }
}

/// Blocks until nobody holds the writing end of standard input any more. Takes no byte from it: those are the server's.
fn wait_for_hang_up() {
    let input = io::stdin();
    loop {
        let mut watched = [PollFd::new(&input, PollFlags::HUP)];
        match poll(&mut watched, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        if watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return;
        }
    }
}

/// Blocks until `server` has ended: its exit code as a shell has it, 128 and more for a signal.
///
/// Reaps orphans that end before it, which would stay as zombies for as long as the server runs.
fn wait_for(server: Pid) -> i32 {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((process, status))) if process == server => {
                return status.exit_status().or(status.terminating_signal().map(|signal| 128 + signal)).unwrap_or(CANNOT_START);
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return CANNOT_START,
        }
    }
}

/// Kills what the server left behind, until nothing is: who loses its parent becomes our child, so the search ends.
#[cfg(target_os = "linux")]
fn kill_remains(_group: Pid) {
    loop {
        let children = children();
        if children.is_empty() {
            return;
        }
        for child in children {
            let _ = rustix::process::kill_process(child, Signal::KILL);
        }
        if let Err(rustix::io::Errno::CHILD) = wait(WaitOptions::empty()) {
            return;
        }
    }
}

/// Kills what the server left behind in its group; the number stays the group's as long as one process is in it.
#[cfg(not(target_os = "linux"))]
fn kill_remains(group: Pid) {
    let _ = kill_process_group(group, Signal::KILL);
}

/// Our children, zombies included. Without `/proc`: none are found.
#[cfg(target_os = "linux")]
fn children() -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let us = std::process::id();
    let processes = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    processes.filter(|process| parent(*process) == Some(us)).filter_map(Pid::from_raw).collect()
}

/// The parent of `process`, from `/proc/PID/stat`: `PID (name) state parent ...`, where the name may hold anything.
#[cfg(target_os = "linux")]
fn parent(process: i32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat[stat.rfind(')')? + 1..].split_ascii_whitespace().nth(1)?.parse().ok()
}
