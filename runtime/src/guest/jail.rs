//! The walls around a guest process: what the kernel refuses it, whatever code runs in it.
//!
//! Best effort by layer, each reported in [`Walls`]. Order matters: privileges go before V8 starts; files and system calls go
//! when the last `/proc/self/maps` was read; what a run must not and its zygote must (fork) goes in the run.

use rustix::process::{Resource, Rlimit, setrlimit};

use super::aside;
use super::exit::exit;
use super::memory;
use super::occupant::Occupant;
use crate::contract::boot::{Boot, Walls};
use crate::contract::guest_process::EXIT_HOST_GONE;

/// Addresses that a run may take beyond those of its zygote and its limit of data, bytes: V8 reserves some before it needs them.
const ADDRESSES_BEYOND: u64 = 1 << 30;

/// The walls that stand before V8 starts: no privileges, none to be gained, no core dumps.
pub(super) fn before_v8() -> Walls {
    let mut walls = Walls::default();
    limit(Resource::Core, 0);
    #[cfg(target_os = "linux")]
    linux::give_up_privileges(&mut walls);
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
        limit(Resource::Nofile, 4);
        // Counts all processes of the user, so zygotes do without; root is exempt, whom the list of system calls stops.
        limit(Resource::Nproc, 0);
    }
    #[cfg(target_os = "linux")]
    if boot.jail.system_calls {
        linux::forbid_to_run(walls);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = walls;
}

/// Ends this process if the host insists on walls that do not stand: before it has read a program.
pub(super) fn insist(boot: &Boot, walls: &Walls) {
    if walls.missing_for(boot.demand).is_some() {
        exit(EXIT_HOST_GONE);
    }
}

/// The walls that will stand around the runs of this zygote, tried in a child: so the host knows them before there is a run. Those that
/// stand around itself where no child could be had.
pub(super) fn tried(boot: &Boot, walls: &Walls) -> Walls {
    let tell = || {
        let mut walls = walls.clone();
        close(boot, Occupant::Run, &mut walls);
        close_run(boot, &mut walls);
        serde_json::to_vec(&walls).unwrap_or_default()
    };
    let told = aside::child_says(tell).ok().and_then(|told| serde_json::from_slice(&told).ok());
    told.unwrap_or_else(|| walls.clone())
}

/// The most private memory that this process may have, bytes, and so the most addresses: memory that is only read is no data, and its page
/// tables are nobody's.
pub(super) fn limit_data(bytes: u64) {
    limit(Resource::Data, bytes);
    if let Some(addresses) = memory::addresses() {
        limit(Resource::As, addresses.saturating_add(bytes).saturating_add(ADDRESSES_BEYOND));
    }
}

/// The most of the processor that this process may have, seconds. First it can still say something; then the kernel kills.
pub(super) fn limit_processor(seconds: u64) {
    set_limit(Resource::Cpu, seconds, seconds.saturating_add(1));
}

fn limit(resource: Resource, maximum: u64) {
    set_limit(resource, maximum, maximum);
}

fn set_limit(resource: Resource, current: u64, maximum: u64) {
    // One that cannot be set stays as it was: without privileges it can only have been lower.
    let _ = setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) });
}

