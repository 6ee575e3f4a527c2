//! The system calls of a guest process, argument by argument: what runs need of the kernel, and what zygotes need beyond that.
//!
//! Native code of an attacker is assumed on this side. So a call is here only if something of ours makes it behind the walls, and with those
//! arguments alone that we give it: `SECURITY.md` says of each what for, and a test holds the two together. Nothing here opens a
//! descriptor, names another process or file, or sends a signal, but for what a zygote does with its own children. `abort` is a death by
//! this list instead.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::contract::v8_flags::Jit;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use super::memory;
use super::occupant::Occupant;

/// What an argument has to be. Places count from 0.
#[derive(Clone, Copy, Debug)]
enum Needs {
    Anything,
    /// One of these values.
    One(u8, &'static [u32]),
    /// One of these values, without bits that say how, not what.
    OneOf(u8, &'static [u32], u32),
    /// At most this.
    AtMost(u8, u32),
    /// Nothing at all, where an address could be.
    Null(u8),
    /// These bits, of those in the mask.
    Bits {
        place: u8,
        mask: u32,
        value: u32,
    },
    /// Two of these at once.
    Both(&'static [(u8, u32)]),
    /// Any of several.
    AnyOf(&'static [Needs]),
}

/// A call: its name, its number, what its arguments have to be.
type Call = (&'static str, i64, Needs);

/// Clocks of everybody. Those of other processes are negative.
const CLOCKS: Needs = Needs::AtMost(0, libc::CLOCK_BOOTTIME.unsigned_abs());
/// Anonymous private memory: all of it counts against the limit of data. A shared mapping or a growing stack would not.
const PRIVATE_MEMORY: Needs = Needs::Bits {
    place: 3,
    mask: (libc::MAP_TYPE | libc::MAP_ANONYMOUS | libc::MAP_GROWSDOWN | libc::MAP_LOCKED | libc::MAP_HUGETLB).unsigned_abs(),
    value: (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).unsigned_abs(),
};
/// What V8, `malloc` and we say of memory: what it is for, never what becomes of it in other processes.
const ADVICE: Needs = Needs::One(
    2,
    &[
        libc::MADV_DONTNEED.unsigned_abs(),
        libc::MADV_FREE.unsigned_abs(),
        libc::MADV_DONTFORK.unsigned_abs(),
        libc::MADV_DOFORK.unsigned_abs(),
        libc::MADV_DONTDUMP.unsigned_abs(),
        libc::MADV_DODUMP.unsigned_abs(),
        libc::MADV_POPULATE_WRITE.unsigned_abs(),
    ],
);
/// Waiting and waking. The others move waiters about, or lend the priority of a thread that is named by number.
const WAIT_AND_WAKE: Needs = Needs::OneOf(
    1,
    &[
        libc::FUTEX_WAIT.unsigned_abs(),
        libc::FUTEX_WAKE.unsigned_abs(),
        libc::FUTEX_WAIT_BITSET.unsigned_abs(),
        libc::FUTEX_WAKE_BITSET.unsigned_abs(),
    ],
    !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME).unsigned_abs(),
);
/// Fork, as the C library has it: no threads, no namespaces.
const FORK: Needs = Needs::One(
    0,
    &[(libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD).unsigned_abs(), libc::SIGCHLD.unsigned_abs()],
);
/// No privileges ever, and death with the parent: neither can be taken back.
const NO_PRIVILEGES_AND_DEATH: Needs = Needs::AnyOf(&[
    Needs::Both(&[(0, libc::PR_SET_NO_NEW_PRIVS.unsigned_abs()), (1, 1)]),
    Needs::Both(&[(0, libc::PR_SET_PDEATHSIG.unsigned_abs()), (1, libc::SIGKILL.unsigned_abs())]),
]);
/// A list of calls, and no descriptor of who is asked about them.
const ANOTHER_LIST: Needs = Needs::Both(&[(0, libc::SECCOMP_SET_MODE_FILTER), (1, 0)]);

/// What a guest process needs once it has booted: memory, its socket, time, and its own end.
const OF_ALL: &[Call] = &[
    ("read", libc::SYS_read, Needs::Anything),
    ("write", libc::SYS_write, Needs::Anything),
    ("writev", libc::SYS_writev, Needs::Anything),
    ("recvfrom", libc::SYS_recvfrom, Needs::Null(4)),
    ("sendto", libc::SYS_sendto, Needs::Null(4)),
    #[cfg(target_arch = "x86_64")]
    ("poll", libc::SYS_poll, Needs::Anything),
    ("ppoll", libc::SYS_ppoll, Needs::Anything),
    ("close", libc::SYS_close, Needs::Anything),
    ("fcntl", libc::SYS_fcntl, Needs::One(1, &[libc::F_GETFD.unsigned_abs(), libc::F_GETFL.unsigned_abs()])),
    ("futex", libc::SYS_futex, WAIT_AND_WAKE),
    ("mmap", libc::SYS_mmap, PRIVATE_MEMORY),
    ("mprotect", libc::SYS_mprotect, Needs::Anything),
    ("munmap", libc::SYS_munmap, Needs::Anything),
    ("mremap", libc::SYS_mremap, Needs::One(3, &[libc::MREMAP_MAYMOVE.unsigned_abs()])),
    ("madvise", libc::SYS_madvise, ADVICE),
    ("brk", libc::SYS_brk, Needs::Anything),
    ("clock_gettime", libc::SYS_clock_gettime, CLOCKS),
    ("clock_nanosleep", libc::SYS_clock_nanosleep, CLOCKS),
    ("nanosleep", libc::SYS_nanosleep, Needs::Anything),
    ("sched_yield", libc::SYS_sched_yield, Needs::Anything),
    ("getpid", libc::SYS_getpid, Needs::Anything),
    ("gettid", libc::SYS_gettid, Needs::Anything),
    ("getrandom", libc::SYS_getrandom, Needs::Anything),
    ("getrusage", libc::SYS_getrusage, Needs::Anything),
    ("prlimit64", libc::SYS_prlimit64, Needs::One(0, &[0])),
    ("rt_sigaction", libc::SYS_rt_sigaction, Needs::Anything),
    ("rt_sigprocmask", libc::SYS_rt_sigprocmask, Needs::Anything),
    ("rt_sigreturn", libc::SYS_rt_sigreturn, Needs::Anything),
    ("sigaltstack", libc::SYS_sigaltstack, Needs::Anything),
    ("exit", libc::SYS_exit, Needs::Anything),
    ("exit_group", libc::SYS_exit_group, Needs::Anything),
    ("restart_syscall", libc::SYS_restart_syscall, Needs::Anything),
];

/// What only closes the walls further: until a run has closed its own.
const OF_WALLS: &[Call] = &[("prctl", libc::SYS_prctl, NO_PRIVILEGES_AND_DEATH), ("seccomp", libc::SYS_seccomp, ANOTHER_LIST)];

/// What a zygote needs beyond that: orders with descriptors, children, their ends, and the descriptors that name them.
const OF_ZYGOTES: &[Call] = &[
    ("recvmsg", libc::SYS_recvmsg, Needs::Anything),
    ("sendmsg", libc::SYS_sendmsg, Needs::Anything),
    ("clone", libc::SYS_clone, FORK),
    ("set_robust_list", libc::SYS_set_robust_list, Needs::Anything),
    ("getppid", libc::SYS_getppid, Needs::Anything),
    ("close_range", libc::SYS_close_range, Needs::Anything),
    ("wait4", libc::SYS_wait4, Needs::Anything),
    ("pidfd_open", libc::SYS_pidfd_open, Needs::Anything),
    ("kill", libc::SYS_kill, Needs::One(1, &[libc::SIGKILL.unsigned_abs()])),
    ("sched_setscheduler", libc::SYS_sched_setscheduler, Needs::One(1, &[libc::SCHED_IDLE.unsigned_abs()])),
    ("setpriority", libc::SYS_setpriority, Needs::Both(&[(0, 0), (2, crate::contract::priority::NICE_MAX.unsigned_abs())])),
];

/// The list of an occupant; anything else is its death.
pub(super) fn list(jit: Jit, occupant: Occupant) -> Result<BpfProgram, String> {
    let of_zygotes = if occupant == Occupant::Zygote { OF_ZYGOTES } else { &[] };
    let mut rules = BTreeMap::new();
    for (name, call, needs) in OF_ALL.iter().chain(OF_WALLS).chain(of_zygotes) {
        let mut alternatives = needs.alternatives()?;
        if jit == Jit::Off && matches!(*name, "mmap" | "mprotect") {
            add_to_each(&mut alternatives, &never_executable()?);
        }
        if memory::is_v8_kept_together() {
            match *name {
                "mprotect" | "munmap" | "mremap" | "madvise" => add_to_each(&mut alternatives, &never_reserved()?),
                // Where no place is insisted on, the kernel takes a free one.
                "mmap" => alternatives = either(&alternatives, &[without_fixed_place()?, never_reserved()?]),
                _ => {}
            }
        }
        // A call without any rule may have any arguments.
        let rules_of_call = alternatives.into_iter().filter(|conditions| !conditions.is_empty()).map(SeccompRule::new);
        rules.insert(*call, rules_of_call.collect::<Result<_, _>>().map_err(text)?);
    }
    compiled(rules, SeccompAction::KillProcess, SeccompAction::Allow)
}

/// The calls of an occupant: name, number, and whether it only closes walls, so that it is gone once a run has closed its own.
#[cfg(test)]
pub(super) fn names(occupant: Occupant) -> Vec<(&'static str, i64, bool)> {
    let of_zygotes = if occupant == Occupant::Zygote { OF_ZYGOTES } else { &[] };
    let of_all = OF_ALL.iter().chain(of_zygotes).map(|(name, call, _)| (*name, *call, false));
    of_all.chain(OF_WALLS.iter().map(|(name, call, _)| (*name, *call, true))).collect()
}

/// The short list of a run, on top of its zygote's: what it may not any more.
static FORBIDDEN: OnceLock<Option<BpfProgram>> = OnceLock::new();

/// What a run may not and its zygote must: all that is here for zygotes, and for closing walls. Compiled once, before the first fork.
pub(super) fn forbidden_to_runs() -> Option<&'static BpfProgram> {
    let compile = || {
        let calls = OF_ZYGOTES.iter().chain(OF_WALLS).map(|(_, call, _)| (*call, Vec::new()));
        compiled(calls.collect(), SeccompAction::Allow, SeccompAction::KillProcess).ok()
    };
    FORBIDDEN.get_or_init(compile).as_ref()
}

/// All conditions of one alternative have to hold.
type Alternatives = Vec<Vec<SeccompCondition>>;

impl Needs {
    /// What may be, each with its conditions. None at all stands for anything.
    fn alternatives(self) -> Result<Alternatives, String> {
        let one = |place: u8, compared: SeccompCmpOp, value: u32| {
            SeccompCondition::new(place, SeccompCmpArgLen::Dword, compared, value.into()).map_err(text)
        };
        Ok(match self {
            Self::Anything => vec![Vec::new()],
            Self::One(place, values) => {
                values.iter().map(|value| Ok(vec![one(place, SeccompCmpOp::Eq, *value)?])).collect::<Result<_, String>>()?
            }
            Self::OneOf(place, values, mask) => {
                let masked = |value: &u32| Ok(vec![one(place, SeccompCmpOp::MaskedEq(mask.into()), *value)?]);
                values.iter().map(masked).collect::<Result<_, String>>()?
            }
            Self::AtMost(place, value) => vec![vec![one(place, SeccompCmpOp::Le, value)?]],
            Self::Null(place) => {
                vec![vec![SeccompCondition::new(place, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0).map_err(text)?]]
            }
            Self::Bits { place, mask, value } => vec![vec![one(place, SeccompCmpOp::MaskedEq(mask.into()), value)?]],
            Self::Both(values) => {
                vec![values.iter().map(|(place, value)| one(*place, SeccompCmpOp::Eq, *value)).collect::<Result<_, String>>()?]
            }
            Self::AnyOf(needs) => {
                let each = needs.iter().map(|needs| needs.alternatives()).collect::<Result<Vec<_>, _>>()?;
                each.into_iter().flatten().collect()
            }
        })
    }
}

fn add_to_each(alternatives: &mut Alternatives, condition: &SeccompCondition) {
    for conditions in alternatives {
        conditions.push(condition.clone());
    }
}

/// Each of these, with one condition or another.
fn either(alternatives: &Alternatives, conditions: &[SeccompCondition]) -> Alternatives {
    let with_each = |condition: &SeccompCondition| {
        let mut alternatives = alternatives.clone();
        add_to_each(&mut alternatives, condition);
        alternatives
    };
    conditions.iter().flat_map(with_each).collect()
}

/// Without a JIT nothing becomes executable.
fn never_executable() -> Result<SeccompCondition, String> {
    let executable = u64::from(libc::PROT_EXEC.unsigned_abs());
    SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0).map_err(text)
}

/// Nothing of the addresses that are occupied to keep V8 together: the page tables of what could be read there count against no limit.
fn never_reserved() -> Result<SeccompCondition, String> {
    SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::Ge, memory::RESERVED.end as u64).map_err(text)
}

/// No mapping in the place of another.
fn without_fixed_place() -> Result<SeccompCondition, String> {
    let fixed = u64::from(libc::MAP_FIXED.unsigned_abs());
    SeccompCondition::new(3, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(fixed), 0).map_err(text)
}

fn compiled(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    on_match: SeccompAction,
) -> Result<BpfProgram, String> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(text)?;
    SeccompFilter::new(rules, otherwise, on_match, architecture).and_then(BpfProgram::try_from).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
