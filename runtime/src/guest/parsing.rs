//! Parses a program, and refuses it where the parser comes to an end of its own: a process that dies says nothing.
//!
//! The parser of TypeScript, and what walks its tree, call themselves for each level of nesting and know no limit. No count made
//! beforehand finds every kind of nesting (`- - - x`, `x => y => z`, `a ? b : c ? d : e`), and the true limits are the stack and
//! the memory of the process. So a signal at their end is caught: a handler on another stack writes the frame that says it, and
//! ends the process. Nothing of the guest has run by then.
//!
//! The end of memory is no signal by itself: Rust says on standard error that an allocation failed and aborts, which the jail
//! does not let it do; a panic is said there as well. So standard error is a pipe that nobody reads, and saying it is the signal.

use std::ffi::{c_int, c_void};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use super::channel::Channel;
use super::exit::exit;
use super::program::Program;
use super::syntax::SyntaxError;
use crate::contract::codec::Encode as _;
use crate::contract::guest_process::EXIT_DONE;
use crate::contract::run::{Ending, FromRun};

/// The handler's own stack, bytes: the kernel puts all registers of the processor there.
const HANDLER_STACK_BYTES: usize = 64 << 10;
/// The kernel keeps so many bytes below a stack free, and a fault is at most so far beyond its end.
const GUARD_BYTES: usize = 1 << 20;

/// What the handler writes.
static FRAME: OnceLock<Vec<u8>> = OnceLock::new();
/// The most that the stack may take, bytes.
static STACK_BYTES_MAX: AtomicUsize = AtomicUsize::new(0);
/// Where the stack was when parsing began, 0 while nothing is parsed.
static BEGAN: AtomicUsize = AtomicUsize::new(0);
/// The socket of the run.
static SOCKET: AtomicI32 = AtomicI32::new(-1);

/// Puts the handler in place, for this process and its forks. `heap_bytes`: what its frame says of V8's heap.
pub(super) fn watch(heap_bytes: u64) {
    let error = SyntaxError {
        message: "the program is nested too deep or too large: split long expressions and chains into statements".to_owned(),
        ..SyntaxError::default()
    };
    let mut frame = Vec::new();
    FromRun::End { ending: Ending::Threw, line: 0, column: 0, heap_bytes, text: error.facts() }.encode(&mut frame);
    let _ = FRAME.set(frame);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Stack).current;
    STACK_BYTES_MAX.store(limit.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX), Ordering::Relaxed);
    let stack = Box::leak(vec![0_u8; HANDLER_STACK_BYTES].into_boxed_slice());
    let stack = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: stack.len() };
    break_standard_error();
    // SAFETY: the stack is never given back, the action is zeroed but for what is set, and the handler only does what a handler
    // may. Best effort: where the calls are refused, the process dies as it would without them.
    unsafe {
        let mut action = std::mem::zeroed::<libc::sigaction>();
        action.sa_sigaction = handle as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaltstack(&raw const stack, std::ptr::null_mut());
        libc::sigaction(libc::SIGPIPE, &raw const action, std::ptr::null_mut());
        // Reset: a fault that is not ours comes again when the handler returns, and ends the process as it would have.
        action.sa_flags |= libc::SA_RESETHAND;
        libc::sigaction(libc::SIGSEGV, &raw const action, std::ptr::null_mut());
        libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut());
    }
}

/// Makes standard error a pipe that nobody reads. Nobody read it before.
fn break_standard_error() {
    if let Ok((_, writer)) = rustix::pipe::pipe() {
        let _ = rustix::stdio::dup2_stderr(writer);
    }
}

/// Parses the program of a run. At the end of the stack or of memory the program is refused, and this never returns.
pub(super) fn parse(channel: &Channel, source: &str, nesting_max: usize) -> Result<Program, SyntaxError> {
    SOCKET.store(channel.as_fd().as_raw_fd(), Ordering::Relaxed);
    let here = 0_u8;
    BEGAN.store((&raw const here).addr(), Ordering::Relaxed);
    let parsed = Program::new(source, nesting_max);
    BEGAN.store(0, Ordering::Relaxed);
    parsed
}

/// Runs on its own stack, with memory in any state: calls nothing but the kernel.
extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    let (began, Some(frame)) = (BEGAN.load(Ordering::Relaxed), FRAME.get()) else { return };
    // SAFETY: the kernel gives a handler with `SA_SIGINFO` what it says; of a fault it says the address.
    let depth = || began.saturating_sub(unsafe { (*info).si_addr() }.addr());
    let is_ours = match signal {
        libc::SIGPIPE => began > 0, // an allocation failed, or the parser panics
        _ => (1..=STACK_BYTES_MAX.load(Ordering::Relaxed).saturating_add(GUARD_BYTES)).contains(&depth()),
    };
    if is_ours {
        // SAFETY: the frame is never changed. It is short and the first that this run writes: the socket takes it whole.
        unsafe { libc::write(SOCKET.load(Ordering::Relaxed), frame.as_ptr().cast(), frame.len()) };
        exit(EXIT_DONE);
    }
}
