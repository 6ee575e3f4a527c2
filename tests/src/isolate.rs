//! What is in an isolate: the golden list of its global, the ops, and the ways out that are closed.

use isolet::{Catalog, Config, End, Grants, RunOptions, Runtime, Start, ToolCall, ToolError, ToolHost, ToolReply};
use libtest_mimic::{Failed, Trial};
use serde_json::json;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("isolate::the_global_is_the_golden_list", the_global_is_the_golden_list),
        Trial::test("isolate::the_ops_are_the_golden_list", the_ops_are_the_golden_list),
        Trial::test("isolate::the_same_seed_and_clock_give_the_same_run", the_same_seed_and_clock_give_the_same_run),
        Trial::test("isolate::a_spawned_run_is_like_a_forked_one", a_spawned_run_is_like_a_forked_one),
    ]
}

struct NoTools;

impl ToolHost for NoTools {
    async fn call(&self, _: ToolCall) -> Result<ToolReply, ToolError> {
        Err(ToolError::unknown_tool())
    }
}

fn returned(config: Config, source: &str, options: RunOptions) -> Result<serde_json::Value, Failed> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let scope =
            Catalog::load([("test", vec![json!({ "name": "echo", "inputSchema": {} })])])?.scope(&Grants::new().allow("*"))?;
        let session = Runtime::new(config)?.session(scope, NoTools);
        match session.run_with(source, options).await?.end {
            End::Returned(value) => Ok(value),
            end => Err(format!("{end}").into()),
        }
    })
}

/// An engine upgrade that adds a global fails here: look at what it can do, then add it or delete it at boot.
fn the_global_is_the_golden_list() -> Result<(), Failed> {
    let source = "return Reflect.ownKeys(globalThis).map(String).filter((name) => name !== 'test').sort().join('\\n')";
    let keys = returned(Config::default(), source, RunOptions::default())?;
    let expected = isolet_snapshots::globals::NAMES.trim_end();
    if keys.as_str() == Some(expected) {
        Ok(())
    } else {
        Err(format!("the global has:\n{}", keys.as_str().unwrap_or_default()).into())
    }
}

fn the_ops_are_the_golden_list() -> Result<(), Failed> {
    let names = isolet_snapshots::ops::NAMES;
    if names == ["op_say", "op_note", "op_position", "op_call", "op_done", "op_url"] {
        Ok(())
    } else {
        Err(format!("the ops are {names:?}").into())
    }
}

fn the_same_seed_and_clock_give_the_same_run() -> Result<(), Failed> {
    let source = "return [Math.random(), crypto.randomUUID(), Date.now(), new Date().toISOString(), new Intl.DateTimeFormat('en').format()]";
    let options = || {
        RunOptions::default().with(|options| {
            options.clock_ms = Some(1_700_000_000_000);
            options.seed = Some([5, 6, 7, 8]);
        })
    };
    let first = returned(Config::default(), source, options())?;
    if first != returned(Config::default(), source, options())? {
        return Err("two runs with one seed and clock differ".into());
    }
    let other = options().with(|options| options.seed = Some([5, 6, 7, 9]));
    if first[0] == returned(Config::default(), source, other)?[0] {
        Err("two seeds draw the same number".into())
    } else {
        Ok(())
    }
}

fn a_spawned_run_is_like_a_forked_one() -> Result<(), Failed> {
    let mut spawn = Config::default();
    spawn.start = Start::Spawn;
    let source = "return Reflect.ownKeys(globalThis).length + Object.keys(test).join()";
    let options = RunOptions::default;
    if returned(spawn, source, options())? == returned(Config::default(), source, options())? {
        Ok(())
    } else {
        Err("they differ".into())
    }
}
