//! What a user's programs can call: as TypeScript for a model, and as JSON.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use isolet::{Principal, ScopedTool, TokenBudget};
use serde_json::{Value, json};

use crate::answers;
use crate::shared::Shared;

/// `GET /v1/types`: the declarations; with `?tokens=N` within a budget.
pub(crate) async fn types(State(shared): State<Arc<Shared>>, Extension(principal): Extension<Principal>, uri: Uri) -> Response {
    let budget = match uri.query().filter(|query| !query.is_empty()).map(tokens_of) {
        Some(None) => {
            let message = "the query is not understood: ask for `?tokens=N`, a number of tokens, or for everything without it";
            return answers::refused(StatusCode::BAD_REQUEST, "invalid_request", message);
        }
        Some(Some(tokens)) => Some(TokenBudget::new(tokens)),
        None => None,
    };
    let session = match shared.session(&principal).await {
        Ok(session) => session,
        Err(none) => return none.into_response(),
    };
    let text = match budget {
        Some(budget) => session.types(budget).text,
        None => session.typescript().to_owned(),
    };
    private(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

fn tokens_of(query: &str) -> Option<usize> {
    query.strip_prefix("tokens=")?.parse().ok()
}

/// `GET /v1/tools`: the tools, each with its path, its name and its definition as its server gave them.
pub(crate) async fn tools(State(shared): State<Arc<Shared>>, Extension(principal): Extension<Principal>) -> Response {
    match shared.session(&principal).await {
        Ok(session) => {
            let tools: Vec<Value> = session.scope().tools().iter().map(tool).collect();
            private(axum::Json(json!({ "tools": tools })).into_response())
        }
        Err(none) => none.into_response(),
    }
}

fn tool(tool: &ScopedTool) -> Value {
    json!({
        "path": tool.path(), "server": tool.server(), "name": tool.name(), "description": tool.description(),
        "definition": tool.definition().raw(),
    })
}

/// What is one user's is kept by nobody on the way.
fn private(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    response
}
