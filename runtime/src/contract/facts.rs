//! What a program provably says, as its guest process tells the host before it runs.
//!
//! A guest process may say anything: these are hints. A lie spoils only what is told of its own program; each call is decided by the host as if
//! there were none.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most facts of a program.
pub(crate) const FACTS_MAX: usize = 100;

/// Something that a program says at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Whether every execution comes to it: it is in no branch, no loop, no `try` and no function that is not called at once.
    pub(crate) is_reached: bool,
    pub(crate) said: Said,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Said {
    /// A number in digits alone that JavaScript rounds, as it is written.
    Rounded { text: String },
    /// A module that is imported, and what is taken of it.
    Import { module: String, names: Vec<String> },
    /// A name that the program does not declare, and members of it: `github.list_issues`, `process.env`.
    Name { path: Vec<String>, used: Used },
}

/// What is done with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Used {
    Read,
    /// A value is given to it.
    Assigned,
    /// It names an argument, as in Python.
    Keyword,
    /// `notion.API-post-search` is a difference to JavaScript.
    Hyphenated,
    Called {
        arguments: Arguments,
        /// Texts in the arguments.
        words: Vec<String>,
        /// Whether an exception of the call ends the program: it is awaited or returned there, and nothing handles it.
        is_awaited: bool,
    },
}

/// The arguments of a call, as far as they are literals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Arguments {
    /// They cannot be known.
    Unknown,
    /// There is none, or an object: members that are literals, and the names of others, whose values are not known or may be none.
    Object { literals: Map<String, Value>, others: Vec<String> },
    /// The first is something else than an object.
    Positional { count: usize },
}
