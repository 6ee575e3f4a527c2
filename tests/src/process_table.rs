//! What `/proc` says of the host and of its guest processes: who is alive, what it may do, what it holds. Linux only.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// This process.
pub(crate) fn host() -> u32 {
    std::process::id()
}

/// Parents by process, of all processes there are.
fn parents() -> BTreeMap<u32, u32> {
    let numbers =
        std::fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter_map(|process| Some((process, parent_of(process)?))).collect()
}

/// The parent of a process.
pub(crate) fn parent_of(process: u32) -> Option<u32> {
    stat_of(process, 4)?.parse().ok()
}

/// When a process was started: another one that has its number later has another time.
pub(crate) fn started(process: u32) -> Option<String> {
    stat_of(process, 22)
}

/// The policy by which the kernel gives it the processor.
pub(crate) fn policy(process: u32) -> Option<String> {
    stat_of(process, 41)
}

/// A field of `/proc/PID/stat` from the third on, numbered as `proc(5)` does.
fn stat_of(process: u32, field: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may hold anything; the third field follows the last bracket.
    Some(stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(field.checked_sub(3)?)?.to_owned())
}

/// The processes that each process has started and not reaped.
pub(crate) fn children_by_parent() -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    parents().into_iter().for_each(|(child, parent)| children.entry(parent).or_default().push(child));
    children
}

/// The processes that `process` has started and not reaped.
pub(crate) fn children_of(process: u32) -> Vec<u32> {
    parents().into_iter().filter(|(_, parent)| *parent == process).map(|(child, _)| child).collect()
}

/// The processes below `process`, those that are not reaped included.
pub(crate) fn descendants_of(process: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = vec![process];
    let mut looked_at = 0;
    while looked_at < found.len() {
        let parent = found[looked_at];
        found.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(child, _)| *child));
        looked_at += 1;
    }
    found.split_off(1)
}

/// Whether there is such a process, and it is no zombie.
pub(crate) fn is_alive(process: u32) -> bool {
    status(process, "State").is_some_and(|state| !state.starts_with(['Z', 'X']))
}

/// One line of `/proc/PID/status`.
pub(crate) fn status(process: u32, field: &str) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.split_once(':').is_some_and(|(name, _)| name == field))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// A field of `/proc/PID/status` that is a number, `kB` taken off.
pub(crate) fn status_number(process: u32, field: &str) -> Option<u64> {
    status(process, field)?.split_ascii_whitespace().next()?.parse().ok()
}

/// How many threads it has. Those that the host does its work on are left out: they come with the work, a few at the most, and go without.
pub(crate) fn threads(process: u32) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).ok();
    tasks.filter_map(name).filter(|name| name.trim() != "isolet-work").count()
}

/// How often its threads have stopped to wait for something.
pub(crate) fn waits(process: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let number = |task: std::fs::DirEntry| task.file_name().to_str()?.parse().ok();
    tasks.filter_map(number).filter_map(|thread| status_number(thread, "voluntary_ctxt_switches")).sum()
}

/// How many descriptors it has open.
pub(crate) fn descriptors(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).map_or(0, |entries| entries.flatten().count())
}

/// What its descriptors are: `/dev/null`, `socket:[7]`, by number.
pub(crate) fn descriptor_targets(process: u32) -> BTreeMap<u32, String> {
    let entries = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let targets = entries.filter_map(|entry| {
        let target = std::fs::read_link(entry.path()).ok()?;
        Some((entry.file_name().to_str()?.parse().ok()?, target.to_string_lossy().into_owned()))
    });
    targets.collect()
}

/// The memory of the machine, bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// What new processes could have.
    available: u64,
    /// What processes hold: their pages, shared ones once, page tables, and what the kernel keeps for them.
    held: u64,
}

impl Memory {
    pub(crate) fn now() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let part = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * 1024)
        };
        let parts = ["AnonPages", "Shmem", "PageTables", "KernelStack", "SUnreclaim"].into_iter().map(part);
        Some(Self { available: part("MemAvailable")?, held: parts.sum::<Option<u64>>()? })
    }

    /// What was taken since `before`, by the measure that finds more: what is available also changes with what the system does itself.
    pub(crate) fn taken_since(self, before: Self) -> u64 {
        before.available.saturating_sub(self.available).max(self.held.saturating_sub(before.held))
    }
}

/// One mapping of a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mapping {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) rights: String,
    /// Empty for anonymous memory.
    pub(crate) name: String,
}

/// The mappings of a process.
pub(crate) fn mappings(process: u32) -> anyhow::Result<Vec<Mapping>> {
    let maps =
        std::fs::read_to_string(format!("/proc/{process}/maps")).with_context(|| format!("the mappings of {process}"))?;
    Ok(maps.lines().filter_map(mapping).collect())
}

fn mapping(line: &str) -> Option<Mapping> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let rights = fields.next()?.to_owned();
    let name = fields.skip(3).collect::<Vec<_>>().join(" ");
    Some(Mapping { start: u64::from_str_radix(start, 16).ok()?, end: u64::from_str_radix(end, 16).ok()?, rights, name })
}

/// Calls `part` with what is in a mapping, one MiB after the other, each with its address.
pub(crate) fn read_mapping(process: u32, mapping: &Mapping, mut part: impl FnMut(u64, &[u8])) -> anyhow::Result<()> {
    const PART_BYTES: u64 = 1 << 20;
    let memory = std::fs::File::open(format!("/proc/{process}/mem")).with_context(|| format!("the memory of {process}"))?;
    let mut bytes = Vec::new();
    let mut start = mapping.start;
    while start < mapping.end {
        bytes.resize(usize::try_from(PART_BYTES.min(mapping.end - start))?, 0);
        // The kernel's own pages cannot be read.
        if memory.read_exact_at(&mut bytes, start).is_ok() {
            part(start, &bytes);
        }
        start += PART_BYTES;
    }
    Ok(())
}

/// Looks again and again whether something holds, until it does or the time has passed.
pub(crate) async fn until(at_most: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if started.elapsed() > at_most {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
