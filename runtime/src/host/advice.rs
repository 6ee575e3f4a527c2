//! What to write instead of a name that is not there: a tool that is nearly called so, or what this place has instead.
//!
//! The names come from a guest process and may be anything; what is said of them holds for this scope, and tells what is forbidden in no other
//! way than what does not exist.

use isolet_bindings::Scope;

use crate::contract::facts::{Said, Used};

/// Tools that are named.
pub(crate) const TOOLS_MAX: usize = 3;
/// The longest query that a search is asked, characters.
const QUERY_CHARACTERS_MAX: usize = 200;
/// How near a name must be to that of a namespace.
const NAMESPACE_NEARNESS_MIN: f64 = 0.85;

/// What a name is to be replaced by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Advice {
    /// What to do, if that is not only to take one of the nearest names.
    pub(crate) remedy: String,
    /// Paths of tools, the best first.
    pub(crate) nearest: Vec<String>,
}

/// Functions that elsewhere call a tool by its name.
const CALLERS: [&str; 10] = [
    "callTool",
    "call_tool",
    "callMcpTool",
    "executeTool",
    "execute_tool",
    "invokeTool",
    "invoke_tool",
    "runTool",
    "use_tool",
    "useTool",
];
/// What the global object has elsewhere and here.
const OF_GLOBAL: [&str; 12] = [
    "atob",
    "btoa",
    "clearTimeout",
    "console",
    "crypto",
    "Date",
    "Intl",
    "JSON",
    "Math",
    "setTimeout",
    "structuredClone",
    "URL",
];

/// What other places have and this one does not: names, what to do (`NAME` is the name), and whether tools may do it.
const ELSEWHERE: &[(&[&str], &str, bool)] = &[
    (
        &["fetch", "axios", "XMLHttpRequest", "WebSocket", "request", "got", "superagent"],
        "there is no network: call a tool",
        true,
    ),
    (&["require"], "there are no modules: leave it out; the tools are global", true),
    (
        &["fs", "readFile", "readFileSync", "writeFile", "writeFileSync", "Deno", "Bun", "open", "os"],
        "there is no file system: call a tool",
        true,
    ),
    (&["exec", "execSync", "spawn", "child_process", "subprocess"], "there are no commands: call a tool", true),
    (
        &["process"],
        "there is no process and no environment: write the value into the program; the tools have their credentials",
        false,
    ),
    (
        &["Buffer"],
        "use `btoa` and `atob` for base64, write `btoa(...)` instead of `Buffer.from(...).toString(\"base64\")`; `TextEncoder` and `TextDecoder` are \
         for bytes",
        false,
    ),
    (&["Temporal"], "use `Date`, write `Date.parse(...)` instead of `Temporal.Instant.from(...).epochMilliseconds`", false),
    (&["moment", "dayjs", "luxon"], "use `Date` and `Intl.DateTimeFormat`", false),
    (&["performance"], "write `Date.now()` instead of each `performance.now()`", false),
    (&["lodash", "_"], "write it with the methods of arrays and objects", false),
    (&["sleep", "delay", "wait"], "write `new Promise((done) => setTimeout(done, ...))` instead of `NAME(...)`", false),
    (&["setImmediate"], "write `setTimeout` instead of `NAME`", false),
    (&["uuid", "uuidv4", "uuid4", "randomUUID", "nanoid"], "write `crypto.randomUUID` instead of `NAME`", false),
    (&["print", "println"], "write `console.log` instead of `NAME`", false),
    (
        &["window", "document", "navigator", "location", "localStorage", "sessionStorage", "alert", "prompt"],
        "there is no page: return what is to be shown",
        false,
    ),
    (&["global", "self"], "write `globalThis`", false),
    (
        &["module", "exports", "__dirname", "__filename"],
        "there are no modules and files: the program is the body of one function; `return` its result",
        false,
    ),
    (&["len", "None", "True", "False", "json", "str", "dict", "range"], "this looks like Python: write TypeScript", false),
    (&["Atomics", "SharedArrayBuffer", "WebAssembly", "Worker"], "there is one thread, and JavaScript alone", false),
];

