//! What a server has beside tools, as it is asked for.

use isolet_bindings::{Arguments, Asker};

use super::change_signal::ChangeSignal;

/// What is asked of a server that is no call of a tool: [`ToolHost::give`](crate::ToolHost::give).
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// The resources that it lists: an array of `{"uri", "name", ..}`, as MCP has them.
    Resources,
    /// The templates of resources that it lists: an array of `{"uriTemplate", "name", ..}`.
    ResourceTemplates,
    /// What one resource holds: an array of `{"uri", "text" or "blob", ..}`, and beside it the whole result.
    Resource {
        /// Which, as its server calls it.
        uri: String,
    },
    /// When one resource changes. There is no answer as long as that is told; it ends with an error when it cannot be any more, and with whoever asked:
    /// dropping the future ends it.
    Changes {
        /// Which, as its server calls it.
        uri: String,
        /// Told when the server has agreed to tell, and at each change.
        signal: ChangeSignal,
    },
    /// The prompts that it lists: an array of `{"name", ..}`.
    Prompts,
    /// One prompt: the whole result.
    Prompt {
        /// Which, as its server calls it.
        name: String,
        /// What it is filled in with.
        arguments: Arguments,
        /// Whom the server can ask meanwhile.
        asker: Asker,
    },
    /// What an argument of a prompt or of a template may be completed to: the whole result.
    Completion {
        /// The parameters of `completion/complete`, in which the server is named what it calls its own.
        request: Arguments,
    },
}
