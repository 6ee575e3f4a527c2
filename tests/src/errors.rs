//! Every public error with its causes, as a log prints them: no text stands in it twice.
//!
//! One value of each variant is built here. The variants are counted in the sources, so that a new one is missed.

mod around;
mod sample;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{
    Configuration, ConfigurationError, ConfigurationWarning, CredentialError, OutboundError, ServeError, Stage, UpstreamError,
};
use isolet::{
    Authorization, Catalog, CatalogError, DefinitionError, Exposure, Grants, NotAnswered, RunError, ScopeError,
    SnapshotFolderError, SnapshotMismatch, ToolError,
};
use isolet_bindings::{ArgumentsError, DefinitionList, ListError, ScopeWarning};
use isolet_examples::tracker::TrackerError;
use isolet_http::{KeyHash, NoSession, NotAKeyHash, NotAPeerRange};
use isolet_snapshots::maker::MakeError;
use libtest_mimic::Trial;

use self::sample::{Sample, io_error, of};

/// The libraries; an error of the rest is seen by nobody who did not write it.
const LIBRARIES: [&str; 12] = [
    "bindings",
    "snapshots",
    "rpc",
    "outbound",
    "observations",
    "openapi",
    "runtime",
    "identity",
    "http",
    "comparison",
    "server",
    "examples",
];

/// The trial of this module.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("errors::every_public_error_is_printed_without_a_text_twice", || {
        check().map_err(|error| format!("{error:#}").into())
    })]
}

#[expect(clippy::print_stdout, reason = "the chains belong to the report of the test")]
fn check() -> Result<()> {
    let mut wrong = Vec::new();
    let samples = samples()?;
    for (name, error) in &samples {
        let causes = std::iter::successors(Some(&**error), |&error| error.source());
        let texts: Vec<String> = causes.map(ToString::to_string).collect();
        println!("{name}: {}", texts.join(": "));
        let is_repeated = |place: usize| texts[..place].iter().any(|before| before.contains(&texts[place]));
        wrong.extend((1..texts.len()).filter(|place| is_repeated(*place)).map(|place| format!("{name}: `{}`", texts[place])));
        wrong.extend(texts.iter().filter(|text| text.is_empty()).map(|_| format!("{name}: an empty text")));
    }
    ensure!(wrong.is_empty(), "texts that stand twice in the chain of an error:\n{}", wrong.join("\n"));
    let built: BTreeSet<_> = samples.into_iter().map(|(name, _)| name).collect();
    let declared = declared()?;
    let difference: Vec<_> = declared.symmetric_difference(&built).collect();
    ensure!(difference.is_empty(), "declared and not built here, or the other way round: {difference:?}");
    Ok(())
}

fn samples() -> Result<Vec<Sample>> {
    let mut samples: Vec<Sample> = of(run_errors()).collect();
    samples.extend(of(snapshot_folder_errors()));
    samples.extend(of(vec![exposure(), Exposure::Mode { path: "/a".into(), mode: 0o666 }]));
    samples.extend(of(snapshot_mismatches()));
    samples.extend(of(upstream_errors()));
    let configuration_errors = configuration_errors()?;
    let of_toml = configuration_errors.iter().filter_map(|error| match error {
        ConfigurationError::Toml { source } => Some(source.clone()),
        _ => None,
    });
    samples.extend(of(of_toml.collect()));
    samples.extend(of(configuration_errors));
    samples.extend(of(vec![credential_error()]));
    let place = || "a".to_owned();
    samples.extend(of(vec![ConfigurationWarning::Visible { at: place() }, ConfigurationWarning::NotExpanded { at: place() }]));
    samples.extend(of(vec![handshake(), ServeError::Lost(join_error()?)]));
    samples.extend(of(definition_errors()));
    samples.extend(of(vec![not_a_list()?, ListError::TooLarge { bytes: 9 }]));
    samples.extend(of(catalog_errors()?));
    let scope_errors = scope_errors()?;
    let of_patterns = scope_errors.iter().filter_map(|error| match error {
        ScopeError::Pattern { source, .. } => Some(source.clone()),
        _ => None,
    });
    samples.extend(of(of_patterns.collect()));
    samples.extend(of(scope_errors));
    let grant = || "a.b".to_owned();
    samples.extend(of(vec![
        ScopeWarning::MatchesNothing { grant: grant() },
        ScopeWarning::IdentifierTaken { tool: grant() },
        ScopeWarning::NoSuchTool { name: grant(), nearest: vec![grant()] },
        ScopeWarning::NothingLeft { pattern: grant() },
    ]));
    samples.extend(of(vec![ArgumentsError::NotJson(json_error()), ArgumentsError::NotAnObject("null")]));
    samples.extend(of(vec![ToolError::failed("no such issue")]));
    samples.extend(of(vec![NotAnswered("nobody is there: go on without an answer".to_owned())]));
    samples.extend(of(vec![MakeError::Bindings, MakeError::Bootstrap { file: "a.js", source: io_error().into() }]));
    samples.extend(of(tracker_errors()));
    samples.extend(of(vec![NoSession::Forbidden, NoSession::failed(io_error())]));
    let not_a_key_hash: NotAKeyHash = "a".parse::<KeyHash>().err().context("`a` is the hash of a key")?;
    samples.extend(of(vec![not_a_key_hash]));
    samples.extend(of(vec![NotAPeerRange::NotAnAddress, NotAPeerRange::Anybody]));
    samples.extend(around::samples()?);
    Ok(samples)
}

