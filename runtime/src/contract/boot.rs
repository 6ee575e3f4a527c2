//! How a guest process is set up, and what it says of the walls around it.

use serde::{Deserialize, Serialize};

use super::v8_flags::Jit;

/// What names the contract that a build was made with: the SHA-256 of its version and of all files in this folder. Two that differ in it do
/// not understand each other.
pub(crate) type Contract = [u8; 32];

/// That of this build.
pub(crate) static CONTRACT: &Contract = include_bytes!(concat!(env!("OUT_DIR"), "/contract.sha256"));

/// How a guest process is set up, before it starts V8. Made by the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Boot {
    /// That of the host.
    pub(crate) contract: Contract,
    pub(crate) jit: Jit,
    pub(crate) heap_bytes_max: usize,
    pub(crate) huge_pages: bool,
    pub(crate) jail: JailLayers,
    /// The walls without which a process ends before it runs a program.
    pub(crate) demand: Demand,
    pub(crate) readable_by_tests: bool,
    /// The build that made the scope snapshot whose descriptor travels with the frame; `None` without one. Only to spawned runs.
    pub(crate) scope_snapshot_of: Option<Build>,
}

impl Boot {
    /// Why this build cannot become a guest of the host, if it was made with another contract.
    #[cfg(feature = "guest")]
    pub(crate) fn mismatch(&self) -> Option<String> {
        (self.contract != *CONTRACT).then(other_contract)
    }
}

/// Why this build cannot become a guest of a host that it does not understand.
#[cfg(feature = "guest")]
pub(crate) fn other_contract() -> String {
    format!(
        "its executable is of another build of isolet ({}) than its host: set `Config::executable` to a program of the same version, \
         built from the same source",
        env!("CARGO_PKG_VERSION")
    )
}

/// What has to stand before a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Demand {
    /// Nothing: what is missing is reported.
    Nothing,
    /// No new privileges, and the list of system calls.
    SystemCalls,
    /// These, and landlock.
    Strict,
}

/// Which layers of the jail a guest process closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JailLayers {
    pub(crate) files: bool,
    pub(crate) system_calls: bool,
    pub(crate) resources: bool,
}

impl JailLayers {
    pub(crate) const ALL: Self = Self { files: true, system_calls: true, resources: true };
    pub(crate) const NONE: Self = Self { files: false, system_calls: false, resources: false };
}

/// What names a build of the guest side: the SHA-256 that `build.rs` leaves. A snapshot fits the build that made it, and no other.
pub(crate) type Build = [u8; 32];

/// Which build this is.
#[cfg(feature = "guest")]
pub(crate) static BUILD: &Build = include_bytes!(concat!(env!("OUT_DIR"), "/build.sha256"));

/// What a zygote or a spawned run says of the walls around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Walls {
    pub(crate) huge_pages: bool,
    pub(crate) no_new_privileges: bool,
    pub(crate) landlock: bool,
    pub(crate) seccomp: bool,
    /// What could not be had, one sentence each.
    pub(crate) missing: Vec<String>,
}

impl Walls {
    /// What is demanded and is not there, and why not.
    pub(crate) fn missing_for(&self, demand: Demand) -> Option<String> {
        let (privileges, landlock, seccomp) =
            (("no new privileges", self.no_new_privileges), ("landlock", self.landlock), ("seccomp", self.seccomp));
        let wanted = match demand {
            Demand::Nothing => Vec::new(),
            Demand::SystemCalls => vec![privileges, seccomp],
            Demand::Strict => vec![privileges, landlock, seccomp],
        };
        let why = |name: &'static str| self.missing.iter().find(|reason| reason.starts_with(name)).map_or(name, String::as_str);
        let missing: Vec<_> = wanted.iter().filter(|(_, there)| !there).map(|(name, _)| why(name)).collect();
        (!missing.is_empty()).then(|| missing.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_demanded_and_lacks_is_named_with_its_reason() {
        let walls = Walls { no_new_privileges: true, missing: vec!["landlock: it is off".to_owned()], ..Walls::default() };
        assert_eq!(walls.missing_for(Demand::Strict).as_deref(), Some("landlock: it is off; seccomp"));
        assert_eq!(walls.missing_for(Demand::SystemCalls).as_deref(), Some("seccomp"));
        assert_eq!(walls.missing_for(Demand::Nothing), None);
        let walls = Walls { seccomp: true, ..walls };
        assert_eq!(walls.missing_for(Demand::SystemCalls), None);
        let walls = Walls { landlock: true, missing: vec!["huge pages".to_owned()], ..walls };
        assert_eq!(walls.missing_for(Demand::Strict), None);
    }
}
