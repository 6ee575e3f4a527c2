//! What a run costs: start, calls, scope size, walls, throughput. `cargo xtask bench`, or `cargo bench -p isolet`.
//!
//! Each iteration times one request from `Session::run` to its outcome; between iterations, outside the timed part, the pool
//! forks the next run ahead. Compare within one run of this program: absolute times belong to one machine.
#![expect(clippy::unwrap_used, reason = "a benchmark: what fails ends it")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use isolet::danger::JailLayer;
use isolet::{Catalog, Config, End, Grants, Origin, Runtime, Scope, Session, Start, ToolCall, ToolError, ToolHost, ToolReply};
use isolet_observations::MemoryShapes;
use serde_json::json;

/// Answers at once: `echo` its arguments, `big` a list of 5,000 objects (1 MB), `slow` after five milliseconds.
struct Tools {
    big: ToolReply,
}

impl ToolHost for Tools {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        match call.tool.as_str() {
            "tool_1" => Ok(self.big.clone()),
            "tool_2" => {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok(ToolReply::from(json!({ "ok": true })))
            }
            _ => Ok(ToolReply::from(serde_json::Value::Object(call.arguments.as_map().clone()))),
        }
    }
}

fn tools() -> Tools {
    let rows: Vec<_> = (0..5000)
        .map(|id| json!({ "id": id, "title": format!("issue number {id} of this project"), "state": if id % 3 == 0 { "open" } else { "closed" }, "assignee": { "login": format!("user{}", id % 17) }, "labels": ["bug", "area/runtime", "needs triage"], "comments": id % 41, "milestone": "2026.11", "locked": false }))
        .collect();
    Tools { big: ToolReply::json(&rows).unwrap() }
}

/// A scope of `count` tools with ordinary schemas.
fn scope(count: usize) -> Scope {
    let schema = json!({
        "type": "object",
        "properties": { "value": {}, "state": { "enum": ["open", "closed"] }, "limit": { "type": "integer", "minimum": 1 } }
    });
    let tools: Vec<_> =
        (0..count).map(|id| json!({ "name": format!("tool_{id}"), "description": "A tool.", "inputSchema": schema })).collect();
    let catalog = Catalog::load([("test", tools)]).unwrap();
    catalog.scope(&Grants::new().allow("*")).unwrap()
}

/// A runtime, and a session of it whose scope is prepared.
struct Bench {
    tokio: tokio::runtime::Runtime,
    runtime: Runtime,
    session: Arc<Session>,
}

impl Bench {
    fn new(tools_in_scope: usize, configure: impl FnOnce(&mut Config)) -> Self {
        Self::with(tools_in_scope, |mut config| {
            configure(&mut config);
            config
        })
    }

    fn with(tools_in_scope: usize, configure: impl FnOnce(Config) -> Config) -> Self {
        let tokio = tokio::runtime::Runtime::new().unwrap();
        let runtime = Runtime::new(configure(Config::default())).unwrap();
        let scope = scope(tools_in_scope);
        tokio.block_on(runtime.prepare(&scope)).unwrap();
        let session = Arc::new(runtime.session(scope, tools()));
        Self { tokio, runtime, session }
    }

    /// The same, whose replies are observed.
    fn observing(mut self) -> Self {
        let scope = self.session.scope().observing(Arc::new(MemoryShapes::new()), "ada");
        self.session = Arc::new(self.runtime.session(scope, tools()));
        self
    }

