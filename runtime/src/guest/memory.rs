//! Makes V8's memory forkable, and asks whether the system gives any.
//!
//! V8 marks each of its mappings `MADV_DONTFORK` (`v8/base/platform/platform-posix.cc:181`), so a child of fork would lack
//! its heap. `MADV_DOFORK` takes the mark away; mappings that V8 makes later are marked again (ENGINE.md §0.3).

use std::io;

/// A range of addresses.
pub(super) struct Mapping {
    pub(super) start: usize,
    pub(super) end: usize,
    /// As in `/proc/self/maps`: `r-xp`.
    pub(super) rights: String,
    /// What is mapped; empty for anonymous memory.
    pub(super) name: String,
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
