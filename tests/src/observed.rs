//! What replies were like, as runs, classic clients and the program `isolet` keep it: for whom it was seen, and nothing but names and kinds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use isolet::{Catalog, Config, End, Grants, ObservedShapes, Runtime, Scope, ToolCall, ToolReply, tool_fn};
use isolet_observations::{MemoryShapes, PRINCIPALS_MIN, SqliteShapes};
use serde_json::{Value, json};

use crate::node_packages::{self, NodePackages};

/// What needs nothing but a guest process.
pub(crate) const TESTS: &[crate::upstream::Test] = &[
    ("observed::what_a_program_was_answered_is_declared_in_the_next_session", the_next_session),
    ("observed::a_long_reply_is_observed_too_and_nothing_waits_for_it", a_long_reply),
    ("observed::a_guest_that_lies_changes_nothing_that_was_seen", a_guest_that_lies),
    ("observed::no_principal_is_shown_what_others_were_answered", others),
    ("observed::names_of_a_shared_server_are_published_with_the_third_principal", shared),
    ("observed::no_value_and_no_secret_key_is_kept_in_a_file", what_a_file_has),
];

/// What needs the compiler.
pub(crate) const WITH_PACKAGES: &[node_packages::Test] =
    &[("observed::the_compiler_accepts_every_reply_that_was_seen", every_reply_is_accepted)];

/// A scope of one server that says of no tool what it gives.
fn scope() -> Result<Scope> {
    let tool = |name: &str| json!({"name": name, "description": "Gives something.", "inputSchema": {"type": "object", "properties": {"of": {}}}});
    Ok(Catalog::load([("crm", vec![tool("find"), tool("list")])])?.scope(&Grants::new().allow("*"))?)
}

/// Runs a program for `principal`, to whom every tool answers `reply`. What it gave, and what the next session of `principal` would show.
fn ran(shapes: &Arc<impl ObservedShapes>, principal: &str, program: &str, reply: &Value) -> Result<(End, String)> {
    let scope = scope()?;
    let reply = reply.clone();
    let host = tool_fn(move |_: ToolCall| {
        let reply = ToolReply::from(reply.clone());
        async move { Ok(reply) }
    });
    let observing = scope.observing(shapes.clone(), principal);
    let outcome = tokio::runtime::Runtime::new()?.block_on(async {
        let runtime = Runtime::new(Config::default())?;
        anyhow::Ok(runtime.session(observing, host).run(program).await?)
    })?;
    Ok((outcome.end, scope.observing(shapes.clone(), principal).typescript().to_owned()))
}

fn the_next_session() -> Result<()> {
    let shapes = Arc::new(MemoryShapes::new());
    let reply = json!([{"id": 1, "name": "Ada"}, {"id": 2}]);
    let (end, next) = ran(&shapes, "ada", "return (await crm.find({ of: 1 })).length;", &reply)?;
    ensure!(end == End::Returned(json!(2)), "{end:?}");
    ensure!(next.ends_with("type find_result = { id: number; name?: string }[]; // 1 reply\n}\n"), "{next}");
    ensure!(next.starts_with(scope()?.typescript()), "what was declared is not as it was: {next}");
    // Without a call there is nothing to see, and a reply that contradicts widens.
    ran(&shapes, "ada", "return 1;", &reply)?;
    let (_, next) = ran(&shapes, "ada", "return await crm.find();", &json!("nobody"))?;
    ensure!(next.contains("type find_result = string | { id: number; name?: string }[]; // 2 replies"), "{next}");
    Ok(())
}

fn a_long_reply() -> Result<()> {
    let shapes = Arc::new(MemoryShapes::new());
    let row = json!({"id": 1, "text": "x".repeat(200)});
    let reply = Value::Array(vec![row; 2_000]);
    let (end, _) = ran(&shapes, "ada", "return (await crm.list()).length;", &reply)?;
    ensure!(end == End::Returned(json!(2_000)), "{end:?}");
    // The run's runtime may be gone before it was this reply's turn: then it was left out, and the next one is seen.
    let began = Instant::now();
    loop {
        let (_, next) = ran(&shapes, "ada", "await crm.list(); await new Promise(done => setTimeout(done, 200));", &reply)?;
        if next.contains("type list_result = { id: number; text: string }[];") {
            return Ok(());
        }
        ensure!(began.elapsed() < Duration::from_secs(60), "{next}");
    }
}

fn a_guest_that_lies() -> Result<()> {
    let shapes = Arc::new(MemoryShapes::new());
    let program = "try { JSON.parse = () => ({ forged: 1 }); } catch {} const found = await crm.find(); found.forged = 1; return { forged: 1 };";
    let (_, next) = ran(&shapes, "ada", program, &json!({"id": 1}))?;
    ensure!(next.contains("interface find_result { id: number } // 1 reply") && !next.contains("forged"), "{next}");
    Ok(())
}

fn others() -> Result<()> {
    let shapes = Arc::new(MemoryShapes::new());
    ran(&shapes, "ada", "return await crm.find();", &json!({"id": 1, "salary": 1}))?;
    let (_, of_bob) = ran(&shapes, "bob", "return 1;", &json!(null))?;
    ensure!(of_bob == scope()?.typescript(), "{of_bob}");
    let shown = scope()?.observing(shapes, "bob");
    for text in [
        shown.index(isolet::TokenBudget::new(10_000)).text,
        shown.search_text("find", 10, isolet::TokenBudget::new(10_000)),
        shown.describe(["crm.find"]),
        serde_json::to_string(&shown.search("find", 10))?,
    ] {
        ensure!(!text.contains("salary"), "{text}");
    }
    Ok(())
}

