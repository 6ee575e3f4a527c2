//! The executable's code and constants in huge pages, as Node's `--use-largepages` does.
//!
//! Fork does not copy the page tables of files: each child would fault its code in again, sixteen small pages at a time.
//! Anonymous huge pages are shared by fork as a whole (ENGINE.md §0.3: 0.3 ms less a run, 43 MB a zygote). Best effort: where
//! the machine has none (`transparent_hugepage` is `never`), everything stays as it was.

/// Moves whole 2 MiB blocks of the executable's read-only mappings into huge pages. False if nothing was moved.
#[cfg(target_os = "linux")]
pub(super) fn move_executable() -> bool {
    let offered =
        std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").is_ok_and(|text| !text.contains("[never]"));
    let Ok(executable) = std::fs::read_link("/proc/self/exe") else { return false };
    let Ok(mappings) = super::memory::mappings() else { return false };
    let executable = executable.to_string_lossy();
    let ours = mappings.iter().filter(|mapping| {
        executable.starts_with(&mapping.name) && !mapping.name.is_empty() && matches!(mapping.rights.as_str(), "r-xp" | "r--p")
    });
    let mut moved = false;
    if offered {
        for mapping in ours {
            moved |= move_blocks(mapping.start, mapping.end, mapping.rights == "r-xp");
        }
    }
    moved
}

#[cfg(not(target_os = "linux"))]
pub(super) fn move_executable() -> bool {
    false
}

/// Copies the whole blocks between two addresses into anonymous memory and puts it in their place.
#[cfg(target_os = "linux")]
fn move_blocks(start: usize, end: usize, executable: bool) -> bool {
    const BLOCK: usize = 2 << 20;
    let start = start.next_multiple_of(BLOCK);
    let end = end / BLOCK * BLOCK;
    if start >= end {
        return false;
    }
    let bytes = end - start;
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
