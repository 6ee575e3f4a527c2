//! The id of a subscription in what a client is told of it: the one that the client gave, where rmcp has a number of its own.

use isolet_rpc::client_id::ClientId;
use serde::Serialize;
use serde_json::Value;

/// The member of `_meta` that has it.
const MEMBER: &str = "io.modelcontextprotocol/subscriptionId";

/// The text of a notification or of a result; if it belongs to a subscription, with the id that `id_of` gives for its number. None without one.
pub(super) fn text(message: &impl Serialize, id_of: impl FnOnce(i64) -> Option<ClientId>) -> Option<String> {
    let mut message = serde_json::to_value(message).ok()?;
    if let Some(place) = place(&mut message) {
        let id = id_of(place.as_i64()?)?;
        *place = serde_json::from_str(id.as_json()).ok()?;
    }
    serde_json::to_string(&message).ok()
}

fn place(message: &mut Value) -> Option<&mut Value> {
    let meta = if message.get("params").is_some() { "/params/_meta" } else { "/_meta" };
    message.pointer_mut(meta)?.get_mut(MEMBER)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;
    use serde_json::value::to_raw_value;

    use super::*;

    #[test]
    fn what_belongs_to_a_subscription_has_the_id_of_its_client() {
        let id = |number: i64| (number == 7).then(|| ClientId::of(&to_raw_value("listen").unwrap()).unwrap());
        let told = |number: i64| json!({ "method": "m", "params": { "uri": "a:b", "_meta": { MEMBER: number } } });
        let text_of = |message: Value| text(&message, id).map(|text| serde_json::from_str::<Value>(&text).unwrap());
        assert_eq!(text_of(told(7)).unwrap()["params"]["_meta"][MEMBER], "listen");
        assert_eq!(text_of(json!({ "_meta": { MEMBER: 7 } })).unwrap()["_meta"][MEMBER], "listen");
        assert_eq!(text_of(told(8)), None, "one that has ended");
        let other = json!({ "method": "m", "params": { "_meta": {} } });
        assert_eq!(text_of(other.clone()), Some(other));
    }
}
