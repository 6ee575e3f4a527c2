//! Grants applied to the tools of a catalog: who is denied, who is allowed, and which grant names nothing.
//!
//! A tool has several names: the one that its server gives (raw), the path that a guest writes, and that path without the suffix that made it
//! an identifier. People copy any of them from a listing. So a deny matches every one of them, and an allow none but the raw name and the
//! exact path: where it is not clear what was meant, less is allowed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde_json::{Map, Value};

use crate::catalog::Server;
use crate::definition::Tool;
use crate::grants::{Grants, WILDCARDS};
use crate::name;
use crate::nearest::nearest;

/// Grants that cannot be applied. The fault of the application.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// A pattern that is no glob, and the name of no tool either.
    #[error("the pattern `{pattern}` is no glob: escape what is meant literally with `\\`")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: globset::Error,
    },
    /// A new name that is no identifier.
    #[error("`{tool}` cannot be renamed to {identifier:?}: take an identifier that is no reserved word and no global")]
    NotAnIdentifier {
        /// The tool, as `server.tool`.
        tool: String,
        /// The name that it should have had.
        identifier: String,
    },
    /// Two tools of one server renamed to the same.
    #[error("`{first}` and `{second}` are both renamed to `{identifier}`: give them different names")]
    RenamedTwice {
        /// One tool, as `server.tool`.
        first: String,
        /// The other.
        second: String,
        /// The name that both should have had.
        identifier: String,
    },
}

/// Something in the grants of a scope that had no effect, for whoever wrote them.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeWarning {
    /// A name, without wildcards, of a tool that its server does not have. Most likely a mistake: a program that is told such a name by its
    /// user should stop.
    #[error("there is no tool `{name}`{}: correct the name or remove it", near(nearest))]
    NoSuchTool {
        /// The name, as it was given.
        name: String,
        /// The names that look most like it.
        nearest: Vec<String>,
    },
    /// A pattern that allows, under which no tool is left. Most likely a mistake, as above.
    #[error("`{pattern}` allows no tool: write the names that the servers give, and see what is denied")]
    NothingLeft {
        /// The pattern.
        pattern: String,
    },
    /// A pattern that denies no tool, or a name of a tool that was left out or whose server is not known.
    #[error("`{grant}` matches no tool: correct it or remove it")]
    MatchesNothing {
        /// The pattern or the name.
        grant: String,
    },
    /// A tool whose identifier a rename gave to another, and whose suffixed one is taken too.
    #[error("`{tool}` is left out, its identifier is taken: rename it too")]
    IdentifierTaken {
        /// The tool, as `server.tool`.
        tool: String,
    },
}

/// `, the nearest are a, b`.
fn near(names: &[String]) -> Cow<'static, str> {
    if names.is_empty() { Cow::Borrowed("") } else { format!(", the nearest are {}", names.join(", ")).into() }
}

/// A tool that is granted, and what the grants say of it.
pub(crate) struct Granted<'c> {
    pub(crate) tool: &'c Arc<Tool>,
    /// `server.tool`, both as they call themselves.
    pub(crate) address: String,
    /// The new name, if it is renamed.
    pub(crate) identifier: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) pinned: Map<String, Value>,
}

/// Grants that are being applied.
pub(crate) struct Granting<'g> {
    grants: &'g Grants,
    allowed: Patterns,
    denied: Patterns,
    /// The names of renames, descriptions and pins that are some tool's.
    used: BTreeSet<&'g str>,
}

impl<'g> Granting<'g> {
    pub(crate) fn of(grants: &'g Grants) -> Self {
        let (allowed, denied) = (Patterns::of(&grants.allowed), Patterns::of(&grants.denied));
        Self { grants, allowed, denied, used: BTreeSet::new() }
    }

