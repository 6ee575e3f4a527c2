//! Every operation that JavaScript in an isolate can reach: the attack surface, readable in a minute.
//!
//! An op takes numbers and text, never a server, an address or a credential. None is asynchronous. All ops of deno_core are
//! disabled, when a snapshot is made and when it is booted (SECURITY.md S-02).

use deno_core::url::{Url, quirks};
use deno_core::{Extension, OpDecl, op2, v8};

use crate::door::{self, Ended};
use crate::json_text;
use crate::stack::{self, Position};

/// The names of all ops, in the order of their registration.
pub const NAMES: [&str; 6] = ["op_say", "op_note", "op_position", "op_call", "op_done", "op_url"];

/// The ops of deno_core that its own bootstrap calls. They work while the snapshot is made, and not in a guest process.
const OF_BOOTSTRAP: [&str; 3] = ["op_get_ext_import_meta_proto", "op_get_extras_binding_object", "op_set_captured_bootstrap"];

/// What an isolate is made for.
#[expect(clippy::exhaustive_enums, reason = "made for the runtime of the same version")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A snapshot: deno_core's bootstrap runs.
    Snapshot,
    /// A guest: no op works but ours.
    Guest,
}

/// The extension of deno_core that holds the ops and takes away its own.
#[must_use]
pub fn extension(made_for: Use) -> Extension {
    const OPS: &[OpDecl] = &[op_say(), op_note(), op_position(), op_call(), op_done(), op_url()];
    Extension {
        name: "isolet",
        ops: std::borrow::Cow::Borrowed(OPS),
        middleware_fn: Some(Box::new(move |op| {
            let kept = NAMES.contains(&op.name) || (made_for == Use::Snapshot && OF_BOOTSTRAP.contains(&op.name));
            if kept { op } else { op.disable() }
        })),
        ..Default::default()
    }
}

/// Sends one console line to the host, at once.
#[op2(nofast)]
fn op_say<'scope>(scope: &mut v8::PinScope<'scope, '_>, #[smi] level: u32, text: v8::Local<'scope, v8::String>) {
    let text = text.to_rust_string_lossy(scope);
    let level = u8::try_from(level).unwrap_or(0);
    door::with(|door| door.say(level, &text));
}

/// Says one sentence to whoever reads the outcome.
#[op2(nofast)]
fn op_note<'scope>(scope: &mut v8::PinScope<'scope, '_>, text: v8::Local<'scope, v8::String>) {
    let text = text.to_rust_string_lossy(scope);
    door::with(|door| door.note(&text));
}

/// The position in the program that runs now, for a call that has to wait: `line << 12 | column`, 0 if it is not known.
#[op2(nofast)]
#[smi]
fn op_position(scope: &mut v8::PinScope<'_, '_>) -> u32 {
    packed(stack::current(scope))
}

/// Asks the host to call one tool of this run's scope.
///
/// `call`: the id under which JavaScript keeps the promise. `tool`: an index in the scope. `at`: where the call was made, as
/// `op_position` says it, 0 for now. `arguments`: a JSON object, at most as long as the run's limit (longer ones never get here:
/// the glue throws). Returns the position that the call comes from, as `op_position` does.
#[op2(nofast)]
#[smi]
fn op_call<'scope>(
    scope: &mut v8::PinScope<'scope, '_>,
    #[smi] call: u32,
    #[smi] tool: u32,
    #[smi] at: u32,
    arguments: v8::Local<'scope, v8::String>,
) -> u32 {
    let position = if at == 0 { stack::current(scope) } else { unpacked(at) };
    let arguments = json_text::without_halves(arguments.to_rust_string_lossy(scope));
    door::with(|door| door.call(call, tool, position, &arguments));
    packed(position)
}

/// A position as one small integer of JavaScript: 18 bits of line, 12 of column; 0 for a line that does not fit.
fn packed(position: Position) -> u32 {
    if position.line >= 1 << 18 { 0 } else { position.line << 12 | position.column.min(4095) }
}

fn unpacked(at: u32) -> Position {
    Position { line: at >> 12, column: at & 4095 }
}

