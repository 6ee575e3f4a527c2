//! What a comparison found, in one sentence.

use crate::comparison::Comparison;
use crate::side::Side;
use crate::table::grouped;
use crate::task::TaskCost;

impl Comparison {
    /// What was found, in one sentence, whichever way it went.
    #[must_use]
    pub fn headline(&self) -> String {
        let tools = if self.tools == 1 { "one tool".to_owned() } else { format!("{} tools", grouped(self.tools)) };
        if self.tasks.is_empty() {
            let tokens = |place: usize| grouped(self.context.get(place).map_or(0, |entry| entry.tokens));
            return format!(
                "Before its first call a model reads {} tokens in code mode, and {} in classic MCP: {tools}",
                tokens(1),
                tokens(0)
            );
        }
        let sum = |of: fn(&TaskCost) -> &Side| {
            let mut sum = Side::default();
            self.tasks.iter().map(of).for_each(|side| sum += side);
            let round_trips = if sum.round_trips == 1 {
                "one round trip".to_owned()
            } else {
                format!("{} round trips", grouped(sum.round_trips))
            };
            format!("{round_trips} and {} tokens", grouped(sum.tokens()))
        };
        let tasks = if self.tasks.len() == 1 { "one task".to_owned() } else { format!("{} tasks", self.tasks.len()) };
        format!(
            "{} in code mode, {} in classic MCP: {tasks} on {tools}",
            upper_first(&sum(|task| &task.code)),
            sum(|task| &task.classic)
        )
    }
}

fn upper_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
