//! The comparison of code mode and classic MCP, set up for the tracker and the programs of `examples/programs`.

use std::path::Path;
use std::sync::Arc;

use isolet::Catalog;
use isolet::mcp::{CommandServer, Configuration, UpstreamOptions};
use isolet_comparison::{Setting, Task};

use crate::tracker::{Role, Tracker, TrackerError, TrackerServer};
use crate::tracker_host::{TrackerHost, grants_of};

/// Who works: an admin, whose programs may write.
const USER: &str = "ada";

const PROGRAMS: [(&str, &str); 8] = [
    ("assign-urgent", include_str!("../programs/assign-urgent.ts")),
    ("duplicate-finder", include_str!("../programs/duplicate-finder.ts")),
    ("hand-over", include_str!("../programs/hand-over.ts")),
    ("onboarding-digest", include_str!("../programs/onboarding-digest.ts")),
    ("release-notes", include_str!("../programs/release-notes.ts")),
    ("stale-triage", include_str!("../programs/stale-triage.ts")),
    ("weekly-report", include_str!("../programs/weekly-report.ts")),
    ("workload-balance", include_str!("../programs/workload-balance.ts")),
];

/// All programs as tasks, on a tracker of their own in each mode, because some write. `executable` serves the tracker on standard
/// input and output when it is called with `--serve USER`.
///
/// # Errors
///
/// When the tracker's definitions are no catalog.
pub fn setting(runs: usize, executable: &Path) -> anyhow::Result<Setting<TrackerHost>> {
    let scope = Catalog::load([("tracker", Tracker::definitions())])?.scope(&grants_of(Role::Admin))?;
    let child = CommandServer::new(executable.to_string_lossy()).with_args(["--serve", USER]);
    let task = |(name, program): (&str, &str)| Task { name: name.to_owned(), program: program.to_owned() };
    Ok(Setting {
        scope,
        hosts: Arc::new(|| TrackerHost::new(Arc::new(Tracker::new()), USER)),
        servers: Configuration::default().with("tracker", child),
        options: UpstreamOptions::default(),
        tasks: PROGRAMS.map(task).into(),
        runs,
        progress: Arc::new(|_| {}),
    })
}

/// The tracker as the MCP server of one user.
///
/// # Errors
///
/// If there is no such user.
pub fn server(user: &str) -> Result<TrackerServer, TrackerError> {
    TrackerServer::new(Arc::new(Tracker::new()), user)
}
