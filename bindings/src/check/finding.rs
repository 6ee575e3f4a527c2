//! Where in a schema something was found that is not checked.

use super::rules::NodeId;
use super::unchecked::UncheckedReason;

/// The most findings of one schema that are kept.
const FINDINGS_MAX: usize = 8;

/// The most levels, and the most characters of a name, that a pointer shows.
const LEVELS_MAX: usize = 64;
const NAME_LENGTH_MAX: usize = 40;

/// A keyword that is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Its place, as a JSON pointer.
    pub(crate) pointer: String,
    pub(crate) reason: UncheckedReason,
}

/// A keyword in the schema of a node, or one of its parts.
#[derive(Clone, Copy)]
pub(super) struct Spot<'s> {
    pub(super) node: NodeId,
    pub(super) keyword: &'static str,
    pub(super) segment: Option<Segment<'s>>,
}

#[derive(Clone, Copy)]
pub(super) enum Segment<'s> {
    Name(&'s str),
    Index(usize),
}

/// What was found while a schema was read.
#[derive(Default)]
pub(super) struct FindingLog<'s> {
    /// From where each node was reached first; none for the root.
    origins: Vec<Option<Spot<'s>>>,
    found: Vec<(Spot<'s>, UncheckedReason)>,
    count: usize,
}

impl<'s> FindingLog<'s> {
    /// Notes from where the next node is reached.
    pub(super) fn push_origin(&mut self, origin: Option<Spot<'s>>) {
        self.origins.push(origin);
    }

    pub(super) fn add(&mut self, spot: Spot<'s>, reason: UncheckedReason) {
        self.count += 1;
        if self.found.len() < FINDINGS_MAX {
            self.found.push((spot, reason));
        }
    }

    /// The first findings, and how many there are.
    pub(super) fn finish(&self) -> (Vec<Finding>, usize) {
        let finding = |(spot, reason): &(Spot<'s>, UncheckedReason)| Finding { pointer: self.pointer(*spot), reason: *reason };
        (self.found.iter().map(finding).collect(), self.count)
    }

    /// The way from the root to `spot`, over references as a check goes.
    fn pointer(&self, spot: Spot<'s>) -> String {
        let mut way = vec![spot];
        while let Some(origin) = self.origins[way[way.len() - 1].node] {
            way.push(origin);
            if way.len() == LEVELS_MAX {
                break;
            }
        }
        let mut pointer = String::new();
        for Spot { keyword, segment, .. } in way.into_iter().rev() {
            pointer.push('/');
            pointer.push_str(keyword);
            match segment {
                Some(Segment::Name(name)) => {
                    let name: String = name.chars().take(NAME_LENGTH_MAX).collect();
                    pointer.push('/');
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
                Some(Segment::Index(place)) => pointer.push_str(&format!("/{place}")),
                None => {}
            }
        }
        pointer
    }
}
