//! The memory of ArrayBuffers, which lies outside V8's heap: counted, and refused beyond the run's budget.
//!
//! A refused buffer is a `RangeError` in the guest, and the run goes on.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use deno_core::v8;

/// Alignment of every buffer, as `malloc` gives.
const ALIGNMENT: usize = 16;

/// Bytes in use, and the most that may be. There is one isolate in a process.
static USED: AtomicUsize = AtomicUsize::new(0);
static BUDGET: AtomicUsize = AtomicUsize::new(usize::MAX);

static VTABLE: v8::RustAllocatorVtable<()> =
    v8::RustAllocatorVtable { allocate, allocate_uninitialized, free, drop: nothing_to_drop };

/// The allocator of this process's isolate.
pub(super) fn bounded() -> v8::UniqueRef<v8::Allocator> {
    // SAFETY: the functions of the table use statics only and ignore the handle, which is dangling but not null.
    unsafe { v8::new_rust_allocator(std::ptr::NonNull::<()>::dangling().as_ptr(), &VTABLE) }
}

/// Sets the budget, bytes: what is in use already counts.
pub(super) fn set_budget(bytes: usize) {
    BUDGET.store(bytes, Ordering::Relaxed);
}

/// Takes `bytes` out of the budget, or not.
fn reserve(bytes: usize) -> Option<Layout> {
    let layout = Layout::from_size_align(bytes.max(1), ALIGNMENT).ok()?;
    let used = USED.load(Ordering::Relaxed).checked_add(bytes)?;
    if used > BUDGET.load(Ordering::Relaxed) {
        return None;
    }
    USED.store(used, Ordering::Relaxed);
    Some(layout)
}

unsafe extern "C" fn allocate((): &(), bytes: usize) -> *mut c_void {
    // SAFETY: the layout is never of size zero.
    reserve(bytes).map_or(std::ptr::null_mut(), |layout| unsafe { alloc_zeroed(layout) }.cast())
}

unsafe extern "C" fn allocate_uninitialized((): &(), bytes: usize) -> *mut c_void {
    // SAFETY: the layout is never of size zero.
    reserve(bytes).map_or(std::ptr::null_mut(), |layout| unsafe { alloc(layout) }.cast())
}

unsafe extern "C" fn free((): &(), data: *mut c_void, bytes: usize) {
    if let Ok(layout) = Layout::from_size_align(bytes.max(1), ALIGNMENT)
        && !data.is_null()
    {
        USED.fetch_sub(bytes, Ordering::Relaxed);
        // SAFETY: V8 gives back what `allocate` gave it, with the same size.
        unsafe { dealloc(data.cast(), layout) };
    }
}

unsafe extern "C" fn nothing_to_drop(_: *const ()) {}
