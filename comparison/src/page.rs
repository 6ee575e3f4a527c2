//! A comparison as one page of HTML: what a model pays for first, charts and tables, in the light and in the dark, and nothing that has to be loaded.

use std::fmt::Write as _;

use crate::bars::{Bar, Hue, figure, most_of};
use crate::comparison::Comparison;
use crate::markup::escaped;
use crate::start_up::Beginning;
use crate::table::{Table, grouped, milliseconds, tables};
use crate::task::TaskCost;

const STYLE: &str = include_str!("page.css");

impl Comparison {
    /// One page of HTML, with charts, that loads nothing.
    #[must_use]
    pub fn page(&self) -> String {
        let mut html = String::new();
        head(&mut html, self);
        if !self.tasks.is_empty() {
            let of_tasks = |html: &mut String, heading: &str, value: fn(&crate::Side) -> usize| {
                let bars: Vec<(&str, Vec<Bar>)> = self.tasks.iter().map(|task| (&*task.name, faces(task, value))).collect();
                let most = most_of(bars.iter().flat_map(|(_, bars)| bars));
                section(html, heading, |html| bars.iter().for_each(|(name, bars)| figure(html, name, bars, most)));
            };
            of_tasks(&mut html, "Round trips of each task", |side| side.round_trips);
            of_tasks(&mut html, "Tokens in the context at the end of each task", crate::Side::tokens);
        }
        section(&mut html, "Tokens before the first call", |html| {
            let bars = context(self);
            figure(html, "by what a model is shown", &bars, most_of(&bars));
        });
        for (heading, words, beginning) in [
            (
                "Start-up on running servers",
                "A new session for a user whose servers run already, to its first answer: in code mode that of a program, in classic MCP the list of tools.",
                Beginning::ServersRun,
            ),
            ("Start-up from nothing", "No server is started yet. Code mode needs them as well.", Beginning::Cold),
        ] {
            let bars = start_up(self, beginning);
            if !bars.is_empty() {
                section(&mut html, heading, |html| {
                    let _ = writeln!(html, "<p class=\"soft\">{words}</p>");
                    figure(html, "milliseconds, median", &bars, most_of(&bars));
                });
            }
        }
        section(&mut html, "All numbers", |html| tables(self).iter().for_each(|one| table(html, one)));
        html.push_str("</main>\n");
        html
    }
}

fn head(html: &mut String, comparison: &Comparison) {
    let (headline, facts) = (escaped(&comparison.headline()), &comparison.circumstances);
    let servers: Vec<String> =
        facts.servers.iter().map(|server| format!("{} ({})", escaped(&server.name), server.tools)).collect();
    // Writing to a text cannot fail.
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Code mode and classic MCP</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>\n{STYLE}</style>\n<main>\n<h1>{headline}</h1>\n\
         <p class=\"key\"><span class=\"code\">code mode</span> <span class=\"classic\">classic MCP</span> <span class=\"other\">search, both, types alone</span></p>\n\
         <ul class=\"facts\"><li>{}</li><li>{}</li><li>{}</li><li>tokens of {}</li><li>servers and their tools: {}</li></ul>\n",
        escaped(&facts.date),
        escaped(&facts.program),
        escaped(&facts.machine),
        escaped(&facts.vocabulary),
        servers.join(", ")
    );
}

fn section(html: &mut String, heading: &str, content: impl FnOnce(&mut String)) {
    let _ = writeln!(html, "<section>\n<h2>{}</h2>", escaped(heading));
    content(html);
    html.push_str("</section>\n");
}

fn table(html: &mut String, table: &Table) {
    let _ = writeln!(html, "<h3>{}</h3>\n<div class=\"wide\"><table>", escaped(&table.title));
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

fn faces(task: &TaskCost, value: fn(&crate::Side) -> usize) -> Vec<Bar> {
    let faces = [
        ("code mode", Hue::Code, &task.code),
        ("classic MCP", Hue::Classic, &task.classic),
        ("search", Hue::Other, &task.search),
        ("both", Hue::Other, &task.both),
    ];
    faces.map(|(label, hue, side)| counted(label, value(side), hue)).into()
}

fn context(comparison: &Comparison) -> Vec<Bar> {
    comparison.context.iter().map(|entry| counted(&entry.way, entry.tokens, hue_of(&entry.way))).collect()
}

fn start_up(comparison: &Comparison, beginning: Beginning) -> Vec<Bar> {
    let entries = comparison.start_up.iter().filter(|entry| entry.beginning == beginning);
    let bar = |entry: &crate::StartUp| {
        let median = entry.time?.median_ms;
        Some(Bar { label: entry.way.clone(), value: median, text: milliseconds(median), hue: hue_of(&entry.way) })
    };
    entries.filter_map(bar).collect()
}

fn hue_of(way: &str) -> Hue {
    match way.split([' ', ':']).next() {
        Some("code") => Hue::Code,
        Some("classic") => Hue::Classic,
        _ => Hue::Other,
    }
}

fn counted(label: &str, count: usize, hue: Hue) -> Bar {
    Bar { label: label.to_owned(), value: count as f64, text: grouped(count), hue }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Circumstances, Context, ServerFacts, StartUp};

    fn comparison() -> Comparison {
        let failed = StartUp {
            way: "child `<script>`".to_owned(),
            beginning: Beginning::Cold,
            time: None,
            failure: Some("<em>".to_owned()),
        };
        Comparison {
            circumstances: Circumstances {
                date: "2026-11-29".to_owned(),
                program: "isolet 0.0.0".to_owned(),
                machine: "2 processors".to_owned(),
                vocabulary: "o200k".to_owned(),
                servers: vec![ServerFacts { name: "<i>".to_owned(), tools: 1 }],
            },
            tools: 1,
            context: vec![
                Context { way: "classic".to_owned(), tokens: 3000, bytes: 12 },
                Context { way: "code mode".to_owned(), tokens: 1000, bytes: 12 },
            ],
            tasks: Vec::new(),
            start_up: vec![failed],
        }
    }

    #[test]
    fn a_page_loads_nothing_and_obeys_no_name() {
        let html = comparison().page();
        for word in ["<script", "<em>", "<i>", "src=", "href=", "@import", "url("] {
            assert!(!html.contains(word), "{word}: {html}");
        }
        assert!(html.contains("child `&lt;script&gt;`: not measured: &lt;em&gt;"), "{html}");
        assert!(html.contains("prefers-color-scheme: dark"));
    }

    #[test]
    fn a_page_begins_with_what_was_found_when_where_and_on_what() {
        let html = comparison().page();
        let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("no `{text}` in {html}"));
        let headline =
            "<h1>Before its first call a model reads 1,000 tokens in code mode, and 3,000 in classic MCP: one tool</h1>";
        let order = [
            place(headline),
            place("2026-11-29"),
            place("2 processors"),
            place("&lt;i&gt; (1)"),
            place("Tokens before the first call"),
        ];
        assert!(order.is_sorted(), "{order:?}");
    }
}
