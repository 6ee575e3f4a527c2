//! Why an MCP server cannot be used: in full for the operator, and as much of it as a guest may see.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use isolet_bindings::{Authorization, ToolError, ToolErrorCode, visible};
use isolet_openapi::DocumentError;
use isolet_outbound::OutboundError;

use super::configuration_error::ConfigurationError;
use super::credential_error::CredentialError;
use super::credential_supply::Missing;

/// The most characters that are quoted of a server: more than is kept of its last words.
const QUOTE_CHARACTERS_MAX: usize = 8000;

/// A server that cannot be started, listed or called. For the operator: may quote what the server wrote.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Nothing by which servers could be started.
    #[error("cannot start MCP servers: call `isolet::init()` first thing in `main`, or name an executable that does")]
    NotInitialised,
    /// The program does not exist, or may not be run.
    #[error("cannot start server `{server}`: the command `{command}` is not there: install it, or write its full path")]
    CommandNotFound {
        /// The server.
        server: String,
        /// Its command.
        command: String,
    },
    /// The working directory does not exist.
    #[error("cannot start server `{server}`: its `cwd` `{}` is no directory: create it, or name another one", directory.display())]
    NoDirectory {
        /// The server.
        server: String,
        /// The directory.
        directory: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot start server `{server}`: is the machine out of processes, files or memory?")]
    Start {
        /// The server.
        server: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// As many servers run as may, and none is idle.
    #[error(
        "cannot start server `{server}`: {running} servers run already and none is idle: try later, or raise `servers_max`"
    )]
    TooMany {
        /// The server.
        server: String,
        /// How many run.
        running: usize,
    },
    /// The process ended, in the handshake or later.
    #[error("server `{server}` ended during {stage}{}{}: run its command by hand to see why", exit(*code), quote("it wrote", words))]
    Ended {
        /// The server.
        server: String,
        /// When.
        stage: Stage,
        /// Its exit code as a shell has it, if it is known.
        code: Option<i32>,
        /// The end of its standard error.
        words: String,
    },
    /// No answer in time.
    #[error(
        "server `{server}` did not answer {stage} within {waited:?}{}{}: {}",
        quote("on standard output it wrote", rubbish),
        quote("on standard error it wrote", words),
        silent_remedy(rubbish)
    )]
    Silent {
        /// The server.
        server: String,
        /// To what.
        stage: Stage,
        /// How long was waited.
        waited: Duration,
        /// The first line of its output that is no MCP message.
        rubbish: String,
        /// The end of its standard error.
        words: String,
    },
    /// A line beyond its maximum.
    #[error("server `{server}` sent a message of more than {bytes_max} bytes: ask it for less, or raise `message_bytes_max`")]
    TooLarge {
        /// The server.
        server: String,
        /// The maximum.
        bytes_max: usize,
    },
    /// Definitions beyond their maximum.
    #[error("server `{server}` lists its tools in more than {bytes_max} bytes: let it list fewer, or raise `list_bytes_max`")]
    LongList {
        /// The server.
        server: String,
        /// The maximum.
        bytes_max: usize,
    },
    /// The server answered with an error.
    #[error("server `{server}` refused {stage}: {} ({code})", visible::line(message))]
    Refused {
        /// The server.
        server: String,
        /// What.
        stage: Stage,
        /// The code of its JSON-RPC error.
        code: i32,
        /// Its words.
        message: String,
    },
    /// An answer that does not follow the protocol.
    #[error("server `{server}` answered {stage} with what is not MCP{}: update it", quote("it wrote", rubbish))]
    NotMcp {
        /// The server.
        server: String,
        /// What.
        stage: Stage,
        /// The first of it.
        rubbish: String,
    },
    /// Its `tools/list` has no end.
    #[error("server `{server}` lists its tools on more than {pages_max} pages: update it, or let it list more on each")]
    Endless {
        /// The server.
        server: String,
        /// The maximum.
        pages_max: usize,
    },
    /// It sent more than can be taken, and was ended for it.
    #[error("server `{server}` was ended because it flooded its line with {what}: update it, or leave it out")]
    Flooding {
        /// The server.
        server: String,
        /// What it sent too much of.
        what: &'static str,
    },
    /// The address of a server cannot be called, or nobody answers there.
    #[error("server `{server}` cannot be reached for {stage}")]
    Unreachable {
        /// The server.
        server: String,
        /// What for.
        stage: Stage,
        /// Why.
        #[source]
        source: OutboundError,
    },
    /// An answer over HTTP that is a refusal by its status.
    #[error("server `{server}` answered {stage} with HTTP {status}{}: {}", quote("it wrote", words), status_remedy(*status))]
    Status {
        /// The server.
        server: String,
        /// What.
        stage: Stage,
        /// The status.
        status: u16,
        /// The beginning of what it said with it.
        words: String,
    },
    /// No answer over HTTP in time.
    #[error("server `{server}` did not answer {stage} within {waited:?}: try later, or ask it for less at once")]
    Slow {
        /// The server.
        server: String,
        /// To what.
        stage: Stage,
        /// How long was waited.
        waited: Duration,
    },
    /// The answer over HTTP broke off, or its session was lost on the way.
    #[error("server `{server}` broke off within its answer to {stage}: look whether it did it, and try again")]
    BrokenOff {
        /// The server.
        server: String,
        /// To what.
        stage: Stage,
    },
    /// An OpenAPI document that cannot be read from its file.
    #[error("cannot read the document `{}` of server `{server}`: correct its path in `openapi`", path.display())]
    DocumentFile {
        /// The server.
        server: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An OpenAPI document that is none.
    #[error("the document of server `{server}` cannot be used")]
    Document {
        /// The server.
        server: String,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// An OpenAPI document that its parser failed on.
    #[error("the document of server `{server}` cannot be read, its parser failed: report it, with the document")]
    DocumentPanicked {
        /// The server.
        server: String,
    },
    /// Its entry in the configuration is wrong.
    #[error("server `{server}` is left out, its entry is wrong")]
    Entry {
        /// The server.
        server: String,
        /// What is wrong.
        #[source]
        source: Arc<ConfigurationError>,
    },
    /// The header fields of a server cannot be sent.
    #[error("the header field `{header}` of server `{server}` cannot be sent: {problem}")]
    Header {
        /// The server.
        server: String,
        /// The name of the field.
        header: String,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// The user has to authorize it first.
    #[error("{authorization}")]
    AuthorizationRequired {
        /// The server.
        server: String,
        /// What for.
        stage: Stage,
        /// What the user has to do.
        authorization: Box<Authorization>,
    },
    /// A credential for it cannot be got.
    #[error("server `{server}` cannot be used, a credential for it cannot be got")]
    Credential {
        /// The server.
        server: String,
        /// Why.
        #[source]
        source: Arc<CredentialError>,
    },
    /// No such server.
    #[error("there is no server `{server}` in the configuration: add it, or load the catalog from the same configuration")]
    Unknown {
        /// The name.
        server: String,
    },
}

/// What was going on with a server.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It had been started, and not yet agreed on how to talk.
    Handshake,
    /// It had been asked for its tools.
    List,
    /// It had been asked to call a tool, and may have done it.
    Call,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "the handshake",
            Self::List => "`tools/list`",
            Self::Call => "a call",
        })
    }
}

