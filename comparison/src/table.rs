//! The tables of a comparison: aligned text, and what the page shows.

use std::fmt;

use crate::comparison::Comparison;
use crate::start_up::StartUp;
use crate::task::{Side, TaskCost};

/// A title and rows of cells; the first row has the names of the columns.
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) rows: Vec<Vec<String>>,
    /// Sentences below: what could not be measured, and why.
    pub(crate) notes: Vec<String>,
}

impl Table {
    fn new(title: String, columns: &[&str]) -> Self {
        Self { title, rows: vec![columns.iter().map(|column| (*column).to_owned()).collect()], notes: Vec::new() }
    }
}

impl fmt::Display for Table {
    /// The first column to the left, the others to the right.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(to, "{}", self.title)?;
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::from("  ");
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                line += &if column == 0 { format!("{cell:<width$}") } else { format!("   {cell:>width$}") };
            }
            writeln!(to, "{}", line.trim_end())?;
        }
        for note in &self.notes {
            writeln!(to, "  {note}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in tables(self) {
            writeln!(to, "{table}")?;
        }
        Ok(())
    }
}

/// All tables of a comparison.
pub(crate) fn tables(comparison: &Comparison) -> Vec<Table> {
    let mut tables = vec![start_up(comparison), context(comparison)];
    if !comparison.tasks.is_empty() {
        tables.push(tasks(&comparison.tasks));
    }
    tables
}

fn start_up(comparison: &Comparison) -> Table {
    let title = format!("Start-up: from nothing to the first answer, {} tools", comparison.tools);
    let mut table = Table::new(title, &["way", "median", "95 %", "starts", "against forked ahead"]);
    let ready = comparison.ready();
    for StartUp { way, time, failure } in &comparison.start_up {
        if let Some(time) = time {
            let ratio = ready.map_or_else(|| "?".to_owned(), |ready| ratio(time.median_ms / ready.median_ms));
            let cells = [milliseconds(time.median_ms), milliseconds(time.p95_ms), time.runs.to_string(), ratio];
            table.rows.push(std::iter::once(way.clone()).chain(cells).collect());
        }
        table.notes.extend(failure.as_ref().map(|failure| format!("{way}: not measured: {failure}")));
    }
    table
}

fn context(comparison: &Comparison) -> Table {
    let title = "Context: what the model reads before its first call".to_owned();
    let mut table = Table::new(title, &["way", "tokens (o200k)", "bytes", "of `tools/list`"]);
    let list = comparison.context.first().map_or(1, |list| list.tokens.max(1));
    for entry in &comparison.context {
        let cells = [
            entry.way.clone(),
            grouped(entry.tokens),
            grouped(entry.bytes),
            format!("{:.1} %", 100.0 * entry.tokens as f64 / list as f64),
        ];
        table.rows.push(cells.into());
    }
    table
}

fn tasks(tasks: &[TaskCost]) -> Table {
    let title = "Tasks: the same tool calls, as one program and one by one; host time without the model's".to_owned();
    let columns =
        ["task", "mode", "calls", "round trips", "definitions", "written", "read", "tokens in all", "bytes read", "host"];
    let mut table = Table::new(title, &columns);
    for task in tasks {
        table.rows.push(side(&task.name, "code", task.calls, &task.code));
        table.rows.push(side("", "classic", task.calls, &task.classic));
        let failure = task.failure.as_ref().map(|failure| format!("{}: the program did not return: {failure}", task.name));
        table.notes.extend(failure);
        if task.calls_that_differ > 0 {
            let note = format!("{}: {} calls ended otherwise the second time", task.name, task.calls_that_differ);
            table.notes.push(note);
        }
    }
    table
}

fn side(name: &str, mode: &str, calls: usize, side: &Side) -> Vec<String> {
    [
        name.to_owned(),
        mode.to_owned(),
        calls.to_string(),
        side.round_trips.to_string(),
        grouped(side.definition_tokens),
        grouped(side.written_tokens),
        grouped(side.read_tokens),
        grouped(side.tokens()),
        grouped(side.read_bytes),
        milliseconds(side.host_ms),
    ]
    .into()
}

/// Three digits that matter.
fn milliseconds(milliseconds: f64) -> String {
    match milliseconds {
        ..1.0 => format!("{milliseconds:.2} ms"),
        ..100.0 => format!("{milliseconds:.1} ms"),
        _ => format!("{milliseconds:.0} ms"),
    }
}

fn ratio(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.1}") } else { format!("{ratio:.0}") }
}

/// `1,234,567`.
pub(crate) fn grouped(number: usize) -> String {
    grouped_digits(&number.to_string())
}

/// The same of a whole number that is text.
pub(crate) fn grouped_digits(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_with_their_text() {
        let mut table = Table::new("Title".to_owned(), &["way", "count"]);
        table.rows.push(vec!["é".to_owned(), "1,000,000".to_owned()]);
        table.notes.push("a note".to_owned());
        assert_eq!(table.to_string(), "Title\n  way       count\n  é     1,000,000\n  a note\n");
    }

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        assert_eq!([0, 999, 1000, 123_456, 1_234_567].map(grouped), ["0", "999", "1,000", "123,456", "1,234,567"]);
    }

    #[test]
    fn times_have_the_digits_that_matter() {
        assert_eq!([0.4567, 1.04, 99.96, 412.3].map(milliseconds), ["0.46 ms", "1.0 ms", "100.0 ms", "412 ms"]);
    }
}
