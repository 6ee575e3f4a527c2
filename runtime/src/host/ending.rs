//! The end of a run, from what its process said last or from how it died.

use isolet_bindings::{Scope, visible};
use serde_json::value::RawValue;

use super::advice::{self, Advice};
use super::limits::Limits;
use super::outcome::{End, GuestError, Stop};
use crate::contract::guest_process;
use crate::contract::run::Ending;

/// The deepest result that JSON readers bear.
const RESULT_DEPTH_MAX: usize = 120;
const SOURCE_LINE_CHARACTERS_MAX: usize = 200;
const NEAREST_MAX: usize = 5;
/// The most characters of what a process says of a reply.
const BLAMED_CHARACTERS_MAX: usize = 300;
/// The most members of a name that is looked for.
const PATH_MAX: usize = 6;

/// What a process says last.
#[derive(Debug)]
pub(crate) struct LastWord {
    pub(crate) ending: Ending,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) text: String,
}

/// What a program threw, as the isolate describes it.
#[derive(serde::Deserialize)]
struct ErrorFacts {
    name: String,
    message: String,
    code: Option<String>,
    stack: Option<String>,
    #[serde(default)]
    causes: Vec<ErrorFacts>,
    blamed: Option<Blamed>,
}

/// The reply that a program took for something else, as its process says.
#[derive(serde::Deserialize)]
struct Blamed {
    path: String,
    is_promise: bool,
    shape: Option<String>,
    instead: Option<Instead>,
}

/// What to write instead of an expression of the program.
#[derive(serde::Deserialize)]
struct Instead {
    old: String,
    new: String,
}

impl Blamed {
    /// What a model is told of it.
    fn sentence(&self, scope: &Scope) -> String {
        let path = visible::line_within(&self.path, BLAMED_CHARACTERS_MAX);
        let within = |text: &str| visible::line_within(text, BLAMED_CHARACTERS_MAX).into_owned();
        let known = scope.find(&self.path);
        if self.is_promise {
            return match &self.instead {
                Some(Instead { old, new }) => {
                    format!("`{path}` gives a promise: write `{}` instead of `{}`", within(new), within(old))
                }
                None => format!("`{path}` gives a promise: write `await` before its call"),
            };
        }
        let declared =
            known.and_then(|tool| tool.definition().output_schema()).and_then(|schema| schema.get("properties")?.as_object());
        let declared = declared.map(|members| {
            format!("an object with {}", members.keys().take(NEAREST_MAX * 2).cloned().collect::<Vec<_>>().join(", "))
        });
        let shape = self.shape.clone().or(declared).unwrap_or_else(|| "a value".to_owned());
        let shape = visible::line_within(&shape, BLAMED_CHARACTERS_MAX);
        let remedy =
            self.instead.as_ref().map(|Instead { old, new }| format!(": write `{}` instead of `{}`", within(new), within(old)));
        format!("replies are already values, without an envelope: `{path}` gave {shape}{}", remedy.unwrap_or_default())
    }
}

/// What is known of a run that has ended, beside its last word.
pub(crate) struct Known {
    pub(crate) scope: Scope,
    pub(crate) result_bytes_max: usize,
    /// The line of the program that the last word names.
    pub(crate) source_line: Option<String>,
    /// Calls that were answered.
    pub(crate) answered: usize,
    /// The last call, `path at line N`.
    pub(crate) last_call: Option<String>,
}

impl LastWord {
    /// The line of the program that it names.
    pub(crate) fn source_line(&self, source: &str) -> Option<String> {
        source_line(source, self.line)
    }

    /// The end that it says.
    pub(crate) fn end(self, known: Known) -> End {
        let bytes_max = known.result_bytes_max;
        match self.ending {
            Ending::Returned if self.text.len() > bytes_max => lost("a result beyond its limit".to_owned()),
            Ending::Returned => returned(self.text),
            Ending::Threw => threw(self, known),
            Ending::TooLarge => {
                let bytes = self.text.parse::<u64>().unwrap_or_default();
                let what = format!("the result has {bytes} bytes, the limit is {bytes_max} bytes");
                End::Stopped(Stop::Output { what })
            }
            Ending::Deadlock => End::Stopped(Stop::Deadlock { answered: known.answered, last_call: known.last_call }),
        }
    }
}

