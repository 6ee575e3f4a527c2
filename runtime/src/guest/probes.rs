//! Tests of the walls: what the kernel refuses, tried by native code in a process that has closed the walls around itself.

mod addresses;

use std::io::Read as _;
use std::os::fd::AsRawFd as _;

use crate::contract::guest_process::EXIT_HOST_GONE;
use crate::contract::v8_flags::Jit;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use super::exit::exit;
use super::jail;
use super::occupant::Occupant;
use super::{memory, system_calls};
use crate::contract::boot::{Boot, CONTRACT, Demand, JailLayers, Walls};
use crate::contract::reaping::{self, EndedChild};

const BOOT: Boot = Boot {
    contract: *CONTRACT,
    jit: Jit::Off,
    heap_bytes_max: 0,
    huge_pages: false,
    jail: JailLayers::ALL,
    demand: Demand::Strict,
    readable_by_tests: false,
    scope_snapshot_of: None,
};
const KILLED_BY_THE_LIST: i32 = -libc::SIGSYS;
const FINE: i32 = 0;
const REFUSED: i32 = 1;
/// Of a child on a kernel that lacks the wall.
const NO_WALL: i32 = 2;
/// What the exit code of a zygote adds to the signal that its run was killed by.
const SIGNALLED: i32 = 100;

/// Who is behind the walls, and how it came there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Zygote,
    /// A run that was forked from a zygote: behind the zygote's walls, and its own.
    ForkedRun,
    /// A run that was spawned, or forked from a base zygote: behind its own walls.
    OtherRun,
}

const PLACES: [Place; 3] = [Place::Zygote, Place::ForkedRun, Place::OtherRun];
const RUNS: [Place; 2] = [Place::ForkedRun, Place::OtherRun];

/// Does something in a child of fork; how the child ended.
fn in_child(act: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child makes system calls and allocates, both of which glibc bears after fork, and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        exit(act());
    }
    let process = Pid::from_raw(child);
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let waited = process.map(|process| waitid(WaitId::Pid(process), options));
    assert!(matches!(waited, Some(Ok(_))), "fork, or wait: {waited:?}");
    process.and_then(reaping::reap).map_or(i32::MIN, |EndedChild { code, .. }| code)
}

/// Closes the walls of a place around this process, and acts there. In a forked run's zygote it returns how the run ended.
fn close_and_act(boot: &Boot, place: Place, act: impl Fn() -> i32) -> i32 {
    let mut walls = jail::before_v8();
    memory::note_addresses();
    jail::prepare();
    let occupant = if place == Place::OtherRun { Occupant::Run } else { Occupant::Zygote };
    jail::close(boot, occupant, &mut walls);
    if place == Place::ForkedRun {
        // SAFETY: as any zygote forks.
        let run = unsafe { libc::fork() };
        if run > 0 {
            let mut status = 0;
            // SAFETY: the place is of the right size.
            unsafe { libc::waitpid(run, &raw mut status, 0) };
            return if libc::WIFSIGNALED(status) { SIGNALLED + libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) };
        }
    }
    if place != Place::Zygote {
        jail::close_run(boot, &mut walls);
    }
    let code = if walls.missing_for(Demand::Strict).is_some() { NO_WALL } else { act() };
    exit(code)
}

/// How something ends behind the walls of a place, if this kernel has them. Where this is root, once more as nobody: it ends alike.
fn behind_walls(boot: &Boot, place: Place, act: impl Fn() -> i32) -> i32 {
    let of_run = |ended: i32| if ended > SIGNALLED { SIGNALLED - ended } else { ended };
    let ended = of_run(in_child(|| close_and_act(boot, place, &act)));
    if rustix::process::geteuid().is_root() {
        let nobody = 65_534;
        // SAFETY: system calls without memory, in a process of one thread.
        let becomes_nobody = || unsafe { libc::setgid(nobody) == 0 && libc::setuid(nobody) == 0 };
        let as_nobody = of_run(in_child(|| if becomes_nobody() { close_and_act(boot, place, &act) } else { REFUSED }));
        assert_eq!(as_nobody, ended, "as nobody, in a {place:?}");
    }
    ended
}

