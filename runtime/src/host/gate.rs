//! The point where a call is authorised: the only way from a program, or from a classic MCP client, to a tool.
//!
//! A guest names nothing: it sends an index and JSON text. The index is resolved in the scope of that run; what the scope
//! does not hold does not exist. The text is read once, validated as a tree that is then gone, and what was validated is what is sent, byte for
//! byte (SECURITY.md S-40, S-41, S-44).
//!
//! Validation is work of the run: estimated before it begins, done aside unless it is a moment's, refused where it is too much. It never
//! fails open.

use std::sync::Arc;

use isolet_bindings::{
    Arguments, ArgumentsError, CHECK_STEPS_MAX, Scope, ScopedTool, ToolCall, ToolError, ToolErrorCode, ToolReply, Verdict,
};
use serde_json::{Map, Value};

use super::estimate::{self, MOMENT_STEPS_MAX, TREE_BYTES_MAX, Work};
use super::kept_results::{self, ResultsOfUser};
use super::work::HostWork;

/// The index of `tools.search`, which the host answers by itself.
const SEARCH: u32 = 0x7fff_ffff;
/// The index of `tools.describe`.
const DESCRIBE: u32 = 0x7fff_fffe;
/// The index of `tools.result`.
const RESULT: u32 = 0x7fff_fffd;
/// The index of `tools.read`.
const READ: u32 = 0x7fff_fffc;
/// The most hits that a search gives.
const HITS_MAX: usize = 50;
/// The most characters of what a message says of arguments: a part of them may be in it.
const MESSAGE_CHARACTERS_MAX: usize = 4000;

/// What a call names.
#[derive(Clone, Copy)]
pub(crate) enum Target<'scope> {
    /// A tool of the scope.
    Tool(&'scope ScopedTool),
    /// What the host answers by itself.
    Own(Own),
    /// A prompt of a server, which no index means.
    #[cfg_attr(not(feature = "mcp"), expect(dead_code, reason = "for a session as an MCP server"))]
    Prompt {
        /// The server.
        server: &'scope str,
        /// What the server calls it.
        name: &'scope str,
    },
    /// Nothing that this scope has.
    Unknown,
}

/// What the host answers by itself.
#[derive(Clone, Copy)]
pub(crate) enum Own {
    /// `tools.search`.
    Search,
    /// `tools.describe`.
    Describe,
    /// `tools.result`.
    Result,
    /// `tools.read`.
    Read,
}

/// What a call may do.
pub(crate) enum Authorised {
    /// Call this tool; what was changed in its arguments, a sentence each.
    Tool(ToolCall, Vec<String>),
    /// Have this answer, which the scope gives.
    Answer(ToolReply),
    /// Read the resource with this address.
    Resource(String),
}

impl<'scope> Target<'scope> {
    /// What `index` means in this scope. A guest sends it, so it may be anything.
    pub(crate) fn of(scope: &'scope Scope, index: u32) -> Self {
        match index {
            SEARCH => Self::Own(Own::Search),
            DESCRIBE => Self::Own(Own::Describe),
            RESULT => Self::Own(Own::Result),
            READ => Self::Own(Own::Read),
            _ => scope.tool(index).map_or(Self::Unknown, Self::Tool),
        }
    }

    /// What records call it.
    pub(crate) fn path(self) -> &'scope str {
        match self {
            Self::Tool(tool) => tool.path(),
            Self::Own(own) => own.path(),
            Self::Prompt { .. } => "prompts/get",
            Self::Unknown => "?",
        }
    }
}

impl Own {
    fn path(self) -> &'static str {
        match self {
            Self::Search => "tools.search",
            Self::Describe => "tools.describe",
            Self::Result => "tools.result",
            Self::Read => "tools.read",
        }
    }

    fn answer(self, scope: &Scope, kept: &ResultsOfUser, arguments: String) -> Result<Authorised, ToolError> {
        let (_, arguments) = read(self.path(), arguments)?;
        Ok(match self {
            Self::Search => Authorised::Answer(search(scope, &arguments).into()),
            Self::Describe => Authorised::Answer(describe(scope, &arguments).into()),
            Self::Result => Authorised::Answer(kept_result(kept, &arguments)?),
            Self::Read => Authorised::Resource(address(&arguments)?),
        })
    }
}

