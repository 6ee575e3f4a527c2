//! Starts a guest process: exec of the executable that is to become one.
#![allow(unsafe_code, reason = "what runs between fork and exec")]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal};

use crate::contract::guest_process;

/// Starts a guest process with one socket, an empty environment and nothing else. Call it on a thread that lives as long as
/// the process may: its death signal is tied to the thread. An error has the call that was refused.
pub(crate) fn start(executable: &Path, kind: &str, socket: OwnedFd) -> Result<Child, (&'static str, io::Error)> {
    let nowhere = || File::options().read(true).write(true).open("/dev/null").map_err(|error| ("open /dev/null", error));
    let mut command = Command::new(executable);
    command.arg0("isolet-guest").args([guest_process::ARGUMENT, kind]).env_clear().env("TZ", "UTC").current_dir("/");
    command.stdin(nowhere()?).stdout(nowhere()?).stderr(nowhere()?);
    let descriptor = socket.as_raw_fd();
    let host = rustix::process::getpid();
    // SAFETY: only system calls, none of which allocates or locks, between fork and exec.
    unsafe { command.pre_exec(move || prepare(descriptor, host)) };
    // The standard library says what went wrong and not where: these errors are of the process, others of its executable.
    let of_fork = |error: &io::Error| {
        let errors = [libc::EAGAIN, libc::ENOMEM, libc::EPERM, libc::ENOSYS, libc::EMFILE, libc::ENFILE];
        error.raw_os_error().is_some_and(|error| errors.contains(&error))
    };
    command.spawn().map_err(|error| (if of_fork(&error) { "fork" } else { "execve" }, error))
    // `socket` is closed here: the child has its own.
}

/// Runs in the child, before exec: the socket becomes descriptor 3, all others above go, signals for the host's group are not for it, and
/// it dies with the host.
fn prepare(socket: i32, host: Pid) -> io::Result<()> {
    const STACK_BYTES: u64 = 8 << 20;
    /// What a terminal or a service manager sends to everything that belongs to a program: the host ends or stops, and its guests as it says.
    const OF_HOST: [i32; 7] =
        [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    // SAFETY: system calls on numbers of this process; `dup2` onto itself would keep close-on-exec, so that is cleared.
    unsafe {
        let placed = if socket == guest_process::SOCKET {
            libc::fcntl(socket, libc::F_SETFD, 0)
        } else {
            libc::dup2(socket, guest_process::SOCKET)
        };
        if placed < 0 {
            return Err(io::Error::last_os_error());
        }
        // Not `close`: the pipe on which the standard library reports a failed exec is among them.
        #[cfg(target_os = "linux")]
        libc::syscall(libc::SYS_close_range, guest_process::SOCKET + 1, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        if libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max.min(STACK_BYTES);
            libc::setrlimit(libc::RLIMIT_STACK, &raw const limit);
        }
        let mut signals = std::mem::zeroed();
        libc::sigemptyset(&raw mut signals);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const signals, std::ptr::null_mut());
        for signal in OF_HOST {
            libc::signal(signal, libc::SIG_IGN);
        }
        libc::setpgid(0, 0);
    }
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if rustix::process::getppid() != Some(host) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(())
}