/// A kernel without the wall says so in `isolet doctor`, and has nothing to test: unless everything is required.
fn lacks_the_wall(ended: i32) -> bool {
    ended == NO_WALL && std::env::var_os("ISOLET_REQUIRE_ALL").is_none()
}

#[track_caller]
fn check(ended: i32, expected: i32, what: &str) {
    assert!(ended == expected || lacks_the_wall(ended), "{what}: {ended} instead of {expected}");
}

/// A call and its arguments.
type Probe = (&'static str, i64, [i64; 6]);

/// Makes a call of the kernel as it is.
fn make((_, call, [a, b, c, d, e, f]): Probe) -> i64 {
    // SAFETY: in a child that does nothing else: the worst is its end.
    unsafe { libc::syscall(call, a, b, c, d, e, f) }
}

#[track_caller]
fn check_killed(places: &[Place], probes: &[Probe]) {
    for place in places {
        for probe in probes {
            let ended = behind_walls(&BOOT, *place, || if make(*probe) < 0 { REFUSED } else { FINE });
            check(ended, KILLED_BY_THE_LIST, &format!("{} in a {place:?}", probe.0));
        }
    }
}

/// They get past the list; what the kernel says then is its own.
#[track_caller]
fn check_allowed(places: &[Place], probes: &[Probe]) {
    for place in places {
        let all = || {
            probes.iter().for_each(|probe| {
                make(*probe);
            });
            FINE
        };
        check(behind_walls(&BOOT, *place, all), FINE, &format!("{:?} in a {place:?}", probes.first().map(|probe| probe.0)));
    }
}

fn open_a_file() -> i32 {
    // SAFETY: the path is a C string.
    let opened = unsafe { libc::open(c"/etc/passwd".as_ptr(), libc::O_RDONLY) };
    if opened >= 0 { FINE } else { REFUSED }
}

#[test]
fn landlock_refuses_files_by_itself() {
    let closed = |act: fn() -> i32| {
        in_child(|| {
            let closed = rustix::thread::set_no_new_privs(true).is_ok() && jail::close_files().is_ok();
            if closed { act() } else { NO_WALL }
        })
    };
    assert_eq!(in_child(open_a_file), FINE, "without a wall");
    check(closed(open_a_file), REFUSED, "open");
}

#[test]
fn a_call_off_the_list_ends_the_process() {
    for place in PLACES {
        check(behind_walls(&BOOT, place, open_a_file), KILLED_BY_THE_LIST, "open");
    }
    check_killed(
        &PLACES,
        &[
            ("socket", libc::SYS_socket, [libc::AF_INET.into(), libc::SOCK_STREAM.into(), 0, 0, 0, 0]),
            ("socketpair", libc::SYS_socketpair, [libc::AF_UNIX.into(), libc::SOCK_STREAM.into(), 0, 0, 0, 0]),
            ("ptrace", libc::SYS_ptrace, [libc::PTRACE_TRACEME.into(), 0, 0, 0, 0, 0]),
            ("tgkill", libc::SYS_tgkill, [1, 1, 0, 0, 0, 0]),
            ("pidfd_send_signal", libc::SYS_pidfd_send_signal, [0, 0, 0, 0, 0, 0]),
            ("pidfd_getfd", libc::SYS_pidfd_getfd, [0, 0, 0, 0, 0, 0]),
            ("process_vm_readv", libc::SYS_process_vm_readv, [1, 0, 0, 0, 0, 0]),
            ("ioctl", libc::SYS_ioctl, [0, 0, 0, 0, 0, 0]),
            ("membarrier", libc::SYS_membarrier, [0, 0, 0, 0, 0, 0]),
            ("memfd_create", libc::SYS_memfd_create, [0, 0, 0, 0, 0, 0]),
            ("shmget", libc::SYS_shmget, [0, 4096, 0, 0, 0, 0]),
            ("userfaultfd", libc::SYS_userfaultfd, [0, 0, 0, 0, 0, 0]),
            ("io_uring_setup", libc::SYS_io_uring_setup, [1, 0, 0, 0, 0, 0]),
            ("bpf", libc::SYS_bpf, [0, 0, 0, 0, 0, 0]),
            ("keyctl", libc::SYS_keyctl, [0, 0, 0, 0, 0, 0]),
            ("unshare", libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0, 0, 0, 0]),
            ("setuid", libc::SYS_setuid, [0, 0, 0, 0, 0, 0]),
            ("capset", libc::SYS_capset, [0, 0, 0, 0, 0, 0]),
            ("sched_getaffinity", libc::SYS_sched_getaffinity, [1, 8, 0, 0, 0, 0]),
        ],
    );
    // SAFETY: it ends the process.
    let aborts = || unsafe { libc::abort() };
    check(behind_walls(&BOOT, Place::OtherRun, aborts), KILLED_BY_THE_LIST, "abort");
}

