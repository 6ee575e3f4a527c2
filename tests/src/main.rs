//! scratch
use isolet::*;
struct Host;
impl ToolHost for Host {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        match call.tool.as_str() {
            "echo" => Ok(ToolReply::from(serde_json::Value::Object(call.arguments))),
            "slow" => { tokio::time::sleep(std::time::Duration::from_millis(call.arguments["ms"].as_u64().unwrap_or(5))).await; Ok(ToolReply::text("ok")) }
            _ => Err(ToolError::failed("no")),
        }
    }
}
fn main() {
    isolet::init();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut config = Config::default();
        if std::env::args().any(|a| a == "spawn") { config.start = Start::Spawn; }
        if std::env::args().any(|a| a == "nojail") { config = config.without_jail(); }
        let runtime = Runtime::new(config).unwrap();
        let tools = vec![serde_json::json!({"name":"echo","inputSchema":{"type":"object"}}), serde_json::json!({"name":"slow","inputSchema":{"type":"object"}})];
        let catalog = Catalog::load([("test", tools)]).unwrap();
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let session = runtime.session(scope.clone(), Host);
        println!("{:?}", runtime.isolation().await);
        for program in std::env::args().skip(1).filter(|a| a.len() > 7) {
            for _ in 0..3 {
            match session.run(&program).await { Ok(o) => println!("{}\n  {:?} {:?}\n {:?}", o.end, o.console, o.calls.len(), o.cost), Err(e) => println!("ERR {e:?}") }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
        println!("{:?}", runtime.metrics());
        if std::env::args().any(|a| a == "bench") {
            runtime.prepare(&scope).await.unwrap();
            println!("{:?}", runtime.isolation().await);
            for (name, program) in [("1+1", "return 1 + 1"), ("one call", "return await test.echo({value: 1})"), ("100 seq", "for (let i = 0; i < 100; i++) await test.echo({value: i}); return 1"), ("100 par", "return (await Promise.all(Array.from({length: 100}, (_, i) => test.echo({value: i})))).length")] {
                let mut times = Vec::new();
                for _ in 0..300 {
                    let started = std::time::Instant::now();
                    let o = session.run(program).await.unwrap();
                    times.push((started.elapsed(), format!("{:?}", o.cost.origin)));
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
                times.sort();
                println!("{name}: p50 {:?} p90 {:?} {}", times[150].0, times[270].0, times[150].1);
            }
            println!("{:?}", runtime.metrics());
        }
    });
}