    /// Times `iterations` requests one after the other, in a task as a backend's handlers are: a future that `block_on` drives is
    /// woken through one thread more.
    fn time(&self, iterations: u64, program: &'static str, origin: Option<Origin>) -> Duration {
        let (runtime, session) = (self.runtime.clone(), Arc::clone(&self.session));
        let timed = self.tokio.spawn(async move {
            let mut total = Duration::ZERO;
            for _ in 0..iterations {
                if origin == Some(Origin::Ready) {
                    while runtime.metrics().ready == 0 {
                        tokio::time::sleep(Duration::from_micros(200)).await;
                    }
                }
                // The process of the last iteration is gone, and that of the next one waits.
                tokio::time::sleep(Duration::from_millis(1)).await;
                let started = Instant::now();
                let outcome = session.run(program).await.unwrap();
                total += started.elapsed();
                assert!(matches!(outcome.end, End::Returned(_)), "{}", outcome.end);
                assert!(origin.is_none_or(|origin| origin == outcome.cost.origin), "{:?}", outcome.cost);
            }
            total
        });
        self.tokio.block_on(timed).unwrap()
    }
}

impl Bench {
    /// Makes at least so many requests with one call, shared by clients that make theirs one after the other; how many it were.
    fn requests(&self, clients: u64, at_least: u64) -> u64 {
        let each = at_least.div_ceil(clients);
        self.tokio.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..clients {
                let session = Arc::clone(&self.session);
                tasks.spawn(async move {
                    for _ in 0..each {
                        let outcome = session.run(ONE_CALL).await.unwrap();
                        assert!(matches!(outcome.end, End::Returned(_)), "{}", outcome.end);
                    }
                });
            }
            tasks.join_all().await;
        });
        each * clients
    }
}

const ADD: &str = "return 1 + 1";
const ONE_CALL: &str = "return await test.tool_0({ value: 1 })";
/// The same call, of which nothing can be told before it is made.
const ONE_CALL_UNSEEN: &str = "return await test['tool_' + 0]({ value: 1 })";
const SEQUENCE: &str = "let sum = 0; for (let i = 0; i < 100; i++) sum += (await test.tool_0({ value: i })).value; return sum";
const PARALLEL: &str = "return (await Promise.all(Array.from({ length: 100 }, (_, i) => test.tool_0({ value: i })))).length";
const FILTER: &str = "const rows = await test.tool_1({}); const open = rows.filter((row) => row.state === 'open'); const by = {}; for (const row of open) by[row.assignee.login] = (by[row.assignee.login] ?? 0) + row.comments; return by";
const SLOW_PARALLEL: &str = "return (await Promise.all(Array.from({ length: 100 }, () => test.tool_2({})))).length";

/// What does a run cost, by where its process comes from?
fn origins(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("run");
    let ready = Bench::new(30, |_| {});
    let forked = Bench::new(30, |config| config.ready_runs_max = 0);
    let spawned = Bench::new(30, |config| config.start = Start::Spawn);
    for (name, program) in [("add", ADD), ("one_call", ONE_CALL)] {
        group.bench_function(BenchmarkId::new("ready", name), |bencher| {
            bencher.iter_custom(|n| ready.time(n, program, Some(Origin::Ready)))
        });
        group.bench_function(BenchmarkId::new("forked", name), |bencher| {
            bencher.iter_custom(|n| forked.time(n, program, Some(Origin::Forked)))
        });
        group.bench_function(BenchmarkId::new("spawned", name), |bencher| {
            bencher.iter_custom(|n| spawned.time(n, program, Some(Origin::Spawned)))
        });
    }
    group.finish();
}

/// What does it cost that a call is looked at before it is made, and that its reply is observed? A ready run with one call, with and without either.
fn looking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("run/ready");
    let ready = Bench::new(30, |_| {});
    let observing = Bench::new(30, |_| {}).observing();
    for (name, bench, program) in
        [("facts", &ready, ONE_CALL), ("no_facts", &ready, ONE_CALL_UNSEEN), ("facts_observed", &observing, ONE_CALL)]
    {
        group.bench_function(name, |bencher| bencher.iter_custom(|n| bench.time(n, program, Some(Origin::Ready))));
    }
    group.finish();
}

