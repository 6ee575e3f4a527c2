//! The walls around a guest process: what the kernel refuses it, whatever code runs in it.
//!
//! Best effort by layer, each reported in [`Walls`]. Order matters: privileges go before V8 starts; files and system calls go
//! when the last `/proc/self/maps` was read; what a run must not and its zygote must (fork) goes in the run.

use crate::frame::{Boot, Walls};

/// Who is behind the walls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occupant {
    /// A zygote of a scope: it forks runs and reaps them.
    Zygote,
    /// A run.
    Run,
}

/// The walls that stand before V8 starts: no new privileges, no core dumps.
pub(super) fn before_v8() -> Walls {
    let mut walls = Walls::default();
    limit(rustix::process::Resource::Core, 0);
    #[cfg(target_os = "linux")]
    match rustix::thread::set_no_new_privs(true) {
        Ok(()) => walls.no_new_privileges = true,
        Err(error) => walls.missing.push(format!("no_new_privs: {error}")),
    }
    #[cfg(not(target_os = "linux"))]
    walls.missing.push("landlock and seccomp exist on Linux only".to_owned());
    walls
}

/// Closes the walls for good, but for those that the host does not want.
pub(super) fn close(boot: &Boot, occupant: Occupant, walls: &mut Walls) {
    #[cfg(target_os = "linux")]
    linux::close(boot, occupant, walls);
    #[cfg(not(target_os = "linux"))]
    let _ = (boot, occupant, walls);
}

