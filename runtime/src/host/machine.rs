//! The memory of this process: how much it may use, that of the machine or of the cgroup that it is in, and what it gives back.
#![allow(unsafe_code, reason = "the C library is told to give memory back")]

use std::path::Path;

/// Where nothing says how much there is, bytes: macOS, or a sandbox without `/proc`.
const ASSUMED_BYTES: usize = 4 << 30;

/// After something that took more than this, bytes, memory is given back to the system.
pub(crate) const KEPT_BYTES_MAX: usize = 8 << 20;

/// The memory of this machine, or of the cgroup of this process if that may have less.
pub(crate) fn memory_bytes() -> usize {
    memory_below(Path::new("/"))
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
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let cgroups = read("proc/self/cgroup");
    let limits = cgroups.lines().flat_map(limit_files).filter_map(|file| read(&file).trim().parse::<usize>().ok());
    let machine = of_machine(&read("proc/meminfo")).unwrap_or(ASSUMED_BYTES);
    limits.fold(machine, usize::min)
}

/// The files that say the limits of a cgroup, which is a line of `/proc/self/cgroup`, and of those around it.
fn limit_files(line: &str) -> Vec<String> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (folder, file) = match fields.next() {
        Some("") => ("sys/fs/cgroup", "memory.max"),
        Some(controllers) if controllers.split(',').any(|controller| controller == "memory") => {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
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

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: usize) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        assert_eq!(memory_below(root.path()), expected);
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
}
