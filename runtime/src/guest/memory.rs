//! Keeps V8's memory together, makes it forkable, and asks whether the system gives any.
//!
//! V8 asks for each of its chunks of 256 KiB at a random address (`GetRandomMmapAddr`, `v8/base/platform/platform-posix.cc`). Alone
//! there, a chunk needs page tables of its own, 12 KiB, which fork makes again for every child.
//!
//! V8 marks each of its mappings `MADV_DONTFORK` (`v8/base/platform/platform-posix.cc:181`), so a child of fork would lack
//! its heap. `MADV_DOFORK` takes the mark away; mappings that V8 makes later are marked again (ENGINE.md §0.3).
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "a process learns of its pages from /proc alone"))]

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A range of addresses.
pub(super) struct Mapping {
    pub(super) start: usize,
    pub(super) end: usize,
    /// As in `/proc/self/maps`: `r-xp`.
    pub(super) rights: String,
    /// What is mapped; empty for anonymous memory.
    pub(super) name: String,
}

impl Mapping {
    pub(super) fn is_writable(&self) -> bool {
        self.rights.starts_with("rw")
    }

    pub(super) fn is_of_file(&self) -> bool {
        self.name.starts_with('/')
    }

    pub(super) fn contains(&self, address: usize) -> bool {
        (self.start..self.end).contains(&address)
    }
}

/// The mappings of this process.
#[cfg(target_os = "linux")]
pub(super) fn mappings() -> io::Result<Vec<Mapping>> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    Ok(maps.lines().filter_map(mapping).collect())
}

fn mapping(line: &str) -> Option<Mapping> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let rights = fields.next()?.to_owned();
    let name = fields.nth(3).unwrap_or_default().to_owned();
    Some(Mapping { start: usize::from_str_radix(start, 16).ok()?, end: usize::from_str_radix(end, 16).ok()?, rights, name })
}

/// The addresses that V8 picks from: it asks below 2^46; code, stack and what the system places itself are above.
pub(super) const RESERVED: std::ops::Range<usize> = 1 << 20..1 << 46;

/// Whether [`RESERVED`] is occupied in this process.
static IS_RESERVED: AtomicBool = AtomicBool::new(false);

/// Occupies the addresses that V8 picks from, so that the system gives it others, one beside the other. Before V8 starts.
///
/// Nothing can be read or written there, and it takes no memory. Best effort: where it is refused, V8 has its random addresses.
#[cfg(target_os = "linux")]
pub(super) fn keep_v8_together() {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: the addresses are used by nothing, or the call is refused.
    let occupied = unsafe {
        let start = RESERVED.start as *mut libc::c_void;
        libc::mmap(start, RESERVED.len(), libc::PROT_NONE, flags, -1, 0) == start
    };
    IS_RESERVED.store(occupied, Ordering::Relaxed);
}

/// Whether V8's addresses are occupied, so that no memory of this process lies there.
pub(super) fn is_v8_kept_together() -> bool {
    IS_RESERVED.load(Ordering::Relaxed)
}

/// Elsewhere fork does not make page tables again.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep_v8_together() {}

/// Lets every mapping of this process be copied by fork.
#[cfg(target_os = "linux")]
pub(super) fn make_forkable() -> io::Result<()> {
    for mapping in mappings()? {
        if mapping.name.starts_with("[v") {
            continue; // the kernel's own pages
        }
        // SAFETY: the advice changes only what fork does with the range, never its contents.
        unsafe { libc::madvise(mapping.start as *mut libc::c_void, mapping.end - mapping.start, libc::MADV_DOFORK) };
    }
    Ok(())
}

/// Elsewhere V8 marks nothing.
#[cfg(not(target_os = "linux"))]
pub(super) fn make_forkable() -> io::Result<()> {
    Ok(())
}

/// The addresses that V8 reserves at the least, and uses little of, with what the rest of a process has.
const OF_V8_BYTES: usize = 33 << 30;

/// Why V8 cannot start here, if it cannot: it would end the process without a word.
pub(super) fn refusal() -> Option<String> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: new addresses, which nothing uses, given back at once.
    let error = unsafe {
        let start = libc::mmap(std::ptr::null_mut(), OF_V8_BYTES, libc::PROT_NONE, flags, -1, 0);
        if start != libc::MAP_FAILED {
            libc::munmap(start, OF_V8_BYTES);
            return None;
        }
        io::Error::last_os_error()
    };
    Some(format!(
        "`mmap` of {} GiB of addresses: {error}: V8 reserves them and uses few: lift the limit on addresses (`ulimit -v unlimited`), and limit \
         memory by a cgroup (`memory.max`)",
        OF_V8_BYTES >> 30
    ))
}

/// The addresses that this process has taken, bytes; 0 where that is not known.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// Notes how many addresses this process has taken: behind the walls it cannot look any more. Elsewhere than on Linux they are not
/// limited.
pub(super) fn note_addresses() {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: Option<u64> = statm.split_ascii_whitespace().next().and_then(|pages| pages.parse().ok());
    TAKEN.store(pages.map_or(0, |pages| pages * rustix::param::page_size() as u64), Ordering::Relaxed);
}

/// The addresses that this process had taken when it looked.
pub(super) fn addresses() -> Option<u64> {
    Some(TAKEN.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0)
}

/// Whether the system gives this process as much memory as V8 takes at a time. Allocates nothing else.
pub(super) fn is_given_by_system() -> bool {
    const BYTES: usize = 1 << 20;
    let (rights, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: new memory that nothing uses, given back at once.
    unsafe {
        let mapped = libc::mmap(std::ptr::null_mut(), BYTES, rights, flags, -1, 0);
        mapped != libc::MAP_FAILED && libc::munmap(mapped, BYTES) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::mapping;

    #[test]
    fn a_line_of_maps_is_read() {
        let read = mapping("7f00-8f00 r-xp 00001000 fe:00 123   /usr/bin/isolet")
            .map(|mapping| (mapping.start, mapping.end, mapping.rights, mapping.name));
        assert_eq!(read, Some((0x7f00, 0x8f00, "r-xp".to_owned(), "/usr/bin/isolet".to_owned())));
    }

    #[test]
    fn anonymous_memory_has_no_name() {
        assert_eq!(mapping("7f00-8f00 rw-p 00000000 00:00 0").map(|mapping| mapping.name), Some(String::new()));
    }
}
