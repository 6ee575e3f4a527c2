//! The pages that every run touches, there before it does.
//!
//! A child of fork shares each page with its zygote until it writes to it; then the kernel stops it, copies the page and lets it go on. A
//! run that adds two numbers writes to some hundred pages, and those stops are half of its time. They are the same pages in every run,
//! so a zygote learns them from a rehearsal, and each run asks for them in a few calls: before its program comes, if it was forked ahead.
//!
//! Pages of files (the C library, code that is not in huge pages) a child does not even have until it reads them: fork copies no page tables
//! of a mapping whose pages can all be read from its file again. So the zygote gives each such mapping one page of its own.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "a process learns of its pages from /proc alone"))]

/// The most ranges. A rehearsal finds some seventy.
const RANGES_MAX: usize = 512;

/// Ranges of addresses. None where they could not be learned: then each page costs its stop.
#[derive(Default)]
pub(super) struct HotPages(Vec<(usize, usize)>);

impl HotPages {
    /// Asks for the pages. What is refused comes when it is written to.
    #[cfg(target_os = "linux")]
    pub(super) fn make_private(&self) {
        for (start, bytes) in &self.0 {
            // SAFETY: the advice changes no contents; where nothing is mapped it is an error and nothing else.
            unsafe { libc::madvise(*start as *mut libc::c_void, *bytes, libc::MADV_POPULATE_WRITE) };
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn make_private(&self) {}

    /// Learns which pages `rehearsal` writes to: in a child of its own, which ends after it.
    #[cfg(target_os = "linux")]
    pub(super) fn learn(rehearsal: impl FnOnce()) -> Self {
        use super::rehearsal::{joined, touched_pages};
        let mut mappings = super::memory::mappings().unwrap_or_default();
        mappings.retain(|mapping| mapping.rights == "rw-p");
        let written = touched_pages(&mappings, rehearsal).unwrap_or_default();
        let mut ranges = joined(&written, rustix::param::page_size());
        ranges.truncate(RANGES_MAX);
        Self(ranges)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn learn(_rehearsal: impl FnOnce()) -> Self {
        Self::default()
    }
}

/// Lets fork copy the page tables of the files that `rehearsal` reads. The base zygote does so once: those that are forked from it have it
/// from there. Best effort: without it a run reads a file's pages when it needs them.
#[cfg(target_os = "linux")]
pub(super) fn let_fork_copy_files(rehearsal: impl FnOnce()) {
    let mut mappings = super::memory::mappings().unwrap_or_default();
    // Anonymous memory, such as code in huge pages, is copied by fork anyway.
    mappings.retain(|mapping| mapping.is_of_file() && !mapping.is_writable());
    let touched = super::rehearsal::touched_pages(&mappings, rehearsal).unwrap_or_default();
    let Ok(memory) = std::fs::File::options().read(true).write(true).open("/proc/self/mem") else { return };
    for mapping in mappings.iter().filter(|mapping| touched.iter().any(|page| mapping.contains(*page))) {
        let _ = give_own_page(mapping, &memory);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn let_fork_copy_files(_rehearsal: impl FnOnce()) {}

/// Writes a byte of a private mapping of a file as it is: its page is one of this process from then on. `memory` is `/proc/self/mem`: it
/// writes whatever the mapping's rights, which stay (`proc(5)`).
#[cfg(target_os = "linux")]
fn give_own_page(mapping: &super::memory::Mapping, memory: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt as _;

    let mut byte = [0];
    memory.read_exact_at(&mut byte, mapping.start as u64)?;
    memory.write_all_at(&byte, mapping.start as u64)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;

    use super::super::memory::{self, Mapping};
    use super::super::rehearsal::touched_pages;
    use super::*;

    #[test]
    fn a_child_has_the_pages_of_a_file_once_its_mapping_has_one_of_its_own() {
        let page = rustix::param::page_size();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 2 * page]).unwrap();
        let (rights, flags) = (libc::PROT_READ, libc::MAP_PRIVATE);
        // SAFETY: a new mapping of a file that nobody changes; it is never unmapped.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), 2 * page, rights, flags, file.as_raw_fd(), 0) };
        assert_ne!(start, libc::MAP_FAILED);
        // SAFETY: as above.
        let bytes = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), 2 * page) };
        let mapping =
            || -> Mapping { memory::mappings().unwrap().into_iter().find(|mapping| mapping.contains(start as usize)).unwrap() };
        assert_eq!(std::hint::black_box(bytes)[page], 7);
        assert!(touched_pages(&[mapping()], || ()).unwrap().is_empty(), "fork copies pages of a file");
        let_fork_copy_files(|| assert_eq!(std::hint::black_box(bytes)[page], 7));
        assert_eq!(touched_pages(&[mapping()], || ()).unwrap(), [start as usize + page], "the second page, still of the file");
        assert_eq!((bytes[0], mapping().rights.as_str()), (7, "r--p"));
    }
}
