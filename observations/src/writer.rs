//! The thread that writes: whoever observes a reply does not wait for a disk.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::records::Key;

/// How long is waited for a disk at an end.
const FLUSH_MAX: Duration = Duration::from_secs(10);

/// Writes what has changed, the same thing at most once at a time.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What is to be written.
    waiting: HashSet<Key>,
    is_writing: bool,
    is_ending: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// Starts the thread, which writes each thing with `write`.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn start(mut write: impl FnMut(&Key) + Send + 'static) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let work = move || {
            loop {
                let waiting = {
                    let is_idle = |state: &mut State| state.waiting.is_empty() && !state.is_ending;
                    let waited = of_thread.changed.wait_while(of_thread.state(), is_idle);
                    let mut state = waited.unwrap_or_else(PoisonError::into_inner);
                    if state.waiting.is_empty() {
                        return;
                    }
                    state.is_writing = true;
                    std::mem::take(&mut state.waiting)
                };
                waiting.iter().for_each(&mut write);
                of_thread.state().is_writing = false;
                of_thread.changed.notify_all();
            }
        };
        let thread = std::thread::Builder::new().name("isolet-shapes".to_owned()).spawn(work)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Has `key` written soon.
    pub(crate) fn write(&self, key: Key) {
        self.shared.state().waiting.insert(key);
        self.shared.changed.notify_all();
    }

    /// Waits until everything is written, and not for ever.
    pub(crate) fn flush(&self) {
        let is_busy = |state: &mut State| state.is_writing || !state.waiting.is_empty();
        drop(self.shared.changed.wait_timeout_while(self.shared.state(), FLUSH_MAX, is_busy));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.state().is_ending = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // One that has panicked has said so.
            let _ = thread.join();
        }
    }
}
