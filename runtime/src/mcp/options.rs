//! How a session is served: which face, and what it shows of itself.

use std::time::Duration;

use super::classic_name::ClassicNames;
use super::open_calls::OpenCalls;

/// Which tools a client sees.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `run_code`, and `search_tools` and `get_types` where there are more tools than it can describe: the model writes programs.
    Code,
    /// One MCP tool for each tool of the scope: `server__tool`.
    Classic,
    /// `search_tools` and `call_tool`, for clients that want neither programs nor long lists.
    Search,
    /// `Code` and `Classic`.
    Both,
}

/// How a session is served; a [`Mode`] alone means the defaults.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Which tools a client sees.
    pub mode: Mode,
    /// The most tokens that the description of `run_code` spends on the user's tools: all declarations if they fit, else a line for each tool,
    /// else names. Default 2,000. With 0 it says how many tools there are.
    pub index_tokens_max: usize,
    /// Whether `search_tools` and `get_types` are offered also where that description leaves nothing to ask for. Default `false`. They answer
    /// in any case.
    pub always_offers_search: bool,
    /// The most tokens of a program's value and console lines, a token counted as three bytes. What is longer is cut in the middle, and the next
    /// program of the same user can read the whole value with `tools.result`, for ten minutes. Default 6,000.
    pub result_tokens_max: usize,
    /// How long a program runs whose call names no `timeout_ms`. Default: as long as [`Limits::wall_max`](crate::Limits::wall_max), which no call
    /// can go beyond.
    pub wall_default: Option<Duration>,
    /// Where the result of a program is. Default [`Results::Both`].
    pub results: Results,
    /// How classic tools and prompts are called. Default [`ClassicNames::OfServer`]: `server__tool`.
    pub names: ClassicNames,
    /// What waits for answers of its clients, where these are asked by what they are answered (since 2026-07-28). A service whose clients come back over
    /// another connection serves all with the same ones, each user with [`OpenCalls::of`] its own. Default: none yet, of nobody else.
    pub open_calls: OpenCalls,
    /// The longest silence of a call whose client asked for its progress. Default 10 s. Past it there is progress that says that the call goes on:
    /// a client that gives up after so long without any waits.
    pub heartbeat: Duration,
}

/// Where the result of a program is in the result of `run_code`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Results {
    /// As text and as `structuredContent`, as the protocol recommends. A client that passes both to its model doubles its tokens.
    #[default]
    Both,
    /// As text alone, for models that read that.
    Text,
    /// As `structuredContent` alone, for clients that pass that on.
    Structured,
}

impl ServeOptions {
    /// The defaults for `mode`.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            index_tokens_max: 2_000,
            always_offers_search: false,
            result_tokens_max: 6_000,
            wall_default: None,
            results: Results::default(),
            names: ClassicNames::default(),
            open_calls: OpenCalls::default(),
            heartbeat: Duration::from_secs(10),
        }
    }
}

impl From<Mode> for ServeOptions {
    fn from(mode: Mode) -> Self {
        Self::new(mode)
    }
}
