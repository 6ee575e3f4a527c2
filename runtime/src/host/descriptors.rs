//! The descriptors that this process may open, and how many live runs they are enough for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a live run takes: its socket, its pidfd, and the socket's other end until its zygote has it.
const OF_A_RUN: u64 = 3;
/// What a runtime takes whatever it runs: control sockets, the keeper, tokio, and what the application has open.
const OF_ALL: u64 = 64;

/// Raises the limit of this process as far as it may, and says so if it is too low for `live_runs_max`.
pub(crate) fn raise_limit(live_runs_max: usize) {
    let limit = getrlimit(Resource::Nofile);
    // One that cannot be raised stays as it was, and is looked at below.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let possible = runs_possible();
    if possible < live_runs_max {
        let limit = self::limit().unwrap_or(u64::MAX);
        tracing::warn!(
            limit,
            live_runs_max,
            possible,
            "open files are limited too far for `live_runs_max`: further runs will fail to start: raise the hard limit (`ulimit -Hn`)"
        );
    }
}

/// The limit; `None` where there is none.
pub(crate) fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// The live runs that the limit is enough for.
pub(crate) fn runs_possible() -> usize {
    runs_within(limit())
}

fn runs_within(limit: Option<u64>) -> usize {
    limit.and_then(|limit| usize::try_from(limit.saturating_sub(OF_ALL) / OF_A_RUN).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::runs_within;

    #[test]
    fn three_descriptors_make_a_run() {
        assert_eq!(runs_within(Some(64 + 299)), 99);
        assert_eq!(runs_within(Some(64 + 300)), 100);
        assert_eq!(runs_within(Some(10)), 0);
        assert_eq!(runs_within(None), usize::MAX);
    }
}