/// Every other number than those of the list, in a run: also what is no call yet.
#[test]
fn no_other_call_is_allowed_to_a_run() {
    const NUMBERS: i64 = 480;
    // `uretprobe` and `uprobe` of this architecture: the kernel asks no list about them, and they do nothing outside of a probe.
    const UNASKED: std::ops::Range<i64> = if cfg!(target_arch = "x86_64") { 335..337 } else { 0..0 };
    let of_run = system_calls::names(Occupant::Run);
    let allowed: Vec<i64> = of_run.iter().filter(|(_, _, is_of_walls)| !is_of_walls).map(|(_, call, _)| *call).collect();
    for call in (0..NUMBERS).filter(|call| !allowed.contains(call) && !UNASKED.contains(call)) {
        let ended =
            in_child(|| close_and_act(&BOOT, Place::ForkedRun, || if make(("", call, [0; 6])) < 0 { REFUSED } else { FINE }));
        assert!(ended == SIGNALLED + libc::SIGSYS || lacks_the_wall(ended), "call {call}: {ended}");
    }
}

#[test]
fn every_call_that_is_allowed_has_its_reason_in_security_md() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../SECURITY.md")).unwrap_or_default();
    let table: Vec<&str> =
        document.lines().skip_while(|line| !line.starts_with("| call |")).take_while(|line| line.starts_with('|')).collect();
    let rows = |who: &str| -> Vec<String> {
        let of_who = table.iter().skip(2).filter(|row| row.split('|').nth(3).is_some_and(|cell| cell.trim() == who));
        let names = of_who.filter_map(|row| row.split('|').nth(1)).flat_map(|cell| cell.split(','));
        let mut names: Vec<String> = names.map(|name| name.trim().trim_matches('`').to_owned()).collect();
        names.sort();
        names
    };
    let names = |occupant: Occupant| -> Vec<String> {
        let mut names: Vec<String> = system_calls::names(occupant).into_iter().map(|(name, ..)| name.to_owned()).collect();
        names.sort();
        names
    };
    let walls: Vec<String> =
        system_calls::names(Occupant::Run).into_iter().filter(|call| call.2).map(|call| call.0.to_owned()).collect();
    let of_runs: Vec<String> =
        names(Occupant::Run).into_iter().filter(|name| !walls.contains(name) && name != "poll").collect();
    let of_zygotes: Vec<String> =
        names(Occupant::Zygote).into_iter().filter(|name| !of_runs.contains(name) && name != "poll").collect();
    assert_eq!(rows("all").into_iter().filter(|name| name != "poll").collect::<Vec<_>>(), of_runs, "what runs may");
    assert_eq!(rows("zygotes"), of_zygotes, "what zygotes alone may");
}

