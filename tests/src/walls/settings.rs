//! The settings: how each is made by commands that every Debian has, and what is known of the walls in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::io::Errno;

use crate::shortages::STARTING;

/// A setting in which the program is tried.
pub(super) struct Setting {
    /// The name of its trial.
    pub(super) name: &'static str,
    /// What stands before the program on the command line.
    pub(super) prefix: &'static [&'static str],
    /// Calls that are answered with an error, before anything of the prefix runs.
    pub(super) refuses: &'static [(&'static [i64], Errno)],
    pub(super) cgroup: Option<Limited>,
    pub(super) seen: Seen,
    /// The runs at a time, where the setting is about them.
    pub(super) runs: Option<usize>,
}

/// What is seen.
#[derive(Clone, Copy)]
pub(super) enum Seen {
    /// Programs run in this tier, and this is said.
    Tier(&'static str, &'static str),
    /// Nothing runs, and this is said.
    Nothing(&'static str),
}

impl Seen {
    /// The exit code of `isolet doctor`.
    pub(super) fn code(self) -> i32 {
        match self {
            Self::Tier("strict", _) => 0,
            Self::Tier(..) => 5,
            Self::Nothing(_) => 4,
        }
    }
}

/// A limit of a cgroup: the controller, its file in both versions, and the value.
#[derive(Clone, Copy)]
pub(super) struct Limited {
    controller: &'static str,
    file: &'static str,
    file_of_first: &'static str,
    value: &'static str,
}

const PLAIN: Setting =
    Setting { name: "", prefix: &[], refuses: &[], cgroup: None, seen: Seen::Tier("strict", ""), runs: None };

const NOBODY: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const LANDLOCK: &[i64] = &[libc::SYS_landlock_create_ruleset, libc::SYS_landlock_add_rule, libc::SYS_landlock_restrict_self];

/// What Docker's default profile refuses a container without privileges, after the table in its documentation.
const REFUSED_BY_DOCKER: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_get_mempolicy,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mbind,
    libc::SYS_mount,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_set_mempolicy,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

/// Every setting.
pub(super) const SETTINGS: &[Setting] = &[
    Setting { name: "as_root", ..PLAIN },
    Setting { name: "as_nobody", prefix: NOBODY, ..PLAIN },
    Setting {
        name: "as_nobody_without_new_privileges",
        prefix: &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all"],
        ..PLAIN
    },
    Setting { name: "in_a_user_namespace", prefix: &["unshare", "--user", "--map-root-user"], ..PLAIN },
    Setting {
        name: "where_user_namespaces_are_refused",
        prefix: NOBODY,
        refuses: &[(&[libc::SYS_unshare, libc::SYS_setns], Errno::PERM), (&[libc::SYS_clone3], Errno::NOSYS)],
        ..PLAIN
    },
    Setting { name: "without_network", prefix: &["unshare", "--net"], ..PLAIN },
    Setting { name: "as_process_1", prefix: &["unshare", "--fork", "--pid", "--mount-proc"], ..PLAIN },
    Setting {
        name: "in_bubblewrap",
        prefix: &["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-all", "--die-with-parent"],
        ..PLAIN
    },
    Setting {
        name: "as_nobody_in_bubblewrap",
        prefix: &[
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "bwrap",
            "--ro-bind",
            "/",
            "/",
            "--dev",
            "/dev",
            "--proc",
            "/proc",
            "--unshare-all",
        ],
        ..PLAIN
    },
    Setting {
        name: "under_a_profile_like_dockers",
        prefix: NOBODY,
        refuses: &[(REFUSED_BY_DOCKER, Errno::PERM), (&[libc::SYS_clone3], Errno::NOSYS)],
        ..PLAIN
    },
    Setting {
        name: "under_a_profile_older_than_landlock",
        prefix: NOBODY,
        refuses: &[(REFUSED_BY_DOCKER, Errno::PERM), (LANDLOCK, Errno::PERM), (&[libc::SYS_clone3], Errno::NOSYS)],
        seen: Seen::Tier("system_calls", "a sandbox or container around this process forbids it"),
        ..PLAIN
    },
    Setting {
        name: "where_landlock_answers_enosys",
        refuses: &[(LANDLOCK, Errno::NOSYS)],
        seen: Seen::Tier("system_calls", "gVisor, a kernel before 5.13"),
        ..PLAIN
    },
    Setting {
        name: "where_landlock_is_off",
        refuses: &[(LANDLOCK, Errno::OPNOTSUPP)],
        seen: Seen::Tier("system_calls", "add `landlock` to its parameter `lsm=`"),
        ..PLAIN
    },
    Setting {
        name: "where_seccomp_is_refused",
        refuses: &[(&[libc::SYS_seccomp], Errno::PERM)],
        seen: Seen::Tier("incomplete", "seccomp: `seccomp`"),
        ..PLAIN
    },
    Setting { name: "without_pidfds", refuses: &[(&[libc::SYS_pidfd_open], Errno::NOSYS)], ..PLAIN },
    Setting {
        name: "where_processes_cannot_be_started",
        refuses: &[(STARTING, Errno::PERM)],
        seen: Seen::Nothing("sandbox"),
        ..PLAIN
    },
    Setting {
        name: "with_a_read_only_root",
        prefix: &["unshare", "--mount", "sh", "-c", "mount -o remount,bind,ro / && exec \"$@\"", "sh"],
        ..PLAIN
    },
    Setting {
        name: "without_tmp_and_home",
        prefix: &["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o ro none /tmp && exec env -i \"$@\"", "sh"],
        ..PLAIN
    },
    Setting {
        name: "with_a_tiny_shared_memory",
        prefix: &["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=64k none /dev/shm && exec \"$@\"", "sh"],
        ..PLAIN
    },
    Setting {
        name: "without_sys",
        prefix: &["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /sys && exec \"$@\"", "sh"],
        ..PLAIN
    },
    Setting {
        name: "without_proc",
        prefix: &["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh"],
        seen: Seen::Nothing("mount `/proc`"),
        ..PLAIN
    },
    Setting {
        name: "without_devices",
        prefix: &["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /dev && exec \"$@\"", "sh"],
        seen: Seen::Nothing("`/dev`"),
        ..PLAIN
    },
    Setting {
        name: "with_five_processes_of_the_user",
        // Of a user that has no others.
        prefix: &["setpriv", "--reuid=64321", "--regid=64321", "--clear-groups", "prlimit", "--nproc=5"],
        seen: Seen::Nothing("`ulimit -u`"),
        ..PLAIN
    },
    Setting { name: "with_256_open_files", prefix: &["prlimit", "--nofile=256"], runs: Some(64), ..PLAIN },
    Setting {
        name: "with_8_gib_of_addresses",
        prefix: &["prlimit", "--as=8589934592"],
        seen: Seen::Nothing("`ulimit -v unlimited`"),
        ..PLAIN
    },
    Setting {
        name: "with_256_mib_in_a_cgroup",
        cgroup: Some(Limited {
            controller: "memory",
            file: "memory.max",
            file_of_first: "memory.limit_in_bytes",
            value: "268435456",
        }),
        runs: Some(128),
        ..PLAIN
    },
    Setting {
        name: "with_64_processes_in_a_cgroup",
        cgroup: Some(Limited { controller: "pids", file: "pids.max", file_of_first: "pids.max", value: "64" }),
        runs: Some(16),
        ..PLAIN
    },
    Setting {
        name: "with_6_processes_in_a_cgroup",
        cgroup: Some(Limited { controller: "pids", file: "pids.max", file_of_first: "pids.max", value: "6" }),
        seen: Seen::Nothing("`pids.max`"),
        ..PLAIN
    },
];

impl Setting {
    /// Whether this user of this machine can make it.
    pub(super) fn can_be_made(&self) -> Result<bool> {
        if let Some(cgroup) = self.cgroup {
            return Ok(cgroup.folder().is_some_and(|folder| folder.join("cgroup.procs").exists()) && cgroup.made().is_ok());
        }
        let Some((command, arguments)) = self.prefix.split_first() else { return Ok(true) };
        // What needs an own list of calls is tried without it.
        Ok(Command::new(command).args(arguments).arg("true").output().is_ok_and(|output| output.status.success()))
    }
}

impl Limited {
    /// The cgroup that this process is in.
    fn folder(self) -> Option<PathBuf> {
        let lines = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mut fields = lines.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
        let of_first = fields.clone().find(|(controllers, _)| controllers.split(',').any(|name| name == self.controller));
        let (folder, path) = match of_first {
            Some((_, path)) => (format!("/sys/fs/cgroup/{}", self.controller), path),
            None => ("/sys/fs/cgroup".to_owned(), fields.find(|(controllers, _)| controllers.is_empty())?.1),
        };
        Some(Path::new(&folder).join(path.trim_start_matches('/')))
    }

    /// A cgroup below it with the limit.
    pub(super) fn made(self) -> Result<Cgroup> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("isolet-walls-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = self.folder().context("this process is in no cgroup")?.join(name);
        fs::create_dir(&folder)?;
        let cgroup = Cgroup(folder);
        let file = [self.file, self.file_of_first].map(|file| cgroup.0.join(file)).into_iter().find(|file| file.exists());
        fs::write(file.context("the cgroup has no such limit")?, self.value)?;
        Ok(cgroup)
    }
}

/// A cgroup, as long as it is needed.
pub(super) struct Cgroup(PathBuf);

impl Cgroup {
    /// What stands before a command line that is to run in it.
    pub(super) fn entering(&self) -> Vec<String> {
        let script = format!("echo $$ > '{}/cgroup.procs' && exec \"$@\"", self.0.display());
        ["sh", "-c", &script, "sh"].map(str::to_owned).into()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // What ran in it may still be on its way out.
        let began = Instant::now();
        while fs::remove_dir(&self.0).is_err() && began.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
