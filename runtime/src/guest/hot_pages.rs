//! The pages that every run writes, made private right after fork.
//!
//! A child of fork shares each page with its zygote until it writes to it; then the kernel stops it, copies the page and lets it go on. A
//! run that adds two numbers writes to some hundred pages, and those stops are half of its time. They are the same pages in every run,
//! so a zygote learns them from a rehearsal, and each run asks for them in a few calls: before its program comes, if it was forked ahead.

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
        use super::rehearsal::{Touched, joined, touched_pages};
        let mut mappings = super::memory::mappings().unwrap_or_default();
        mappings.retain(|mapping| mapping.rights == "rw-p");
        let written = touched_pages(&mappings, Touched::Own, rehearsal).unwrap_or_default();
        let mut ranges = joined(&written, rustix::param::page_size());
        ranges.truncate(RANGES_MAX);
        Self(ranges)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn learn(_rehearsal: impl FnOnce()) -> Self {
        Self::default()
    }
}
