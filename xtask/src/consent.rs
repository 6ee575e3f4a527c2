//! What the user lets a build from source do.

/// What a build from source may do without asking.
#[derive(clap::Args)]
pub(crate) struct Consent {
    /// Install the Debian packages that a build of V8 from source lacks
    #[arg(long)]
    pub(crate) yes: bool,
    /// Compile so many files of V8 at once; default: as the cores and the memory allow
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}