/// Resolves, authorises and validates one call. The error is what the program gets.
pub(crate) async fn authorise(
    scope: &Scope,
    call: u32,
    index: u32,
    arguments: String,
    argument_bytes_max: usize,
    work: &Arc<HostWork>,
    kept: &ResultsOfUser,
) -> Result<Authorised, ToolError> {
    let target = Target::of(scope, index);
    if arguments.len() > argument_bytes_max {
        let (path, bytes) = (target.path(), arguments.len());
        let message =
            format!("the arguments of `{path}` have {bytes} bytes, the limit is {argument_bytes_max}: send less at a time");
        return Err(ToolError::new(ToolErrorCode::TooLarge, message));
    }
    let tool = match target {
        Target::Tool(tool) => tool,
        Target::Own(own) => {
            let (scope, kept) = (scope.clone(), kept.clone());
            // The first search of a scope makes its index, which takes as long as there are tools.
            let tree_bytes = estimate::tree_bytes(&arguments);
            return work.aside(tree_bytes, move || own.answer(&scope, &kept, arguments)).await?;
        }
        Target::Prompt { .. } | Target::Unknown => return Err(ToolError::unknown_tool()),
    };
    let Checked { arguments, notes } = checked(scope, tool, arguments, work).await?;
    Ok(Authorised::Tool(ToolCall::new(tool.server(), tool.name(), tool.path(), arguments, call), notes))
}

/// The arguments, once they are known to match the tool's schema.
async fn checked(scope: &Scope, tool: &ScopedTool, text: String, work: &Arc<HostWork>) -> Result<Checked, ToolError> {
    let tree_bytes = estimate::tree_bytes(&text);
    if tree_bytes > TREE_BYTES_MAX {
        return Err(excessive(tool.path(), "memory"));
    }
    let at_once = |text| {
        let unchecked = Unchecked::read(tool, text)?;
        let check = tool.check_arguments(&unchecked.value, MOMENT_STEPS_MAX);
        Ok::<_, ToolError>((unchecked, check))
    };
    let (unchecked, check) = match Work::of_reading(text.len()) {
        Work::Trifle => at_once(text)?,
        Work::Moment => work.here(|| at_once(text))?,
        Work::More => {
            let check = on_tool(scope, tool, move |tool| Unchecked::read(tool, text)?.check(tool));
            return work.aside(tree_bytes, check).await?;
        }
    };
    match check.verdict {
        // It may be more than a moment's work, and not too much.
        Verdict::Excessive => work.aside(tree_bytes, on_tool(scope, tool, move |tool| unchecked.check(tool))).await?,
        verdict => unchecked.judged(tool, verdict, MOMENT_STEPS_MAX),
    }
}

/// Does something with a tool of a scope on another thread.
fn on_tool<T, Act: FnOnce(&ScopedTool) -> Result<T, ToolError>>(
    scope: &Scope,
    tool: &ScopedTool,
    act: Act,
) -> impl FnOnce() -> Result<T, ToolError> + use<T, Act> {
    let (scope, index) = (scope.clone(), tool.index());
    move || act(scope.tool(index).ok_or_else(ToolError::unknown_tool)?)
}

/// Arguments that match their schema: what is sent.
struct Checked {
    arguments: Arguments,
    /// What was changed for it, a sentence each.
    notes: Vec<String>,
}

/// Arguments that were read, and the tree of them.
struct Unchecked {
    arguments: Arguments,
    value: Value,
}

impl Unchecked {
    /// Reads the text. The pinned arguments win over what is in it.
    fn read(tool: &ScopedTool, text: String) -> Result<Self, ToolError> {
        let (arguments, map) = read(tool.path(), text)?;
        if !tool.has_pinned() {
            return Ok(Self { arguments, value: Value::Object(map) });
        }
        let map = tool.with_pinned(map);
        Ok(Self { arguments: Arguments::of(&map), value: Value::Object(map) })
    }

