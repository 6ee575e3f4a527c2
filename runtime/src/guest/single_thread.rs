//! Whether a process can become a guest: it has one thread, and V8 has addresses.

use super::memory;

/// Why this process cannot be a guest, if it cannot: V8 without background threads and fork both need a process with one
/// thread, and V8 needs addresses.
pub(super) fn refusal() -> Option<String> {
    match thread_count() {
        Some(threads) if threads > 1 => Some(format!(
            "`isolet::init()` was called in a process that already has {threads} threads: call it as the first line of `main`, \
             before a runtime, a logger or an allocator starts threads"
        )),
        _ => memory::refusal(),
    }
}

#[cfg(target_os = "linux")]
fn thread_count() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

#[cfg(not(target_os = "linux"))]
fn thread_count() -> Option<usize> {
    None
}
