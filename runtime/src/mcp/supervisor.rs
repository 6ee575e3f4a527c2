//! The processes between us and an MCP server, which see to it that nothing of the server outlives us.
//!
//! A server is often a chain (`npx`, `uv`, `sh`) whose last link does the work, and many ignore that their input has ended. If the
//! host is killed with SIGKILL, nobody is left to kill them, and `PDEATHSIG` reaches one process only, and fires when a thread ends.
//! So the host starts its own executable again under the name [`NAME`], which starts the server. It reads nothing and
//! writes nothing; it watches the pipe that is the server's standard input:
//!
//! | when | then |
//! |---|---|
//! | the host closed the pipe, or died | the server has [`INPUT_GRACE`], then SIGTERM to its group, then [`TERMINATE_GRACE`] |
//! | the server ended, or its time is over | SIGKILL to it, to its group and to every descendant, also one that left the group |
//!
//! Descendants cannot get away: on Linux the supervisor is their subreaper, and ends only when it has none left. On macOS a descendant that leaves
//! the group is not found. There is one way to end a server, and the host only has to close a pipe, which the kernel does for it if need be.
//!
//! A server runs as the same user, so it may kill or stop its supervisor. On Linux there are two of them, one above the other ([`guard`]):
//!
//! | when | then |
//! |---|---|
//! | the lower one is killed | the server is killed with it (`PDEATHSIG`); the upper one inherits what is left, and kills it |
//! | the lower one is stopped, and the host has closed the pipe or died | the upper one kills it when its time is over, and then the rest |
//! | the upper one is killed | the lower one kills the server and all descendants at once |
//! | the upper one is stopped | the lower one wakes it when it has done its work |
//! | both are stopped | the kernel wakes them when the host dies (their group is orphaned); a host that lives kills the upper one, which wakes the other |
//!
//! What is left to a server: to kill both between two steps of theirs, or to have something started by others (`cron`, `systemd --user`). Only a user of
//! its own, or a container, keeps it from that.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, wait};

/// `argv[0]` of a supervisor: how it is recognised, and what `ps` shows before the server's own command.
///
/// Not an argument: a program that passes arguments of others on to itself must not become one by them.
pub(super) const NAME: &str = "isolet-supervisor";

/// What a server has to end by itself after its input has ended.
pub(super) const INPUT_GRACE: Duration = Duration::from_millis(500);

/// What a server has to end after SIGTERM.
pub(super) const TERMINATE_GRACE: Duration = Duration::from_millis(1000);

/// How long the end of a server is waited for: what its supervisor gives it, and some time to find and kill what is left.
pub(super) const END_MAX: Duration = INPUT_GRACE.saturating_add(TERMINATE_GRACE).saturating_add(Duration::from_secs(2));

/// What the lower supervisor has to do all that, before the upper one does it.
#[cfg(target_os = "linux")]
const LOWER_MAX: Duration = INPUT_GRACE.saturating_add(TERMINATE_GRACE).saturating_add(Duration::from_millis(750));

/// The exit code of a supervisor whose server could not be started, as a shell has it.
const CANNOT_START: i32 = 127;

static INITIALISED: AtomicBool = AtomicBool::new(false);

/// Becomes a supervisor if this process was started to be one, and then does not return.
pub(crate) fn init() {
    INITIALISED.store(true, Ordering::Relaxed);
    let mut arguments = std::env::args_os();
    if arguments.next().is_some_and(|name| name == NAME) {
        close_inherited();
        std::process::exit(guard(arguments));
    }
}

/// Whether [`init`] was called, so that this executable serves as a supervisor.
pub(super) fn is_initialised() -> bool {
    INITIALISED.load(Ordering::Relaxed)
}

/// Is the upper supervisor, whose child is the lower one; returns the server's exit code when nothing of it is left.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "fork: the child is the lower supervisor")]
fn guard(arguments: impl Iterator<Item = OsString>) -> i32 {
    let prepared = survive_hang_up()
        .and_then(|()| Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?))
        .and_then(|()| Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?));
    let (upper_lives, lives) = match prepared {
        Ok(pipe) => pipe,
        Err(error) => return cannot_start("a supervisor", &error),
    };
    // SAFETY: this process has one thread: it was started to be a supervisor, and `init` is the first line of its `main`.
    let forked = unsafe { libc::fork() };
    if forked < 0 {
        return cannot_start("a supervisor", &io::Error::last_os_error());
    }
    let Some(lower) = Pid::from_raw(forked) else {
        drop(lives);
        return supervise(arguments, Some(upper_lives.as_fd()));
    };
    drop(upper_lives);
    let lower_handle = rustix::process::pidfd_open(lower, rustix::process::PidfdFlags::empty());
    std::thread::spawn(move || {
        wait_for_hang_up(None);
        std::thread::sleep(LOWER_MAX);
        if let Ok(lower) = lower_handle {
            let _ = rustix::process::pidfd_send_signal(&lower, Signal::KILL);
        }
    });
    if let Err(error) = release_output() {
        return cannot_start("a supervisor", &error);
    }
    let code = wait_for(lower);
    kill_remains(lower);
    // Closed with this process, at the very end: the lower one takes it for our death.
    drop(lives);
    code
}

