//! Resources and prompts through the classic face: those of all servers that this user has as a whole, as their servers gave them.
//!
//! Prompts are called as tools are. Resources keep their addresses, since replies of tools name them too; where two servers list one address, each
//! is shown as `server+address`. Both can be read under that.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use isolet_bindings::{Arguments, Asker, ToolError, ToolErrorCode, ToolReply};
use isolet_rpc::envelope::object;
use rmcp::model::{CompleteRequestParams, ErrorCode, JsonObject, Reference};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::is_modern;
use super::classic::Classic;
use super::classic_name::{ClassicNames, classic_names};
use super::client_asker;
use super::list::List;
use super::lossless;
use crate::host::gate::{Own, Target};
use crate::host::wanted::Wanted;

/// Before 2026-07-28 a resource that is not there has a code of its own.
const NOT_FOUND: ErrorCode = ErrorCode(-32002);

/// What an element of a list is known by.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    uri_template: Option<String>,
}

/// An element of a server's list.
struct Item<'list> {
    server: &'list str,
    known_by: String,
    text: &'list RawValue,
}

impl List {
    /// What its elements are called here.
    fn shown(self, items: &[Item<'_>], naming: ClassicNames) -> Vec<String> {
        match self {
            Self::Prompts => classic_names(items.iter().map(|item| (item.server, item.known_by.as_str())), naming),
            Self::Resources | Self::Templates => shown_addresses(items),
        }
    }

    /// The elements of what servers list. Those that are known by nothing are none.
    fn items(self, lists: &[(String, ToolReply)]) -> Vec<Item<'_>> {
        let mut items = Vec::new();
        for (server, list) in lists {
            let texts: Vec<&RawValue> = serde_json::from_str(list.as_json()).unwrap_or_default();
            for text in texts {
                let Ok(listed) = object::<Listed>(text.get()) else { continue };
                let known_by = match self {
                    Self::Resources => listed.uri,
                    Self::Templates => listed.uri_template,
                    Self::Prompts => listed.name,
                };
                items.extend(known_by.map(|known_by| Item { server, known_by, text }));
            }
        }
        items
    }
}

/// The result of a list, for clients of this era, which may keep it for `life_ms`.
pub(super) async fn list(classic: &Classic, list: List, is_modern: bool, life_ms: u64) -> Arc<str> {
    let lists = classic.caller().listed(&list.wanted()).await;
    let items = list.items(&lists);
    let shown = list.shown(&items, classic.naming());
    let mut seen = HashSet::new();
    let mut texts = Vec::with_capacity(items.len());
    for (item, shown) in items.iter().zip(&shown) {
        // Of two that cannot be told apart the first is shown.
        if seen.insert(shown) {
            let text =
                if *shown == item.known_by { None } else { lossless::with_text(item.text.get(), list.known_by(), shown) };
            texts.push(text.unwrap_or_else(|| item.text.get().to_owned()));
        }
    }
    lossless::other_list_text(list.member(), &texts, is_modern, life_ms)
}

/// What addresses are shown as: those that more than one server lists with their server.
fn shown_addresses(items: &[Item<'_>]) -> Vec<String> {
    let mut servers: HashMap<&str, HashSet<&str>> = HashMap::new();
    for item in items {
        servers.entry(&item.known_by).or_default().insert(item.server);
    }
    let is_shared = |item: &Item<'_>| servers.get(item.known_by.as_str()).is_some_and(|servers| servers.len() > 1);
    let shown = |item: &Item<'_>| {
        if is_shared(item) { format!("{}+{}", item.server, item.known_by) } else { item.known_by.clone() }
    };
    items.iter().map(shown).collect()
}

/// The element of what servers list that is called `name` here: its server, and what that calls it.
async fn element(classic: &Classic, list: List, name: &str) -> Option<(String, String)> {
    let lists = classic.caller().listed(&list.wanted()).await;
    let items = list.items(&lists);
    let place = list.shown(&items, classic.naming()).iter().position(|shown| shown == name)?;
    let item = items.into_iter().nth(place)?;
    Some((item.server.to_owned(), item.known_by))
}

