//! What the machine must be and have for a build from source: system, target, disk, memory.

use std::env;
use std::fs;
use std::thread;

use anyhow::{Context as _, bail, ensure};

use super::work_folder::WorkFolder;
use crate::locked::LockedV8;

/// The target that this build makes an archive for.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Free disk space that must be there at the start, bytes: 0.9 GB were seen at four fifths of a build and 0.7 GB for the
/// program that proves the archive; the rest is room.
pub(crate) const DISK_BYTES_MIN: u64 = 3_000_000_000;

/// Memory for each compiler that runs, bytes: the largest that was seen took 1.2 GB, for a precompiled header.
const MEMORY_BYTES_PER_JOB: u64 = 1_500_000_000;

/// Refuses a machine that this build does not know.
///
/// # Errors
///
/// When the machine is no x86-64 Linux with glibc, or the lock file asks for an archive with other features.
pub(crate) fn check_supported(locked: &LockedV8) -> anyhow::Result<()> {
    check(locked, env::consts::OS, env::consts::ARCH)
}

fn check(locked: &LockedV8, system: &str, processor: &str) -> anyhow::Result<()> {
    let supported = system == "linux" && processor == "x86_64" && locked.target == TARGET;
    ensure!(
        supported,
        "V8 is built from source on x86-64 Linux for `{TARGET}` only, and this is {system} on {processor} for `{}`: \
         get the archive where the releases of the `v8` crate can be reached, and call `cargo xtask v8 --archive FILE`",
        locked.target
    );
    ensure!(
        locked.features == ["simdutf"],
        "V8 is built from source with the feature `simdutf` alone, and `Cargo.lock` asks for `{}`: \
         call `cargo xtask v8 --archive FILE` with an archive that has them",
        locked.features.join("`, `")
    );
    Ok(())
}

/// Checks that the disk of the work folder has room for what is still to be written.
///
/// # Errors
///
/// When it has not.
pub(crate) fn check_disk(folder: &WorkFolder) -> anyhow::Result<()> {
    // A build that goes on has written most of it already; what is there then needs no second room.
    if folder.output().join("build.ninja").exists() {
        return Ok(());
    }
    let disk = rustix::fs::statvfs(folder.path()).with_context(|| format!("`{}` has no disk", folder.path().display()))?;
    check_space(disk.f_bavail.saturating_mul(disk.f_frsize), folder)
}

fn check_space(free_bytes: u64, folder: &WorkFolder) -> anyhow::Result<()> {
    ensure!(
        free_bytes >= DISK_BYTES_MIN,
        "a build of V8 needs {} of disk, and `{}` has {}: make room, or set `CARGO_HOME` to a folder on a larger disk",
        gigabytes(DISK_BYTES_MIN),
        folder.path().display(),
        gigabytes(free_bytes)
    );
    Ok(())
}

/// How many compilers may run at once: as many as there are cores, or as the memory has room for, or as was asked for.
///
/// # Errors
///
/// When the memory has not even room for one, or none was asked for.
pub(crate) fn jobs(asked: Option<usize>) -> anyhow::Result<usize> {
    let memory = fs::read_to_string("/proc/meminfo").context("`/proc/meminfo` cannot be read")?;
    let available = available_bytes(&memory).context("`/proc/meminfo` does not say how much memory is available")?;
    jobs_in(available, thread::available_parallelism().map_or(1, usize::from), asked)
}

fn jobs_in(available_bytes: u64, cores: usize, asked: Option<usize>) -> anyhow::Result<usize> {
    match asked {
        Some(0) => bail!("`--jobs 0` compiles nothing: give 1 or more"),
        Some(jobs) => return Ok(jobs),
        None => {}
    }
    let room = usize::try_from(available_bytes / MEMORY_BYTES_PER_JOB)?;
    ensure!(
        room > 0,
        "a build of V8 needs {} of free memory, and there are {}: end other programs, or call with `--jobs 1` to try",
        gigabytes(MEMORY_BYTES_PER_JOB),
        gigabytes(available_bytes)
    );
    Ok(cores.min(room))
}

/// The bytes that `/proc/meminfo` calls available.
fn available_bytes(memory: &str) -> Option<u64> {
    let line = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

fn gigabytes(bytes: u64) -> String {
    format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::path::Path;

    use super::*;

    #[track_caller]
    fn refused(result: anyhow::Result<impl std::fmt::Debug>, start: &str, way_out: &str) {
        let said = result.unwrap_err().to_string();
        assert!(said.starts_with(start) && said.ends_with(way_out) && !said.contains('\n'), "{said}");
    }

    #[test]
    fn other_systems_and_targets_are_refused_with_another_way() {
        let locked = LockedV8::example(Path::new("."));
        check(&locked, "linux", "x86_64").unwrap();
        let start = "V8 is built from source on x86-64 Linux for `x86_64-unknown-linux-gnu` only, and this is ";
        refused(
            check(&locked, "macos", "aarch64"),
            &format!("{start}macos on aarch64"),
            "call `cargo xtask v8 --archive FILE`",
        );
        refused(
            check(&locked, "linux", "aarch64"),
            &format!("{start}linux on aarch64"),
            "call `cargo xtask v8 --archive FILE`",
        );
        let musl = LockedV8 { target: "x86_64-unknown-linux-musl".to_owned(), ..locked.clone() };
        refused(check(&musl, "linux", "x86_64"), &format!("{start}linux on x86_64 for `x86_64-unknown-linux-musl`"), "FILE`");
        let features = LockedV8 { features: vec!["ptrcomp".to_owned(), "simdutf".to_owned()], ..locked };
        refused(check(&features, "linux", "x86_64"), "V8 is built from source with the feature `simdutf` alone", "has them");
    }

    #[test]
    fn a_disk_that_is_too_small_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let folder = WorkFolder::open(&LockedV8::example(Path::new(".")), home.path()).unwrap();
        check_space(DISK_BYTES_MIN, &folder).unwrap();
        refused(check_space(DISK_BYTES_MIN - 1, &folder), "a build of V8 needs 3.0 GB of disk, and `", "on a larger disk");
    }

    #[test]
    fn jobs_are_bounded_by_cores_and_memory() {
        assert_eq!(jobs_in(24_000_000_000, 2, None).unwrap(), 2);
        assert_eq!(jobs_in(2_900_000_000, 8, None).unwrap(), 1);
        assert_eq!(jobs_in(1, 8, Some(3)).unwrap(), 3);
        refused(jobs_in(1_400_000_000, 8, None), "a build of V8 needs 1.5 GB of free memory, and there are 1.4 GB", "to try");
        refused(jobs_in(24_000_000_000, 8, Some(0)), "`--jobs 0`", "1 or more");
    }

    #[test]
    fn available_memory_is_read() {
        assert_eq!(available_bytes("MemTotal:  8 kB\nMemFree: 1 kB\nMemAvailable:      3 kB\n"), Some(3072));
        assert_eq!(available_bytes("MemTotal:  8 kB\n"), None);
    }
}