/// A line of a program, as far as it is shown.
pub(crate) fn source_line(source: &str, line: u32) -> Option<String> {
    let line = usize::try_from(line).ok().and_then(|line| source.lines().nth(line.checked_sub(1)?));
    line.map(|text| text.chars().take(SOURCE_LINE_CHARACTERS_MAX).collect())
}

/// The result of a program, or why it is none.
fn returned(text: String) -> End {
    if depth_of(&text) > RESULT_DEPTH_MAX {
        return unreadable(format!("the result is nested deeper than {RESULT_DEPTH_MAX} levels: return a flatter value"));
    }
    let text = isolet_bindings::without_half_surrogates(&text);
    match serde_json::from_str(&text) {
        Ok(value) => End::Returned(value),
        // `JSON.rawJSON` can say numbers that no double holds.
        Err(error) if serde_json::from_str::<&RawValue>(&text).is_ok() => {
            unreadable(format!("the result cannot be read: {error}: return numbers that a double holds"))
        }
        Err(_) => lost("a result that is not JSON".to_owned()),
    }
}

/// The end of a program whose result is JSON that cannot be a value here.
fn unreadable(message: String) -> End {
    End::Threw(GuestError { name: "RangeError".to_owned(), message, ..GuestError::default() })
}

fn threw(word: LastWord, known: Known) -> End {
    let text = isolet_bindings::without_half_surrogates(&word.text);
    let Ok(facts) = serde_json::from_str::<ErrorFacts>(&text) else {
        return lost("an error that is not well formed".to_owned());
    };
    let (message, nearest) = advised(&known, &facts);
    End::Threw(GuestError {
        name: facts.name,
        message,
        code: facts.code,
        stack: facts.stack,
        line: (word.line > 0).then_some(word.line),
        column: (word.line > 0).then_some(word.column),
        source_line: known.source_line,
        causes: facts.causes.into_iter().map(|cause| format!("{}: {}", cause.name, cause.message)).collect(),
        nearest,
    })
}

/// The message of an error, with what to write instead of a name that is not there.
fn advised(known: &Known, facts: &ErrorFacts) -> (String, Vec<String>) {
    let Known { scope, source_line, .. } = known;
    if let Some(blamed) =
        facts.blamed.as_ref().filter(|blamed| blamed.path == "Promise.all" || scope.find(&blamed.path).is_some())
    {
        // Its own message says what it takes.
        let of_content = facts.message.starts_with("`tools.content`") && !blamed.is_promise;
        let sentence = if of_content {
            let path = visible::line_within(&blamed.path, BLAMED_CHARACTERS_MAX);
            format!("write `{path}` instead of `await {path}`")
        } else {
            blamed.sentence(scope)
        };
        return (format!("{}: {sentence}", facts.message), Vec::new());
    }
    let missing = match facts.name.as_str() {
        "ReferenceError" => facts.message.strip_suffix(" is not defined"),
        "TypeError" => facts.message.strip_suffix(" is not a function"),
        _ => None,
    };
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|character| character.is_alphanumeric() || "_$".contains(character));
    let path: Vec<String> = missing.unwrap_or_default().split('.').map(str::to_owned).collect();
    let root = path.first().map(String::as_str).unwrap_or_default();
    let is_of_scope = || root == "tools" || scope.has_namespace(root);
    if path.len() <= PATH_MAX && path.iter().all(|name| is_name(name)) && (facts.name == "ReferenceError" || is_of_scope()) {
        let Advice { remedy, nearest } = advice::of_path(scope, &path, &[]);
        let separator = if remedy.is_empty() { "" } else { ": " };
        return (format!("{}{separator}{remedy}", facts.message), nearest);
    }
    let nearest = if facts.name == "TypeError" { nearest(scope, source_line.as_deref()) } else { Vec::new() };
    (facts.message.clone(), nearest)
}

/// The names of this scope nearest to one that is not there: of each `namespace.tool(` on the line that failed.
fn nearest(scope: &Scope, source_line: Option<&str>) -> Vec<String> {
    let words = source_line
        .unwrap_or_default()
        .split(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | '$' | '.')));
    let missing = words.filter_map(|word| {
        let (namespace, _) = word.split_once('.')?;
        (scope.has_namespace(namespace) && scope.find(word).is_none()).then_some(word)
    });
    missing.take(NEAREST_MAX).flat_map(|word| scope.nearest(word)).take(NEAREST_MAX).collect()
}

