//! How a runtime is set up.

use std::path::PathBuf;
use std::time::Duration;

use crate::contract::v8_flags::Jit;

use super::frame_tap::FrameTap;
use super::limits::Limits;
use super::machine;
use super::snapshots::folder::SnapshotFolder;
use crate::contract::boot::{Demand, JailLayers};

/// How guest processes are started.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Forked from a zygote; spawned where there is none that forks: while one is replaced, or where none comes up. A single fork that
    /// the system refuses, for want of memory or processes, is [`RunError::System`](crate::RunError::System): a spawned process would
    /// take more of both. The default on Unix.
    #[default]
    Fork,
    /// Spawned, each of them: exec, boot, run once. Ten to twenty milliseconds.
    Spawn,
}

/// What the jail must give.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// As much as the machine offers, each missing layer reported by
    /// [`Runtime::isolation`](crate::Runtime::isolation). The default.
    #[default]
    BestEffort,
    /// No new privileges and seccomp, or no run; landlock where there is one. For kernels and sandboxes without landlock (gVisor): no call that opens a
    /// file, a socket or a process is on the list of a guest process, and nothing stands behind that list.
    SystemCalls,
    /// No new privileges, landlock and seccomp, or no run.
    Strict,
}

impl Isolation {
    /// The walls without which nothing runs.
    pub(crate) fn demand(self) -> Demand {
        match self {
            Self::BestEffort => Demand::Nothing,
            Self::SystemCalls => Demand::SystemCalls,
            Self::Strict => Demand::Strict,
        }
    }
}

/// How a runtime is set up. The defaults are safe; every field says what it costs.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Config {
    /// The executable of guest processes. Default: this one, which must have called [`init`](crate::init). For hosts that
    /// cannot, a program that does: `isolet` is one.
    pub executable: Option<PathBuf>,
    /// The limits of every run; a single run may lower them.
    pub limits: Limits,
    /// How guest processes are started. Default [`Start::Fork`].
    pub start: Start,
    /// What the jail must give. Default [`Isolation::BestEffort`].
    pub isolation: Isolation,
    /// Whether V8 compiles to machine code. Default off.
    pub jit: Jit,
    /// Code in huge pages where the machine has them: 0.3 ms less a run for 43 MB. Default on.
    pub huge_pages: bool,
    /// Runs that live at a time, waiting for tools included. Default 256, or fewer where the memory of this machine or of this process's cgroup is below
    /// 512 MiB, or the cgroup may have fewer than 544 processes. Further ones wait.
    pub live_runs_max: usize,
    /// Runs that wait for a slot; users take turns. Default 1,024. One more is
    /// [`RunError::Overloaded`](crate::RunError::Overloaded).
    pub waiting_runs_max: usize,
    /// Runs of one user that live at a time; [`Session::of_user`](crate::Session::of_user) says whose they are. Further ones wait.
    /// Default: as many as `live_runs_max` allows, so that a single user has all slots; set it to a part of them for many users.
    pub live_runs_of_user_max: usize,
    /// Runs of one user that wait for a slot. Default 256. One more is [`RunError::Overloaded`](crate::RunError::Overloaded).
    pub waiting_runs_of_user_max: usize,
    /// Runs that compute at a time, for all users together: those that wait for tools or timers are not counted. Users that have some
    /// share it, each may have one. Further ones wait. Default: four for each core.
    pub computing_runs_max: usize,
    /// What this process holds for all runs at a time, bytes, beyond the first 128 KiB of each: arguments until their call is answered,
    /// replies until the program has read them. Default: a quarter of the memory of this machine or of this process's cgroup. A run has
    /// at most as much of it as it leaves to others; beyond that its further calls wait. See [`Limits::held_bytes_max`].
    pub held_bytes_total_max: usize,
    /// Runs forked ahead for one scope, at the most; two where there is little traffic. Default 4; 0 forks on demand only. About half a megabyte each.
    pub ready_runs_max: usize,
    /// Runs forked ahead for all scopes together. Default 64, or as many as may live if those are fewer.
    pub ready_runs_total_max: usize,
    /// Zygotes of scopes. Default 16, the least recently used first out. About 3 MB each.
    pub zygotes_max: usize,
    /// Forks of a base zygote and its descendants before it is replaced: they share an address layout. Default 100,000.
    pub forks_max: u64,
    /// Age of a base zygote before it is replaced. Default 30 minutes.
    pub zygote_age_max: Duration,
    /// Scope snapshots in memory, bytes, the least recently used first out. Default 64 MiB, some 70 small scopes; 0 makes none.
    /// Only spawned runs use them: they are made from a scope's second spawned run on.
    pub snapshot_bytes_max: usize,
    /// Keeps scope snapshots over restarts. Default: nowhere.
    pub snapshot_folder: Option<SnapshotFolder>,
    pub(crate) readable_by_tests: bool,
    pub(crate) frame_tap: FrameTap,
    pub(crate) jail: JailLayers,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            executable: None,
            limits: Limits::default(),
            start: Start::default(),
            isolation: Isolation::default(),
            jit: Jit::Off,
            huge_pages: true,
            live_runs_max: machine::runs_possible().min(256),
            waiting_runs_max: 1024,
            live_runs_of_user_max: usize::MAX,
            waiting_runs_of_user_max: 256,
            computing_runs_max: std::thread::available_parallelism().map_or(1, usize::from).saturating_mul(4),
            held_bytes_total_max: machine::memory_bytes() / 4,
            ready_runs_max: 4,
            ready_runs_total_max: machine::runs_possible().min(64),
            zygotes_max: 16,
            forks_max: 100_000,
            zygote_age_max: Duration::from_secs(30 * 60),
            snapshot_bytes_max: 64 << 20,
            snapshot_folder: None,
            readable_by_tests: false,
            frame_tap: FrameTap::default(),
            jail: JailLayers::ALL,
        }
    }
}