impl UpstreamError {
    /// What it means that a credential for `server` is missing.
    pub(super) fn of_missing(missing: Missing, server: &str, stage: Stage) -> Self {
        let server = server.to_owned();
        match missing {
            Missing::Ask(authorization) => Self::AuthorizationRequired { server, stage, authorization },
            Missing::Failed(source) => Self::Credential { server, source },
        }
    }

    /// Whether the server is left alone after it for a while: not if it was not asked at all, or would take another credential, which there may be
    /// at any time.
    pub(super) fn costs_a_pause(&self) -> bool {
        !matches!(self, Self::AuthorizationRequired { .. } | Self::Credential { .. } | Self::Status { status: 401, .. })
    }

    /// What a guest gets: the server's name and what happened, without anything that the server or the system wrote about themselves.
    /// A refusal of a call is passed on as it is: it is the server's answer.
    pub(super) fn to_tool_error(&self) -> ToolError {
        use ToolErrorCode::{
            InvalidArguments, InvalidReply, RateLimited, TimedOut, TooLarge, ToolFailed, Unauthorised, Unavailable,
        };

        match self {
            Self::Silent { waited, .. } | Self::Slow { waited, .. } => {
                let message = format!(
                    "the tool did not answer within {waited:?}: it may still have done its work; ask for less, or check before you repeat it"
                );
                ToolError::new(TimedOut, message)
            }
            Self::TooLarge { bytes_max, .. } => {
                ToolError::new(TooLarge, format!("the reply has more than {bytes_max} bytes: ask for less"))
            }
            // The specification's code for wrong arguments; unknown tools have it too, but those never get here.
            Self::Refused { code: -32602, message, .. } => ToolError::new(InvalidArguments, message.clone()),
            Self::Refused { message, .. } => ToolError::new(ToolFailed, message.clone()),
            Self::NotMcp { .. } => {
                ToolError::new(InvalidReply, "the server's answer cannot be read: tell its operator, or use another tool")
            }
            Self::Unreachable { source: OutboundError::TimedOut { .. }, stage: Stage::Call, .. } => ToolError::new(
                TimedOut,
                "the tool did not answer in time: it may still have done its work; check before you repeat it",
            ),
            Self::Status { status: 401 | 403, .. } => ToolError::new(
                Unauthorised,
                "the server refuses what it is called with: tell the user, who has to change its configuration",
            ),
            Self::Status { status: 429, .. } => {
                ToolError::new(RateLimited, "the server asks for fewer calls: wait, and call less often").with_retryable(true)
            }
            Self::AuthorizationRequired { authorization, .. } => ToolError::authorization_required((**authorization).clone()),
            Self::Credential { source, .. } if source.is_temporary() => ToolError::new(
                Unavailable,
                "the credential for the server cannot be got now: go on without it, or try again later",
            ),
            Self::Credential { .. } => ToolError::new(
                Unauthorised,
                "there is no credential for the server: go on without it, whoever runs this has to look at it",
            ),
            // Nothing of it was taken: nobody was there, or the rules forbid it.
            Self::Unreachable { source, .. } if !source.may_have_arrived() => {
                ToolError::new(Unavailable, "the server cannot be reached: go on without it, or try again later")
            }
            Self::Ended { stage: Stage::Call, .. }
            | Self::Unreachable { stage: Stage::Call, .. }
            | Self::Status { stage: Stage::Call, .. }
            | Self::BrokenOff { .. }
            | Self::Flooding { .. } => {
                let message =
                    "the connection to the server broke off: the call may have been carried out; check before you repeat it";
                ToolError::new(Unavailable, message).with_retryable(false)
            }
            _ => ToolError::new(Unavailable, "the server cannot be started: go on without it, or try again later"),
        }
    }
}

