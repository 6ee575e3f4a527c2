//! What this process may have of the machine, or of the cgroups that it is in: memory, processes, and so places for runs. And the memory that it gives back.
#![allow(unsafe_code, reason = "the C library is told to give memory back")]

use std::path::Path;

/// Where nothing says how much there is, bytes: macOS, or a sandbox without `/proc`.
const ASSUMED_BYTES: usize = 4 << 30;

/// After something that took more than this, bytes, memory is given back to the system.
pub(crate) const KEPT_BYTES_MAX: usize = 8 << 20;

/// What a run that lives takes of the memory, bytes: 0.64 MB were measured (`cargo xtask crowd`).
const OF_A_RUN_BYTES: usize = 1 << 20;
/// Processes and threads that are no run's: this process with its workers, zygotes, servers.
const OF_ALL_PROCESSES: usize = 32;

/// The memory of this machine, or of the cgroup of this process if that may have less.
pub(crate) fn memory_bytes() -> usize {
    memory_below(Path::new("/"))
}

/// The processes that the cgroup of this process may have; `None` where it has no limit.
pub(crate) fn processes_max() -> Option<usize> {
    processes_below(Path::new("/"))
}

/// The runs that may live at a time: half of the memory is for them, and of the processes the half that is not for those that are forked ahead.
/// At least one.
pub(crate) fn runs_possible() -> usize {
    runs_within(memory_bytes(), processes_max())
}

fn runs_within(memory_bytes: usize, processes_max: Option<usize>) -> usize {
    let by_memory = memory_bytes / 2 / OF_A_RUN_BYTES;
    let by_processes = processes_max.map_or(usize::MAX, |processes| processes.saturating_sub(OF_ALL_PROCESSES) / 2);
    by_memory.min(by_processes).max(1)
}

/// Gives back to the system what was freed. The C library keeps it for later otherwise: of a tree that was large, all.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes the allocator's own locks, and nothing that is allocated moves.
    unsafe {
        libc::malloc_trim(0);
    }
}

fn memory_below(root: &Path) -> usize {
    let machine = of_machine(&read(root, "proc/meminfo")).unwrap_or(ASSUMED_BYTES);
    limit_below(root, "memory", "memory.max", "memory.limit_in_bytes").map_or(machine, |limit| limit.min(machine))
}

fn processes_below(root: &Path) -> Option<usize> {
    limit_below(root, "pids", "pids.max", "pids.max")
}

fn read(root: &Path, path: &str) -> String {
    std::fs::read_to_string(root.join(path)).unwrap_or_default()
}

/// The lowest limit that the cgroups of this process have: in `file`, or in `file_of_first` with cgroups of the first version.
fn limit_below(root: &Path, controller: &str, file: &str, file_of_first: &str) -> Option<usize> {
    let cgroups = read(root, "proc/self/cgroup");
    let files = cgroups.lines().flat_map(|line| limit_files(line, controller, file, file_of_first));
    // `max` is no number.
    files.filter_map(|file| read(root, &file).trim().parse().ok()).min()
}

/// The files that say the limits of a cgroup, which is a line of `/proc/self/cgroup`, and of those around it.
fn limit_files(line: &str, controller: &str, file: &str, file_of_first: &str) -> Vec<String> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (folder, file) = match fields.next() {
        Some("") => ("sys/fs/cgroup".to_owned(), file),
        Some(controllers) if controllers.split(',').any(|named| named == controller) => {
            (format!("sys/fs/cgroup/{controller}"), file_of_first)
        }
        _ => return Vec::new(),
    };
    let path = fields.next().unwrap_or_default().trim_matches('/');
    // In a container the path may be that outside of it, which is not here: what is around it is.
    std::iter::successors(Some(path), |path| (!path.is_empty()).then(|| path.rsplit_once('/').map_or("", |(around, _)| around)))
        .map(|path| format!("{folder}/{path}/{file}"))
        .collect()
}

fn of_machine(meminfo: &str) -> Option<usize> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    total.trim().strip_suffix(" kB")?.parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: usize) {
        assert_eq!(memory_below(machine(files).path()), expected);
    }

    const MACHINE: (&str, &str) = ("proc/meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\n");

    #[test]
    fn a_machine_has_what_it_has() {
        check(&[MACHINE], 1000 << 10);
        check(&[], ASSUMED_BYTES);
        check(&[MACHINE, ("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "max\n")], 1000 << 10);
    }

    #[test]
    fn a_cgroup_has_what_it_and_those_around_it_may() {
        let inner = ("proc/self/cgroup", "0::/outer/inner\n");
        check(&[MACHINE, inner, ("sys/fs/cgroup/outer/inner/memory.max", "5000\n")], 5000);
        check(
            &[MACHINE, inner, ("sys/fs/cgroup/outer/inner/memory.max", "max\n"), ("sys/fs/cgroup/outer/memory.max", "4000\n")],
            4000,
        );
        // A container that sees itself as the root.
        check(&[MACHINE, inner, ("sys/fs/cgroup/memory.max", "3000\n")], 3000);
    }

    #[test]
    fn the_first_version_of_cgroups_is_read_too() {
        let lines = ("proc/self/cgroup", "5:cpu,memory:/a\n4:pids:/b\n");
        check(&[MACHINE, lines, ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2000\n")], 2000);
        check(&[MACHINE, lines, ("sys/fs/cgroup/memory/b/memory.limit_in_bytes", "2000\n")], 1000 << 10);
        check(&[MACHINE, lines, ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n")], 1000 << 10);
    }

    #[test]
    fn a_cgroup_limits_processes() {
        let check = |files: &[(&str, &str)], expected| assert_eq!(processes_below(machine(files).path()), expected);
        check(&[], None);
        check(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/pids.max", "max\n")], None);
        check(
            &[("proc/self/cgroup", "0::/a\n"), ("sys/fs/cgroup/a/pids.max", "100\n"), ("sys/fs/cgroup/pids.max", "90\n")],
            Some(90),
        );
        let first = ("proc/self/cgroup", "5:memory:/m\n4:pids:/p\n");
        check(&[first, ("sys/fs/cgroup/pids/p/pids.max", "64\n"), ("sys/fs/cgroup/memory/m/pids.max", "1\n")], Some(64));
    }

    #[test]
    fn places_for_runs_follow_from_memory_and_processes() {
        let (small, large) = (256 << 20, 24 << 30);
        assert_eq!(runs_within(small, None), 128);
        assert_eq!(runs_within(large, None), 12 << 10);
        assert_eq!(runs_within(large, Some(64)), 16);
        assert_eq!(runs_within(small, Some(1000)), 128);
        assert_eq!(runs_within(1, Some(1)), 1);
    }
}
