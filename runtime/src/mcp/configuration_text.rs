//! The text of a configuration and where the servers are in it, by the client whose file it is.

use serde_json::{Map, Value};

use super::configuration_error::{CONFIGURATION_BYTES_MAX, ConfigurationError};

/// Where clients have their servers: Claude, Cursor, Windsurf and most others; VS Code; Zed; Codex.
const SECTIONS: [&str; 4] = ["mcpServers", "servers", "context_servers", "mcp_servers"];

/// The servers as they are written.
pub(super) struct Section {
    /// What they are called together.
    pub(super) name: &'static str,
    pub(super) entries: Map<String, Value>,
}

/// The servers in `text`.
///
/// # Errors
///
/// [`ConfigurationError`]: it is too large, of no known form, or has none.
pub(super) fn section(text: &str, is_toml: bool) -> Result<Section, ConfigurationError> {
    if text.len() as u64 > CONFIGURATION_BYTES_MAX {
        return Err(ConfigurationError::TooLarge);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut document = if is_toml { toml::from_str(text).map_err(ConfigurationError::no_toml)? } else { json(text)? };
    let found = |document: &mut Value| {
        let sections = SECTIONS.into_iter().filter_map(|name| Some((name, document.get_mut(name)?.take())));
        // One that is empty is none while another is not.
        let sections: Vec<_> = sections.collect();
        let is_full = |(_, value): &&(_, Value)| value.as_object().is_none_or(|entries| !entries.is_empty());
        let index = sections.iter().position(|section| is_full(&section)).unwrap_or(0);
        sections.into_iter().nth(index)
    };
    let nested = |document: &mut Value| found(document.get_mut("mcp")?);
    let (name, entries) = found(&mut document).or_else(|| nested(&mut document)).ok_or(ConfigurationError::NoServers)?;
    let wrong = |source| ConfigurationError::Malformed { at: name.to_owned(), source };
    Ok(Section { name, entries: serde_json::from_value(entries).map_err(wrong)? })
}

/// JSON as people write it: with comments, and commas after the last.
fn json(text: &str) -> Result<Value, ConfigurationError> {
    let mut bare = text.to_owned();
    // Places stay: what is taken out becomes space. What cannot be taken out is JSON's to complain about.
    if json_strip_comments::strip(&mut bare).is_err() {
        text.clone_into(&mut bare);
    }
    serde_json::from_str(&bare).map_err(|source| ConfigurationError::Malformed { at: String::new(), source })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[track_caller]
    fn check(text: &str, is_toml: bool, section_name: &str) {
        let section = section(text, is_toml).unwrap();
        assert_eq!((section.name, section.entries["a"]["command"].as_str()), (section_name, Some("//x, }")), "{text}");
    }

    #[test]
    fn every_clients_file_is_read() {
        check("\u{feff}{\"mcpServers\": {\"a\": {\"command\": \"//x, }\",}, /* b, */ },} // the end", false, "mcpServers");
        check(r#"{"inputs": [], "servers": {"a": {"command": "//x, }"}}}"#, false, "servers");
        check(r#"{"mcpServers": {}, "servers": {"a": {"command": "//x, }"}}}"#, false, "servers");
        check(r#"{"mcp": {"servers": {"a": {"command": "//x, }"}}}}"#, false, "servers");
        check(r#"{"theme": "x", "context_servers": {"a": {"command": "//x, }"}}}"#, false, "context_servers");
        check("model = \"x\"\n[mcp_servers.a] # mine\ncommand = \"//x, }\"\n", true, "mcp_servers");
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_place() {
        let error = |text, is_toml| crate::error_chain::with_causes(&section(text, is_toml).err().unwrap());
        assert!(error("{ // x\n  \"servers\": {\"a\" 7} }", false).contains("line 2 column"), "{}", error("{\n,", false));
        assert!(error("a = ", true).starts_with("the configuration is no TOML: "), "{}", error("a = ", true));
        assert!(error("/* never closed", false).starts_with("the configuration is wrong: "));
    }
}
