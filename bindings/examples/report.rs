//! scratch
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "scratch")]
use std::collections::BTreeMap;
use isolet_bindings::*;
use serde_json::{Value, json};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (input, dir) = (&args[1], &args[2]);
    std::fs::create_dir_all(dir).unwrap();
    let mut servers: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for line in std::fs::read_to_string(input).unwrap().lines() {
        let mut tool: Value = serde_json::from_str(line).unwrap();
        let server = tool["server"].as_str().unwrap().to_owned();
        let id = tool["id"].as_str().unwrap().to_owned();
        // duplicate names within a server get their own
        let list = servers.entry(server.clone()).or_default();
        let name = tool["name"].as_str().unwrap().to_owned();
        let key = (server.clone(), name.clone());
        if ids.contains_key(&key) { let name = format!("{name}_{id}"); tool["name"] = json!(name); ids.insert((server.clone(), name), id.clone()); } else { ids.insert(key, id.clone()); }
        list.push(tool);
    }
    let start = std::time::Instant::now();
    let mut manifest = serde_json::Map::new();
    let mut docs = String::new(); let mut docs_c = String::new();
    let mut n = 0; let mut dropped = 0;
    let mut whole = String::new();
    for (i, (server, tools)) in servers.into_iter().enumerate() {
        let catalog = Catalog::load([(server.clone(), tools)]).unwrap();
        for d in catalog.dropped() { println!("{d}"); dropped += 1; }
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let mut text = scope.typescript().to_owned();
        whole.push_str(&text);
        let docfull = text.clone();
        for (k, tool) in scope.tools().iter().enumerate() {
            n += 1;
            let id = &ids[&(server.clone(), tool.name().to_owned())];
            text.push_str(&format!("export type I{k} = NonNullable<Parameters<typeof {}>[0]>;\nexport type O{k} = Awaited<ReturnType<typeof {}>>;\n", tool.path(), tool.path()));
            let wraps = tool.unwraps_result();
            if wraps { text.push_str(&format!("export type W{k} = {{ result: O{k} }};\n")); }
            manifest.insert(id.clone(), json!({"file": format!("s{i}.ts"), "input": format!("I{k}"), "output": format!("{}{k}", if wraps { "W" } else { "O" })}));
            docs.push_str(&json!({"id": id, "doc": scope.describe([tool.path()])}).to_string()); docs.push('\n');
            let hit = &scope.search(tool.path(), 1)[0];
            let _ = hit;
            docs_c.push_str(&json!({"id": id, "doc": scope.compact(tool)}).to_string()); docs_c.push('\n');
        }
        let _ = docfull;
        std::fs::write(format!("{dir}/s{i}.ts"), text).unwrap();
    }
    std::fs::write(format!("{dir}/manifest.json"), Value::Object(manifest).to_string()).unwrap();
    std::fs::write(format!("{dir}/_doc.jsonl"), docs).unwrap();
    std::fs::create_dir_all(format!("{dir}-compact")).unwrap();
    std::fs::write(format!("{dir}-compact/_doc.jsonl"), docs_c).unwrap();
    std::fs::write(format!("{dir}-whole.d.ts"), whole).unwrap();
    println!("{n} tools, {dropped} dropped, {:?}", start.elapsed());
}