/// What to write instead of `path`, the members of a name that is not declared. `said`: texts that it is used with.
pub(crate) fn of_path(scope: &Scope, path: &[String], said: &[String]) -> Advice {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    if let ["crypto", member, ..] = names.as_slice() {
        let remedy = format!(
            "`crypto.{member}` is not available, only `crypto.randomUUID` and `crypto.getRandomValues`: compute it, or call a tool"
        );
        return Advice { remedy, nearest: Vec::new() };
    }
    let namespace = names.iter().find(|name| **name != "tools").filter(|name| !scope.has_namespace(name));
    if let Some(server) = namespace.and_then(|name| scope.lacking().iter().find(|server| server.is_called(name))) {
        return Advice { remedy: server.to_string(), nearest: Vec::new() };
    }
    if let Some(nearest) = tools_meant(scope, &names) {
        return Advice { remedy: String::new(), nearest };
    }
    if let Some(remedy) = by_name(scope, &names, said) {
        return Advice { remedy, nearest: Vec::new() };
    }
    let Some(root) = names.first() else { return Advice::default() };
    if let (["window" | "self" | "global", member, ..], true) = (names.as_slice(), names.len() > 1)
        && OF_GLOBAL.contains(member)
    {
        return Advice { remedy: format!("write `globalThis` instead of `{root}`"), nearest: Vec::new() };
    }
    if let Some((_, remedy, has_tools)) = ELSEWHERE.iter().find(|(others, ..)| others.contains(root)) {
        let nearest = if *has_tools { found(scope, path, said) } else { Vec::new() };
        return Advice { remedy: remedy.replace("NAME", &names.join(".")), nearest };
    }
    Advice { remedy: String::new(), nearest: first(scope.nearest(names.last().unwrap_or(root))) }
}

/// What to do instead of an import.
pub(crate) fn of_import(scope: &Scope, module: &str, names: &[String]) -> Advice {
    let of_scope: Vec<&str> = names.iter().map(String::as_str).filter(|name| scope.has_namespace(name)).collect();
    if !of_scope.is_empty() {
        let remedy = format!("leave it out: `{}` is there without it", of_scope.join("`, `"));
        return Advice { remedy, nearest: Vec::new() };
    }
    let module = module.trim_start_matches("node:").split('/').next().unwrap_or_default();
    let nearest = found(scope, names, &[module.to_owned()]);
    let remedy = ELSEWHERE
        .iter()
        .find(|(others, ..)| others.contains(&module) || names.iter().any(|name| others.contains(&name.as_str())));
    let remedy = remedy.map_or("there are no modules; the tools are global", |(_, remedy, _)| remedy);
    Advice { remedy: format!("{remedy}; leave the import out"), nearest }
}

/// The call that is meant by one of a function that calls tools by their names: `callTool("github.list_issues", ...)`, or with two names.
fn by_name(scope: &Scope, names: &[&str], said: &[String]) -> Option<String> {
    let caller = names.last().filter(|name| CALLERS.contains(name))?;
    let of_path = |named: &str| scope.find(&named.replacen("__", ".", 1)).map(|tool| tool.path());
    let (tool, written) = match said {
        [server, tool, ..] if scope.has_namespace(server) => {
            (of_path(&format!("{server}.{tool}"))?, format!("\"{server}\", \"{tool}\""))
        }
        [named, ..] => (of_path(named)?, format!("\"{named}\"")),
        [] => return None,
    };
    let called = names.join(".");
    debug_assert!(called.ends_with(caller), "it is what is called");
    Some(format!("write `{tool}(...)` instead of `{called}({written}, ...)`"))
}

/// The tool that a path of three names and more means, as libraries have them: `github.issues.list`.
pub(crate) fn of_library(scope: &Scope, path: &[&str]) -> Option<String> {
    let [root, .., subject, verb] = path else { return None };
    if path.len() < 3 || !scope.has_namespace(root) {
        return None;
    }
    let named = [format!("{root}.{verb}_{subject}"), format!("{root}.{subject}_{verb}")];
    let known = named.iter().find_map(|named| scope.find(named)).map(|tool| tool.path().to_owned());
    known.or_else(|| {
        named.iter().find_map(|named| scope.nearest(named).into_iter().find(|near| near.starts_with(&format!("{root}."))))
    })
}