fn json_error() -> serde_json::Error {
    serde::de::Error::custom("the cause")
}

fn no_toml() -> Result<ConfigurationError> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.toml");
    std::fs::write(&path, "a = ")?;
    Configuration::read(path).err().context("`a = ` is TOML")
}

fn join_error() -> Result<tokio::task::JoinError> {
    tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        task.await.err().context("an aborted task has ended")
    })
}

fn run_errors() -> Vec<RunError> {
    let text = || "the reason".to_owned();
    vec![
        RunError::NotInitialised,
        RunError::Configuration { what: text() },
        RunError::Overloaded { waiting: 3, retry_after: Duration::from_secs(1) },
        RunError::System { call: "fork", source: io_error() },
        RunError::Refused { reason: text() },
        RunError::ZygoteLost,
        RunError::Interrupted,
        RunError::NotIsolated { missing: text() },
        RunError::SnapshotFolder { source: SnapshotFolderError::Exposed(exposure()) },
        RunError::NoSnapshot { reason: text() },
        RunError::ShutDown,
        RunError::Bug { what: text(), file: file!(), line: line!() },
    ]
}

fn exposure() -> Exposure {
    Exposure::Owner { path: "/a".into(), owner: 1, user: 2 }
}

fn snapshot_folder_errors() -> Vec<SnapshotFolderError> {
    let path = || PathBuf::from("/a");
    vec![
        SnapshotFolderError::System { path: path(), what: "opened", source: io_error() },
        SnapshotFolderError::Kind { path: path(), wanted: "folder" },
        SnapshotFolderError::Exposed(exposure()),
        SnapshotFolderError::KeyInside { path: path() },
        SnapshotFolderError::KeyLength { path: path(), bytes: 3 },
    ]
}

fn snapshot_mismatches() -> Vec<SnapshotMismatch> {
    vec![
        SnapshotMismatch::Unreadable(io_error()),
        SnapshotMismatch::NotAFile,
        SnapshotMismatch::Exposed(exposure()),
        SnapshotMismatch::TooLong { bytes: 9 },
        SnapshotMismatch::Layout,
        SnapshotMismatch::Mac,
        SnapshotMismatch::Name,
    ]
}

fn upstream_errors() -> Vec<UpstreamError> {
    let text = || "a".to_owned();
    let (stage, waited) = (Stage::Call, Duration::from_secs(1));
    vec![
        UpstreamError::NotInitialised,
        UpstreamError::CommandNotFound { server: text(), command: text() },
        UpstreamError::NoDirectory { server: text(), directory: "/a".into() },
        UpstreamError::Start { server: text(), source: io_error() },
        UpstreamError::TooMany { server: text(), running: 3 },
        UpstreamError::Ended { server: text(), stage, code: Some(3), words: text() },
        UpstreamError::Silent { server: text(), stage, waited, rubbish: text(), words: text() },
        UpstreamError::TooLarge { server: text(), bytes_max: 9 },
        UpstreamError::Refused { server: text(), stage, code: 7, message: text() },
        UpstreamError::NotMcp { server: text(), stage, rubbish: text() },
        UpstreamError::Unknown { server: text() },
        UpstreamError::LongList { server: text(), bytes_max: 9 },
        UpstreamError::Endless { server: text(), pages_max: 9 },
        UpstreamError::Flooding { server: text(), what: "requests" },
        UpstreamError::Unreachable { server: text(), stage: Stage::Call, source: OutboundError::NotFound { host: text() } },
        UpstreamError::Status { server: text(), stage: Stage::Call, status: 500, words: text() },
        UpstreamError::Slow { server: text(), stage: Stage::Call, waited: Duration::from_secs(1) },
        UpstreamError::BrokenOff { server: text(), stage: Stage::Call },
        UpstreamError::DocumentFile { server: text(), path: "/a".into(), source: io_error() },
        UpstreamError::Document { server: text(), source: isolet_openapi::DocumentError::NotText },
        UpstreamError::DocumentPanicked { server: text() },
        UpstreamError::AuthorizationRequired {
            server: text(),
            stage: Stage::Call,
            authorization: Box::new(Authorization::new(text(), "log in")),
        },
        UpstreamError::Credential { server: text(), source: credential_error().into() },
        UpstreamError::Entry { server: text(), source: ConfigurationError::NoServers.into() },
        UpstreamError::Header { server: text(), header: text(), problem: "it is long: shorten it" },
    ]
}

