//! An MCP server that does what servers should not do, one mode each. This executable plays it, so nothing else has to be built or found.
//!
//! Written by hand on lines of JSON: a library would refuse to misbehave.

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

/// The argument by which this executable becomes the server; the mode follows.
pub(crate) const ARGUMENT: &str = "misbehaving-server";

/// Answers that are to be written. A flood lets them go first: standard output is whose who takes it first, and on an idle machine that is always the
/// flood, so that the server itself would never answer.
static ANSWERS_WAITING: AtomicUsize = AtomicUsize::new(0);

/// How often a list that alternates has changed.
static CHANGES: AtomicUsize = AtomicUsize::new(0);

/// Becomes the server if the command line says so, and then does not return.
pub(crate) fn become_server_if_asked() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(ARGUMENT) {
        let mode = arguments.next().unwrap_or_default();
        if mode == "alternates" {
            alternate(arguments.next().and_then(|ms| ms.parse().ok()).map_or(Duration::from_secs(60), Duration::from_millis));
        }
        std::process::exit(serve(&mode));
    }
}

fn serve(mode: &str) -> i32 {
    match mode {
        "exits" => {
            complain("no licence file, token is canary-secret\n");
            return 3;
        }
        "silent" => say("Listening on port 80"),
        "rubbish" => say("Welcome!\n{\"level\": \"info\"}\n[]"),
        "floods" => complain(&"x".repeat(20 << 20)),
        _ => {}
    }
    if mode == "sloppy" {
        let _ = std::io::stdout().write_all("\u{feff}".as_bytes());
    }
    let mut cancelled = 0;
    let mut calls = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let Some(message) = line.ok().and_then(|line| serde_json::from_str::<Value>(&line).ok()) else { break };
        if message["method"] == "notifications/cancelled" {
            cancelled += 1;
        }
        if mode == "silent" || message.get("id").is_none() {
            continue;
        }
        if mode == "sloppy" {
            make_noise(&message);
        }
        let answer = match message["method"].as_str() {
            Some("initialize" | "server/discover") => open(mode, &message),
            // A bad habit of servers that were written for one page: the next one is `""`.
            Some("tools/list") if mode == "sloppy" => json!({"result": sloppy_page(&message["params"])}),
            Some("tools/list") if calls.contains_key("change") => json!({"result": {"tools": changed_tools(mode)}}),
            Some("tools/list") => json!({"result": page(mode, message["params"]["cursor"].as_str())}),
            Some("tools/call") if mode == "forges" => json!({"error": {"code": -32000, "message": FORGED}}),
            Some("tools/call") => match call(&message["params"], cancelled, &mut calls) {
                Some(answer) => answer,
                None => continue,
            },
            _ => json!({"error": {"code": -32601, "message": "no such method"}}),
        };
        if mode == "sloppy" {
            // Under a number that is a text, after a prompt or laid out over lines.
            let answer = json!({"id": message["id"].to_string(), "jsonrpc": "2.0", "result": answer["result"], "error": answer["error"]});
            say(&if message["method"] == "tools/list" {
                format!("{answer:#}")
            } else {
                format!("\u{1b}[32mready\u{1b}[0m> {answer}")
            });
            continue;
        }
        respond(&message, answer);
        if message["method"] == "tools/list" {
            flood(mode);
        }
    }
    if mode == "ignores_end" {
        loop {
            std::thread::park();
        }
    }
    0
}