fn shared() -> Result<()> {
    let (shapes, apart) = (Arc::new(MemoryShapes::new().sharing(["crm"])), Arc::new(MemoryShapes::new().sharing(["other"])));
    for number in 0..PRINCIPALS_MIN {
        let reply = json!({"id": 1, format!("only{number}"): 1});
        for program in ["return await crm.find();", "return [await crm.find(), await crm.find()];"] {
            let eve = scope()?.observing(shapes.clone(), "eve").typescript().to_owned();
            ensure!(!eve.contains("id: number"), "after {number} principals: {eve}");
            // However often one principal is answered.
            ran(&shapes, &number.to_string(), program, &reply)?;
            ran(&apart, &number.to_string(), program, &reply)?;
            if number + 1 == PRINCIPALS_MIN {
                break;
            }
        }
    }
    let eve = scope()?.observing(shapes, "eve").typescript().to_owned();
    ensure!(eve.contains("interface find_result { id: number }") && !eve.contains("only"), "{eve}");
    ensure!(scope()?.observing(apart, "eve").typescript() == scope()?.typescript());
    Ok(())
}

fn what_a_file_has() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shapes.db");
    let shapes = Arc::new(SqliteShapes::open(&file, [""; 0])?);
    let secrets = ["sk-live-4f8aPq0sR7", "ada@example.org", "SECRET-VALUE", "AKIAIOSFODNN7EXAMPLE", "user_10293"];
    let reply = json!({
        "name": secrets[2],
        "keys": {secrets[0]: {"active": true}, secrets[1]: {"active": false}, secrets[3]: {"active": true}},
        secrets[4]: secrets[2],
    });
    let (_, next) = ran(&shapes, "ada", "return await crm.find();", &reply)?;
    ensure!(next.contains("keys: Record<string, { active: boolean }>") && next.contains("name: string"), "{next}");
    shapes.flush();
    let bytes = std::fs::read(&file)?;
    for secret in secrets {
        ensure!(!next.contains(secret), "{secret} is declared: {next}");
        ensure!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is in the file");
    }
    Ok(())
}

/// Some replies of every sort: what the types say of them has to be accepted by the compiler, and these values by the types.
fn every_reply_is_accepted(packages: &NodePackages) -> Result<()> {
    let replies: Vec<Vec<Value>> = vec![
        vec![json!([{"id": 1, "tags": ["a"]}, {"id": "x", "tags": [], "owner": {"login": "a"}}]), json!([])],
        vec![json!({"a": 1}), json!({"b": "x"}), json!("text"), json!(null)],
        vec![json!({"content-type": "text", "length": 1, "on": true}), json!({"length": 2})],
        vec![json!({"ada@example.org": {"age": 1}, "bob": {"age": null}})],
        vec![json!({"delete": 1, "constructor": "x", "$ref": [[1, [2]]], "_": {}})],
        vec![json!({"*/ declare const pwned: 1; /*": 1, "`${1}`": "x", "__proto__": 1, "\u{2028}": [true]})],
        vec![json!([[], [1, "a", null, [{"deep": {"deep": {"deep": []}}}]]])],
        vec![Value::Object(
            (0..70)
                .map(|number| (format!("k{}", "x".repeat(number)), if number % 2 == 0 { json!(1) } else { json!("x") }))
                .collect(),
        )],
        vec![(0..20).fold(json!(1), |inner, _| json!({ "a": inner }))],
        vec![json!(true), json!(1.5), json!(9_007_199_254_740_993_i64)],
    ];
    let shapes = Arc::new(MemoryShapes::new());
    let tools: Vec<Value> =
        (0..replies.len()).map(|place| json!({"name": format!("t{place}"), "inputSchema": {"type": "object"}})).collect();
    let scope = Catalog::load([("crm", tools)])?.scope(&Grants::new().allow("*"))?;
    let observing = scope.observing(shapes.clone(), "ada");
    let mut program = String::from("export {};\n");
    for (place, replies) in replies.iter().enumerate() {
        let index = scope.find(&format!("crm.t{place}")).context("no such tool")?.index();
        for (number, reply) in replies.iter().enumerate() {
            observing.observe(index, &reply.to_string());
            program.push_str(&format!("const v{place}_{number}: crm.t{place}_result = {reply};\n"));
        }
    }
    let types = scope.observing(shapes, "ada").typescript().to_owned();
    ensure!(types.matches("_result").count() == replies.len() && !types.contains("pwned"), "{types}");
    let place = tempfile::tempdir()?;
    let [declared, used] = ["types.d.ts", "used.ts"].map(|name| place.path().join(name));
    std::fs::write(&declared, &types)?;
    std::fs::write(&used, &program)?;
    let complaint = packages.complaint(&[declared.clone(), used.clone()])?;
    ensure!(complaint.is_none(), "{}\n{types}\n{program}", complaint.unwrap_or_default());
    // A value of another kind is refused, so the types say something.
    std::fs::write(&used, "export {};\nconst wrong: crm.t0_result = { id: 1 };\n")?;
    ensure!(packages.complaint(&[declared, used])?.is_some(), "anything is accepted: {types}");
    Ok(())
}