/// What a run may not do and its zygote must: start processes, open descriptors.
pub(super) fn close_run(boot: &Boot, walls: &mut Walls) {
    if boot.jail.resources {
        limit(rustix::process::Resource::Nofile, 4);
        // Counts all processes of the user, so zygotes do without; root is exempt, whom the list of system calls stops.
        limit(rustix::process::Resource::Nproc, 0);
    }
    #[cfg(target_os = "linux")]
    if boot.jail.system_calls {
        linux::deny_processes(walls);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = walls;
}

/// Ends this process if the host insists on walls that do not stand: before it has read a program.
pub(super) fn insist(boot: &Boot, walls: &Walls) {
    if boot.strict && walls.missing_for_strict().is_some() {
        super::exit(super::EXIT_HOST_GONE);
    }
}

/// The most private memory that this process may have, bytes.
pub(super) fn limit_data(bytes: u64) {
    limit(rustix::process::Resource::Data, bytes);
}

fn limit(resource: rustix::process::Resource, maximum: u64) {
    let current = rustix::process::getrlimit(resource);
    let maximum = current.maximum.map_or(maximum, |hard| hard.min(maximum));
    // A limit that cannot be set stays as it was: it can only have been lower.
    let _ = rustix::process::setrlimit(resource, rustix::process::Rlimit { current: Some(maximum), maximum: Some(maximum) });
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::sync::OnceLock;

    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetStatus, Scope,
    };
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
    };

    use super::Occupant;
    use crate::frame::{Boot, Walls};
    use isolet_snapshots::flags::Jit;

    pub(super) fn close(boot: &Boot, occupant: Occupant, walls: &mut Walls) {
        if boot.jail.files {
            match close_files() {
                Ok(RulesetStatus::FullyEnforced) => walls.landlock = true,
                Ok(RulesetStatus::PartiallyEnforced) => {
                    walls.landlock = true;
                    walls
                        .missing
                        .push("a part of landlock: a newer kernel refuses more (TCP ports, signals, devices)".to_owned());
                }
                Ok(RulesetStatus::NotEnforced) => walls.missing.push("landlock: it is not in this kernel".to_owned()),
                Err(reason) => walls.missing.push(format!("landlock: {reason}")),
            }
            if !boot.readable_by_tests {
                let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
            }
        }
        if boot.jail.system_calls {
            let applied = filter(boot.jit, occupant)
                .and_then(|filter| seccompiler::apply_filter(&filter).map_err(|error| error.to_string()));
            match applied {
                Ok(()) => walls.seccomp = true,
                Err(reason) => walls.missing.push(format!("seccomp: {reason}")),
            }
        }
    }

    /// Landlock: no file can be opened, no TCP port be used, no process outside be signalled.
    pub(super) fn close_files() -> Result<RulesetStatus, String> {
        let status = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(ABI::V5))
            .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V5)))
            .and_then(|rules| rules.scope(Scope::from_all(ABI::V6)))
            .and_then(Ruleset::create)
            .and_then(landlock::RulesetCreated::restrict_self)
            .map_err(|error| error.to_string())?;
        Ok(status.ruleset)
    }

    /// What a guest process needs of the kernel once it has booted: memory, its socket, time, and its own end.
    ///
    /// Nothing that sends a signal: all guest processes are of one user. `abort` is a death by this list instead.
    const ALLOWED: &[i64] = &[
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_recvmsg,
        libc::SYS_sendmsg,
        libc::SYS_recvfrom,
        libc::SYS_sendto,
        libc::SYS_ppoll,
        libc::SYS_close,
        libc::SYS_futex,
        libc::SYS_munmap,
        libc::SYS_madvise,
        libc::SYS_mremap,
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_clock_getres,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_sched_yield,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_getppid,
        libc::SYS_getrandom,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_rseq,
        libc::SYS_set_robust_list,
        libc::SYS_membarrier,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_restart_syscall,
        libc::SYS_prctl,
        libc::SYS_seccomp,
        libc::SYS_getrusage,
        libc::SYS_sched_getaffinity,
    ];

    /// What a zygote needs beyond that: children, their ends, and the descriptors that name them.
    const ALLOWED_TO_ZYGOTES: &[i64] = &[
        libc::SYS_clone,
        libc::SYS_clone3,
        libc::SYS_wait4,
        libc::SYS_waitid,
        libc::SYS_pidfd_open,
        libc::SYS_signalfd4,
        libc::SYS_dup3,
        libc::SYS_dup2,
        libc::SYS_close_range,
        libc::SYS_set_tid_address,
        libc::SYS_landlock_create_ruleset,
        libc::SYS_landlock_restrict_self,
    ];

    fn filter(jit: Jit, occupant: Occupant) -> Result<BpfProgram, String> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
        #[cfg(target_arch = "x86_64")]
        rules.insert(libc::SYS_poll, Vec::new());
        if occupant == Occupant::Zygote {
            rules.extend(ALLOWED_TO_ZYGOTES.iter().map(|call| (*call, Vec::new())));
            #[cfg(target_arch = "x86_64")]
            rules.insert(libc::SYS_fork, Vec::new());
        }
        // Its own limits, not those of other processes of this user.
        rules.insert(libc::SYS_prlimit64, vec![rule(0, SeccompCmpOp::Eq, 0)?]);
        // Looking at a descriptor, not having it send signals.
        let looks = [libc::F_GETFD, libc::F_GETFL].map(|command| rule(1, SeccompCmpOp::Eq, command.unsigned_abs().into()));
        rules.insert(libc::SYS_fcntl, looks.into_iter().collect::<Result<_, _>>()?);
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            rules.insert(call, memory_rules(jit)?);
        }
        compiled(rules, SeccompAction::KillProcess, SeccompAction::Allow)
    }

    /// `mmap` and `mprotect`: never executable without a JIT.
    fn memory_rules(jit: Jit) -> Result<Vec<SeccompRule>, String> {
        let executable = u64::from(libc::PROT_EXEC.unsigned_abs());
        match jit {
            Jit::On => Ok(Vec::new()),
            Jit::Off => Ok(vec![rule(2, SeccompCmpOp::MaskedEq(executable), 0)?]),
        }
    }

    /// Allows a call whose argument at `place`, from 0, compares so with `value`.
    fn rule(place: u8, compared: SeccompCmpOp, value: u64) -> Result<SeccompRule, String> {
        SeccompCondition::new(place, SeccompCmpArgLen::Dword, compared, value)
            .and_then(|condition| SeccompRule::new(vec![condition]))
            .map_err(|error| error.to_string())
    }

    fn compiled(
        rules: BTreeMap<i64, Vec<SeccompRule>>,
        otherwise: SeccompAction,
        on_match: SeccompAction,
    ) -> Result<BpfProgram, String> {
        let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
        SeccompFilter::new(rules, otherwise, on_match, architecture)
            .and_then(BpfProgram::try_from)
            .map_err(|error| error.to_string())
    }

    /// The short filter of a run, on top of its zygote's: no process can be started. Compiled once, before the first fork.
    static SHORT: OnceLock<Option<BpfProgram>> = OnceLock::new();

    fn short_filter() -> Option<&'static BpfProgram> {
        let calls = [
            libc::SYS_clone,
            libc::SYS_clone3,
            libc::SYS_execve,
            libc::SYS_execveat,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_fork,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_vfork,
        ];
        SHORT
            .get_or_init(|| {
                let rules = calls.into_iter().map(|call| (call, Vec::new())).collect();
                compiled(rules, SeccompAction::Allow, SeccompAction::KillProcess).ok()
            })
            .as_ref()
    }

    pub(super) fn prepare() {
        short_filter();
    }

    pub(super) fn deny_processes(walls: &mut Walls) {
        let applied = short_filter().is_some_and(|filter| seccompiler::apply_filter(filter).is_ok());
        if !applied {
            walls.seccomp = false;
            walls.missing.push("seccomp: a run cannot be kept from starting processes".to_owned());
        }
    }
}

