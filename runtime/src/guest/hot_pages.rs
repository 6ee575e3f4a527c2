//! The pages that every run uses, asked for right after fork.
//!
//! A child of fork shares each page with its zygote until it writes to it; then the kernel stops it, copies the page and lets it go on. A
//! run that adds two numbers writes to some hundred pages, and those stops are half of its time. They are the same pages in every run,
//! so a zygote learns them from a rehearsal, and each run asks for them in a few calls: before its program comes, if it was forked ahead.
//! The huge pages of its code are of a file, which a child maps again with the first touch of each: they are asked for as well.

use std::io;

#[cfg(target_os = "linux")]
use super::huge_pages;
use super::memory::Mapping;

/// Pages between two hot ones that are taken along: a page costs less than a call.
const GAP_PAGES: usize = 1;
/// The most ranges. A rehearsal finds some fifty.
const RANGES_MAX: usize = 512;

/// Ranges of addresses. None where they could not be learned: then each page costs its stop.
#[derive(Default)]
pub(super) struct HotPages {
    /// Written.
    written: Vec<(usize, usize)>,
    /// Read only.
    code: Vec<(usize, usize)>,
}

impl HotPages {
    /// Asks for the pages. What is refused comes when it is used.
    #[cfg(target_os = "linux")]
    pub(super) fn populate(&self) {
        for (ranges, advice) in [(&self.code, libc::MADV_POPULATE_READ), (&self.written, libc::MADV_POPULATE_WRITE)] {
            for (start, bytes) in ranges {
                // SAFETY: the advice changes no contents; where nothing is mapped it is an error and nothing else.
                unsafe { libc::madvise(*start as *mut libc::c_void, *bytes, advice) };
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn populate(&self) {}

    /// Learns which pages `rehearsal` writes to: in a child of its own, which ends after it.
    #[cfg(target_os = "linux")]
    pub(super) fn learn(rehearsal: impl FnOnce()) -> Self {
        learned(rehearsal).unwrap_or_default()
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn learn(_rehearsal: impl FnOnce()) -> Self {
        Self::default()
    }
}

#[cfg(target_os = "linux")]
fn learned(rehearsal: impl FnOnce()) -> io::Result<HotPages> {
    let mut mappings = super::memory::mappings()?;
    let code = mappings.iter().filter(|mapping| huge_pages::is_moved(mapping));
    let code = code.map(|mapping| (mapping.start, mapping.end - mapping.start)).collect();
    mappings.retain(|mapping| mapping.rights == "rw-p");
    let (reader, writer) = rustix::pipe::pipe()?;
    // SAFETY: this process has one thread, so the child may use everything that the parent could.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            rehearsal();
            let written = tell_private_pages(&mappings, &writer);
            super::exit(if written.is_ok() { super::EXIT_DONE } else { super::EXIT_HOST_GONE })
        }
        child => {
            drop(writer);
            let mut text = String::new();
            let read = io::Read::read_to_string(&mut std::fs::File::from(reader), &mut text);
            // SAFETY: the child is ours and was not waited for.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            read?;
            Ok(HotPages { written: text.lines().filter_map(range).collect(), code })
        }
    }
}

fn range(line: &str) -> Option<(usize, usize)> {
    let (start, bytes) = line.split_once(' ')?;
    Some((start.parse().ok()?, bytes.parse().ok()?))
}

/// Writes the ranges that this process alone has, a line each.
#[cfg(target_os = "linux")]
fn tell_private_pages(writable: &[Mapping], to: &std::os::fd::OwnedFd) -> io::Result<()> {
    use std::fmt::Write as _;
    use std::os::unix::fs::FileExt as _;

    /// `/proc/PID/pagemap`: the page is present, and no other process has it.
    const PRESENT: u64 = 1 << 63;
    const EXCLUSIVE: u64 = 1 << 56;
    /// Bytes of an entry.
    const ENTRY: usize = 8;

    let page = rustix::param::page_size();
    let pages = std::fs::File::open("/proc/self/pagemap")?;
    let mut entries = vec![0_u8; 512 * ENTRY];
    let mut private = Vec::new();
    for mapping in writable {
        let mut address = mapping.start;
        while address < mapping.end {
            let count = ((mapping.end - address) / page).min(entries.len() / ENTRY);
            let read = pages.read_at(&mut entries[..count * ENTRY], (address / page * ENTRY) as u64)?;
            for entry in entries[..read].as_chunks::<ENTRY>().0 {
                if u64::from_ne_bytes(*entry) & (PRESENT | EXCLUSIVE) == PRESENT | EXCLUSIVE {
                    private.push(address);
                }
                address += page;
            }
            if read < ENTRY {
                break;
            }
        }
    }
    let mut text = String::new();
    for (start, bytes) in joined(&private, page).into_iter().take(RANGES_MAX) {
        let _ = writeln!(text, "{start} {bytes}");
    }
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        rest = &rest[rustix::io::write(to, rest)?..];
    }
    Ok(())
}

/// Pages in order as ranges, those with a small gap between them as one.
fn joined(pages: &[usize], page: usize) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &address in pages {
        match ranges.last_mut() {
            Some((start, bytes)) if address <= *start + *bytes + GAP_PAGES * page => *bytes = address + page - *start,
            _ => ranges.push((address, page)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_and_small_gaps_are_one_range() {
        assert_eq!(joined(&[0x1000, 0x2000, 0x4000, 0x7000], 0x1000), [(0x1000, 0x4000), (0x7000, 0x1000)]);
        assert_eq!(joined(&[], 0x1000), []);
    }

    #[test]
    fn a_range_is_read_as_it_was_told() {
        assert_eq!(range("4096 8192"), Some((4096, 8192)));
        assert_eq!(range("4096"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_page_that_is_written_is_found() {
        let mut block = vec![1_u8; 64 << 10];
        let place = block.as_ptr() as usize + (32 << 10);
        let hot = HotPages::learn(|| block[32 << 10] = 2);
        assert!(hot.written.iter().any(|(start, bytes)| (*start..start + bytes).contains(&place)), "{:?}", hot.written);
        hot.populate();
        assert_eq!(block[32 << 10], 1, "the rehearsal was in another process");
    }
}
