//! What a server has beside tools, as whoever wants it gets it.

use std::borrow::Cow;
use std::sync::Arc;

use isolet_bindings::{ToolError, ToolErrorCode, ToolReply};
use isolet_rpc::envelope::object;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::asking::Guarded;
use super::connection::Connection;
use super::error::UpstreamError;
use super::list::List;
use super::request_params::Members;
use super::resource_watch;
use crate::host::wanted::Wanted;

/// What is looked at of a result.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given<'text> {
    #[serde(borrow, default)]
    contents: Option<&'text RawValue>,
    #[serde(borrow, default)]
    messages: Option<&'text RawValue>,
    #[serde(borrow, default)]
    completion: Option<&'text RawValue>,
    #[serde(borrow, default)]
    result_type: Option<Cow<'text, str>>,
}

/// What the log calls it.
pub(super) fn path(wanted: &Wanted) -> &'static str {
    match wanted {
        Wanted::Resources => List::Resources.method(),
        Wanted::ResourceTemplates => List::Templates.method(),
        Wanted::Resource { .. } => "resources/read",
        Wanted::Changes { .. } => "resources/subscribe",
        Wanted::Prompts => List::Prompts.method(),
        Wanted::Prompt { .. } => "prompts/get",
        Wanted::Completion { .. } => "completion/complete",
    }
}

/// What the server answers, which can ask whom `guarded` lets it: the text of a list, or of a result.
pub(super) async fn asked(connection: &Arc<Connection>, wanted: &Wanted, guarded: &Guarded) -> Result<String, UpstreamError> {
    let offered = async |list: List| connection.offered(list).await.map(|list| list.to_string());
    let params = match wanted {
        Wanted::Resources => return offered(List::Resources).await,
        Wanted::ResourceTemplates => return offered(List::Templates).await,
        Wanted::Prompts => return offered(List::Prompts).await,
        Wanted::Changes { uri, signal } => {
            return resource_watch::watch(connection, uri, signal).await.map(|()| "null".to_owned());
        }
        Wanted::Resource { uri } => Members::default().with_text("uri", uri),
        Wanted::Prompt { name, arguments, .. } => Members::default().with_text("name", name).with("arguments", arguments.raw()),
        Wanted::Completion { request } => {
            ["ref", "argument", "context"].into_iter().fold(Members::default(), |params, name| {
                let value = request.get(name).and_then(|value| to_raw_value(value).ok());
                value.into_iter().fold(params, |params, value| params.with(name, value))
            })
        }
    };
    connection.ask_with(path(wanted), params, guarded).await
}

/// The same as a reply.
pub(super) fn reply(wanted: &Wanted, answer: String) -> Result<ToolReply, ToolError> {
    let of_text = |text: &str| RawValue::from_string(text.to_owned()).map(ToolReply::raw).map_err(|_| unreadable());
    let whole = match wanted {
        Wanted::Resource { .. } | Wanted::Prompt { .. } | Wanted::Completion { .. } => {
            object::<Given<'_>>(&answer).map_err(|_| unreadable())?
        }
        _ => return of_text(&answer),
    };
    if whole.result_type.as_deref() == Some("input_required") {
        let message = "the server answered with a question to the user, which cannot be asked here: tell its operator";
        return Err(ToolError::new(ToolErrorCode::InvalidReply, message));
    }
    let is_list = |part: Option<&RawValue>| part.filter(|part| part.get().starts_with('[')).is_some();
    match wanted {
        Wanted::Resource { .. } if is_list(whole.contents) => {
            let contents = of_text(whole.contents.map_or("[]", RawValue::get))?;
            Ok(contents.with_result(answer))
        }
        Wanted::Prompt { .. } if is_list(whole.messages) => of_text(&answer),
        Wanted::Completion { .. } if whole.completion.is_some() => of_text(&answer),
        _ => Err(unreadable()),
    }
}

fn unreadable() -> ToolError {
    ToolError::new(ToolErrorCode::InvalidReply, "the server's answer cannot be read: tell its operator")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_bindings::Asker;

    use super::*;

    #[test]
    fn a_resource_is_its_contents_with_the_whole_result_beside_them() {
        let resource = Wanted::Resource { uri: "a:b".to_owned() };
        let whole = r#"{"contents": [{ "uri" : "a:b" }], "_meta": {}}"#;
        let read = reply(&resource, whole.to_owned()).unwrap();
        assert_eq!((read.as_json(), read.result()), (r#"[{ "uri" : "a:b" }]"#, Some(whole)));
        for wrong in ["[]", "{}", r#"{"contents": 7}"#, r#"{"contents": null}"#, r#"{"resultType": "input_required"}"#] {
            let error = reply(&resource, wrong.to_owned()).unwrap_err();
            assert_eq!(error.code, ToolErrorCode::InvalidReply, "{wrong}");
        }
    }

    #[test]
    fn a_prompt_and_a_list_are_what_the_server_wrote() {
        let prompt = Wanted::Prompt { name: "p".to_owned(), arguments: serde_json::Map::new().into(), asker: Asker::default() };
        let whole = r#"{"messages": [ ], "description": "d"}"#;
        assert_eq!(reply(&prompt, whole.to_owned()).unwrap().as_json(), whole);
        assert!(reply(&prompt, r#"{"contents": []}"#.to_owned()).is_err());
        assert_eq!(reply(&Wanted::Prompts, "[ 1.0 ]".to_owned()).unwrap().as_json(), "[ 1.0 ]");
    }
}