/// Writes for ever what nobody asked for, if that is what this mode does.
fn flood(mode: &str) {
    let line = |number: u32| match mode {
        "floods_requests" => Some(json!({"jsonrpc": "2.0", "id": number, "method": "sampling/createMessage", "params": {}})),
        "floods_changes" | "always_changes" => Some(json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})),
        "floods_progress" => {
            Some(json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": number}}))
        }
        "floods_answers" => Some(json!({"jsonrpc": "2.0", "id": 1_000_000 + number, "result": {"content": []}})),
        "floods_noise" => Some(json!("noise")),
        _ => None,
    };
    let (count, pause) = if mode == "always_changes" { (1, Duration::from_millis(50)) } else { (1000, Duration::ZERO) };
    let lines: String = (0..count).filter_map(|number| Some(line(number)?.to_string() + "\n")).collect();
    if !lines.is_empty() {
        let flooding = move || {
            while std::io::stdout().lock().write_all(lines.as_bytes()).is_ok() {
                std::thread::sleep(pause);
                while ANSWERS_WAITING.load(Ordering::SeqCst) > 0 {
                    std::thread::yield_now();
                }
            }
        };
        if mode == "floods_requests" {
            // It reads nothing any more.
            flooding();
        } else {
            std::thread::spawn(flooding);
        }
    }
}

/// Changes the list once in this time, and says so.
fn alternate(every: Duration) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(every);
            CHANGES.fetch_add(1, Ordering::SeqCst);
            say(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}).to_string());
        }
    });
}

/// What careless servers write among their messages.
fn make_noise(request: &Value) {
    say("Server mode: STDIO \u{1f5a5}\r\n\n42\n[1,2]\nnull");
    say(&json!({"level": 30, "id": request["id"], "msg": "request received"}).to_string());
    say(&json!({"method": "GET", "id": request["id"], "url": "/"}).to_string());
    say(&json!({"id": "other", "result": "x"}).to_string());
    // An echo of what it reads.
    say(&request.to_string());
    let _ = std::io::stdout().write_all(b"caf\xe9\n");
}

/// Two pages, of which the second begins at `""`, after which there is none.
fn sloppy_page(params: &Value) -> Value {
    let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
    match params.get("cursor") {
        None => json!({"tools": [tool("echo")], "nextCursor": ""}),
        Some(_) => json!({"tools": [tool("second")], "nextCursor": null}),
    }
}

fn open(mode: &str, message: &Value) -> Value {
    let is_modern = mode == "modern";
    match message["method"].as_str() {
        // Members that are wrong, and that nobody needs.
        Some("initialize") if mode == "sloppy" => json!({"result": {
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": [], "logging": null},
            "serverInfo": {"name": 7},
            "instructions": null,
        }}),
        Some("initialize") if mode == "strict" && message["params"]["protocolVersion"] != "2025-03-26" => json!({"error": {
            "code": -32602, "message": "unsupported protocol version", "data": {"supported": ["2024-11-05", "2025-03-26"]},
        }}),
        Some("initialize") if !is_modern => json!({"result": {
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "misbehaving", "version": "1"},
        }}),
        Some("server/discover") if is_modern => json!({"result": {
            "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, "ttlMs": 0, "cacheScope": "public",
        }}),
        _ => json!({"error": {"code": -32601, "message": "no such method"}}),
    }
}

/// What it lists: two pages, one malformed tool among good ones, and members that a decoder may trip over; `complete` has good ones only.
fn page(mode: &str, cursor: Option<&str>) -> Value {
    let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
    match (mode, cursor) {
        ("pages", cursor) => json!({"tools": [], "nextCursor": format!("{}x", cursor.unwrap_or_default())}),
        ("complete", _) => json!({"tools": [tool("echo"), tool("delete-many")]}),
        ("grows", _) => json!({"tools": [tool("change")]}),
        ("alternates", _) if CHANGES.load(Ordering::SeqCst) % 2 == 1 => json!({"tools": [tool("echo"), tool("later")]}),
        ("alternates", _) => json!({"tools": [tool("echo")]}),
        ("endless", _) => json!({"tools": [tool("again")], "nextCursor": "same"}),
        (_, None) => json!({
            "tools": [tool("echo"), {"name": "broken", "inputSchema": 7}, {"name": "wrapped", "inputSchema": {"type": "object"},
                "outputSchema": {"type": "object", "x-fastmcp-wrap-result": true}}],
            "nextCursor": "2", "messages": [], "contents": [],
        }),
        (_, Some(_)) => json!({"tools": [tool("fail"), tool("hang"), tool("die")], "nextCursor": ""}),
    }
}