    /// The arguments, if their tree matches the schema.
    fn check(self, tool: &ScopedTool) -> Result<Checked, ToolError> {
        let verdict = tool.check_arguments(&self.value, CHECK_STEPS_MAX).verdict;
        self.judged(tool, verdict, CHECK_STEPS_MAX)
    }

    /// The arguments, if this is the verdict on them, or what they plainly mean, if that matches within so many steps.
    fn judged(self, tool: &ScopedTool, verdict: Verdict, steps_max: u64) -> Result<Checked, ToolError> {
        let path = tool.path();
        // A number with a fraction of nothing may match, and not every server reads it as an integer.
        let is_meant_otherwise = match verdict {
            Verdict::Matches => self.arguments.as_json().contains(".0"),
            Verdict::Differs(_) => true,
            Verdict::Excessive => false,
        };
        if is_meant_otherwise && let Some(checked) = self.coerced(tool, steps_max) {
            return Ok(checked);
        }
        match verdict {
            Verdict::Matches => Ok(Checked { arguments: self.arguments, notes: Vec::new() }),
            Verdict::Differs(violations) => {
                let violations: Vec<String> = violations.iter().map(ToString::to_string).collect();
                Err(invalid(format!("the arguments of `{path}` do not match its schema: {}", violations.join("; "))))
            }
            Verdict::Excessive => Err(excessive(path, "work")),
        }
    }

    /// What the arguments plainly mean, if that matches.
    fn coerced(&self, tool: &ScopedTool, steps_max: u64) -> Option<Checked> {
        let coerced = tool.coerced(self.value.as_object()?)?;
        let notes = coerced.notes.iter().map(|note| format!("in a call of `{}`, {note}", tool.path())).collect();
        let arguments = coerced.sent();
        let matches = tool.check_arguments(&Value::Object(coerced.arguments), steps_max).verdict == Verdict::Matches;
        matches.then_some(Checked { arguments, notes })
    }
}

/// Arguments that are not checked, because that would take too much of something.
fn excessive(path: &str, what: &str) -> ToolError {
    let message =
        format!("to check the arguments of `{path}` against its schema would take too much {what}: send less at a time");
    ToolError::new(ToolErrorCode::TooMuchWork, message)
}

fn read(path: &str, text: String) -> Result<(Arguments, Map<String, Value>), ToolError> {
    // The arguments as JSON, in a text.
    let is_text_of_object = text.starts_with('"') && text.trim_end_matches('"').ends_with('}');
    Arguments::read(text).map_err(|error| {
        invalid(match error {
            ArgumentsError::NotAnObject(_) if is_text_of_object => format!(
                "`{path}` takes one object with named arguments, not a text of JSON: write `...` instead of `JSON.stringify(...)`"
            ),
            ArgumentsError::NotJson(error) => format!("the arguments of `{path}` are not JSON: {error}"),
            ArgumentsError::NotAnObject(what) => format!("`{path}` takes one object with named arguments, not {what}"),
            error => format!("the arguments of `{path}` cannot be read: {error}"),
        })
    })
}

fn invalid(message: String) -> ToolError {
    let message = match message.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message,
    };
    ToolError::new(ToolErrorCode::InvalidArguments, message)
}

