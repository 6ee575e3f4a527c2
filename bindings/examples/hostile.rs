//! scratch
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "scratch")]
use isolet_bindings::*;
fn main() {
    let dir = "/work/shared/attacks/schemas"; let out="/work/corpus-tmp/hostile"; std::fs::create_dir_all(out).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e=="json") && !p.ends_with("namespaces.json")).collect(); files.sort();
    for f in files {
        let text = std::fs::read(&f).unwrap();
        let t = std::time::Instant::now();
        let catalog = match Catalog::load_json([("srv", text)]) { Ok(c) => c, Err(e) => { println!("{f:?} {e}"); continue } };
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let ts = scope.typescript();
        std::fs::write(format!("{out}/{}.d.ts", f.file_stem().unwrap().to_str().unwrap()), ts).unwrap();
        let ty = scope.types(TokenBudget::new(2000)); std::fs::write(format!("{out}/{}-b.d.ts", f.file_stem().unwrap().to_str().unwrap()), &ty.text).unwrap();
        println!("{:?} tools {} dropped {} bytes {} {:?}", f.file_name().unwrap(), scope.tools().len(), catalog.dropped().len(), ts.len(), t.elapsed());
        for d in catalog.dropped() { println!("   {d}"); }
    }
    let v: serde_json::Value = serde_json::from_slice(&std::fs::read(format!("{dir}/namespaces.json")).unwrap()).unwrap();
    let c = Catalog::load(v["namespaces"].as_array().unwrap().iter().map(|n| (n.as_str().unwrap(), vec![serde_json::json!({"name":"echo","inputSchema":{"type":"object"}})]))).unwrap();
    for d in c.dropped() { println!("   {d}"); }
    std::fs::write(format!("{out}/namespaces.d.ts"), c.scope(&Grants::new().allow("*")).unwrap().typescript()).unwrap();
}