/// Makes ready what [`close_run`] needs, so that forks share it.
pub(super) fn prepare() {
    #[cfg(target_os = "linux")]
    linux::prepare();
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    //! What the kernel refuses, tried in a process that has closed the walls around itself.

    use isolet_snapshots::flags::Jit;
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    use super::*;
    use crate::child::{self, EndedChild};
    use crate::frame::JailLayers;

    const BOOT: Boot = Boot {
        jit: Jit::Off,
        heap_bytes_max: 0,
        huge_pages: false,
        jail: JailLayers::ALL,
        strict: true,
        readable_by_tests: false,
        scope_snapshot_of: None,
    };
    const KILLED_BY_THE_LIST: i32 = -libc::SIGSYS;
    const FINE: i32 = 0;
    const REFUSED: i32 = 1;
    /// Of a child on a kernel that lacks the wall.
    const NO_WALL: i32 = 2;

    type Call = fn() -> i64;

    /// Does something in a child of fork; how the child ended.
    fn in_child(act: impl FnOnce() -> i32) -> i32 {
        // SAFETY: the child makes system calls and allocates, both of which glibc bears after fork, and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            crate::guest::exit(act());
        }
        let process = Pid::from_raw(child);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let waited = process.map(|process| waitid(WaitId::Pid(process), options));
        assert!(matches!(waited, Some(Ok(_))), "fork, or wait: {waited:?}");
        child::reap(process).map_or(i32::MIN, |EndedChild { code, .. }| code)
    }

    /// The same behind the walls of an occupant, if this kernel has them. Where this is root, once more as nobody: it ends alike.
    fn behind_walls(boot: &Boot, occupant: Occupant, act: impl Fn() -> i32) -> i32 {
        let closed = || {
            let mut walls = before_v8();
            prepare();
            close(boot, occupant, &mut walls);
            if occupant == Occupant::Run {
                close_run(boot, &mut walls);
            }
            if walls.missing_for_strict().is_some() { NO_WALL } else { act() }
        };
        let ended = in_child(closed);
        if rustix::process::geteuid().is_root() {
            let nobody = 65_534;
            // SAFETY: system calls without memory, in a process of one thread.
            let becomes_nobody = || unsafe { libc::setgid(nobody) == 0 && libc::setuid(nobody) == 0 };
            assert_eq!(in_child(|| if becomes_nobody() { closed() } else { REFUSED }), ended, "as nobody");
        }
        ended
    }

    /// A kernel without the wall says so in `isolet doctor`, and has nothing to test: unless everything is required.
    fn lacks_the_wall(ended: i32) -> bool {
        ended == NO_WALL && std::env::var_os("ISOLET_REQUIRE_ALL").is_none()
    }

    #[track_caller]
    fn check(ended: i32, expected: i32) {
        assert!(ended == expected || lacks_the_wall(ended), "{ended} instead of {expected}");
    }

    fn open_a_file() -> i32 {
        // SAFETY: the path is a C string.
        let opened = unsafe { libc::open(c"/etc/passwd".as_ptr(), libc::O_RDONLY) };
        if opened >= 0 { FINE } else { REFUSED }
    }

    fn start_a_process() -> i32 {
        // SAFETY: the child ends at once.
        match unsafe { libc::fork() } {
            0 => crate::guest::exit(FINE),
            child if child > 0 => FINE,
            _ => REFUSED,
        }
    }

    fn map_executable_memory() -> i32 {
        let (rights, flags) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: new memory, which nothing uses.
        let mapped = unsafe { libc::mmap(std::ptr::null_mut(), 4096, rights, flags, -1, 0) };
        if mapped == libc::MAP_FAILED { REFUSED } else { FINE }
    }

    #[test]
    fn landlock_refuses_files_by_itself() {
        let closed = |act: fn() -> i32| {
            in_child(|| {
                let closed = rustix::thread::set_no_new_privs(true).is_ok() && linux::close_files().is_ok();
                if closed { act() } else { NO_WALL }
            })
        };
        assert_eq!(in_child(open_a_file), FINE, "without a wall");
        check(closed(open_a_file), REFUSED);
    }

    #[test]
    fn a_call_off_the_list_ends_the_process() {
        for occupant in [Occupant::Run, Occupant::Zygote] {
            check(behind_walls(&BOOT, occupant, open_a_file), KILLED_BY_THE_LIST);
            // SAFETY: system calls without memory.
            let calls: [(&str, Call); 4] = unsafe {
                [
                    ("socket", || libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0).into()),
                    ("kill", || libc::kill(libc::getppid(), 0).into()),
                    ("abort", || libc::abort()),
                    ("ptrace", || libc::ptrace(libc::PTRACE_TRACEME)),
                ]
            };
            for (name, call) in calls {
                let ended = behind_walls(&BOOT, occupant, || if call() == 0 { FINE } else { REFUSED });
                assert!(ended == KILLED_BY_THE_LIST || lacks_the_wall(ended), "{name} by a {occupant:?}: {ended}");
            }
        }
    }

    #[test]
    fn a_run_starts_no_process_and_its_zygote_does() {
        check(behind_walls(&BOOT, Occupant::Zygote, start_a_process), FINE);
        check(behind_walls(&BOOT, Occupant::Run, start_a_process), KILLED_BY_THE_LIST);
        let execute = || {
            // SAFETY: C strings, and lists of them that end.
            unsafe { libc::execve(c"/bin/true".as_ptr(), [std::ptr::null()].as_ptr(), [std::ptr::null()].as_ptr()) };
            REFUSED
        };
        check(behind_walls(&BOOT, Occupant::Zygote, execute), KILLED_BY_THE_LIST);
        check(behind_walls(&BOOT, Occupant::Run, execute), KILLED_BY_THE_LIST);
    }

    #[test]
    fn memory_is_executable_with_a_jit_only() {
        check(behind_walls(&BOOT, Occupant::Run, map_executable_memory), KILLED_BY_THE_LIST);
        check(behind_walls(&Boot { jit: Jit::On, ..BOOT }, Occupant::Run, map_executable_memory), FINE);
        // With a JIT all other walls stand.
        check(behind_walls(&Boot { jit: Jit::On, ..BOOT }, Occupant::Run, open_a_file), KILLED_BY_THE_LIST);
    }

    #[test]
    fn limits_of_other_processes_and_signals_of_descriptors_are_out_of_reach() {
        let limit_of = |process: i32| {
            let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: the place is of the right size.
            let read = unsafe { libc::prlimit(process, libc::RLIMIT_NOFILE, std::ptr::null(), &raw mut limit) };
            if read == 0 { FINE } else { REFUSED }
        };
        check(behind_walls(&BOOT, Occupant::Run, || limit_of(0)), FINE);
        // SAFETY: a system call without memory.
        check(behind_walls(&BOOT, Occupant::Run, || limit_of(unsafe { libc::getppid() })), KILLED_BY_THE_LIST);
        // SAFETY: a system call without memory.
        let owner = || if unsafe { libc::fcntl(0, libc::F_SETOWN, libc::getppid()) } == 0 { FINE } else { REFUSED };
        check(behind_walls(&BOOT, Occupant::Run, owner), KILLED_BY_THE_LIST);
    }

    #[test]
    fn without_a_jail_nothing_is_closed_and_who_insists_ends() {
        let open = Boot { jail: JailLayers::NONE, strict: false, ..BOOT };
        let try_all = |boot: Boot| {
            in_child(|| {
                let mut walls = Walls::default();
                close(&boot, Occupant::Run, &mut walls);
                close_run(&boot, &mut walls);
                insist(&boot, &walls);
                open_a_file()
            })
        };
        assert_eq!(try_all(open.clone()), FINE);
        assert_eq!(try_all(Boot { strict: true, ..open }), crate::guest::EXIT_HOST_GONE);
    }
}
