//! The executable's code and constants in huge pages, as Node's `--use-largepages` does.
//!
//! Fork does not copy the page tables of files: each child would fault its code in again, sixteen small pages at a time. Huge
//! pages are one entry for 2 MiB (ENGINE.md §0.3: 0.3 ms less a run). They are pages of a sealed file in memory, which all
//! guest processes share. Where the kernel makes no huge pages of such files (before Linux 6.1) they are anonymous: shared by fork
//! as well, but the kernel sets a page table aside for each in every child, 4 KiB for 2 MiB of code. Best effort: where the
//! machine has no huge pages (`transparent_hugepage` is `never`), everything stays as it was.

#[cfg(target_os = "linux")]
use super::memory::{Mapping, mappings};

/// Bytes of a huge page, of x86-64 and of arm64 with small pages of 4 KiB.
#[cfg(target_os = "linux")]
const BLOCK: usize = 2 << 20;

/// The name of the file in memory.
#[cfg(target_os = "linux")]
const NAME: &str = "isolet-code";

/// Whether a mapping is of that file.
#[cfg(target_os = "linux")]
pub(super) fn is_moved(mapping: &Mapping) -> bool {
    mapping.name.strip_prefix("/memfd:").is_some_and(|name| name == NAME)
}

/// Moves whole 2 MiB blocks of the executable's read-only mappings into huge pages. False if nothing was moved.
#[cfg(target_os = "linux")]
pub(super) fn move_executable() -> bool {
    let offered =
        std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").is_ok_and(|text| !text.contains("[never]"));
    let Ok(executable) = std::fs::read_link("/proc/self/exe") else { return false };
    let Ok(mappings) = mappings() else { return false };
    let executable = executable.to_string_lossy();
    let ours = mappings.iter().filter(|mapping| {
        executable.starts_with(&mapping.name) && !mapping.name.is_empty() && matches!(mapping.rights.as_str(), "r-xp" | "r--p")
    });
    let mut moved = false;
    if offered {
        for mapping in ours {
            moved |= move_blocks(mapping);
        }
    }
    moved
}

#[cfg(not(target_os = "linux"))]
pub(super) fn move_executable() -> bool {
    false
}

/// Moves the whole blocks of a mapping.
#[cfg(target_os = "linux")]
fn move_blocks(mapping: &Mapping) -> bool {
    let start = mapping.start.next_multiple_of(BLOCK);
    let end = mapping.end / BLOCK * BLOCK;
    if start >= end {
        return false;
    }
    // SAFETY: the range is mapped and readable, and nothing writes to it.
    let code = unsafe { std::slice::from_raw_parts(start as *const u8, end - start) };
    let rights = if mapping.rights == "r-xp" { libc::PROT_READ | libc::PROT_EXEC } else { libc::PROT_READ };
    let Some(room) = Room::new(code.len()) else { return false };
    match room.sealed_copy(code) {
        Some(file) => {
            use std::os::fd::AsRawFd as _;
            let flags = libc::MAP_PRIVATE | libc::MAP_FIXED;
            // SAFETY: the call takes the place of `code` in one step, with the same bytes: code that runs there goes on.
            unsafe {
                libc::mmap(start as *mut libc::c_void, code.len(), rights, flags, file.as_raw_fd(), 0) != libc::MAP_FAILED
            }
        }
        None => room.move_anonymous_copy(code, rights),
    }
}

/// Aligned addresses for a copy. They are given back when it is dropped.
#[cfg(target_os = "linux")]
struct Room {
    start: *mut libc::c_void,
    bytes: usize,
}

#[cfg(target_os = "linux")]
impl Room {
    fn new(bytes: usize) -> Option<Self> {
        // A block more, so that there is an aligned part.
        let bytes = bytes + BLOCK;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: new addresses that nothing uses.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
        (start != libc::MAP_FAILED).then_some(Self { start, bytes })
    }

    fn aligned(&self) -> *mut libc::c_void {
        (self.start as usize).next_multiple_of(BLOCK) as *mut libc::c_void
    }

    /// The code in huge pages of a file that nobody can ever write to; `None` where the kernel makes none.
    fn sealed_copy(&self, code: &[u8]) -> Option<std::os::fd::OwnedFd> {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
        use std::os::fd::AsRawFd as _;

        let file = memfd_create(NAME, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).ok()?;
        ftruncate(&file, code.len() as u64).ok()?;
        let (rights, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_FIXED);
        // SAFETY: the aligned part of the room is ours and large enough, and is written to only if it was mapped.
        let is_huge = unsafe {
            let copy = libc::mmap(self.aligned(), code.len(), rights, flags, file.as_raw_fd(), 0);
            if copy == libc::MAP_FAILED {
                return None;
            }
            std::ptr::copy_nonoverlapping(code.as_ptr(), copy.cast::<u8>(), code.len());
            let is_huge = libc::madvise(copy, code.len(), libc::MADV_COLLAPSE) == 0;
            libc::munmap(copy, code.len());
            is_huge
        };
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL).ok()?;
        is_huge.then_some(file)
    }

    /// Copies the code into anonymous huge pages and moves them to where it is.
    fn move_anonymous_copy(&self, code: &[u8], rights: i32) -> bool {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: the aligned part of the room is ours and large enough, and is written to only if it was mapped. The copy is complete and
        // has its rights before `mremap` puts it over the original in one step, so that code which runs there goes on.
        unsafe {
            let copy = libc::mmap(self.aligned(), code.len(), libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
            if copy == libc::MAP_FAILED {
                return false;
            }
            libc::madvise(copy, code.len(), libc::MADV_HUGEPAGE);
            std::ptr::copy_nonoverlapping(code.as_ptr(), copy.cast::<u8>(), code.len());
            let place = code.as_ptr().cast_mut().cast::<libc::c_void>();
            libc::mprotect(copy, code.len(), rights) == 0
                && libc::mremap(copy, code.len(), code.len(), libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED, place)
                    != libc::MAP_FAILED
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: the addresses are ours; what was moved away is no longer there.
        unsafe { libc::munmap(self.start, self.bytes) };
    }
}