fn status_remedy(status: u16) -> &'static str {
    match status {
        401 | 403 => "give it the header field that it asks for, in `headers`",
        404..=406 => {
            "is its `url` that of streamable HTTP? The older transport, with two addresses, needs a bridge as `command`"
        }
        408 | 429 => "try later, and ask it less often",
        500.. => "try later, or ask whoever runs it",
        _ => "look at its `url` and its `headers`",
    }
}

fn exit(code: Option<i32>) -> String {
    code.map(|code| format!(" with exit code {code}")).unwrap_or_default()
}

fn quote(introduction: &str, words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!("; {introduction}: `{}`", visible::line_within(words, QUOTE_CHARACTERS_MAX))
    }
}

fn silent_remedy(rubbish: &str) -> &'static str {
    if rubbish.is_empty() {
        "is it an MCP server that speaks over standard input and output?"
    } else {
        "let it log to standard error, never to standard output"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server may write to pass for something else.
    const FORGED: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\n2026-01-01T00:00:00Z  INFO isolet: forged";

    #[test]
    fn what_a_server_wrote_is_one_line_that_is_seen() {
        let (server, stage, words) = (String::new, Stage::Call, || FORGED.to_owned());
        for error in [
            UpstreamError::Refused { server: server(), stage, code: -32000, message: words() },
            UpstreamError::Ended { server: server(), stage, code: None, words: words() },
            UpstreamError::Silent { server: server(), stage, waited: Duration::ZERO, rubbish: words(), words: words() },
            UpstreamError::NotMcp { server: server(), stage, rubbish: words() },
        ] {
            let shown = error.to_string();
            assert!(shown.chars().all(visible::is_visible), "{shown}");
            assert!(shown.contains(r"\u{202e}\n2026-01-01T"), "{shown}");
        }
    }

    #[test]
    fn what_a_server_wrote_is_quoted_without_escapes_of_escapes() {
        let words = "\u{1b}[33mwarning\u{1b}[0m: \"a\" is \\ not `b`".to_owned();
        let error = UpstreamError::Ended { server: "s".to_owned(), stage: Stage::Call, code: Some(1), words };
        assert!(error.to_string().contains(r#"it wrote: `warning: "a" is \ not `b``"#), "{error}");
    }

    #[test]
    fn a_huge_error_is_cut() {
        let message = "x".repeat(1 << 20);
        let error = UpstreamError::Refused { server: "s".to_owned(), stage: Stage::Call, code: 1, message };
        assert!(error.to_string().len() < 3000);
    }
}
