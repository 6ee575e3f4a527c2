//! What was said on standard error while servers come and go: each line once, and of those that are not shown how many they are.

use std::collections::{HashMap, HashSet};

/// The lines that are remembered as said; then they are forgotten, and said again.
const LINES_MAX: usize = 1_000;

/// What was said.
#[derive(Default)]
pub(crate) struct Said {
    lines: HashSet<String>,
    /// Of each matter, how many more lines there were than were shown.
    more: HashMap<String, usize>,
}

impl Said {
    /// Says those of `lines` that were not said before, and how many more of all `count` there are about `what` where that is news: what was
    /// said before is none of them.
    pub(crate) fn say(&mut self, what: &str, lines: Vec<String>, count: usize, say: &mut impl FnMut(&str)) {
        let more = count.saturating_sub(lines.len());
        let news: Vec<String> = lines.into_iter().filter(|line| !self.lines.contains(line)).collect();
        for line in &news {
            say(line);
        }
        if self.more.insert(what.to_owned(), more).unwrap_or_default() != more && more > 0 {
            say(&format!("and {more} more {what}"));
        }
        if self.lines.len() + news.len() > LINES_MAX {
            self.lines.clear();
        }
        self.lines.extend(news);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_said_once_and_those_that_are_not_shown_are_counted_without_it() {
        let mut said = Said::default();
        let mut say = |lines: &[&str], count: usize| {
            let mut heard: Vec<String> = Vec::new();
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            said.say("servers that failed", lines, count, &mut |line: &str| heard.push(line.to_owned()));
            heard.join("; ")
        };
        assert_eq!(say(&["a", "b"], 2), "a; b");
        assert_eq!(say(&["a", "b"], 2), "");
        assert_eq!(say(&["b", "c"], 2), "c");
        assert_eq!(say(&["b", "d"], 5), "d; and 3 more servers that failed");
        // Nothing of it is news, and then how many there are is.
        assert_eq!(say(&["b", "d"], 5), "");
        assert_eq!(say(&["b", "d"], 6), "and 4 more servers that failed");
        assert_eq!(say(&["b", "d"], 2), "");
    }
}
