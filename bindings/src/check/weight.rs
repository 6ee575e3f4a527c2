//! How much a schema says about one value, whatever the value is: all that its combinators and references hold.
//!
//! Forty schemas that each refer twice to the next are 2^40 for one value, and one that refers to itself has no end. Both are cut here, where
//! a schema is read. What a *value* adds (its depth, its length) is paid while it is checked.

use super::rules::{NodeId, Rule};
use super::unchecked::UncheckedReason;

/// The most schemas that speak about one value, each counted as often as it does.
const SCHEMAS_MAX: u64 = 10_000;

/// The most levels of them.
const LEVELS_MAX: usize = 50;

/// How far the search for what a node holds has come.
#[derive(Clone, Copy)]
enum State {
    New,
    /// It is being searched: what leads here is a circle.
    Active,
    Done {
        schemas: u64,
        levels: usize,
    },
}

/// A node whose rules are being searched.
struct Step {
    node: NodeId,
    /// The rules that hold nodes for the same value, and each of these nodes.
    beside: Vec<(usize, NodeId)>,
    next: usize,
    schemas: u64,
    levels: usize,
}

/// Replaces what is circular or too much by [`Rule::Unchecked`]; each such rule of a node, with the reason.
pub(super) fn lighten(nodes: &mut [Vec<Rule>]) -> Vec<(NodeId, &'static str, UncheckedReason)> {
    let mut states = vec![State::New; nodes.len()];
    let mut cut = Vec::new();
    let mut found = Vec::new();
    // The root comes first, so that circles are cut where they lead back, not where they begin.
    for start in 0..nodes.len() {
        if !matches!(states[start], State::New) {
            continue;
        }
        states[start] = State::Active;
        let mut steps = vec![Step::of(start, nodes)];
        while let Some(step) = steps.last_mut() {
            if let Some((rule, node)) = step.beside.get(step.next).copied() {
                step.next += 1;
                match states[node] {
                    State::Done { schemas, levels } => step.add(schemas, levels),
                    State::Active => {
                        cut.push((step.node, rule));
                        found.push((step.node, nodes[step.node][rule].keyword(), UncheckedReason::Circular));
                    }
                    State::New => {
                        step.next -= 1;
                        states[node] = State::Active;
                        steps.push(Step::of(node, nodes));
                    }
                }
                continue;
            }
            let (node, mut schemas, mut levels) = (step.node, step.schemas, step.levels);
            if schemas > SCHEMAS_MAX || levels > LEVELS_MAX {
                let mut rules: Vec<usize> = step.beside.iter().map(|(rule, _)| *rule).collect();
                rules.dedup();
                found.extend(rules.iter().map(|rule| (node, nodes[node][*rule].keyword(), UncheckedReason::ManySchemas)));
                cut.extend(rules.into_iter().map(|rule| (node, rule)));
                (schemas, levels) = (1, 1);
            }
            states[node] = State::Done { schemas, levels };
            steps.pop();
        }
    }
    for (node, rule) in &cut {
        nodes[*node][*rule] = Rule::Unchecked;
    }
    for (node, _) in cut {
        nodes[node].sort_by_key(Rule::rank);
    }
    found
}

impl Step {
    fn of(node: NodeId, nodes: &[Vec<Rule>]) -> Self {
        let beside = |(place, rule): (usize, &Rule)| rule.beside().into_iter().map(move |node| (place, node));
        let beside = nodes[node].iter().enumerate().flat_map(beside).collect();
        Self { node, beside, next: 0, schemas: 1, levels: 1 }
    }

    fn add(&mut self, schemas: u64, levels: usize) {
        self.schemas = self.schemas.saturating_add(schemas);
        self.levels = self.levels.max(levels + 1);
    }
}
