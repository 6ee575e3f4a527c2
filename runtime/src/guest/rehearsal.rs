//! What a run touches, learned from a rehearsal in a child of fork.
//!
//! A child shares each page with its zygote until it writes to it, and maps none of a file before it reads it. So after a rehearsal,
//! the page tables of a child say what a run needs: `/proc/PID/pagemap`.

use std::io;
use std::os::unix::fs::FileExt as _;

use super::aside;
use super::memory::Mapping;

/// The addresses of the pages of `mappings` that `rehearsal` writes to, where they are writable, and of the pages of files that it reads
/// where they are not, in order. It runs in a child, which ends after it.
pub(super) fn touched_pages(mappings: &[Mapping], rehearsal: impl FnOnce()) -> io::Result<Vec<usize>> {
    let told = aside::child_says(|| {
        rehearsal();
        pages(mappings).unwrap_or_default().iter().flat_map(|address| address.to_ne_bytes()).collect()
    })?;
    Ok(told.as_chunks().0.iter().map(|address| usize::from_ne_bytes(*address)).collect())
}

/// Pages in order, each of so many bytes, as ranges: address and bytes.
pub(super) fn joined(pages: &[usize], page: usize) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &address in pages {
        match ranges.last_mut() {
            Some((start, bytes)) if address == *start + *bytes => *bytes += page,
            _ => ranges.push((address, page)),
        }
    }
    ranges
}

/// The pages of this process.
fn pages(mappings: &[Mapping]) -> io::Result<Vec<usize>> {
    /// Bytes of an entry of `/proc/PID/pagemap`, and bits of it: the page is there, it is one of a file, no other process has it.
    const ENTRY: usize = 8;
    const PRESENT: u64 = 1 << 63;
    const OF_FILE: u64 = 1 << 61;
    const EXCLUSIVE: u64 = 1 << 56;
    let page = rustix::param::page_size();
    let entries_of = std::fs::File::open("/proc/self/pagemap")?;
    let mut entries = vec![0_u8; 512 * ENTRY];
    let mut found = Vec::new();
    for mapping in mappings {
        let bits = if mapping.is_writable() { PRESENT | EXCLUSIVE } else { PRESENT | OF_FILE };
        let mut address = mapping.start;
        while address < mapping.end {
            let count = ((mapping.end - address) / page).min(entries.len() / ENTRY);
            let read = entries_of.read_at(&mut entries[..count * ENTRY], (address / page * ENTRY) as u64)?;
            for entry in entries[..read].as_chunks().0 {
                if u64::from_ne_bytes(*entry) & bits == bits {
                    found.push(address);
                }
                address += page;
            }
            if read < ENTRY {
                break;
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    use crate::guest::memory;

    #[test]
    fn neighbours_are_one_range() {
        assert_eq!(joined(&[0x1000, 0x2000, 0x4000, 0x7000], 0x1000), [(0x1000, 0x2000), (0x4000, 0x1000), (0x7000, 0x1000)]);
        assert_eq!(joined(&[], 0x1000), []);
    }

    #[test]
    fn a_page_that_is_written_is_found_and_one_that_is_not_is_not() {
        let mut block = vec![1_u8; 64 << 10];
        let page = (block.as_ptr() as usize + (32 << 10)) / 4096 * 4096;
        let mut mappings = memory::mappings().unwrap();
        mappings.retain(|mapping| mapping.contains(page));
        let written = touched_pages(&mappings, || block[32 << 10] = 2).unwrap();
        assert!(written.contains(&page), "{written:x?}");
        assert!(!written.contains(&(page + (16 << 10))), "{written:x?}");
        assert_eq!(block[32 << 10], 1, "the rehearsal was in another process");
    }
}