#[test]
fn a_run_starts_no_process_and_its_zygote_forks_and_does_nothing_else() {
    let start = || {
        // SAFETY: the child ends at once.
        match unsafe { libc::fork() } {
            0 => exit(FINE),
            child if child > 0 => FINE,
            _ => REFUSED,
        }
    };
    check(behind_walls(&BOOT, Place::Zygote, start), FINE, "fork by a zygote");
    let execute = || {
        // SAFETY: C strings, and lists of them that end.
        unsafe { libc::execve(c"/bin/true".as_ptr(), [std::ptr::null()].as_ptr(), [std::ptr::null()].as_ptr()) };
        REFUSED
    };
    for run in RUNS {
        check(behind_walls(&BOOT, run, start), KILLED_BY_THE_LIST, "fork by a run");
        check(behind_walls(&BOOT, run, execute), KILLED_BY_THE_LIST, "execve by a run");
    }
    check(behind_walls(&BOOT, Place::Zygote, execute), KILLED_BY_THE_LIST, "execve by a zygote");
    let flags = |flags: i32| [i64::from(flags | libc::SIGCHLD), 0, 0, 0, 0, 0];
    check_killed(
        &PLACES,
        &[
            ("clone of a user namespace", libc::SYS_clone, flags(libc::CLONE_NEWUSER)),
            ("clone that shares memory", libc::SYS_clone, flags(libc::CLONE_VM)),
            ("clone of the parent's child", libc::SYS_clone, flags(libc::CLONE_PARENT)),
            ("clone3", libc::SYS_clone3, [0; 6]),
            ("vfork", libc::SYS_vfork, [0; 6]),
        ],
    );
}

#[test]
fn clocks_are_those_of_everybody_and_never_another_process_s() {
    let clock_of_host = || {
        let mut clock = 0;
        // SAFETY: the place is of the right size.
        unsafe { libc::clock_getcpuclockid(libc::getppid(), &raw mut clock) };
        i64::from(clock)
    };
    let host = clock_of_host();
    assert!(host < 0, "{host}");
    let mut time = [0_i64; 2];
    let place = time.as_mut_ptr() as i64;
    for clock in [libc::CLOCK_REALTIME, libc::CLOCK_MONOTONIC, libc::CLOCK_PROCESS_CPUTIME_ID, libc::CLOCK_BOOTTIME] {
        check_allowed(&PLACES, &[("clock_gettime", libc::SYS_clock_gettime, [clock.into(), place, 0, 0, 0, 0])]);
    }
    check_killed(
        &PLACES,
        &[
            ("clock_gettime of the host", libc::SYS_clock_gettime, [host, place, 0, 0, 0, 0]),
            ("clock_nanosleep on the host's", libc::SYS_clock_nanosleep, [host, 0, place, 0, 0, 0]),
            ("clock_getres", libc::SYS_clock_getres, [host, 0, 0, 0, 0, 0]),
            ("timer_create", libc::SYS_timer_create, [host, 0, 0, 0, 0, 0]),
        ],
    );
}

#[test]
fn limits_of_other_processes_and_signals_of_descriptors_are_out_of_reach() {
    let own = [("prlimit64", libc::SYS_prlimit64, [0, libc::RLIMIT_NOFILE.into(), 0, 0, 0, 0])];
    check_allowed(&PLACES, &own);
    check_killed(
        &PLACES,
        &[
            ("limits of another process", libc::SYS_prlimit64, [1, libc::RLIMIT_NOFILE.into(), 0, 0, 0, 0]),
            ("the owner of a descriptor", libc::SYS_fcntl, [0, libc::F_SETOWN.into(), 1, 0, 0, 0]),
            ("a descriptor that signals", libc::SYS_fcntl, [0, libc::F_SETFL.into(), libc::O_ASYNC.into(), 0, 0, 0]),
            ("another descriptor", libc::SYS_fcntl, [0, libc::F_DUPFD.into(), 0, 0, 0, 0]),
        ],
    );
}

/// Also root's, who may raise any limit by the capability that is given up.
#[test]
fn no_limit_can_be_raised_and_no_privilege_is_left() {
    let raise = || {
        let limit = libc::rlimit { rlim_cur: 100, rlim_max: 100 };
        // SAFETY: the place is of the right size.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } == 0 { FINE } else { REFUSED }
    };
    for run in RUNS {
        check(behind_walls(&BOOT, run, raise), REFUSED, "a higher limit");
    }
    let privileges = in_child(|| {
        let walls = jail::before_v8();
        let left = rustix::thread::capabilities(None)
            .map_or(u64::MAX, |sets| (sets.effective | sets.permitted | sets.inheritable).bits());
        if walls.no_new_privileges && left == 0 { FINE } else { REFUSED }
    });
    assert_eq!(privileges, FINE, "capabilities are left");
}