/// Ends the run. `ended`: 0 it returned `text`, 1 it threw `thrown`, which `text` describes, 2 it has returned and waits for its calls, 3 it
/// returned nothing. `at`: where the call was made that
/// failed with `thrown`, as `op_position` says it, 0 for another error: a failed call settles while no frame of the program is there.
#[op2(nofast)]
fn op_done<'scope>(
    scope: &mut v8::PinScope<'scope, '_>,
    #[smi] ended: u32,
    text: v8::Local<'scope, v8::String>,
    thrown: v8::Local<'scope, v8::Value>,
    #[smi] at: u32,
) {
    if ended == 2 {
        door::with(|door| door.waits());
        return;
    }
    let bytes = text.utf8_length(scope);
    if door::with(|door| door.result_bytes_max()).is_some_and(|bytes_max| bytes > bytes_max) {
        door::with(|door| door.result_too_large(bytes));
        return;
    }
    let text = json_text::without_halves(text.to_rust_string_lossy(scope));
    let (ended, position) = match ended {
        0 => (Ended::Returned, None),
        3 => (Ended::Nothing, None),
        _ if at > 0 => (Ended::Threw, Some(unpacked(at))),
        _ => (Ended::Threw, stack::of_exception(scope, thrown)),
    };
    door::with(|door| door.done(ended, &text, position));
}

/// Parses `href` (against `base` unless that is empty), then sets `part` of it to `value` unless `part` is empty.
///
/// Returns the eleven parts that `URL` has, one a line, or nothing where the text is no URL. Pure: no file, no network.
#[op2]
#[string]
fn op_url(#[string] href: &str, #[string] base: &str, #[string] part: &str, #[string] value: &str) -> String {
    url_parts(href, base, part, value).unwrap_or_default()
}

fn url_parts(href: &str, base: &str, part: &str, value: &str) -> Option<String> {
    let mut url = if base.is_empty() { Url::parse(href).ok()? } else { Url::parse(base).ok()?.join(href).ok()? };
    match part {
        "" => {}
        "href" => url = Url::parse(value).ok()?,
        "protocol" => quirks::set_protocol(&mut url, value).ok()?,
        "username" => quirks::set_username(&mut url, value).ok()?,
        "password" => quirks::set_password(&mut url, value).ok()?,
        "host" => quirks::set_host(&mut url, value).ok()?,
        "hostname" => quirks::set_hostname(&mut url, value).ok()?,
        "port" => quirks::set_port(&mut url, value).ok()?,
        "pathname" => quirks::set_pathname(&mut url, value),
        "search" => quirks::set_search(&mut url, value),
        "hash" => quirks::set_hash(&mut url, value),
        _ => return None,
    }
    let parts = [
        quirks::href(&url),
        &quirks::origin(&url),
        quirks::protocol(&url),
        quirks::username(&url),
        quirks::password(&url),
        quirks::host(&url),
        quirks::hostname(&url),
        quirks::port(&url),
        quirks::pathname(&url),
        quirks::search(&url),
        quirks::hash(&url),
    ];
    Some(parts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{Position, packed, unpacked, url_parts};

    #[test]
    fn a_place_fits_a_small_integer_or_is_not_known() {
        let last = Position { line: (1 << 18) - 1, column: 4095 };
        assert_eq!(unpacked(packed(last)), last);
        assert!(packed(last) < 1 << 30);
        assert_eq!(packed(Position { line: 1 << 18, column: 1 }), 0);
        assert_eq!(unpacked(packed(Position { line: 3, column: 9999 })), Position { line: 3, column: 4095 });
    }

    #[test]
    fn a_url_has_eleven_parts() {
        let parts = url_parts("../c?q=1#h", "https://user@example.com:8443/a/b", "", "").unwrap_or_default();
        let expected = [
            "https://user@example.com:8443/c?q=1#h",
            "https://example.com:8443",
            "https:",
            "user",
            "",
            "example.com:8443",
            "example.com",
            "8443",
            "/c",
            "?q=1",
            "#h",
        ];
        assert_eq!(parts.split('\n').collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_no_url_has_no_parts() {
        assert_eq!(url_parts("not a url", "", "", ""), None);
    }

    #[test]
    fn a_part_is_set() {
        let parts = url_parts("https://example.com/", "", "search", "a=1&b=2").unwrap_or_default();
        assert!(parts.starts_with("https://example.com/?a=1&b=2\n"), "{parts}");
    }
}