/// What do calls cost, one after the other and at once?
fn calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("calls");
    let ready = Bench::new(30, |_| {});
    for (name, program) in [
        ("sequence_100", SEQUENCE),
        ("parallel_100", PARALLEL),
        ("parallel_100_of_5_ms", SLOW_PARALLEL),
        ("filter_1_mb", FILTER),
    ] {
        group.bench_function(name, |bencher| bencher.iter_custom(|n| ready.time(n, program, Some(Origin::Ready))));
    }
    let jit = Bench::new(30, |config| config.jit = isolet::Jit::On);
    group.bench_function("filter_1_mb_with_jit", |bencher| bencher.iter_custom(|n| jit.time(n, FILTER, Some(Origin::Ready))));
    group.finish();
}

/// Does the size of the scope cost anything at start-up?
fn scope_sizes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("forked_by_tools");
    for tools in [10, 30, 1000, 5000] {
        let bench = Bench::new(tools, |config| config.ready_runs_max = 0);
        group.bench_function(BenchmarkId::from_parameter(tools), |bencher| {
            bencher.iter_custom(|n| bench.time(n, ONE_CALL, Some(Origin::Forked)))
        });
    }
    group.finish();
}

/// Does it pay for a spawned run to boot from the snapshot of its scope instead of installing bindings, by their number?
///
/// Beside them the least that a boot without any snapshot takes: exec, V8, bootstrap JavaScript, bindings, and no program.
fn spawned_by_tools(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spawned_by_tools");
    for tools in [10, 200, 5000] {
        group.bench_function(BenchmarkId::new("boot_without_snapshot", tools), |bencher| {
            bencher.iter_custom(|n| (0..n).map(|_| boot_without_snapshot(tools)).sum())
        });
        let base = Bench::new(tools, |config| (config.start, config.snapshot_bytes_max) = (Start::Spawn, 0));
        let scope = Bench::new(tools, |config| config.start = Start::Spawn);
        for (name, bench) in [("base_snapshot", &base), ("scope_snapshot", &scope)] {
            group.bench_function(BenchmarkId::new(name, tools), |bencher| {
                bencher.iter_custom(|n| bench.time(n, ONE_CALL, Some(Origin::Spawned)))
            });
        }
    }
    group.finish();
}

/// The argument of a process that boots without a snapshot and ends; the next one is the number of tools.
const BOOT_ARGUMENT: &str = "--boot-without-snapshot";

fn boot_without_snapshot(tools: usize) -> Duration {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args([BOOT_ARGUMENT, &tools.to_string()]).env_clear();
    let started = Instant::now();
    assert!(command.status().unwrap().success());
    started.elapsed()
}

fn boot_if_asked() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().is_some_and(|argument| argument == BOOT_ARGUMENT) {
        let tools: usize = arguments.next().unwrap().parse().unwrap();
        let tools: Vec<_> = (0..tools).map(|id| format!("tool_{id}")).collect();
        let mut maker = isolet_snapshots::maker::Maker::start(isolet::Jit::Off.v8_flags()).unwrap();
        maker.install(&json!([{ "name": "test", "tools": tools }]).to_string()).unwrap();
        std::process::exit(0);
    }
}

/// Would the zygote of a scope be there sooner if it were exec'd and booted from the scope's snapshot? It is forked from the base
/// zygote, and installs its bindings. An exec'd one takes at least as long as the base zygote: exec, boot, warm-up.
fn zygotes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("zygote_by_tools");
    let tokio = tokio::runtime::Runtime::new().unwrap();
    group.bench_function("executed", |bencher| {
        bencher.iter_custom(|n| {
            let started = Instant::now();
            for _ in 0..n {
                tokio.block_on(Runtime::new(Config::default()).unwrap().isolation());
            }
            started.elapsed()
        })
    });
    for tools in [10, 200, 5000] {
        let mut config = Config::default();
        (config.ready_runs_max, config.zygotes_max) = (0, 1); // each one takes the place of the last
        let runtime = Runtime::new(config).unwrap();
        tokio.block_on(runtime.isolation());
        let scopes = [tools, tools + 1].map(scope);
        let mut next = 0;
        group.bench_function(BenchmarkId::new("forked", tools), |bencher| {
            bencher.iter_custom(|n| {
                let started = Instant::now();
                for _ in 0..n {
                    next = 1 - next;
                    tokio.block_on(runtime.prepare(&scopes[next])).unwrap();
                }
                started.elapsed()
            })
        });
    }
    group.finish();
}