    /// The tool if it is granted.
    ///
    /// # Errors
    ///
    /// A new name that is no identifier.
    pub(crate) fn decide<'c>(&mut self, server: &Server, tool: &'c Arc<Tool>) -> Result<Option<Granted<'c>>, ScopeError> {
        let raw = format!("{}.{}", server.id, tool.name());
        let path = format!("{}.{}", server.identifier, tool.identifier());
        let identifier = said(&self.grants.identifiers, &raw, &path, &mut self.used).last().cloned();
        let description = said(&self.grants.descriptions, &raw, &path, &mut self.used).last().cloned();
        let pins = said(&self.grants.pins, &raw, &path, &mut self.used);
        let pinned = pins.flat_map(|pins| pins.clone()).collect();
        let allowing = self.allowed.of_names(std::iter::once(&raw), [&raw, &path]);
        let every_name = if self.denied.texts.is_empty() {
            Vec::new()
        } else {
            names(server, tool, identifier.as_deref(), !self.grants.identifiers.is_empty())
        };
        let denying = self.denied.of_names(every_name.iter(), every_name.iter());
        let is_granted = !allowing.is_empty() && denying.is_empty();
        self.allowed.note(&allowing, is_granted);
        self.denied.note(&denying, true);
        if !is_granted {
            return Ok(None);
        }
        match identifier {
            Some(identifier) if !name::is_identifier(&identifier) => Err(ScopeError::NotAnIdentifier { tool: raw, identifier }),
            identifier => Ok(Some(Granted { tool, address: raw, identifier, description, pinned })),
        }
    }

    /// What had no effect. `missing` are servers whose tools are not known: what may be about them stays in force. If `is_whole`, there are
    /// no others than those and `servers`.
    ///
    /// # Errors
    ///
    /// A pattern that can be no name and is no glob.
    pub(crate) fn finish(
        mut self,
        servers: &[Server],
        missing: &[String],
        is_whole: bool,
    ) -> Result<Vec<ScopeWarning>, ScopeError> {
        for patterns in [&mut self.allowed, &mut self.denied] {
            patterns.refuse_broken()?;
        }
        let known = Known { servers, missing, is_whole };
        let mut warnings = Vec::new();
        for (pattern, is_effective) in self.allowed.texts.iter().zip(&self.allowed.is_effective) {
            if !is_effective && !known.may_concern_missing(pattern) {
                let is_there = self.allowed.is_matched(pattern);
                warnings.push(match known.mistake(pattern) {
                    Some(mistake) if !is_there => mistake,
                    _ => ScopeWarning::NothingLeft { pattern: pattern.clone() },
                });
            }
        }
        let unused = self.denied.texts.iter().zip(&self.denied.is_effective).filter(|(_, is_effective)| !**is_effective);
        let unused = unused.map(|(pattern, _)| pattern);
        let grants = self.grants;
        let named: BTreeSet<&String> =
            grants.identifiers.keys().chain(grants.descriptions.keys()).chain(grants.pins.keys()).collect();
        let named = named.into_iter().filter(|name| !self.used.contains(name.as_str()));
        for grant in unused.chain(named).filter(|grant| !known.may_concern_missing(grant)) {
            let nothing = || ScopeWarning::MatchesNothing { grant: grant.clone() };
            warnings.push(known.mistake(grant).unwrap_or_else(nothing));
        }
        Ok(warnings)
    }
}

/// What a map says of the tool with these two names: by its path, then by its raw name.
fn said<'m, T>(
    grants: &'m BTreeMap<String, T>,
    raw: &str,
    path: &str,
    used: &mut BTreeSet<&'m str>,
) -> impl Iterator<Item = &'m T> + use<'m, T> {
    let by_path = if raw == path || grants.is_empty() { None } else { grants.get_key_value(path) };
    let entries = [by_path, grants.get_key_value(raw)].into_iter().flatten();
    let entries: Vec<(&'m String, &'m T)> = entries.collect();
    used.extend(entries.iter().map(|(name, _)| name.as_str()));
    entries.into_iter().map(|(_, value)| value)
}

/// All that a tool may be called: the raw name, what is shown, and that without its suffix, for the server and for the tool.
fn names(server: &Server, tool: &Tool, new: Option<&str>, is_anything_renamed: bool) -> Vec<String> {
    let mut tools = vec![Cow::Borrowed(tool.name())];
    let mut add = |name: Cow<'_, str>| {
        if !tools.contains(&name) {
            tools.push(Cow::Owned(name.into_owned()));
        }
    };
    each_name(tool.name(), tool.identifier(), |name| add(Cow::Borrowed(name)));
    if let Some(new) = new {
        add(Cow::Borrowed(new));
    }
    if is_anything_renamed {
        // What it is called where another tool has been given its name.
        add(Cow::Owned(name::mapped(tool.name())));
    }
    let mut servers = vec![&*server.id];
    each_name(&server.id, &server.identifier, |name| servers.push(name));
    servers.iter().flat_map(|server| tools.iter().map(move |tool| format!("{server}.{tool}"))).collect()
}

