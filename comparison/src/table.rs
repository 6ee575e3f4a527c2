//! The tables of a comparison: aligned text, and what the page shows.

use std::fmt;

use crate::circumstances::Circumstances;
use crate::comparison::Comparison;
use crate::side::Side;
use crate::start_up::{Beginning, StartUp};
use crate::task::TaskCost;

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
        let Circumstances { date, program, machine, servers, .. } = &self.circumstances;
        let servers: Vec<String> = servers.iter().map(|server| format!("{} ({})", server.name, server.tools)).collect();
        writeln!(to, "{}.\n{date}, {program}, {machine}; servers and their tools: {}\n", self.headline(), servers.join(", "))?;
        for table in tables(self) {
            writeln!(to, "{table}")?;
        }
        Ok(())
    }
}

/// All tables of a comparison: what a model pays for first.
pub(crate) fn tables(comparison: &Comparison) -> Vec<Table> {
    let mut tables = Vec::new();
    if !comparison.tasks.is_empty() {
        tables.push(tasks(&comparison.tasks));
    }
    tables.push(context(comparison));
    tables.push(start_up(comparison, Beginning::ServersRun, "Start-up on running servers: a new session, to its first answer"));
    tables.push(start_up(comparison, Beginning::Cold, "Start-up from nothing: servers not started, to the first answer"));
    tables.retain(|table| table.rows.len() > 1 || !table.notes.is_empty());
    tables
}

fn start_up(comparison: &Comparison, beginning: Beginning, title: &str) -> Table {
    let mut table = Table::new(title.to_owned(), &["way", "median", "95 %", "starts"]);
    for StartUp { way, time, failure, .. } in comparison.start_up.iter().filter(|entry| entry.beginning == beginning) {
        if let Some(time) = time {
            let cells = [milliseconds(time.median_ms), milliseconds(time.p95_ms), time.runs.to_string()];
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
    let title = "Tasks: the same tool calls on each face; tokens of o200k, host time without the model's".to_owned();
    let columns = [
        "task",
        "face",
        "calls",
        "round trips",
        "lookups",
        "retries",
        "definitions",
        "written",
        "read",
        "tokens in all",
        "bytes read",
        "host",
    ];
    let mut table = Table::new(title, &columns);
    for task in tasks {
        let faces = [("code", &task.code), ("classic", &task.classic), ("search", &task.search), ("both", &task.both)];
        for (place, (face, of_face)) in faces.into_iter().enumerate() {
            table.rows.push(side(if place == 0 { &task.name } else { "" }, face, task.calls, of_face));
        }
        table.notes.extend(notes(task));
    }
    table
}

/// What is to be known of a task beside its numbers.
fn notes(task: &TaskCost) -> Vec<String> {
    let name = &task.name;
    let mut notes: Vec<String> =
        task.failure.iter().map(|failure| format!("{name}: the program did not return: {failure}")).collect();
    if task.calls_that_differ > 0 {
        notes.push(format!("{name}: {} calls ended otherwise in classic mode", task.calls_that_differ));
    }
    if task.waves < task.calls {
        notes.push(format!(
            "{name}: a model that asks for all at once that do not wait for another makes the {} calls in {} round trips",
            task.calls, task.waves
        ));
    }
    if task.tools_without_output > 0 && task.calls > 1 {
        notes.push(format!(
            "{name}: {} of its tools do not say what they give: a model that does not know looks first, one round trip more in code mode",
            task.tools_without_output
        ));
    }
    notes
}

fn side(name: &str, face: &str, calls: usize, side: &Side) -> Vec<String> {
    [
        name.to_owned(),
        face.to_owned(),
        calls.to_string(),
        side.round_trips.to_string(),
        side.lookups.to_string(),
        side.retries.to_string(),
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
pub(crate) fn milliseconds(milliseconds: f64) -> String {
    match milliseconds {
        ..1.0 => format!("{milliseconds:.2} ms"),
        ..100.0 => format!("{milliseconds:.1} ms"),
        _ => format!("{milliseconds:.0} ms"),
    }
}

/// `1,234,567`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
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
