//! When, where and on what a comparison was made: numbers without these mean nothing to a reader.

use isolet::ToolHost;
use serde::Serialize;

use crate::setting::Setting;

/// When, where and on what.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Circumstances {
    /// The day, in UTC: `2026-11-29`.
    pub date: String,
    /// What measured: `isolet 0.1.0, release build`.
    pub program: String,
    /// On what: `2 processors, Linux 6.8.0, x86_64`.
    pub machine: String,
    /// Whose tokens are counted.
    pub vocabulary: String,
    /// Whose tools they are.
    pub servers: Vec<ServerFacts>,
}

/// A server and its part of the tools.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct ServerFacts {
    /// Its name in the configuration.
    pub name: String,
    /// How many of its tools are in the scope.
    pub tools: usize,
}

impl Circumstances {
    pub(crate) fn now<Host: ToolHost>(setting: &Setting<Host>) -> Self {
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        let tools = setting.scope.tools().chunk_by(|one, next| one.server() == next.server());
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            program: format!("isolet {}, {build} build", env!("CARGO_PKG_VERSION")),
            machine: machine(),
            vocabulary: "o200k".to_owned(),
            servers: tools.map(|tools| ServerFacts { name: tools[0].server().to_owned(), tools: tools.len() }).collect(),
        }
    }
}

fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let processors = if processors == 1 { "1 processor".to_owned() } else { format!("{processors} processors") };
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("model name"))?;
        line.split_once(':').map(|(_, model)| format!(" ({})", model.trim()))
    });
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").map(|release| format!(" {}", release.trim()));
    let system = match std::env::consts::OS {
        "linux" => "Linux",
        "macos" => "macOS",
        other => other,
    };
    format!("{processors}{}, {system}{}, {}", model.unwrap_or_default(), release.unwrap_or_default(), std::env::consts::ARCH)
}