impl Config {
    /// The same, changed by `set`.
    ///
    /// ```
    /// let config = isolet::Config::default().with(|config| config.live_runs_max = 16);
    /// assert_eq!(config.live_runs_max, 16);
    /// ```
    #[must_use]
    pub fn with(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }

    /// What takes protection away. Each switch gives the configuration back.
    pub fn dangerous(self) -> danger::Dangerous {
        danger::Dangerous(self)
    }
}

/// Switches that take protection away: for tests and measurements.
pub mod danger {
    use super::{Config, FrameTap, JailLayers};

    /// A part of the jail.
    #[non_exhaustive]
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum JailLayer {
        /// Landlock: no file, no TCP port, no signal to others; and `/proc/PID` closed to other processes.
        Files,
        /// The lists of system calls: that of a zygote, and the shorter one of a run.
        SystemCalls,
        /// The limits of the kernel on a run: descriptors, processes.
        Resources,
    }

    /// A configuration that is about to lose some of its protection: [`Config::dangerous`].
    #[must_use = "each switch gives the configuration back"]
    #[derive(Clone, Debug)]
    pub struct Dangerous(pub(super) Config);

    impl Dangerous {
        /// Leaves `/proc/PID` of guest processes readable by this user, so that tests can look for secrets in them.
        #[must_use]
        pub fn readable_by_tests(mut self) -> Config {
            self.0.readable_by_tests = true;
            self.0
        }

        /// Shows `hear` every frame that goes to a run, as it is about to be sent, so that tests can look for secrets in them: one or more whole ones at
        /// a time, or the text of one whose beginning was shown before.
        #[must_use]
        pub fn frames_heard_by(mut self, hear: impl Fn(&[u8]) + Send + Sync + 'static) -> Config {
            self.0.frame_tap = FrameTap::new(hear);
            self.0
        }

        /// Leaves the jail away, to measure what it costs.
        #[must_use]
        pub fn without_jail(mut self) -> Config {
            self.0.jail = JailLayers::NONE;
            self.0
        }

        /// Leaves one layer of the jail away, to measure what it costs.
        #[must_use]
        pub fn without_jail_layer(mut self, layer: JailLayer) -> Config {
            match layer {
                JailLayer::Files => self.0.jail.files = false,
                JailLayer::SystemCalls => self.0.jail.system_calls = false,
                JailLayer::Resources => self.0.jail.resources = false,
            }
            self.0
        }
    }
}
