//! The patterns of allows, or of denies: which of them match a name, and what became of each.

use std::collections::HashMap;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Why a pattern is no glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct NotAGlob(globset::Error);

/// Patterns of one kind, and what became of them.
pub(crate) struct Patterns {
    pub(crate) texts: Vec<String>,
    /// The places of each text.
    literal: HashMap<String, Vec<usize>>,
    globs: GlobSet,
    /// The place of each glob: texts that are none are not among the globs.
    glob_places: Vec<usize>,
    /// Those that are no globs.
    broken: Vec<(usize, NotAGlob)>,
    /// Why all together are too much, though each of them is a glob.
    too_much: Option<NotAGlob>,
    is_matching: Vec<bool>,
    /// Whether each text decided anything.
    pub(crate) is_effective: Vec<bool>,
}

impl Patterns {
    pub(crate) fn of(texts: &[String]) -> Self {
        let mut literal: HashMap<String, Vec<usize>> = HashMap::new();
        let mut globs = GlobSetBuilder::new();
        let mut glob_places = Vec::new();
        let mut broken = Vec::new();
        for (place, text) in texts.iter().enumerate() {
            literal.entry(text.clone()).or_default().push(place);
            match GlobBuilder::new(text).literal_separator(false).backslash_escape(true).build() {
                Ok(glob) => {
                    globs.add(glob);
                    glob_places.push(place);
                }
                Err(error) => broken.push((place, NotAGlob(error))),
            }
        }
        let (globs, too_much) = match globs.build() {
            Ok(globs) => (globs, None),
            Err(error) => (GlobSet::empty(), Some(NotAGlob(error))),
        };
        let (texts, none) = (texts.to_vec(), vec![false; texts.len()]);
        Self { texts, literal, globs, glob_places, broken, too_much, is_matching: none.clone(), is_effective: none }
    }

    /// The places of the patterns that match any of `globbed` as globs, or are one of `named` to the letter.
    pub(crate) fn of_names<'n>(
        &self,
        globbed: impl Iterator<Item = &'n String>,
        named: impl IntoIterator<Item = &'n String>,
    ) -> Vec<usize> {
        let mut places = Vec::new();
        if self.texts.is_empty() {
            return places;
        }
        places.extend(named.into_iter().filter_map(|name| self.literal.get(name)).flatten());
        for name in globbed {
            places.extend(self.globs.matches(name).into_iter().map(|glob| self.glob_places[glob]));
        }
        places
    }

    pub(crate) fn note(&mut self, places: &[usize], is_effective: bool) {
        for place in places {
            self.is_matching[*place] = true;
            self.is_effective[*place] |= is_effective;
        }
    }

    pub(crate) fn is_matched(&self, pattern: &str) -> bool {
        self.literal.get(pattern).into_iter().flatten().any(|place| self.is_matching[*place])
    }

    /// Gives the first pattern that is no glob and no name either, or all if they are too much together.
    pub(crate) fn take_broken(&mut self) -> Option<(String, NotAGlob)> {
        if let Some(source) = self.too_much.take() {
            return Some((self.texts.join(" "), source));
        }
        let place = self.broken.iter().position(|(place, _)| !self.is_matching[*place])?;
        let (place, source) = self.broken.swap_remove(place);
        Some((self.texts[place].clone(), source))
    }
}
