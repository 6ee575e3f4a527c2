//! The resources and prompts of a session's servers: whose they are, and which of them this user may have.
//!
//! They have no patterns of their own. So a server's are for those who have the server as a whole ([`isolet_bindings::Scope::has_server`]), and to
//! anybody else there are none. A resource is named by its address; which server has it is known from what each lists, never guessed: a server
//! that does not list an address is not told of it, unless there is no other, or the address names it, as `server+address`.

use isolet_bindings::{ToolError, ToolErrorCode, ToolReply, visible};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::call::Caller;
use super::change_signal::ChangeSignal;
use super::tool_host;
use super::wanted::Wanted;

/// The longest address, bytes.
pub(crate) const URI_BYTES_MAX: usize = 8 << 10;

/// Servers that are named in an error.
const SERVERS_SHOWN_MAX: usize = 8;

/// What is looked at of a resource, or of a template.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    uri_template: Option<String>,
}

impl Caller {
    /// The servers whose resources and prompts this user may have.
    pub(crate) fn servers(&self) -> Vec<String> {
        let mut servers = self.host.servers_any();
        servers.retain(|server| self.scope.has_server(server));
        servers
    }

    /// Gives what `server` has, if this user may have it.
    pub(crate) async fn give(&self, server: &str, wanted: Wanted) -> Result<ToolReply, ToolError> {
        if !self.servers().iter().any(|other| other == server) {
            return Err(ToolError::new(ToolErrorCode::UnknownTool, "no such server in this scope: see what there is"));
        }
        tool_host::give(&*self.host, server.to_owned(), wanted, self.reply_bytes_max).await
    }

    /// What each server lists. Those that fail have nothing; why is in the log.
    pub(crate) async fn listed(&self, wanted: &Wanted) -> Vec<(String, ToolReply)> {
        let servers = self.servers();
        let asked = servers.iter().map(|server| self.give(server, wanted.clone()));
        let lists = futures::future::join_all(asked).await;
        servers.into_iter().zip(lists).filter_map(|(server, list)| Some((server, list.ok()?))).collect()
    }

    /// What a resource holds.
    pub(crate) async fn read(&self, uri: &str) -> Result<ToolReply, ToolError> {
        let (server, uri) = self.place_within(uri).await?;
        self.give(&server, Wanted::Resource { uri }).await
    }

    /// Tells `signal` when the server that has a resource agrees to tell of its changes, and of each. Comes to an end when it does so no more.
    pub(crate) async fn watch(&self, uri: &str, signal: &ChangeSignal) -> Result<(), ToolError> {
        let (server, uri) = self.place_within(uri).await?;
        self.give(&server, Wanted::Changes { uri, signal: signal.clone() }).await.map(drop)
    }

    /// The same as [`Caller::place_of`], if the address is not too long to be looked for.
    async fn place_within(&self, uri: &str) -> Result<(String, String), ToolError> {
        if uri.len() > URI_BYTES_MAX {
            let message = format!("the address of a resource has {} bytes, the limit is {URI_BYTES_MAX}", uri.len());
            return Err(ToolError::new(ToolErrorCode::InvalidArguments, message));
        }
        self.place_of(uri).await
    }

    /// The server that has the resource `uri`, and what that calls it.
    async fn place_of(&self, uri: &str) -> Result<(String, String), ToolError> {
        let servers = self.servers();
        let named = named(&servers, uri);
        if let [only] = &servers[..] {
            return Ok(named.unwrap_or_else(|| (only.clone(), uri.to_owned())));
        }
        for wanted in [Wanted::Resources, Wanted::ResourceTemplates] {
            let lists = if servers.is_empty() { Vec::new() } else { self.listed(&wanted).await };
            let having: Vec<String> = lists.into_iter().filter(|(_, list)| has(list, uri)).map(|(server, _)| server).collect();
            match &having[..] {
                [] => {}
                [one] => return Ok((one.clone(), uri.to_owned())),
                _ => return Err(unclear("more than one server has", uri, &having)),
            }
        }
        named.ok_or_else(|| unclear("no server lists", uri, &servers))
    }
}