/// The only tool of a namespace whose name ends with a word, after others: `git.git_log` for `git.log`.
fn by_its_end(scope: &Scope, namespace: &str, word: &str) -> Option<Vec<String>> {
    let end = format!("_{word}");
    let mut ending = scope.tools().iter().filter(|tool| {
        tool.path().strip_prefix(namespace).is_some_and(|rest| rest.starts_with('.')) && tool.identifier().ends_with(&end)
    });
    ending.next().filter(|_| ending.next().is_none()).map(|tool| vec![tool.path().to_owned()])
}

/// The tools that a path nearly names, if it is one of a tool.
fn tools_meant(scope: &Scope, path: &[&str]) -> Option<Vec<String>> {
    let known = |path: &str| scope.find(path).map(|tool| vec![tool.path().to_owned()]);
    // `tools["github.x"]`.
    let parts: Vec<&str> = path.iter().flat_map(|name| name.split('.')).collect();
    let path = parts.as_slice();
    // `tools.github.x`, `mcp.github.x`: one of its members is the namespace.
    if let Some(start) = path.iter().position(|name| scope.has_namespace(name)) {
        let names = &path[start..];
        let named = names.iter().take(2).copied().collect::<Vec<_>>().join(".");
        let by_its_end = || names.get(1).and_then(|word| by_its_end(scope, names[0], word));
        let near = || by_its_end().unwrap_or_else(|| first(scope.nearest(&named)));
        return Some(known(&named).or_else(|| of_library(scope, names).map(|path| vec![path])).unwrap_or_else(near));
    }
    let root = path.first()?;
    // `github__x`, `mcp__github__x`.
    let parts: Vec<&str> = root.split("__").collect();
    if let Some(start) = parts.iter().position(|name| scope.has_namespace(name)).filter(|_| parts.len() > 1) {
        let named = format!("{}.{}", parts[start], parts[start + 1..].join("__"));
        return Some(known(&named).unwrap_or_else(|| first(scope.nearest(&named))));
    }
    // `githb.x`.
    if let [root, tool, ..] = path {
        let near =
            scope.manifest().namespaces.iter().map(|namespace| (strsim::jaro_winkler(&namespace.name, root), &namespace.name));
        let near = near.filter(|(nearness, _)| *nearness > NAMESPACE_NEARNESS_MIN).max_by(|one, two| one.0.total_cmp(&two.0));
        if let Some((_, namespace)) = near {
            let named = format!("{namespace}.{tool}");
            return Some(known(&named).unwrap_or_else(|| first(scope.nearest(&named))));
        }
    }
    // `x` alone, or as a member of something that is not here.
    let name = path.last()?;
    let called: Vec<String> = scope
        .tools()
        .iter()
        .filter(|tool| tool.identifier() == *name || tool.name() == *name)
        .map(|tool| tool.path().to_owned())
        .collect();
    (!called.is_empty()).then(|| first(called))
}

