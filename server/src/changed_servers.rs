//! What of the servers is other after a file was read again: who reads the log sees which commands run from then on.

use isolet::mcp::{Configuration, ServerConfiguration};

use crate::shell_word::quoted;

/// A line for each server that is new, other than it was, or gone.
pub(crate) fn changed_servers(before: &Configuration, after: &Configuration) -> Vec<String> {
    let now = after.servers().filter_map(|(name, server)| {
        let what = match before.server(name) {
            None => "is new",
            Some(known) if known == server => return None,
            Some(_) => "has changed",
        };
        Some(format!("the server `{name}` {what}: it {}", shown(server)))
    });
    let gone = before.servers().filter(|(name, _)| after.server(name).is_none());
    now.chain(gone.map(|(name, _)| format!("the server `{name}` is gone"))).collect()
}

/// What is run or called. Of an address the origin, since paths and queries hold keys; of variables and header fields nothing.
fn shown(server: &ServerConfiguration) -> String {
    match server {
        ServerConfiguration::Command(command) => {
            let words = [&command.command].into_iter().chain(&command.args);
            format!("runs {}", words.map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
        }
        other => match other.url() {
            Some(url) => format!("calls {}", url.origin().ascii_serialization()),
            None => "has a document".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn each_server_that_differs_is_named_with_what_it_runs_and_without_what_is_secret() {
        let of = |text: &str| Configuration::parse(text).unwrap();
        let before = of(r#"{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}, "c": {"command": "x"}}}"#);
        let after = of(r#"{"mcpServers": {
            "a": {"command": "x"},
            "b": {"command": "x", "args": ["it's", "-v"], "env": {"TOKEN": "canary"}},
            "d": {"url": "https://mcp.example.com/canary/mcp?key=canary", "headers": {"x-key": "canary"}}
        }}"#);
        let expected = [
            r"the server `b` has changed: it runs x 'it'\''s' -v",
            "the server `d` is new: it calls https://mcp.example.com",
            "the server `c` is gone",
        ];
        assert_eq!(changed_servers(&before, &after), expected);
        assert_eq!(changed_servers(&after, &after), [""; 0]);
    }
}