/// The walls that [`walls`] and [`cpu`] compare: all, each layer of the jail left away, the whole jail, huge pages.
fn by_walls(ready_runs_max: usize) -> Vec<(&'static str, Bench)> {
    let with = |change: fn(Config) -> Config| {
        Bench::with(30, |mut config| {
            config.ready_runs_max = ready_runs_max;
            change(config)
        })
    };
    vec![
        ("all", with(|config| config)),
        ("without_files", with(|config| config.dangerous().without_jail_layer(JailLayer::Files))),
        ("without_system_calls", with(|config| config.dangerous().without_jail_layer(JailLayer::SystemCalls))),
        ("without_resources", with(|config| config.dangerous().without_jail_layer(JailLayer::Resources))),
        ("without_jail", with(|config| config.dangerous().without_jail())),
        (
            "small_pages",
            with(|mut config| {
                config.huge_pages = false;
                config
            }),
        ),
    ]
}

/// What does each layer of the jail cost, and what do huge pages save? Of a run that is forked on demand, which closes its walls while
/// its client waits.
fn walls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("walls");
    for (name, bench) in by_walls(0) {
        group.bench_function(name, |bencher| bencher.iter_custom(|n| bench.time(n, ONE_CALL, Some(Origin::Forked))));
    }
    group.finish();
}

/// How much processor time does a request with one call take, on the host, in zygotes and in runs together, forks ahead and ends of
/// processes included? And by walls.
fn cpu(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cpu_of_a_one_call_request");
    // All live until the end: the time of a run whose zygote has ended before it is in nobody's.
    let benches = by_walls(8);
    for (name, bench) in &benches {
        group.bench_function(*name, |bencher| {
            bencher.iter_custom(|n| {
                let before = cpu_of_this_process_and_its_descendants();
                // The kernel tells hundredths of a second.
                let made = bench.requests(2, n.max(500));
                (cpu_of_this_process_and_its_descendants() - before).mul_f64(n as f64 / made as f64)
            });
        });
    }
    group.finish();
}

/// Of those that live, and of all that they have waited for: runs that have ended are in the time of their zygote.
fn cpu_of_this_process_and_its_descendants() -> Duration {
    let mut stats = HashMap::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let process: Option<u32> = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let stat = std::fs::read_to_string(entry.path().join("stat"));
        if let (Some(process), Ok(stat)) = (process, stat) {
            // The fields after the name, which may have any character in it.
            let fields: Vec<u64> =
                stat.rsplit(')').next().unwrap().split(' ').map(|field| field.parse().unwrap_or(0)).collect();
            stats.insert(process, (fields[2], fields[12..16].iter().sum::<u64>()));
        }
    }
    let is_ours = |mut process: u32| {
        while process != std::process::id() {
            match stats.get(&process) {
                Some((parent, _)) if *parent > 1 => process = u32::try_from(*parent).unwrap(),
                _ => return false,
            }
        }
        true
    };
    let ticks: u64 = stats.iter().filter(|(process, _)| is_ours(**process)).map(|(_, (_, ticks))| ticks).sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// How long is a request when clients wait for one another? Time for each request, all clients together.
fn throughput(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one_call_requests");
    let bench = Bench::new(30, |config| config.ready_runs_max = 8);
    for clients in [1, 2, 8] {
        group.throughput(criterion::Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("clients", clients), |bencher| {
            bencher.iter_custom(|n| {
                let started = Instant::now();
                let made = bench.requests(clients, n);
                started.elapsed().mul_f64(n as f64 / made as f64)
            });
        });
    }
    group.finish();
}