/// Gives the names of `raw` that are not itself: its identifier, and that without its suffix.
fn each_name<'n>(raw: &'n str, identifier: &'n str, mut give: impl FnMut(&'n str)) {
    if raw != identifier {
        give(identifier);
        give(name::without_suffix(identifier));
    }
}

/// Patterns of one kind, and what became of them.
struct Patterns {
    texts: Vec<String>,
    /// The places of each text.
    literal: HashMap<String, Vec<usize>>,
    globs: GlobSet,
    /// The place of each glob: texts that are none are not among the globs.
    glob_places: Vec<usize>,
    broken: Vec<(usize, globset::Error)>,
    is_matching: Vec<bool>,
    is_effective: Vec<bool>,
}

impl Patterns {
    fn of(texts: &[String]) -> Self {
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
                Err(error) => broken.push((place, error)),
            }
        }
        let globs = match globs.build() {
            Ok(globs) => globs,
            // Each is a glob, and all together are too much: none of them counts.
            Err(error) => {
                broken.extend(glob_places.drain(..).map(|place| (place, error.clone())));
                GlobSet::empty()
            }
        };
        let none = vec![false; texts.len()];
        Self { texts: texts.to_vec(), literal, globs, glob_places, broken, is_matching: none.clone(), is_effective: none }
    }

    /// The places of the patterns that match any of `globbed` as globs, or are one of `named` to the letter.
    fn of_names<'n>(
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

    fn note(&mut self, places: &[usize], is_effective: bool) {
        for place in places {
            self.is_matching[*place] = true;
            self.is_effective[*place] |= is_effective;
        }
    }

    fn is_matched(&self, pattern: &str) -> bool {
        self.literal.get(pattern).into_iter().flatten().any(|place| self.is_matching[*place])
    }

    fn refuse_broken(&mut self) -> Result<(), ScopeError> {
        let place = self.broken.iter().position(|(place, _)| !self.is_matching[*place]);
        match place.map(|place| self.broken.swap_remove(place)) {
            Some((place, source)) => Err(ScopeError::Pattern { pattern: self.texts[place].clone(), source }),
            None => Ok(()),
        }
    }
}

/// The servers of a deployment, as far as they are known.
struct Known<'c> {
    servers: &'c [Server],
    missing: &'c [String],
    is_whole: bool,
}

impl Known<'_> {
    /// Whether `pattern` may be about a server whose tools are not known.
    fn may_concern_missing(&self, pattern: &str) -> bool {
        let beginning = &pattern[..pattern.find(WILDCARDS).unwrap_or(pattern.len())];
        let concerns = |server: &str| {
            let server = format!("{server}.");
            let has_wildcards = beginning.len() < pattern.len();
            beginning.starts_with(&server) || (has_wildcards && server.starts_with(beginning))
        };
        self.missing.iter().any(|server| {
            let identifier = name::identifier(server);
            let mut is_concerned = concerns(server);
            each_name(server, &identifier, |name| is_concerned |= concerns(name));
            is_concerned
        })
    }

    /// What is wrong with `name`, which is no tool's, if it is a name and all tools that it could mean are known.
    fn mistake(&self, name: &str) -> Option<ScopeWarning> {
        if name.contains(WILDCARDS) {
            return None;
        }
        let is_of = |server: &&Server| {
            let begins = |server: &str| name.strip_prefix(server).is_some_and(|rest| rest.starts_with('.'));
            let mut is_of = begins(&server.id);
            each_name(&server.id, &server.identifier, |name| is_of |= begins(name));
            is_of
        };
        let servers: Vec<&Server> = self.servers.iter().filter(is_of).collect();
        let all_known = if servers.is_empty() { self.is_whole } else { servers.iter().all(|server| server.dropped == 0) };
        if !all_known {
            return None;
        }
        let searched = if servers.is_empty() { self.servers.iter().collect() } else { servers };
        let tools = searched.iter().flat_map(|server| server.tools.iter().map(move |tool| (server, tool)));
        let names: Vec<String> = tools.map(|(server, tool)| format!("{}.{}", server.id, tool.name())).collect();
        Some(ScopeWarning::NoSuchTool { name: name.to_owned(), nearest: nearest(names.iter().map(String::as_str), name) })
    }
}