/// The result of reading the resource `uri`.
pub(super) async fn read(classic: &Classic, uri: &str, context: &RequestContext<RoleServer>) -> Result<Arc<str>, ErrorData> {
    let is_modern = is_modern(context);
    let work = classic.caller().read(uri);
    let read = classic.asked(Target::Own(Own::Read), uri.len(), Asker::default(), context, work).await;
    let failed = |error: &ToolError| {
        let code = if is_modern { ErrorCode::INVALID_PARAMS } else { NOT_FOUND };
        not_given(error, code, json!({ "uri": uri }))
    };
    let reply = read.map_err(|error| failed(&error))?;
    // What came from no server is the contents alone.
    let contents = || format!(r#"{{"contents":{}}}"#, reply.as_json());
    let whole = reply.result().map_or_else(contents, str::to_owned);
    lossless::other_result_text(&whole, is_modern, Some(0)).ok_or_else(unreadable)
}

/// The prompt that is called `name` here, filled in with `arguments`.
pub(super) async fn prompt(
    classic: &Classic,
    name: &str,
    arguments: &JsonObject,
    context: &RequestContext<RoleServer>,
) -> Result<Arc<str>, ErrorData> {
    let unknown = || ErrorData::invalid_params(format!("there is no prompt `{name}`: see `prompts/list`"), None);
    let (server, known_by) = element(classic, List::Prompts, name).await.ok_or_else(unknown)?;
    let arguments = Arguments::of(arguments);
    let bytes = arguments.as_json().len();
    let asker = client_asker::of(context);
    let work = classic.caller().give(&server, Wanted::Prompt { name: known_by.clone(), arguments, asker: asker.clone() });
    let given = classic.asked(Target::Prompt { server: &server, name: &known_by }, bytes, asker, context, work).await;
    let reply = given.map_err(|error| not_given(&error, ErrorCode::INVALID_PARAMS, json!({ "name": name })))?;
    lossless::other_result_text(reply.as_json(), is_modern(context), None).ok_or_else(unreadable)
}

/// What an argument of a prompt or of a template may be completed to.
pub(super) async fn complete(
    classic: &Classic,
    request: CompleteRequestParams,
    is_modern: bool,
) -> Result<Arc<str>, ErrorData> {
    let (list, member, named) = match &request.r#ref {
        Reference::Prompt(prompt) => (List::Prompts, "name", prompt.name.clone()),
        Reference::Resource(template) => (List::Templates, "uri", template.uri.clone()),
        _ => return Err(ErrorData::invalid_params("this is no reference to a prompt or a resource", None)),
    };
    let unknown = || ErrorData::invalid_params(format!("there is no `{named}` here: see the lists"), None);
    let (server, known_by) = element(classic, list, &named).await.ok_or_else(unknown)?;
    let mut request = serde_json::to_value(&request).map_err(|_| unreadable())?;
    request["ref"][member] = known_by.into();
    let request = Arguments::of(request.as_object().ok_or_else(unreadable)?);
    let given = classic.caller().give(&server, Wanted::Completion { request }).await;
    let reply = given.map_err(|error| not_given(&error, ErrorCode::INVALID_PARAMS, json!({ "ref": named })))?;
    lossless::other_result_text(reply.as_json(), is_modern, None).ok_or_else(unreadable)
}

/// Why the resource `uri` is not watched.
pub(super) fn not_watched(error: &ToolError, uri: &str) -> ErrorData {
    not_given(error, NOT_FOUND, json!({ "uri": uri }))
}

/// The error of the protocol for what was not given: `code` where there is no such thing.
fn not_given(error: &ToolError, code: ErrorCode, mut data: Value) -> ErrorData {
    let is_missing =
        matches!(error.code, ToolErrorCode::UnknownTool | ToolErrorCode::InvalidArguments | ToolErrorCode::ToolFailed);
    if is_missing {
        return ErrorData::new(code, error.message.clone(), Some(data));
    }
    data["code"] = error.code.as_str().into();
    ErrorData::internal_error(error.message.clone(), Some(data))
}

fn unreadable() -> ErrorData {
    ErrorData::internal_error("the server's answer cannot be read: tell its operator", None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_two_servers_names_its_server_and_an_element_without_is_none() {
        let list = |server: &str, items: Value| (server.to_owned(), ToolReply::from(items));
        let lists = [
            list("a", json!([{ "uri": "x:1" }, { "uri": "x:2" }, { "name": "no address" }, 7])),
            list("b", json!([{ "uri": "x:2" }])),
            list("c", json!({ "uri": "x:2" })),
        ];
        assert_eq!(shown_addresses(&List::Resources.items(&lists)), ["x:1", "a+x:2", "b+x:2"]);
        assert_eq!(List::Prompts.items(&lists).len(), 1);
    }
}
