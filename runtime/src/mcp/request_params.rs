//! The parameters of a request to a server, as text: serialised once, held once, and gone with whoever wanted the answer.
//!
//! rmcp carries them as a reference that keeps nothing alive, in the extensions of a request without parameters, and [`super::wire`] writes
//! them. So a call that is cancelled before its turn leaves nothing behind, wherever rmcp still has the request.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use isolet_bindings::{AskKind, Asker, Listener};
use isolet_rpc::envelope::text_in;
use rmcp::model::{ClientRequest, CustomRequest, GetMeta as _, NumberOrString};
use serde_json::value::{RawValue, to_raw_value};

/// Where a request says what its client can do, in the era in which each does.
const CAPABILITIES_META: &str = "io.modelcontextprotocol/clientCapabilities";

/// Names and values of the parameters, and who hears what the server says before it answers.
#[derive(Clone, Default)]
pub(super) struct Members {
    values: Vec<(&'static str, Arc<RawValue>)>,
    listener: Listener,
    asker: Asker,
    /// What the asker has an answer to.
    asks: BTreeSet<AskKind>,
    /// What the client of this request can do, JSON text, where it says so itself.
    capabilities: Option<String>,
}

impl Members {
    /// The same with this one. A line feed in `value` becomes a space: it may stand between the parts of a JSON text, and what follows
    /// it would be a message of its own to the server.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Arc<RawValue>>) -> Self {
        let value: Arc<RawValue> = value.into();
        let is_line = !value.get().contains(['\n', '\r']);
        let on_one_line = || RawValue::from_string(value.get().replace(['\n', '\r'], " "));
        match if is_line { Ok(Arc::clone(&value)) } else { on_one_line().map(Arc::from) } {
            Ok(value) => self.values.push((name, value)),
            // A space for a line feed makes no other JSON.
            Err(_) => tracing::error!("a parameter is left out: it is no JSON"),
        }
        self
    }

    /// The same with this text.
    pub(super) fn with_text(self, name: &'static str, text: &str) -> Self {
        match to_raw_value(text) {
            Ok(text) => self.with(name, text),
            Err(_) => self,
        }
    }

    /// The same, where `listener` hears what the server says before it answers.
    pub(super) fn heard_by(self, listener: Listener) -> Self {
        Self { listener, ..self }
    }

    /// The same, where the server asks `asker` before it answers, which has an answer to these.
    pub(super) fn asking(self, asker: Asker, asks: BTreeSet<AskKind>) -> Self {
        Self { asker, asks, ..self }
    }

    /// The same from a client that can do this, JSON text, for a server to which each request says that itself.
    pub(super) fn of_client(self, capabilities: String) -> Self {
        Self { capabilities: Some(capabilities), ..self }
    }
}

/// What rmcp carries of them.
#[derive(Clone)]
struct Carried(Weak<Members>);

/// The request for `method`; its parameters are those of `members` as long as that lives.
pub(super) fn request(method: &'static str, members: &Arc<Members>) -> ClientRequest {
    let mut request = CustomRequest::new(method, None);
    request.extensions.insert(Carried(Arc::downgrade(members)));
    ClientRequest::CustomRequest(request)
}

/// Who hears what the server says before it answers `request`, if anybody does, and the token by which the server names it.
pub(super) fn listener_of(request: &ClientRequest) -> Option<(i64, Listener)> {
    let ClientRequest::CustomRequest(request) = request else { return None };
    let Carried(members) = request.extensions.get()?;
    let listener = members.upgrade()?.listener.clone();
    match request.get_meta().get_progress_token()?.0 {
        NumberOrString::Number(token) if listener.is_there() => Some((token, listener)),
        _ => None,
    }
}

/// Whom the server asks before it answers `request`, if anybody hears its questions, and what there is an answer to.
pub(super) fn asker_of(request: &ClientRequest) -> Option<(Asker, BTreeSet<AskKind>)> {
    let ClientRequest::CustomRequest(request) = request else { return None };
    let Carried(members) = request.extensions.get()?;
    let members = members.upgrade()?;
    members.asker.is_there().then(|| (members.asker.clone(), members.asks.clone()))
}

/// A request that waits to be written.
pub(super) struct Waiting {
    head: String,
    members: Weak<Members>,
}

/// A request that is being written.
pub(super) struct Text {
    head: String,
    members: Arc<Members>,
}

impl Waiting {
    /// `request` under the number `id`, if it was made by [`request`].
    pub(super) fn of(request: &ClientRequest, id: i64) -> Option<Self> {
        let ClientRequest::CustomRequest(request) = request else { return None };
        let Carried(members) = request.extensions.get()?;
        let mut meta = serde_json::to_value(request.get_meta()).ok()?;
        let said = members.upgrade().and_then(|members| serde_json::from_str(members.capabilities.as_deref()?).ok());
        if let (Some(place), Some(said)) = (meta.get_mut(CAPABILITIES_META), said) {
            *place = said;
        }
        let method = &request.method;
        let head = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{"_meta":{meta}"#);
        Some(Self { head, members: Weak::clone(members) })
    }

    /// Its text; none if nobody waits for the answer any more.
    pub(super) fn begin(self) -> Option<Text> {
        Some(Text { members: self.members.upgrade()?, head: self.head })
    }
}

impl Text {
    /// The text of the parameter `name`, if it is one.
    pub(super) fn text_of(&self, name: &str) -> Option<Cow<'_, str>> {
        self.members.values.iter().find(|(other, _)| *other == name).and_then(|(_, value)| text_in(value))
    }

    /// The line, in parts.
    pub(super) fn parts(&self) -> Vec<&[u8]> {
        let mut parts = vec![self.head.as_bytes()];
        for (name, value) in &self.members.values {
            parts.extend([b",\"".as_slice(), name.as_bytes(), b"\":", value.get().as_bytes()]);
        }
        parts.push(b"}}\n");
        parts
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_request_is_one_line_whatever_stands_in_it() {
        let forged = "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\",\"params\":{\"name\":\"denied\"}}";
        let members = Arc::new(Members::default().with("arguments", raw(&format!("[\n{forged}\r\n, \"\\n\"]"))));
        let request = request("tools/call", &members);
        let line = String::from_utf8(Waiting::of(&request, 1).unwrap().begin().unwrap().parts().concat()).unwrap();
        assert_eq!(line.matches(['\n', '\r']).count(), 1, "{line}");
        assert!(line.ends_with(&format!("\"arguments\":[ {forged}  , \"\\n\"]}}}}\n")), "{line}");
    }

    #[test]
    fn a_request_is_written_as_it_was_given_and_only_while_it_is_wanted() {
        let members =
            Members::default().with("name", raw("\"a\"")).with("arguments", raw("{ \"n\" : 18446744073709551615.0 }"));
        let members = Arc::new(members);
        let request = request("tools/call", &members);
        let text = Waiting::of(&request, 7).unwrap().begin().unwrap();
        let line = text.parts().concat();
        let expected = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"_meta":{},"name":"a","arguments":{ "n" : 18446744073709551615.0 }}}"#;
        assert_eq!(String::from_utf8(line).unwrap(), format!("{expected}\n"));
        drop(text);
        let waiting = Waiting::of(&request, 8).unwrap();
        drop(members);
        assert!(waiting.begin().is_none());
    }
}