fn credential_error() -> CredentialError {
    CredentialError::new("there is none").caused_by(io_error())
}

fn configuration_errors() -> Result<Vec<ConfigurationError>> {
    let text = || "a".to_owned();
    Ok(vec![
        ConfigurationError::Read { path: "/a".into(), source: io_error() },
        ConfigurationError::TooLarge,
        ConfigurationError::Malformed { at: text(), source: json_error() },
        no_toml()?,
        ConfigurationError::NoServers,
        ConfigurationError::Address { at: text() },
        ConfigurationError::OlderTransport { server: text() },
        ConfigurationError::NoCommand { server: text() },
        ConfigurationError::NoBase { server: text() },
        ConfigurationError::Pattern { at: text() },
        ConfigurationError::Variable { at: text(), name: text(), way: text() },
        ConfigurationError::WithoutBraces { at: text(), name: text(), way: text() },
        ConfigurationError::NotSet { at: text(), name: text() },
        ConfigurationError::ClientVariable { at: text(), value: text(), way: text() },
        ConfigurationError::EnvFile { server: text(), path: "/a".into(), source: io_error() },
        ConfigurationError::NoCredential { at: text(), problem: "it is short" },
        ConfigurationError::NotForProcess { at: text() },
    ])
}

fn handshake() -> ServeError {
    ServeError::Handshake { reason: "it said nothing".to_owned() }
}

fn definition_errors() -> Vec<DefinitionError> {
    vec![
        DefinitionError::NotJson(json_error()),
        DefinitionError::NotAnObject,
        DefinitionError::NotAName,
        DefinitionError::TooLarge { bytes: 9 },
        DefinitionError::TooDeep,
        DefinitionError::InputNotAnObject,
        DefinitionError::Twice,
        DefinitionError::IdentifierTaken { identifier: "a".to_owned() },
        DefinitionError::ServerNotAName,
        DefinitionError::TooMany { max: 9 },
    ]
}

fn not_a_list() -> Result<ListError> {
    DefinitionList::parse("7").err().context("`7` is no list")
}

fn catalog_errors() -> Result<Vec<CatalogError>> {
    let text = || "a".to_owned();
    Ok(vec![
        CatalogError::ServerTwice { server: text() },
        CatalogError::NamespaceTaken { first: text(), second: text(), identifier: text() },
        CatalogError::ServersOverlap { shorter: text(), longer: text() },
        CatalogError::List { server: text(), source: not_a_list()? },
    ])
}

fn scope_errors() -> Result<Vec<ScopeError>> {
    let text = || "a".to_owned();
    let catalog = Catalog::load([("a", Vec::<serde_json::Value>::new())])?;
    Ok(vec![
        catalog.scope(&Grants::new().allow("a.[b")).err().context("`[b` is a glob")?,
        ScopeError::NotAnIdentifier { tool: text(), identifier: text() },
        ScopeError::RenamedTwice { first: text(), second: text(), identifier: text() },
    ])
}

fn tracker_errors() -> Vec<TrackerError> {
    let text = || "a".to_owned();
    vec![
        TrackerError::UnknownTool { tool: text() },
        TrackerError::InvalidArguments { tool: text(), reason: text() },
        TrackerError::Forbidden { user: text(), role: "a viewer", action: text(), needed: "an admin" },
        TrackerError::NotFound { kind: "issue", id: text(), remedy: "see `list_issues`" },
        TrackerError::Bug { tool: text(), reason: text() },
        TrackerError::Conflict { reason: text() },
    ]
}

/// The public types of the libraries that derive `thiserror::Error`, each variant as `Type::Variant`.
fn declared() -> Result<BTreeSet<String>> {
    let mut declared = BTreeSet::new();
    for library in LIBRARIES {
        let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(library).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    declared.extend(declared_in(&std::fs::read_to_string(&path)?));
                }
            }
        }
    }
    ensure!(declared.len() > 50, "the sources are read wrongly: {declared:?}");
    Ok(declared)
}

/// Those of a file, as rustfmt writes them: a variant is what stands four spaces in, between the lines of its type.
fn declared_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, after) in text.match_indices("thiserror::Error)]\n").map(|(at, derive)| text.split_at(at + derive.len())) {
        let Some(declaration) = after.lines().find(|line| ["pub", "struct", "enum"].iter().any(|word| line.starts_with(word)))
        else {
            continue;
        };
        let name = |line: &str| line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
        if let Some(kind) = declaration.strip_prefix("pub struct ") {
            found.push(name(kind));
        } else if let Some(kind) = declaration.strip_prefix("pub enum ") {
            let variants = after.lines().skip_while(|line| *line != declaration).skip(1).take_while(|line| *line != "}");
            let variants =
                variants.filter_map(|line| line.strip_prefix("    ").filter(|line| line.starts_with(char::is_uppercase)));
            found.extend(variants.map(|variant| format!("{}::{}", name(kind), name(variant))));
        }
    }
    found
}
