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
    /// Whether a process that lacks a wall that strict isolation needs ends before it runs a program.
    pub(crate) strict: bool,
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
    /// What strict isolation needs and is not there, and why not.
    pub(crate) fn missing_for_strict(&self) -> Option<String> {
        let wanted = [("no new privileges", self.no_new_privileges), ("landlock", self.landlock), ("seccomp", self.seccomp)];
        let why = |name: &'static str| self.missing.iter().find(|reason| reason.starts_with(name)).map_or(name, String::as_str);
        let missing: Vec<_> = wanted.iter().filter(|(_, there)| !there).map(|(name, _)| why(name)).collect();
        (!missing.is_empty()).then(|| missing.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strict_isolation_lacks_is_named_with_its_reason() {
        let walls = Walls { no_new_privileges: true, missing: vec!["landlock: it is off".to_owned()], ..Walls::default() };
        assert_eq!(walls.missing_for_strict().as_deref(), Some("landlock: it is off; seccomp"));
        let walls = Walls { landlock: true, seccomp: true, missing: vec!["huge pages".to_owned()], ..walls };
        assert_eq!(walls.missing_for_strict(), None);
    }
}
