//! The OpenAPI documents that are served: read once, kept for a while, and what each lists.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use globset::{Glob, GlobSet, GlobSetBuilder};
use isolet_bindings::visible;
use isolet_openapi::{Api, DOCUMENT_BYTES_MAX, DroppedOperation};
use isolet_outbound::{Method, Outbound, Request};
use isolet_rpc::envelope::object;
use serde_json::json;

use super::configuration_error::ConfigurationError;
use super::error::{Stage, UpstreamError};
use super::server_configuration::{Document, OpenApiServer};
use super::tool_list::ToolList;

/// The most documents that are kept. One more is read again when it is needed.
const DOCUMENTS_MAX: usize = 64;

/// How long a document is used before it is read again.
const LIFE: Duration = Duration::from_secs(300);

/// An operation of a document that is no tool.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOutOperation {
    /// The server.
    pub server: String,
    /// Which, and why.
    pub operation: DroppedOperation,
}

impl std::fmt::Display for LeftOutOperation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let DroppedOperation { method, path, reason, .. } = &self.operation;
        write!(f, "`{method} {}` of `{}` is left out: {reason}", visible::line(path), self.server)
    }
}

/// A document that has been read.
pub(super) struct ServedApi {
    pub(super) api: Api,
    pub(super) list: Arc<ToolList>,
    taken: Option<GlobSet>,
    read: Instant,
}

impl ServedApi {
    /// Whether the operator takes the tool `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.taken.as_ref().is_none_or(|taken| taken.is_match(name))
    }

    /// What of it is no tool.
    pub(super) fn left_out(&self, server: &str) -> impl Iterator<Item = LeftOutOperation> {
        let left_out =
            |operation: &DroppedOperation| LeftOutOperation { server: server.to_owned(), operation: operation.clone() };
        self.api.dropped().iter().map(left_out)
    }
}

type Place = Arc<tokio::sync::Mutex<Option<Arc<ServedApi>>>>;

/// The documents that are known.
#[derive(Default)]
pub(super) struct Apis(Mutex<HashMap<(Document, Vec<String>), Place>>);

impl Apis {
    /// The document of `server`, read if it is not known.
    pub(super) async fn get(
        &self,
        name: &str,
        server: &OpenApiServer,
        outbound: &Outbound,
    ) -> Result<Arc<ServedApi>, UpstreamError> {
        let place = self.place(server);
        let mut known = place.lock().await;
        if let Some(api) = known.as_ref().filter(|api| api.read.elapsed() < LIFE) {
            return Ok(Arc::clone(api));
        }
        let api = Arc::new(read(name, server, outbound).await?);
        *known = Some(Arc::clone(&api));
        Ok(api)
    }

    fn place(&self, server: &OpenApiServer) -> Place {
        let key = (server.document.clone(), server.tools.clone());
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= DOCUMENTS_MAX && !places.contains_key(&key) {
            // Those that nobody waits for.
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        Arc::clone(places.entry(key).or_default())
    }
}

async fn read(name: &str, server: &OpenApiServer, outbound: &Outbound) -> Result<ServedApi, UpstreamError> {
    let text = match &server.document {
        Document::File(path) => {
            let path = path.clone();
            let file = path.clone();
            let read = tokio::task::spawn_blocking(move || read_file(&file))
                .await
                .unwrap_or_else(|_| Err(std::io::Error::other("it cannot be read")));
            read.map_err(|source| UpstreamError::DocumentFile { server: name.to_owned(), path, source })?
        }
        Document::Url(url) => {
            let unreachable = |source| UpstreamError::Unreachable { server: name.to_owned(), stage: Stage::List, source };
            let answer = outbound.send(Request::new(Method::GET, url.clone())).await.map_err(unreachable)?;
            if !answer.status.is_success() {
                let (status, words) = (answer.status.as_u16(), String::new());
                return Err(UpstreamError::Status { server: name.to_owned(), stage: Stage::List, status, words });
            }
            answer.body
        }
    };
    let parsed = tokio::task::spawn_blocking(move || Api::parse(text)).await;
    let parsed = parsed.map_err(|_| UpstreamError::DocumentPanicked { server: name.to_owned() })?;
    let api = parsed.map_err(|source| UpstreamError::Document { server: name.to_owned(), source })?;
    let wrong = |_| Arc::new(ConfigurationError::Pattern { at: format!("{}.tools", visible::line(name)) });
    let taken = patterns(&server.tools).map_err(wrong);
    let taken = taken.map_err(|source| UpstreamError::Entry { server: name.to_owned(), source })?;
    let mut served = ServedApi { api, list: Arc::default(), taken, read: Instant::now() };
    let tools: Vec<_> =
        served.api.tools().into_iter().filter(|tool| served.has(tool["name"].as_str().unwrap_or_default())).collect();
    let page = json!({ "tools": tools }).to_string();
    let mut list = ToolList::default();
    if let Ok(page) = object(&page) {
        list.add(&page);
    }
    served.list = Arc::new(list);
    Ok(served)
}

fn read_file(path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;

    let mut text = Vec::new();
    // One byte more than may be is enough for the parser to say so.
    std::fs::File::open(path)?.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}

/// What `patterns` match; nothing to match where there are none.
fn patterns(patterns: &[String]) -> Result<Option<GlobSet>, globset::Error> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern)?);
    }
    set.build().map(Some)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn no_more_documents_are_kept_than_there_may_be() {
        let apis = Apis::default();
        for document in 0..10 * DOCUMENTS_MAX {
            let document = Document::File(document.to_string().into());
            drop(apis.place(&OpenApiServer::new(document, "https://a.example".parse().unwrap())));
        }
        assert!(apis.0.lock().unwrap().len() <= DOCUMENTS_MAX);
    }

    #[test]
    fn what_no_pattern_matches_is_not_taken() {
        let taken = patterns(&["list*".to_owned(), "getPet".to_owned()]).unwrap().unwrap();
        assert!(taken.is_match("listPets") && taken.is_match("getPet") && !taken.is_match("deletePet"));
        assert!(patterns(&[]).unwrap().is_none());
    }
}
