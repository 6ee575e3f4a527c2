//! What a client says of itself that it answers when it is asked: of our clients read, to servers said.

use std::collections::BTreeSet;

use isolet_bindings::AskKind;
use rmcp::model::ClientCapabilities;
use serde_json::{Map, Value, json};

/// What a client answers that says this.
pub(super) fn kinds(capabilities: &ClientCapabilities) -> BTreeSet<AskKind> {
    let mut kinds = BTreeSet::new();
    if let Some(elicitation) = &capabilities.elicitation {
        // Before there were modes, and where none is named, it is that of forms.
        if elicitation.form.is_some() || elicitation.url.is_none() {
            kinds.insert(AskKind::Form);
        }
        if elicitation.url.is_some() {
            kinds.insert(AskKind::Url);
        }
    }
    if capabilities.sampling.is_some() {
        kinds.insert(AskKind::Sampling);
    }
    if capabilities.roots.is_some() {
        kinds.insert(AskKind::Roots);
    }
    kinds
}

/// What a client says that answers these.
pub(super) fn capabilities(kinds: &BTreeSet<AskKind>) -> ClientCapabilities {
    serde_json::from_str(&text(kinds)).unwrap_or_default()
}

/// The same as JSON text.
pub(super) fn text(kinds: &BTreeSet<AskKind>) -> String {
    let mut said = Map::new();
    let modes = [(AskKind::Form, "form"), (AskKind::Url, "url")].into_iter().filter(|(kind, _)| kinds.contains(kind));
    let modes: Map<String, Value> = modes.map(|(_, mode)| (mode.to_owned(), json!({}))).collect();
    if !modes.is_empty() {
        said.insert("elicitation".to_owned(), modes.into());
    }
    for (kind, name) in [(AskKind::Sampling, "sampling"), (AskKind::Roots, "roots")] {
        if kinds.contains(&kind) {
            said.insert(name.to_owned(), json!({}));
        }
    }
    Value::Object(said).to_string()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn kinds_of(declared: &str) -> Vec<AskKind> {
        kinds(&serde_json::from_str(declared).unwrap()).into_iter().collect()
    }

    #[test]
    fn a_client_that_names_no_mode_fills_in_forms() {
        assert_eq!(kinds_of("{}"), []);
        assert_eq!(kinds_of(r#"{"elicitation":{}}"#), [AskKind::Form]);
        assert_eq!(kinds_of(r#"{"elicitation":{"url":{}}}"#), [AskKind::Url]);
        let all = r#"{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{"listChanged":true}}"#;
        assert_eq!(kinds_of(all), [AskKind::Form, AskKind::Url, AskKind::Sampling, AskKind::Roots]);
    }

    #[test]
    fn what_is_said_is_what_is_read() {
        for asked in
            [&[][..], &[AskKind::Form], &[AskKind::Url, AskKind::Roots], &[AskKind::Form, AskKind::Url, AskKind::Sampling]]
        {
            let asked: BTreeSet<AskKind> = asked.iter().copied().collect();
            assert_eq!(kinds(&capabilities(&asked)), asked);
        }
    }
}