#[test]
fn a_run_names_no_process_and_a_zygote_only_kills_and_lowers() {
    let host = i64::from(std::process::id());
    // With a free descriptor: it would have the pidfd of its host.
    for run in RUNS {
        let open = || {
            // SAFETY: a descriptor of this process, which nothing uses any more.
            unsafe { libc::close(0) };
            if make(("", libc::SYS_pidfd_open, [host, 0, 0, 0, 0, 0])) < 0 { REFUSED } else { FINE }
        };
        check(behind_walls(&BOOT, run, open), KILLED_BY_THE_LIST, "pidfd_open");
    }
    let nobody = i64::from(i32::MAX);
    check_allowed(
        &[Place::Zygote],
        &[
            ("kill", libc::SYS_kill, [nobody, libc::SIGKILL.into(), 0, 0, 0, 0]),
            ("setpriority", libc::SYS_setpriority, [0, nobody, 19, 0, 0, 0]),
            ("sched_setscheduler", libc::SYS_sched_setscheduler, [nobody, libc::SCHED_IDLE.into(), 0, 0, 0, 0]),
        ],
    );
    check_killed(
        &RUNS,
        &[
            ("kill", libc::SYS_kill, [nobody, libc::SIGKILL.into(), 0, 0, 0, 0]),
            ("setpriority", libc::SYS_setpriority, [0, nobody, 19, 0, 0, 0]),
            ("sched_setscheduler", libc::SYS_sched_setscheduler, [0, libc::SCHED_IDLE.into(), 0, 0, 0, 0]),
            ("getppid", libc::SYS_getppid, [0; 6]),
            ("wait4", libc::SYS_wait4, [-1, 0, libc::WNOHANG.into(), 0, 0, 0]),
        ],
    );
    check_killed(
        &PLACES,
        &[
            ("another signal", libc::SYS_kill, [nobody, libc::SIGTERM.into(), 0, 0, 0, 0]),
            ("another priority", libc::SYS_setpriority, [0, 0, 0, 0, 0, 0]),
            ("the priority of a user", libc::SYS_setpriority, [2, 0, 19, 0, 0, 0]),
            ("another scheduler", libc::SYS_sched_setscheduler, [0, 0, 0, 0, 0, 0]),
        ],
    );
}

#[test]
fn a_run_sends_and_receives_bytes_alone_and_waits_for_its_own() {
    check_killed(
        &RUNS,
        &[
            ("descriptors beside bytes", libc::SYS_sendmsg, [0; 6]),
            ("descriptors of others", libc::SYS_recvmsg, [0; 6]),
            ("bytes to an address", libc::SYS_sendto, [0, 0, 0, 0, addresses::PAGE, 16]),
            ("the address of a sender", libc::SYS_recvfrom, [0, 0, 0, 0, addresses::PAGE, 0]),
        ],
    );
    let futex = |operation: i32| [0, operation.into(), 0, 0, 0, 0];
    let waits =
        [libc::FUTEX_WAKE, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, libc::FUTEX_WAIT_BITSET | libc::FUTEX_CLOCK_REALTIME];
    check_allowed(&PLACES, &waits.map(|operation| ("futex", libc::SYS_futex, futex(operation))));
    let others = [libc::FUTEX_LOCK_PI, libc::FUTEX_CMP_REQUEUE_PI, libc::FUTEX_WAKE_OP, libc::FUTEX_FD];
    check_killed(&PLACES, &others.map(|operation| ("a futex that lends priority", libc::SYS_futex, futex(operation))));
}