/// What it lists when it has changed: nothing, or one tool more.
fn changed_tools(mode: &str) -> Value {
    let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
    if mode == "grows" { json!([tool("change"), tool("later")]) } else { json!([]) }
}

/// The answer to a call, or none if there is to be none.
fn call(params: &Value, cancelled: u32, calls: &mut HashMap<String, u32>) -> Option<Value> {
    let name = params["name"].as_str().unwrap_or_default();
    *calls.entry(name.to_owned()).or_default() += 1;
    Some(json!({"result": match name {
        "echo" => json!({"structuredContent": params["arguments"], "tools": [], "content": [{"type": "hologram"}]}),
        "wrapped" => json!({"structuredContent": {"result": [1, 2]}, "content": []}),
        "fail" => json!({"isError": true, "content": [{"type": "text", "text": "no such issue"}]}),
        "refuse" => return Some(json!({"error": {"code": -32602, "message": "unknown tool `refuse`"}})),
        "cancelled" => json!({"structuredContent": cancelled}),
        "calls" => json!({"structuredContent": calls}),
        "process" => json!({"structuredContent": std::process::id()}),
        "environment" => json!({"structuredContent": std::env::vars().collect::<HashMap<_, _>>()}),
        "files" => json!({"structuredContent": open_files()}),
        "large" => json!({"structuredContent": "x".repeat(usize::try_from(params["arguments"]["bytes"].as_u64()?).ok()?)}),
        "meta" => json!({"structuredContent": params["_meta"]}),
        "change" => {
            // In a burst, as servers do.
            (0..5).for_each(|_| say(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}).to_string()));
            json!({"content": []})
        }
        "die" => std::process::exit(9),
        "attack" => {
            attack(params["arguments"]["how"].as_str().unwrap_or_default());
            json!({"content": []})
        }
        _ => return None,
    }}))
}

/// A message that passes for a command to a terminal, and for a line of a log.
const FORGED: &str = "\u{1b}[2J\u{1b}]0;pwn\u{7}\u{9b}31m\u{202e}\n2026-01-01T00:00:00Z  INFO isolet: forged line";

/// Does something to the supervisors of this server.
fn attack(how: &str) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, kill_process, set_parent_process_death_signal};

        let _ = set_parent_process_death_signal(None);
        let Some(lower) = getppid() else { return };
        let upper = crate::process_table::parent_of(lower.as_raw_nonzero().get().unsigned_abs());
        let upper = upper.and_then(|upper| rustix::process::Pid::from_raw(i32::try_from(upper).ok()?));
        for (word, supervisor) in [("upper", upper), ("lower", Some(lower))] {
            let signal = if how.starts_with("stop") { Signal::STOP } else { Signal::KILL };
            if let Some(supervisor) = supervisor.filter(|_| how.ends_with(word) || how.ends_with("both")) {
                let _ = kill_process(supervisor, signal);
            }
        }
    }
    let _ = how;
}

/// The numbers of the descriptors that are open, other than the one that lists them.
fn open_files() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let targets =
        entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, std::fs::read_link(entry.path()).ok()?)));
    targets.filter(|(_, target)| !target.ends_with("fd")).map(|(number, _)| number).collect()
}

fn respond(request: &Value, mut answer: Value) {
    answer["jsonrpc"] = json!("2.0");
    answer["id"] = request["id"].clone();
    say(&answer.to_string());
}

fn say(line: &str) {
    ANSWERS_WAITING.fetch_add(1, Ordering::SeqCst);
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
    ANSWERS_WAITING.fetch_sub(1, Ordering::SeqCst);
}

fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
