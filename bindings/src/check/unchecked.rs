//! Keywords of a schema that are not checked, because of what they are: found when a catalog is loaded, and told to whoever runs it.

use std::fmt;

/// A keyword that the host does not check. `Display` is one line with the reason and the way out.
///
/// What the others say is checked all the same, and a value that could match the keyword or not counts as matching.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncheckedKeyword {
    /// The server's id.
    pub server: String,
    /// The tool's raw name.
    pub tool: String,
    /// Where the keyword is: a JSON pointer into the tool's definition that begins with `/inputSchema` or `/outputSchema`.
    pub pointer: String,
    /// Why.
    pub reason: UncheckedReason,
}

/// Why a keyword is not checked.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UncheckedReason {
    /// Its value means nothing in any dialect that is read.
    Unreadable,
    /// It refers to what is not in the definition. Nothing is fetched.
    Elsewhere,
    /// It refers to several schemas, one of which is chosen by the way on which a check came.
    Dynamic,
    /// It refers to the schema that it is part of, for the same value.
    Circular,
    /// Its pattern has look-around or a back-reference, for which there is no engine that takes linear time.
    NotLinear,
    /// Its pattern is too long, or its automaton too large.
    LargePattern,
    /// Too many patterns, for one object or for one server.
    ManyPatterns,
    /// With all that it refers to, it says too much about one value.
    ManySchemas,
}

impl fmt::Display for UncheckedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "its value means nothing in JSON Schema: correct it in the server",
            Self::Elsewhere => {
                "it refers to what is not in the definition, and nothing is fetched: let the server put that into `$defs`"
            }
            Self::Dynamic => "it refers to one of several schemas: let the server name one with `$ref`",
            Self::Circular => "it refers to the schema that it is part of: correct it in the server",
            Self::NotLinear => "its pattern has look-around or a back-reference: let the server say it without",
            Self::LargePattern => "its pattern takes too long to match: let the server shorten it, or its repetitions",
            Self::ManyPatterns => "there are too many patterns: let the server have fewer",
            Self::ManySchemas => {
                "it holds too many schemas for one value, those counted that it refers to: let the server have fewer"
            }
        })
    }
}

impl fmt::Display for UncheckedKeyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, tool, pointer, reason } = self;
        write!(f, "{pointer:?} of tool {tool:?} of server {server:?} is not checked: {reason}")
    }
}