#[test]
fn walls_can_be_closed_further_and_never_opened() {
    let prctl = |option: i32, value: i64| [option.into(), value, 0, 0, 0, 0];
    check_allowed(
        &[Place::Zygote],
        &[
            ("prctl", libc::SYS_prctl, prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL.into())),
            ("prctl", libc::SYS_prctl, prctl(libc::PR_SET_NO_NEW_PRIVS, 1)),
        ],
    );
    check_killed(
        &PLACES,
        &[
            ("life after its parent", libc::SYS_prctl, prctl(libc::PR_SET_PDEATHSIG, 0)),
            ("a death that can be ignored", libc::SYS_prctl, prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM.into())),
            ("core dumps", libc::SYS_prctl, prctl(libc::PR_SET_DUMPABLE, 1)),
            ("children of others", libc::SYS_prctl, prctl(libc::PR_SET_CHILD_SUBREAPER, 1)),
            ("a list with a listener", libc::SYS_seccomp, [1, 8, 0, 0, 0, 0]),
        ],
    );
    check_killed(
        &RUNS,
        &[
            ("another death", libc::SYS_prctl, prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL.into())),
            ("another list", libc::SYS_seccomp, [1, 0, 0, 0, 0, 0]),
        ],
    );
}

/// A run that ignores every signal that can be ignored and never ends by itself.
#[test]
fn a_run_dies_with_its_zygote_whatever_it_does() {
    let (mut reader, writer) = std::io::pipe().unwrap_or_else(|error| panic!("{error}"));
    // SAFETY: the children make system calls only.
    let zygote = unsafe { libc::fork() };
    if zygote == 0 {
        let mut walls = jail::before_v8();
        jail::prepare();
        jail::close(&BOOT, Occupant::Zygote, &mut walls);
        let this = rustix::process::getpid();
        // SAFETY: as above.
        if unsafe { libc::fork() } == 0 {
            super::zygote::die_with(this);
            jail::close_run(&BOOT, &mut walls);
            for signal in 1..32 {
                // SAFETY: nothing is done in a handler.
                unsafe { libc::signal(signal, libc::SIG_IGN) };
            }
            // SAFETY: a byte of this process.
            unsafe { libc::write(writer.as_raw_fd(), c"x".as_ptr().cast(), 1) };
            loop {
                // SAFETY: it only waits.
                unsafe { libc::poll(std::ptr::null_mut(), 0, 1000) };
            }
        }
        loop {
            // SAFETY: as above.
            unsafe { libc::poll(std::ptr::null_mut(), 0, 1000) };
        }
    }
    drop(writer);
    let mut said = [0];
    assert!(reader.read_exact(&mut said).is_ok(), "the run does not come up");
    let zygote = Pid::from_raw(zygote).unwrap_or_else(rustix::process::getpid);
    rustix::process::kill_process(zygote, Signal::KILL).unwrap_or_else(|error| panic!("{error}"));
    // The end of the stream: the run held the last end of the pipe that can be written to.
    assert_eq!(reader.read(&mut said).ok(), Some(0), "it says something more");
    let _ = waitid(WaitId::Pid(zygote), WaitIdOptions::EXITED);
}

/// Where no host is left to kill it, the kernel ends a run that computes; also one that does not listen.
#[test]
fn the_kernel_ends_what_computes_for_too_long() {
    let compute = |deaf: bool| {
        in_child(|| {
            if deaf {
                // SAFETY: nothing is done in a handler.
                unsafe { libc::signal(libc::SIGXCPU, libc::SIG_IGN) };
            }
            jail::limit_processor(1);
            loop {
                std::hint::spin_loop();
            }
        })
    };
    assert_eq!(compute(false), -libc::SIGXCPU);
    assert_eq!(compute(true), -libc::SIGKILL);
}

#[test]
fn without_a_jail_nothing_is_closed_and_who_insists_ends() {
    let open = Boot { jail: JailLayers::NONE, demand: Demand::Nothing, ..BOOT };
    let try_all = |boot: Boot| {
        in_child(|| {
            let mut walls = Walls::default();
            jail::close(&boot, Occupant::Run, &mut walls);
            jail::close_run(&boot, &mut walls);
            jail::insist(&boot, &walls);
            open_a_file()
        })
    };
    assert_eq!(try_all(open.clone()), FINE);
    for demand in [Demand::SystemCalls, Demand::Strict] {
        assert_eq!(try_all(Boot { demand, ..open.clone() }), EXIT_HOST_GONE);
    }
}