/// Is the only supervisor: nothing inherits what it would leave behind.
#[cfg(not(target_os = "linux"))]
fn guard(arguments: impl Iterator<Item = OsString>) -> i32 {
    supervise(arguments, None)
}

/// Runs the server whose command is `arguments`; returns its exit code when nothing of it is left.
fn supervise(mut arguments: impl Iterator<Item = OsString>, upper_lives: Option<std::os::fd::BorrowedFd<'_>>) -> i32 {
    let Some(program) = arguments.next() else { return CANNOT_START };
    let server = match start(&program, arguments) {
        Ok(server) => server,
        Err(error) => return cannot_start(&program.to_string_lossy(), &error),
    };
    let server = Pid::from_child(&server);
    let upper_lives = upper_lives.and_then(|upper_lives| upper_lives.try_clone_to_owned().ok());
    std::thread::spawn(move || {
        if wait_for_hang_up(upper_lives.as_ref().map(AsFd::as_fd)) == HangUp::Host {
            std::thread::sleep(INPUT_GRACE);
            let _ = kill_process_group(server, Signal::TERM);
            std::thread::sleep(TERMINATE_GRACE);
        }
        let _ = kill_process_group(server, Signal::KILL);
        // It may have gone to another group. Its number is its own until it is waited for, after which this process ends.
        let _ = kill_process(server, Signal::KILL);
    });
    let code = wait_for(server);
    kill_remains(server);
    wake_upper();
    code
}

fn cannot_start(what: &str, error: &io::Error) -> i32 {
    #[expect(clippy::print_stderr, reason = "the host reads standard error and shows it when a server ends at once")]
    {
        eprintln!("cannot start {what}: {error}");
    }
    CANNOT_START
}

#[cfg_attr(target_os = "linux", expect(unsafe_code, reason = "between fork and exec"))]
fn start(program: &OsString, arguments: impl Iterator<Item = OsString>) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.args(arguments).process_group(0);
    #[cfg(target_os = "linux")]
    {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        // SAFETY: one system call.
        unsafe {
            command.pre_exec(|| Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?));
        }
    }
    let server = command.spawn()?;
    release_output()?;
    Ok(server)
}

/// Lets go of standard output and error: the host must see their end when the server closes them, and nothing but the server may write there.
fn release_output() -> io::Result<()> {
    let nowhere = std::fs::File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    Ok(())
}

/// Goes on when the kernel wakes this process and says that its group is orphaned. By a handler: what is ignored would be ignored by the server too.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a signal handler")]
fn survive_hang_up() -> io::Result<()> {
    extern "C" fn go_on(_: libc::c_int) {}

    let handler: extern "C" fn(libc::c_int) = go_on;
    // SAFETY: the handler does nothing.
    if unsafe { libc::signal(libc::SIGHUP, handler as libc::sighandler_t) } == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Lets the upper supervisor go on if the server has stopped it: it waits for us.
fn wake_upper() {
    #[cfg(target_os = "linux")]
    if let Some(upper) = rustix::process::getppid() {
        let _ = kill_process(upper, Signal::CONT);
    }
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

/// Whose end a supervisor has seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HangUp {
    Host,
    Upper,
}

/// Blocks until nobody holds the writing end of standard input any more, or that of `upper_lives`. Takes no byte from them: those are the server's.
fn wait_for_hang_up(upper_lives: Option<std::os::fd::BorrowedFd<'_>>) -> HangUp {
    let input = io::stdin();
    let is_over = |watched: &PollFd<'_>| watched.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
    loop {
        let mut watched = vec![PollFd::new(&input, PollFlags::HUP)];
        watched.extend(upper_lives.as_ref().map(|upper| PollFd::new(upper, PollFlags::HUP)));
        match poll(&mut watched, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return HangUp::Host,
        }
        if watched.get(1).is_some_and(is_over) {
            return HangUp::Upper;
        }
        if watched.first().is_some_and(is_over) {
            return HangUp::Host;
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
            // At once: one that forks and ends, again and again, is a moment old.
            let _ = kill_process(child, Signal::KILL);
        }
        if let Err(rustix::io::Errno::CHILD) = wait(WaitOptions::empty()) {
            return;
        }
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
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
    children_told().unwrap_or_else(|_| {
        let us = std::process::id();
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        processes.filter(|process| parent(*process) == Some(us)).filter_map(Pid::from_raw).collect()
    })
}

/// Our children as the kernel lists them for each thread, where it is built to.
#[cfg(target_os = "linux")]
fn children_told() -> io::Result<Vec<Pid>> {
    let mut children = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task")? {
        let told = std::fs::read_to_string(thread?.path().join("children"))?;
        children.extend(told.split_ascii_whitespace().filter_map(|child| Pid::from_raw(child.parse().ok()?)));
    }
    Ok(children)
}

/// The parent of `process`, from `/proc/PID/stat`: `PID (name) state parent ...`, where the name may hold anything.
#[cfg(target_os = "linux")]
fn parent(process: i32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat[stat.rfind(')')? + 1..].split_ascii_whitespace().nth(1)?.parse().ok()
}