/// The server that an address begins with, as `server+address`, and what that calls it.
fn named(servers: &[String], uri: &str) -> Option<(String, String)> {
    let of = |server: &String| Some((server.clone(), uri.strip_prefix(server.as_str())?.strip_prefix('+')?.to_owned()));
    servers.iter().filter_map(of).max_by_key(|(server, _)| server.len())
}

fn unclear(what: &str, uri: &str, servers: &[String]) -> ToolError {
    let shown = visible::line_within(uri, 200);
    let names: Vec<&str> = servers.iter().take(SERVERS_SHOWN_MAX).map(String::as_str).collect();
    let remedy = match names.first() {
        Some(first) => format!("write `{first}+{shown}` for that of `{first}` (servers: {})", names.join(", ")),
        None => "no server of this scope has resources".to_owned(),
    };
    ToolError::new(ToolErrorCode::InvalidArguments, format!("{what} the resource `{shown}`: {remedy}"))
}

/// Whether a list has the resource `uri`, or a template that it is one of.
fn has(list: &ToolReply, uri: &str) -> bool {
    let items: Vec<&RawValue> = serde_json::from_str(list.as_json()).unwrap_or_default();
    items.into_iter().filter_map(|item| serde_json::from_str::<Listed>(item.get()).ok()).any(|listed| {
        listed.uri.is_some_and(|other| other == uri) || listed.uri_template.is_some_and(|template| is_of(&template, uri))
    })
}

/// Whether `template` can be filled in to be `uri`: what stands in braces may be anything.
fn is_of(template: &str, uri: &str) -> bool {
    let mut rest = uri;
    let mut parts = template.split('{');
    let Some(after_first) = parts.next().and_then(|first| rest.strip_prefix(first)) else { return false };
    rest = after_first;
    let mut literals = parts.map(|part| part.split_once('}').map_or("", |(_, literal)| literal)).peekable();
    if literals.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(literal) = literals.next() {
        if literals.peek().is_none() {
            return rest.ends_with(literal);
        }
        match rest.find(literal) {
            Some(at) => rest = &rest[at + literal.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_of_a_template_that_can_be_filled_in_to_be_it() {
        for (template, uri, expected) in [
            ("test://template/{id}/data", "test://template/7/data", true),
            ("test://template/{id}/data", "test://template/7/dat", false),
            ("test://template/{id}/data", "file://template/7/data", false),
            ("file:///{+path}", "file:///a/b?c", true),
            ("{a}-{b}.txt", "x-y.txt", true),
            ("{a}-{b}.txt", "xy.txt", false),
            ("a://{b", "a://b", true),
            ("a://b", "a://b", true),
            ("a://b", "a://bc", false),
            ("a{x}aa", "aa", false),
            ("", "", true),
        ] {
            assert_eq!(is_of(template, uri), expected, "{template} {uri}");
        }
    }

    #[test]
    fn a_list_has_what_it_lists_whatever_else_is_in_it() {
        let list = json!([7, { "uri": 7 }, { "uri": "a:b" }, { "uriTemplate": "c:{d}" }, null]);
        let list = ToolReply::from(list);
        assert!(has(&list, "a:b") && has(&list, "c:x") && !has(&list, "a:c"));
        assert!(!has(&ToolReply::from(json!({ "uri": "a:b" })), "a:b"));
    }

    #[test]
    fn an_address_may_begin_with_its_server() {
        let servers = ["git".to_owned(), "git+x".to_owned()];
        let of = |uri: &str| named(&servers, uri).map(|(server, uri)| format!("{server} {uri}"));
        assert_eq!(of("git+file:///a").as_deref(), Some("git file:///a"));
        assert_eq!(of("git+x+file:///a").as_deref(), Some("git+x file:///a"));
        assert_eq!((of("git:file"), of("other+a:b")), (None, None));
    }
}
