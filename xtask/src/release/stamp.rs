//! The time that packages say they are from: that of the sources, not that of the packing.

use std::env;

use anyhow::{Context as _, ensure};

use crate::workspace::Workspace;

/// The first moment that a file in a zip archive can have, seconds since 1970: 1980.
const FIRST: i64 = 315_532_800;

/// A time, seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(i64);

impl Stamp {
    /// `SOURCE_DATE_EPOCH`, which is how reproducible builds are told, or the time of the last commit.
    pub(super) fn of(workspace: &Workspace) -> anyhow::Result<Self> {
        if let Ok(told) = env::var("SOURCE_DATE_EPOCH") {
            return Self::told(&told).with_context(|| format!("`SOURCE_DATE_EPOCH` is `{told}`"));
        }
        let output = std::process::Command::new("git")
            .args(["log", "-1", "--format=%ct"])
            .current_dir(workspace.root())
            .output()
            .context("`git` does not start: set `SOURCE_DATE_EPOCH`")?;
        Self::told(&String::from_utf8_lossy(&output.stdout)).context("this checkout has no commit: set `SOURCE_DATE_EPOCH`")
    }

    fn told(text: &str) -> anyhow::Result<Self> {
        let seconds = text.trim().parse().context("no number of seconds since 1970")?;
        ensure!(seconds >= FIRST, "before 1980, which a zip archive cannot say");
        Ok(Self(seconds))
    }

    /// Seconds since 1970.
    pub(super) fn seconds(self) -> i64 {
        self.0
    }

    /// As RFC 3339 has it.
    pub(super) fn text(self) -> String {
        let time = rawzip::time::UtcDateTime::from_unix(self.0);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        )
    }
}

#[cfg(test)]
impl Stamp {
    pub(super) const OF_TESTS: Self = Self(1_700_000_000);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_a_zip_archive_cannot_say_is_refused() {
        assert_eq!(Stamp::told("315532800\n").ok(), Some(Stamp(FIRST)));
        for wrong in ["315532799", "0", "yesterday", ""] {
            assert!(Stamp::told(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Stamp::OF_TESTS.text(), "2023-11-14T22:13:20Z");
    }
}