fn search(scope: &Scope, arguments: &Map<String, Value>) -> Value {
    let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    let limit = arguments.get("limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10);
    serde_json::to_value(scope.search(query, limit.min(HITS_MAX))).unwrap_or_default()
}

fn describe(scope: &Scope, arguments: &Map<String, Value>) -> Value {
    // `tools.describe("a.b", "c.d")` and `tools.describe(["a.b", "c.d"])` alike.
    let paths = arguments.get("paths").and_then(Value::as_array).into_iter().flatten();
    let paths = paths.flat_map(|path| path.as_array().map_or(std::slice::from_ref(path), Vec::as_slice));
    Value::String(scope.describe(paths.filter_map(Value::as_str)))
}

/// The address of the resource that is to be read. Which servers may be asked for it is decided where it is read.
fn address(arguments: &Map<String, Value>) -> Result<String, ToolError> {
    let address = arguments.get("uri").and_then(Value::as_str).map(str::to_owned);
    address.ok_or_else(|| {
        let message = "`tools.read` takes the address of a resource, or a link to one: `await tools.read(\"file:///a.txt\")`";
        invalid(message.to_owned())
    })
}

/// A result that was too long for the model, or the elements or characters `from` to `to` of it.
fn kept_result(kept: &ResultsOfUser, arguments: &Map<String, Value>) -> Result<ToolReply, ToolError> {
    let handle = arguments.get("handle").and_then(Value::as_str).ok_or_else(|| {
        invalid(
            "`tools.result` takes the name of a result: `await tools.result(\"...\")`, as the result that was cut says it"
                .to_owned(),
        )
    })?;
    let result = kept.get(handle).ok_or_else(|| {
        let minutes = kept_results::AGE_MAX.as_secs() / 60;
        let last = kept_results::OF_USER_MAX;
        let message = format!(
            "this result is not kept any more: the last {last} that were too long are, for {minutes} minutes: run the program again that \
             returned it"
        );
        ToolError::failed(message)
    })?;
    let end = |name: &str| match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(number) => {
            let number = number.as_u64().map(|number| usize::try_from(number).unwrap_or(usize::MAX));
            number
                .map(Some)
                .ok_or_else(|| invalid("a part of a result goes from one whole number to another, from 0 on".to_owned()))
        }
    };
    let slice = (end("from")?, end("to")?);
    if slice == (None, None) {
        return Ok(result);
    }
    let unreadable =
        |error: serde_json::Error| ToolError::new(ToolErrorCode::Internal, format!("a kept result cannot be read: {error}"));
    let (from, to) = (slice.0.unwrap_or(0), slice.1.unwrap_or(usize::MAX));
    let count = to.saturating_sub(from);
    match serde_json::from_str(result.as_json()).map_err(unreadable)? {
        Value::Array(elements) => Ok(Value::Array(elements.into_iter().skip(from).take(count).collect()).into()),
        Value::String(text) => Ok(ToolReply::text(text.chars().skip(from).take(count).collect::<String>())),
        _ => Err(invalid("only an array or a text has a part from one position to another: leave out the numbers".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use isolet_bindings::{Catalog, Grants};
    use serde_json::json;

    use super::super::kept_results::KeptResults;
    use super::super::slots::User;
    use super::super::work::HostThreads;
    use super::*;

    const ARGUMENT_BYTES_MAX: usize = 200;

    /// What comes of a call: the tool's exact name and what is sent to it, an answer of the host, or the code of an error.
    #[derive(Debug, PartialEq)]
    enum Decided {
        Sent(&'static str, &'static str),
        Read(&'static str),
        Answered,
        Refused(ToolErrorCode),
    }
    use Decided::{Answered, Read, Refused, Sent};

    #[tokio::test]
    async fn what_a_call_may_do_is_what_its_scope_says() {
        let tool = |name: &str, properties: Value| json!({ "name": name, "inputSchema": { "type": "object", "properties": properties, "required": ["n"], "additionalProperties": false } });
        let integer = json!({ "n": { "type": "integer" }, "tenant": { "type": "string" } });
        let tools = ["pinned", "take-it", "denied"].map(|name| tool(name, integer.clone())).to_vec();
        let grants = Grants::new().allow("a.*").deny("a.denied").pin("a.pinned", "tenant", json!("acme"));
        let scope = Catalog::load([("a", tools)]).unwrap().scope(&grants).unwrap();
        let index_of = |name: &str| scope.tools().iter().find(|tool| tool.name() == name).unwrap().index();
        let (pinned, take, beyond) = (index_of("pinned"), index_of("take-it"), u32::try_from(scope.tools().len()).unwrap());
        assert!(scope.tools().iter().all(|tool| tool.name() != "denied"));
        let user = User::of_new_session();
        let work = HostWork::new(&HostThreads::start().unwrap(), &user);
        let kept = Arc::new(KeptResults::default()).of_user(&user);
        let handle = kept.keep(json!([1, 2]).into()).unwrap();
        let long = format!(r#"{{"n": 1, "tenant": "{}"}}"#, "x".repeat(ARGUMENT_BYTES_MAX));
        let of_kept = |part: &str| format!(r#"{{"handle": "{handle}"{part}}}"#);
        for (index, arguments, expected) in [
            (take, r#"{"n": 1}"#.to_owned(), Sent("take-it", r#"{"n": 1}"#)),
            (take, r#"{"n": 1, "tenant": "other"}"#.to_owned(), Sent("take-it", r#"{"n": 1, "tenant": "other"}"#)),
            (take, r#"{"n": 1.0}"#.to_owned(), Sent("take-it", r#"{"n":1}"#)),
            (take, r#"{"n": "1"}"#.to_owned(), Refused(ToolErrorCode::InvalidArguments)),
            (take, r#"{"n": 1, "where": 2}"#.to_owned(), Refused(ToolErrorCode::InvalidArguments)),
            (take, "{}".to_owned(), Refused(ToolErrorCode::InvalidArguments)),
            (take, "[1]".to_owned(), Refused(ToolErrorCode::InvalidArguments)),
            (take, "{".to_owned(), Refused(ToolErrorCode::InvalidArguments)),
            (take, String::new(), Refused(ToolErrorCode::InvalidArguments)),
            (take, long.clone(), Refused(ToolErrorCode::TooLarge)),
            (pinned, r#"{"n": 1}"#.to_owned(), Sent("pinned", r#"{"n":1,"tenant":"acme"}"#)),
            (pinned, r#"{"n": 1, "tenant": "other"}"#.to_owned(), Sent("pinned", r#"{"n":1,"tenant":"acme"}"#)),
            (beyond, "{}".to_owned(), Refused(ToolErrorCode::UnknownTool)),
            (u32::MAX, "{}".to_owned(), Refused(ToolErrorCode::UnknownTool)),
            (READ - 1, "{}".to_owned(), Refused(ToolErrorCode::UnknownTool)),
            (SEARCH, r#"{"query": "take"}"#.to_owned(), Answered),
            (SEARCH, "7".to_owned(), Refused(ToolErrorCode::InvalidArguments)),
            (SEARCH, long, Refused(ToolErrorCode::TooLarge)),
            (DESCRIBE, r#"{"paths": ["a.take_it"]}"#.to_owned(), Answered),
            (RESULT, of_kept(""), Answered),
            (RESULT, of_kept(r#", "from": 1, "to": 18446744073709551615"#), Answered),
            (RESULT, of_kept(r#", "from": -1"#), Refused(ToolErrorCode::InvalidArguments)),
            (READ, r#"{"uri": "file:///a"}"#.to_owned(), Read("file:///a")),
            (READ, r#"{"uri": 7}"#.to_owned(), Refused(ToolErrorCode::InvalidArguments)),
            (READ, "{}".to_owned(), Refused(ToolErrorCode::InvalidArguments)),
            (RESULT, r#"{"handle": "00"}"#.to_owned(), Refused(ToolErrorCode::ToolFailed)),
            (RESULT, "{}".to_owned(), Refused(ToolErrorCode::InvalidArguments)),
        ] {
            let authorised = authorise(&scope, 1, index, arguments.clone(), ARGUMENT_BYTES_MAX, &work, &kept).await;
            match (authorised, &expected) {
                (Ok(Authorised::Tool(call, _)), Sent(name, sent)) => {
                    assert_eq!((&*call.tool, call.arguments.as_json()), (*name, *sent), "{arguments}");
                }
                (Ok(Authorised::Answer(_)), Answered) => {}
                (Ok(Authorised::Resource(address)), Read(uri)) => assert_eq!(address, *uri),
                (Err(error), Refused(code)) => assert_eq!(error.code, *code, "{arguments}: {error}"),
                (Ok(Authorised::Tool(call, _)), _) => panic!("{arguments} is sent to {}, not {expected:?}", call.tool),
                (Ok(Authorised::Resource(_)), _) => panic!("{arguments} is read, not {expected:?}"),
                (Ok(Authorised::Answer(_)), _) => panic!("{arguments} is answered, not {expected:?}"),
                (Err(error), _) => panic!("{arguments}: {error}, not {expected:?}"),
            }
        }
    }
}