/// How long after its limit is a program that never ends answered? The limit is in the time: 50 ms.
fn limit_to_answer(criterion: &mut Criterion) {
    let bench = Bench::new(30, |config| config.limits.wall_max = Duration::from_millis(50));
    criterion.bench_function("wall_limit_of_50_ms_to_answer", |bencher| {
        bencher.iter_custom(|n| {
            bench.tokio.block_on(async {
                let started = Instant::now();
                for _ in 0..n {
                    let outcome = bench.session.run("for (;;);").await.unwrap();
                    assert!(matches!(outcome.end, End::Stopped(_)), "{}", outcome.end);
                }
                started.elapsed()
            })
        });
    });
}

/// From definitions in memory to the first answer of a scope that nobody asked for before: 200 tools, base zygote up.
fn cold_scope(criterion: &mut Criterion) {
    let bench = Bench::new(1, |_| {});
    let mut generation = 0;
    criterion.bench_function("first_answer_of_a_new_scope_of_200_tools", |bencher| {
        bencher.iter_custom(|n| {
            bench.tokio.block_on(async {
                let mut total = Duration::ZERO;
                for _ in 0..n {
                    generation += 1;
                    let tools: Vec<_> = (0..200)
                        .map(|id| json!({ "name": format!("tool_{generation}_{id}"), "description": "A tool.", "inputSchema": { "type": "object" } }))
                        .collect();
                    let started = Instant::now();
                    let catalog = Catalog::load([("test", tools)]).unwrap();
                    let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
                    let session = bench.runtime.session(scope, self::tools_of_nothing());
                    let outcome = session.run(&format!("return await test.tool_{generation}_7({{}})")).await.unwrap();
                    total += started.elapsed();
                    assert!(matches!(outcome.end, End::Returned(_)), "{}", outcome.end);
                }
                total
            })
        });
    });
}

/// What does a classic MCP server cost that is made for one request: a session, a server, a client, `initialize`, the list of 30 tools,
/// one call, all dropped?
fn classic_face(criterion: &mut Criterion) {
    let bench = Bench::new(30, |_| {});
    // As its row was called when there was another way beside it.
    criterion.bench_function("classic_face/pipe", |bencher| {
        bencher.iter_custom(|n| {
            let runtime = bench.runtime.clone();
            let timed = bench.tokio.spawn(async move {
                let scope = scope(30);
                let started = Instant::now();
                for _ in 0..n {
                    let session = runtime.session(scope.clone(), tools_of_nothing());
                    let (there, here) = isolet::mcp::channel();
                    tokio::spawn(session.serve_classic(there));
                    use_classic(here).await;
                }
                started.elapsed()
            });
            bench.tokio.block_on(timed).unwrap()
        });
    });
}

async fn use_classic(stream: tokio::io::DuplexStream) {
    let client = rmcp::ServiceExt::serve((), stream).await.unwrap();
    assert_eq!(client.list_tools(None).await.unwrap().tools.len(), 30);
    let arguments = json!({ "value": 1 }).as_object().cloned().unwrap();
    let call = rmcp::model::CallToolRequestParams::new("test__tool_0").with_arguments(arguments);
    assert_ne!(client.call_tool(call).await.unwrap().is_error, Some(true));
}

fn tools_of_nothing() -> Tools {
    Tools { big: ToolReply::text("") }
}

fn main() {
    isolet::init();
    boot_if_asked();
    let mut criterion = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(4)).configure_from_args();
    origins(&mut criterion);
    looking(&mut criterion);
    calls(&mut criterion);
    scope_sizes(&mut criterion);
    spawned_by_tools(&mut criterion);
    zygotes(&mut criterion);
    walls(&mut criterion);
    cpu(&mut criterion);
    throughput(&mut criterion);
    limit_to_answer(&mut criterion);
    cold_scope(&mut criterion);
    classic_face(&mut criterion);
    criterion.final_summary();
}
