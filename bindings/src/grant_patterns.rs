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
    /// The positions of each text.
    literal: HashMap<String, Vec<usize>>,
    globs: GlobSet,
    /// The position of each glob: texts that are none are not among the globs.
    glob_positions: Vec<usize>,
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
        let mut glob_positions = Vec::new();
        let mut broken = Vec::new();
        for (position, text) in texts.iter().enumerate() {
            literal.entry(text.clone()).or_default().push(position);
            match GlobBuilder::new(text).literal_separator(false).backslash_escape(true).build() {
                Ok(glob) => {
                    globs.add(glob);
                    glob_positions.push(position);
                }
                Err(error) => broken.push((position, NotAGlob(error))),
            }
        }
        let (globs, too_much) = match globs.build() {
            Ok(globs) => (globs, None),
            Err(error) => (GlobSet::empty(), Some(NotAGlob(error))),
        };
        let (texts, none) = (texts.to_vec(), vec![false; texts.len()]);
        Self { texts, literal, globs, glob_positions, broken, too_much, is_matching: none.clone(), is_effective: none }
    }

    /// The patterns that match any of `globbed` as globs, or are one of `named` to the letter, by their positions.
    pub(crate) fn of_names<'n>(
        &self,
        globbed: impl Iterator<Item = &'n String>,
        named: impl IntoIterator<Item = &'n String>,
    ) -> Vec<usize> {
        let mut found = Vec::new();
        if self.texts.is_empty() {
            return found;
        }
        found.extend(named.into_iter().filter_map(|name| self.literal.get(name)).flatten());
        for name in globbed {
            found.extend(self.globs.matches(name).into_iter().map(|glob| self.glob_positions[glob]));
        }
        found
    }

    /// As [`Self::of_names`], but what is a glob with an escape in it means what it matches, and not a tool that is called so with the backslash: there
    /// may be both, and such a text is copied from a listing for the first alone.
    pub(crate) fn of_names_or_escapes<'n>(
        &self,
        globbed: impl Iterator<Item = &'n String>,
        named: impl IntoIterator<Item = &'n String>,
    ) -> Vec<usize> {
        let is_escape = |name: &str| name.contains('\\') && self.is_glob(name);
        self.of_names(globbed, named.into_iter().filter(|name| !is_escape(name)))
    }

    fn is_glob(&self, text: &str) -> bool {
        let mut positions = self.literal.get(text).into_iter().flatten();
        positions.any(|position| self.broken.iter().all(|(broken, _)| broken != position))
    }

    pub(crate) fn note(&mut self, positions: &[usize], is_effective: bool) {
        for position in positions {
            self.is_matching[*position] = true;
            self.is_effective[*position] |= is_effective;
        }
    }

    pub(crate) fn is_matched(&self, pattern: &str) -> bool {
        self.literal.get(pattern).into_iter().flatten().any(|position| self.is_matching[*position])
    }

    /// Gives the first pattern that is no glob and no name either, or all if they are too much together.
    pub(crate) fn take_broken(&mut self) -> Option<(String, NotAGlob)> {
        if let Some(source) = self.too_much.take() {
            return Some((self.texts.join(" "), source));
        }
        let first = self.broken.iter().position(|(position, _)| !self.is_matching[*position])?;
        let (position, source) = self.broken.swap_remove(first);
        Some((self.texts[position].clone(), source))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use crate::{Catalog, Grants, ScopedTool};

    fn left(names: &[&str], grants: &Grants) -> Vec<String> {
        let tools: Vec<_> = names.iter().map(|name| json!({"name": name, "inputSchema": {"type": "object"}})).collect();
        let scope = Catalog::load([("s", tools)]).unwrap().scope(grants).unwrap();
        scope.tools().iter().map(|tool| tool.name().to_owned()).collect()
    }

    /// `\{` is what grants the tool `{`, and what another server might call a tool.
    #[test]
    fn an_escape_allows_the_tool_that_it_stands_for_and_not_one_of_its_own_spelling() {
        let both = [r"\{", "{"];
        assert_eq!(left(&both, &Grants::new().allow(r"s.\{")), ["{"]);
        assert_eq!(left(&both, &Grants::new().allow(r"s.\\\{")), [r"\{"]);
        // A deny means both: more is denied where it is not clear.
        assert_eq!(left(&both, &Grants::new().allow("*").deny(r"s.\{")), Vec::<String>::new());
        assert_eq!(left(&both, &Grants::new().allow("*").deny(r"s.\\\{")), ["{"]);
        // What is no glob is a name.
        assert_eq!(left(&[r"a\", "a"], &Grants::new().allow(r"s.a\")), [r"a\"]);
        let scope = Catalog::load([("s", both.map(|name| json!({"name": name, "inputSchema": {"type": "object"}})).to_vec())]);
        let scope = scope.unwrap().scope(&Grants::new().allow("*").trust_read_only(r"s.\{")).unwrap();
        let trusted = |tool: &&ScopedTool| tool.is_trusted_read_only();
        assert_eq!(scope.tools().iter().filter(trusted).map(ScopedTool::name).collect::<Vec<_>>(), ["{"]);
    }
}
