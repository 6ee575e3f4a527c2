//! What a guest process does in a child, to leave no trace of it in itself.

use std::io::{self, Read as _, Write as _};

use super::exit::exit;
use crate::contract::guest_process::{EXIT_DONE, EXIT_HOST_GONE};

/// Does something in a child of fork, which ends after it; what it says. Only in a process of one thread.
pub(super) fn child_says(what: impl FnOnce() -> Vec<u8>) -> io::Result<Vec<u8>> {
    let (reader, mut writer) = io::pipe()?;
    // SAFETY: this process has one thread, so the child may use everything that the parent could.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let told = writer.write_all(&what());
            exit(if told.is_ok() { EXIT_DONE } else { EXIT_HOST_GONE })
        }
        child => {
            drop(writer);
            let mut said = Vec::new();
            let read = { reader }.read_to_end(&mut said);
            // SAFETY: the child is ours and was not waited for.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            read?;
            Ok(said)
        }
    }
}
