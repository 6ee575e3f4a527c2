//! A comparison as one page of HTML: charts and tables, in the light and in the dark, and nothing that has to be loaded.

use std::fmt::Write as _;

use crate::chart::{self, Bar};
use crate::comparison::Comparison;
use crate::table::{Table, grouped, tables};
use crate::task::TaskCost;

const STYLE: &str = include_str!("page.css");

impl Comparison {
    /// One page of HTML, with charts, that loads nothing.
    ///
    /// # Errors
    ///
    /// When a chart cannot be drawn.
    pub fn page(&self) -> anyhow::Result<String> {
        page(self)
    }
}

/// The page.
fn page(comparison: &Comparison) -> anyhow::Result<String> {
    let mut charts = vec![
        chart::bars(&start_up(comparison), "milliseconds to the first answer, logarithmic")?,
        chart::bars(&context(comparison), "tokens (o200k), logarithmic")?,
    ];
    if !comparison.tasks.is_empty() {
        charts
            .push(chart::bars(&tasks(&comparison.tasks), "tokens in the context at the end of the task (o200k), logarithmic")?);
    }
    let mut html = String::new();
    // Writing to a text cannot fail.
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Code mode and classic MCP</title>\n"
    );
    let _ = write!(html, "<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n{STYLE}</style>\n");
    let _ = write!(
        html,
        "<h1>Code mode and classic MCP</h1>\n<p class=\"soft\">The same {} tools for the same user, measured in one run. \
         <span class=\"key code\">code mode</span> <span class=\"key classic\">classic MCP</span></p>\n",
        comparison.tools
    );
    for (table, chart) in tables(comparison).iter().zip(charts) {
        section(&mut html, table, &chart);
    }
    Ok(html)
}

fn section(html: &mut String, table: &Table, chart: &str) {
    let _ = write!(
        html,
        "<h2>{0}</h2>\n<div class=\"wide\" role=\"img\" aria-label=\"{0}\">{chart}</div>\n<div class=\"wide\"><table>\n",
        escaped(&table.title)
    );
    for (place, row) in table.rows.iter().enumerate() {
        let cell = if place == 0 { "th" } else { "td" };
        let cells: String = row.iter().map(|text| format!("<{cell}>{}</{cell}>", escaped(text))).collect();
        let _ = writeln!(html, "<tr>{cells}</tr>");
    }
    html.push_str("</table></div>\n");
    for note in &table.notes {
        let _ = writeln!(html, "<p class=\"soft\">{}</p>", escaped(note));
    }
}

fn start_up(comparison: &Comparison) -> Vec<Bar> {
    let bar = |entry: &crate::StartUp| {
        let time = entry.time?;
        let text = format!("{:.2} ms", time.median_ms);
        Some(Bar { label: entry.way.clone(), value: time.median_ms, text, is_code_mode: entry.way.starts_with("code") })
    };
    comparison.start_up.iter().filter_map(bar).collect()
}

fn context(comparison: &Comparison) -> Vec<Bar> {
    let bar = |entry: &crate::Context| tokens(entry.way.clone(), entry.tokens, entry.way.starts_with("code"));
    comparison.context.iter().map(bar).collect()
}

fn tasks(tasks: &[TaskCost]) -> Vec<Bar> {
    let bars = |task: &TaskCost| {
        [
            tokens(format!("{}, code mode", task.name), task.code.tokens(), true),
            tokens(format!("{}, classic MCP", task.name), task.classic.tokens(), false),
        ]
    };
    tasks.iter().flat_map(bars).collect()
}

fn tokens(label: String, tokens: usize, is_code_mode: bool) -> Bar {
    Bar { label, value: tokens as f64, text: grouped(tokens), is_code_mode }
}

/// Text as HTML: names of servers and words of tools are other people's.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, StartUp};

    #[test]
    fn a_page_loads_nothing_and_obeys_no_name() -> anyhow::Result<()> {
        let failed = StartUp { way: "child `<script>`".to_owned(), time: None, failure: Some("<b>".to_owned()) };
        let context = vec![Context { way: "classic".to_owned(), tokens: 3, bytes: 12 }];
        let comparison = Comparison { tools: 1, start_up: vec![failed], context, tasks: Vec::new() };
        let html = page(&comparison)?;
        for word in ["<script", "<b>", "src=", "href=", "@import", "url("] {
            assert!(!html.contains(word), "{word}: {html}");
        }
        assert!(html.contains("child `&lt;script&gt;`: not measured: &lt;b&gt;"), "{html}");
        assert!(html.contains("prefers-color-scheme: dark"));
        Ok(())
    }
}