#[cfg(target_os = "linux")]
mod linux {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetStatus, Scope,
    };
    use rustix::io::Errno;
    use rustix::thread::{CapabilitySet, CapabilitySets};

    use super::super::occupant::Occupant;
    use super::super::system_calls;
    use crate::contract::boot::{Boot, Walls};

    /// Also those of root, which any process of a host has that is root: it has none then, and can gain none.
    pub(super) fn give_up_privileges(walls: &mut Walls) {
        let none = CapabilitySet::empty();
        let given_up =
            rustix::thread::set_no_new_privs(true).map_err(|error| ("prctl(PR_SET_NO_NEW_PRIVS)", error)).and_then(|()| {
                // Kernels before 4.3 have none.
                let _ = rustix::thread::clear_ambient_capability_set();
                let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
                rustix::thread::set_capabilities(None, sets).map_err(|error| ("capset", error))
            });
        match given_up {
            Ok(()) => walls.no_new_privileges = true,
            Err((call, error)) => walls.missing.push(format!("no new privileges: {}", refused(call, error))),
        }
    }

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
                Ok(RulesetStatus::NotEnforced) => walls.missing.push("landlock: it was not enforced".to_owned()),
                Err(reason) => walls.missing.push(format!("landlock: {reason}")),
            }
            if !boot.readable_by_tests {
                let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
            }
        }
        if boot.jail.system_calls {
            match system_calls::list(boot.jit, occupant).and_then(|list| apply(&list)) {
                Ok(()) => walls.seccomp = true,
                Err(reason) => walls.missing.push(format!("seccomp: {reason}")),
            }
        }
    }

    /// Landlock: no file can be opened, no TCP port be used, no process outside be signalled.
    pub(in crate::guest) fn close_files() -> Result<RulesetStatus, String> {
        look_for_landlock()?;
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

    /// Whether there is landlock here, and why not: the crate takes every refusal for a kernel without it.
    fn look_for_landlock() -> Result<(), String> {
        const VERSION: libc::c_uint = 1;
        let nothing = std::ptr::null::<libc::c_void>();
        // SAFETY: without a place and a size the call only says its version.
        let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, VERSION) };
        if version > 0 {
            return Ok(());
        }
        let error = std::io::Error::last_os_error();
        Err(match Errno::from_io_error(&error) {
            Some(Errno::NOSYS) => format!(
                "`landlock_create_ruleset`: {error}: gVisor, a kernel before 5.13 or one without CONFIG_SECURITY_LANDLOCK, or a sandbox that hides it: \
                 take a kernel that has it, and allow the call"
            ),
            Some(Errno::OPNOTSUPP) => format!(
                "`landlock_create_ruleset`: {error}: this kernel has it and does not use it: add `landlock` to its parameter `lsm=`"
            ),
            Some(error) => refused("landlock_create_ruleset", error),
            None => error.to_string(),
        })
    }

    fn apply(list: &[seccompiler::sock_filter]) -> Result<(), String> {
        seccompiler::apply_filter(list).map_err(|error| match error {
            seccompiler::Error::Prctl(error) => refused_by("prctl(PR_SET_NO_NEW_PRIVS)", &error),
            seccompiler::Error::Seccomp(error) => refused_by("seccomp", &error),
            error => error.to_string(),
        })
    }

    pub(super) fn forbid_to_run(walls: &mut Walls) {
        let list = system_calls::forbidden_to_runs().ok_or_else(|| "its list could not be made".to_owned());
        if let Err(reason) = list.and_then(|list| apply(list)) {
            walls.seccomp = false;
            walls.missing.push(format!("seccomp: a run cannot be kept from starting processes: {reason}"));
        }
    }

    fn refused_by(call: &str, error: &std::io::Error) -> String {
        Errno::from_io_error(error).map_or_else(|| error.to_string(), |error| refused(call, error))
    }

    /// A wall that was refused, and the way out.
    fn refused(call: &str, error: Errno) -> String {
        let remedy = match error {
            Errno::NOSYS | Errno::INVAL => "this kernel was built without it: use one that has it",
            Errno::PERM | Errno::ACCESS => "a sandbox or container around this process forbids it: allow it there",
            _ => "the kernel refuses it",
        };
        format!("`{call}`: {error}: {remedy}")
    }
}

#[cfg(all(test, target_os = "linux"))]
pub(super) use linux::close_files;

/// Makes ready what [`close_run`] needs, so that forks share it.
pub(super) fn prepare() {
    #[cfg(target_os = "linux")]
    super::system_calls::forbidden_to_runs();
}