/// The end of a process that said none: it died with this exit code, or by minus this signal.
pub(crate) fn of_exit(code: i32, killed_by_us: bool, limits: &Limits) -> End {
    match code {
        guest_process::EXIT_HEAP => End::Stopped(Stop::Heap { limit: limits.heap_bytes_max }),
        guest_process::EXIT_DATA => End::Stopped(Stop::Data),
        // The kernel's own limit, which stands behind ours.
        code if code == -libc::SIGXCPU => End::Stopped(Stop::Cpu { limit: limits.cpu_max }),
        code if code == -libc::SIGKILL && !killed_by_us => End::Stopped(Stop::Data),
        code => lost(how(code)),
    }
}

/// What an exit code says: minus a signal, or what the process itself said.
pub(crate) fn how(code: i32) -> String {
    if code < 0 { format!("signal {}", -code) } else { format!("exit code {code}") }
}

/// The end of a process that broke off, or did what only other code than ours does.
pub(crate) fn lost(how: String) -> End {
    End::Stopped(Stop::GuestLost { how })
}

/// The end of a process that says its walls twice, or anything else before them: only its own code runs there until then.
pub(crate) fn out_of_order() -> End {
    lost("a frame out of its order".to_owned())
}

/// How deep arrays and objects are nested in JSON text.
fn depth_of(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "a test fails by panicking")]

    use isolet_bindings::{Catalog, Grants};
    use serde_json::{Value, json};

    use super::*;

    fn said(ending: Ending, text: &str) -> End {
        let Ok(scope) = Catalog::load::<String, Vec<Value>>([]).map(|catalog| catalog.scope(&Grants::new())) else {
            panic!("no catalog")
        };
        let Ok(scope) = scope else { panic!("no scope") };
        let known = Known { scope, result_bytes_max: 1000, source_line: None, answered: 0, last_call: None };
        LastWord { ending, line: 1, column: 1, text: text.to_owned() }.end(known)
    }

    #[track_caller]
    fn check_error(end: &End, name: &str, message: &str) {
        let End::Threw(error) = end else { panic!("{end:?}") };
        assert!(error.name == name && error.message.contains(message), "{error:?}");
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert_eq!(depth_of(r#"{"a":"[[[\"[","b":[[1]]}"#), 3);
        assert_eq!(depth_of("1"), 0);
    }

    #[test]
    fn a_result_at_the_depth_limit_is_a_value_and_one_beyond_is_an_error() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(matches!(said(Ending::Returned, &nested(RESULT_DEPTH_MAX)), End::Returned(_)));
        check_error(&said(Ending::Returned, &nested(RESULT_DEPTH_MAX + 1)), "RangeError", "nested deeper than 120 levels");
    }

    #[test]
    fn a_number_that_no_double_holds_is_an_error_with_a_message() {
        check_error(&said(Ending::Returned, r#"{"x":1e999}"#), "RangeError", "number out of range at line 1 column 10");
        assert_eq!(said(Ending::Returned, r#"{"x":1e308}"#), End::Returned(json!({ "x": 1e308 })));
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced_in_results_and_errors() {
        assert_eq!(
            said(Ending::Returned, r#"{"\ud83d":"\ude00x\ud83d\ude00"}"#),
            End::Returned(json!({ "\u{fffd}": "\u{fffd}x😀" }))
        );
        let facts = r#"{"name":"Error","message":"\ud83d","code":"\ude00","causes":[{"name":"E","message":"\ud83d"}]}"#;
        let End::Threw(error) = said(Ending::Threw, facts) else { panic!("it threw") };
        assert_eq!(
            (error.message.as_str(), error.code.as_deref(), error.causes.as_slice()),
            ("\u{fffd}", Some("\u{fffd}"), &["E: \u{fffd}".to_owned()][..])
        );
    }

    #[test]
    fn what_is_no_json_is_the_end_of_its_process() {
        for (ending, text) in
            [(Ending::Returned, "{"), (Ending::Returned, "1 2"), (Ending::Threw, "{}"), (Ending::Threw, "\"x\"")]
        {
            assert!(matches!(said(ending, text), End::Stopped(Stop::GuestLost { .. })), "{text}");
        }
    }
}
