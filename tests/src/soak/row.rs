//! One bound of a soak, and what was found.

use std::fmt;

use serde_json::{Value, json};

/// The argument by which bounds are those of a machine that does other things at the same time.
pub(super) const PATIENT: &str = "--patient";

/// One bound.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) found: String,
    pub(super) bound: String,
    pub(super) is_held: bool,
}

impl Row {
    /// Of what was found at the end of each cycle, if anything was: the middle of the first third against that of the last.
    pub(super) fn grown(what: &'static str, found: &[Option<u64>], unit: &str, more: u64) -> Self {
        let third = found.len().div_ceil(3);
        let middle = |found: &[Option<u64>]| {
            let mut found: Vec<_> = found.iter().copied().flatten().collect();
            found.sort_unstable();
            found.get(found.len() / 2).copied()
        };
        let (first, last) = (middle(&found[..third]), middle(&found[found.len() - third..]));
        // What is not there any more, or was not there before, has not grown.
        let (first, last) = (first.or(last).unwrap_or(0), last.or(first).unwrap_or(0));
        Self {
            what,
            found: format!("{first} -> {last} {unit}").trim_end().to_owned(),
            bound: format!("{more} more"),
            is_held: last <= first + more,
        }
    }

    /// What must not be.
    pub(super) fn none(what: &'static str, count: usize, found: impl fmt::Display) -> Self {
        Self { what, found: format!("{count} {found}").trim_end().to_owned(), bound: "0".to_owned(), is_held: count == 0 }
    }

    /// What broke the bound, if it is not held.
    pub(super) fn broken(&self) -> Option<String> {
        (!self.is_held).then(|| format!("{}: {} (bound: {})", self.what, self.found, self.bound))
    }

    pub(super) fn json(&self) -> Value {
        json!({ "what": self.what, "found": self.found, "bound": self.bound, "held": self.is_held })
    }
}

/// All of them as a table.
pub(super) fn write_table(to: &mut fmt::Formatter<'_>, rows: &[Row]) -> fmt::Result {
    writeln!(to, "| what | found | bound | |\n|---|---|---|---|")?;
    rows.iter().try_for_each(|row| {
        let held = if row.is_held { "held" } else { "BROKEN" };
        writeln!(to, "| {} | {} | {} | {held} |", row.what, row.found, row.bound)
    })
}
