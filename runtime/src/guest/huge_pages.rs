//! The code that runs use, in huge pages, as Node's `--use-largepages` has all of it.
//!
//! Fork does not copy the page tables of files: each child would fault its code in again, sixteen small pages at a time.
//! Anonymous huge pages are shared by fork as a whole (ENGINE.md §0.3: 0.3 ms less a run). Each costs the zygote 2 MiB, and every run 4 KiB
//! that the kernel sets aside for it. So only blocks that a rehearsal touches are moved: half of them. (Huge pages of a file in memory cost a run
//! nothing, but a zygote boots later: its code is copied twice.) Best effort: where the machine has none
//! (`transparent_hugepage` is `never`), everything stays as it was.

#[cfg(target_os = "linux")]
use super::memory::{Mapping, mappings};

/// Bytes of a huge page, where small ones have 4 KiB.
#[cfg(target_os = "linux")]
const BLOCK: usize = 2 << 20;

/// Moves the whole 2 MiB blocks of the executable's read-only mappings that `rehearsal` touches into huge pages. It runs in a child of
/// fork. False if nothing was moved.
#[cfg(target_os = "linux")]
pub(super) fn move_what_is_touched(rehearsal: impl FnOnce()) -> bool {
    use super::rehearsal::{joined, touched_pages};

    let offered =
        std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").is_ok_and(|text| !text.contains("[never]"));
    let Some(mappings) = executable_mappings().filter(|_| offered) else { return false };
    let Ok(pages) = touched_pages(&mappings, rehearsal) else { return false };
    let mut blocks: Vec<usize> = pages.iter().map(|page| page / BLOCK * BLOCK).collect();
    blocks.dedup();
    let mut moved = false;
    for mapping in &mappings {
        let whole = mapping.start.next_multiple_of(BLOCK)..mapping.end / BLOCK * BLOCK;
        let blocks: Vec<usize> = blocks.iter().copied().filter(|block| whole.contains(block)).collect();
        for (start, bytes) in joined(&blocks, BLOCK) {
            moved |= move_blocks(start, bytes, mapping.rights == "r-xp");
        }
    }
    moved
}

#[cfg(not(target_os = "linux"))]
pub(super) fn move_what_is_touched(_rehearsal: impl FnOnce()) -> bool {
    false
}

/// The code and the constants of the executable.
#[cfg(target_os = "linux")]
fn executable_mappings() -> Option<Vec<Mapping>> {
    let executable = std::fs::read_link("/proc/self/exe").ok()?;
    let executable = executable.to_string_lossy();
    let mut mappings = mappings().ok()?;
    mappings.retain(|mapping| {
        executable.starts_with(&mapping.name) && !mapping.name.is_empty() && matches!(mapping.rights.as_str(), "r-xp" | "r--p")
    });
    Some(mappings)
}

/// Copies whole blocks into anonymous memory and puts it in their place.
#[cfg(target_os = "linux")]
fn move_blocks(start: usize, bytes: usize, executable: bool) -> bool {
    let rights = if executable { libc::PROT_READ | libc::PROT_EXEC } else { libc::PROT_READ };
    // SAFETY: the copy is complete and has its rights before `mremap` puts it over the original in one step, so that code
    // which runs there meanwhile reads the same bytes before and after. Nothing writes to these mappings.
    unsafe {
        // Room for one block more, so that an aligned part can be chosen.
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let room = libc::mmap(std::ptr::null_mut(), bytes + BLOCK, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if room == libc::MAP_FAILED {
            return false;
        }
        let copy = (room as usize).next_multiple_of(BLOCK) as *mut libc::c_void;
        libc::madvise(copy, bytes, libc::MADV_HUGEPAGE);
        std::ptr::copy_nonoverlapping(start as *const u8, copy.cast::<u8>(), bytes);
        let moved = libc::mprotect(copy, bytes, rights) == 0
            && libc::mremap(copy, bytes, bytes, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED, start as *mut libc::c_void)
                != libc::MAP_FAILED;
        // What is left of the room: before and after the aligned part, or all of it.
        if moved {
            let before = copy as usize - room as usize;
            if before > 0 {
                libc::munmap(room, before);
            }
            libc::munmap((copy as usize + bytes) as *mut libc::c_void, BLOCK - before);
        } else {
            libc::munmap(room, bytes + BLOCK);
        }
        moved
    }
}
