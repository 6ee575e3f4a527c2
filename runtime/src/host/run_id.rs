//! Which run something belongs to.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which run something belongs to: no other run has it, in this process or, as far as 64 random bits go, in any other. Shown as 32 digits of hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    process: u64,
    run: u64,
}

impl RunId {
    pub(crate) fn new() -> Self {
        /// Drawn once; without randomness it is the time.
        static PROCESS: LazyLock<u64> = LazyLock::new(|| {
            let mut bytes = [0; 8];
            let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
            getrandom::fill(&mut bytes).map_or_else(|_| now().into(), |()| u64::from_le_bytes(bytes))
        });
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self { process: *PROCESS, run: LAST.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:016x}{:016x}", self.process, self.run)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_another_one_and_all_of_a_process_begin_alike() {
        let (first, second) = (RunId::new(), RunId::new());
        assert_ne!(first, second);
        let [first, second] = [first, second].map(|id| id.to_string());
        assert_eq!((first.len(), &first[..16]), (32, &second[..16]));
    }
}