/// The tools that may do what a name and texts say, by search.
fn found(scope: &Scope, path: &[String], said: &[String]) -> Vec<String> {
    let mut query = String::new();
    for word in path.iter().chain(said) {
        // Prose is what is sent, not what is asked for.
        if word.contains(' ') {
            continue;
        }
        let word = word.split_once("://").map_or(word.as_str(), |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
        let word = match word {
            "POST" => "create add",
            "PUT" | "PATCH" => "update",
            "DELETE" => "delete",
            "fetch" | "require" | "axios" | "promises" | "fs" | "utf8" | "utf-8" => "",
            word => word,
        };
        let mut was_lower = false;
        for character in word.chars() {
            let splits = was_lower && character.is_uppercase();
            query.extend(splits.then_some(' '));
            query.push(if character.is_alphanumeric() { character } else { ' ' });
            was_lower = character.is_lowercase();
        }
        query.push(' ');
    }
    let query: String = query.chars().take(QUERY_CHARACTERS_MAX).collect();
    scope.search(&query, TOOLS_MAX).into_iter().map(|hit| hit.path).collect()
}

fn first(mut paths: Vec<String>) -> Vec<String> {
    paths.truncate(TOOLS_MAX);
    paths
}

/// The texts that a name is used with.
pub(crate) fn words_of(said: &Said) -> &[String] {
    match said {
        Said::Name { used: Used::Called { words, .. }, .. } => words,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_bindings::{Catalog, Grants};
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let tool = |name: &str, about: &str| json!({ "name": name, "description": about, "inputSchema": { "type": "object" } });
        let github = vec![tool("list_issues", "Lists issues"), tool("create_issue", "Creates an issue")];
        let files = vec![tool("read_text_file", "Reads a file as text"), tool("list", "Lists")];
        Catalog::load([("github", github), ("files", files)]).unwrap().scope(&Grants::new().allow("*")).unwrap()
    }

    #[track_caller]
    fn check(path: &str, nearest: &[&str], remedy: &str) {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        let advice = of_path(&scope(), &path, &[]);
        assert_eq!(advice.nearest.first().map(String::as_str), nearest.first().copied(), "{path:?}");
        assert!(advice.remedy.contains(remedy), "{advice:?}");
    }

    #[test]
    fn a_name_that_is_nearly_one_of_a_tool_gets_it() {
        for path in [
            "github.listIssues",
            "tools.github.list_issues",
            "mcp.github.list_issues",
            "github__list_issues",
            "githb.list_issues",
            "list_issues",
            "api.list_issues",
        ] {
            check(path, &["github.list_issues"], "");
        }
    }

    #[test]
    fn what_calls_a_tool_elsewhere_is_the_call_of_the_tool_here() {
        for (path, said, expected) in [
            (
                "callTool",
                &["github.list_issues", "acme"][..],
                "write `github.list_issues(...)` instead of `callTool(\"github.list_issues\", ...)`",
            ),
            (
                "mcp.callTool",
                &["github", "list_issues"],
                "write `github.list_issues(...)` instead of `mcp.callTool(\"github\", \"list_issues\", ...)`",
            ),
        ] {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            let said: Vec<String> = said.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(of_path(&scope(), &path, &said).remedy, expected);
        }
        for path in ["github.issues.list", "github.rest.issues.list", "tools.github.issues.list", "tools.github.list_issues"] {
            check(path, &["github.list_issues"], "");
        }
        check("files.text_file", &["files.read_text_file"], "");
        check("sleep", &[], "instead of `sleep(...)`");
        check("window.btoa", &[], "write `globalThis` instead of `window`");
    }

    #[test]
    fn a_server_that_could_not_be_asked_is_named_with_why() {
        let catalog = Catalog::load([("github", Vec::new())]).unwrap().lacking([("fs", "it ended")]);
        let of = |path: &str, grants: &Grants| {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            of_path(&catalog.scope(grants).unwrap(), &path, &[]).remedy
        };
        let all = Grants::new().allow("*");
        for path in ["fs.read", "fs", "tools.fs.read"] {
            let remedy = of(path, &all);
            assert!(remedy.contains("the server `fs` cannot be used now") && remedy.contains("it ended"), "{path}: {remedy}");
        }
        // To who may not use it, it does not exist.
        assert!(of("fs.read", &Grants::new().allow("github.*")).contains("no file system"));
    }

    #[test]
    fn what_other_places_have_gets_what_there_is_here() {
        check("process.env.HOME", &[], "environment");
        check("Buffer.from", &[], "btoa");
        check("crypto.subtle.digest", &[], "crypto.subtle");
        let advice = of_import(&scope(), "node:fs/promises", &["readFile".to_owned()]);
        assert_eq!(advice.nearest.first().map(String::as_str), Some("files.read_text_file"));
        assert!(of_import(&scope(), "./tools", &["github".to_owned()]).remedy.contains("`github` is there"));
    }
}
