//! The host process of the attack corpus: runs scripts as one user beside another, and looks at itself after each.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use isolet::{CallEnd, Config, End, LowerLimits, Outcome, RunError, RunOptions, Runtime, Scope, Session, Stop};

use crate::attacks::{self, How, Plan, Script, Verdict};
use crate::process_table::{self, until};
use crate::test_tools::{self, CANARIES, TestTools, Upstream};

/// What the suite suggests (`attacks/README.md`).
const WALL_MAX: Duration = Duration::from_secs(3);
/// How long everything may take to be as before.
const GRACE: Duration = Duration::from_millis(500);
/// Looks one after the other by which it is at rest.
const LOOKS_ALIKE: u32 = 10;
/// The machine of a test may be busy.
const SLACK: u32 = 4;
/// The longest that a benign run may take meanwhile.
const BENIGN_MAX: Duration = Duration::from_secs(2);
/// How much more memory the host may hold after a plan, kB.
const HOST_GROWTH_MAX_KB: u64 = 64 << 10;

/// Runs what the arguments name and writes one verdict a line.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut plans = attacks::plans()?;
        match arguments {
            [shuffled, seed] if shuffled == "--shuffled" => {
                fastrand::Rng::with_seed(seed.parse()?).shuffle(&mut plans);
                shuffled_in_one_host(plans).await
            }
            _ => {
                plans.retain(|plan| arguments.contains(&plan.name));
                let host = Host::start().await?;
                for plan in &plans {
                    let mut verdicts = host.attack(plan).await?;
                    host.add_failures(&mut verdicts, host.conditions(true).await);
                    say(&verdicts)?;
                }
                Ok(())
            }
        }
    })
}

#[expect(clippy::print_stdout, reason = "stdout is what the parent reads")]
fn say(verdicts: &[Verdict]) -> anyhow::Result<()> {
    for verdict in verdicts {
        println!("{}", serde_json::to_string(verdict)?);
    }
    Ok(())
}

/// Three plans at a time, while another user's programs run; conditions that count processes are checked at the end.
async fn shuffled_in_one_host(plans: Vec<Plan>) -> anyhow::Result<()> {
    let host = Arc::new(Host::start().await?);
    let over = Arc::new(AtomicBool::new(false));
    let traffic = tokio::spawn({
        let (host, over) = (Arc::clone(&host), Arc::clone(&over));
        async move {
            let mut runs = 0;
            while !over.load(Ordering::Relaxed) {
                host.check_benign(&host.other).await.with_context(|| format!("benign run {runs}"))?;
                runs += 1;
            }
            anyhow::Ok(runs)
        }
    });
    let plans = Arc::new(tokio::sync::Mutex::new(plans));
    let mut lanes = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let (host, plans) = (Arc::clone(&host), Arc::clone(&plans));
        lanes.spawn(async move {
            let mut all = Vec::new();
            loop {
                let Some(plan) = plans.lock().await.pop() else { return anyhow::Ok(all) };
                let mut verdicts = host.attack(&plan).await?;
                host.add_failures(&mut verdicts, host.conditions(false).await);
                all.extend(verdicts);
            }
        });
    }
    let mut verdicts = Vec::new();
    while let Some(lane) = lanes.join_next().await {
        verdicts.extend(lane??);
    }
    over.store(true, Ordering::Relaxed);
    let runs = traffic.await??;
    ensure!(runs > 20, "only {runs} benign runs beside the whole corpus");
    let after = host.conditions(true).await;
    host.add_failures(&mut verdicts, after);
    say(&verdicts)
}

/// What there is of this process, ready runs left out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Footprint {
    threads: usize,
    descriptors: usize,
    processes: usize,
}

/// The host under attack: an attacker's session, another user's, and a third run that waits all the time.
struct Host {
    runtime: Runtime,
    scope: Scope,
    /// The attacker's own session, for benign runs.
    attacker: Session,
    other: Session,
    waiting: tokio::task::JoinHandle<Result<Outcome, RunError>>,
    waiting_upstream: Arc<Upstream>,
    zygotes: Vec<u32>,
    footprint: Footprint,
    memory_kb: u64,
}

impl Host {
    async fn start() -> anyhow::Result<Self> {
        let mut config = Config::default();
        config.limits.wall_max = Duration::from_secs(600);
        let runtime = Runtime::new(config)?;
        let scopes = test_tools::scopes()?;
        runtime.prepare(&scopes.test).await?;
        let session = |user| runtime.session(scopes.test.clone(), TestTools(Upstream::new(user)));
        let (attacker, other) = (session("attacker"), session("other"));
        for session in [&attacker, &other] {
            let outcome = session.run("return (await test.add({ a: 1, b: 2 })).sum").await?;
            ensure!(outcome.end == End::Returned(3.into()), "the first run: {}", outcome.end);
        }
        let waiting_upstream = Upstream::new("waiting");
        let waiting = runtime.session(scopes.hold, TestTools(Arc::clone(&waiting_upstream)));
        let waiting = tokio::spawn(async move { waiting.run("return (await hold.until_told({ id: 'patience' })).id").await });
        let there = until(Duration::from_secs(10), || waiting_upstream.running() == 1).await;
        ensure!(there, "the waiting run did not call");
        let mut host = Self {
            runtime,
            scope: scopes.test,
            attacker,
            other,
            waiting,
            waiting_upstream,
            zygotes: Vec::new(),
            footprint: Footprint { threads: 0, descriptors: 0, processes: 0 },
            memory_kb: 0,
        };
        // A base zygote, that of the scope, and the run that waits; all others end. A run that is ready may still lack its pidfd for a moment.
        let mut looks_alike = 0;
        let settled = until(GRACE * SLACK, || {
            let now = host.footprint_now();
            let is_like_before = std::mem::replace(&mut host.footprint, now.clone()) == now && now.processes == 3;
            looks_alike = if is_like_before { looks_alike + 1 } else { 0 };
            looks_alike >= LOOKS_ALIKE
        });
        ensure!(settled.await, "the host does not come to rest");
        let processes = process_table::descendants_of(process_table::host());
        host.zygotes = processes.into_iter().filter(|process| !process_table::children_of(*process).is_empty()).collect();
        ensure!(host.zygotes.len() == 2, "zygotes: {:?}", host.zygotes);
        host.memory_kb = process_table::status_number(process_table::host(), "VmRSS").unwrap_or(0);
        Ok(host)
    }

    /// A ready run takes a process and two descriptors: its socket and its pidfd.
    fn footprint_now(&self) -> Footprint {
        let ready = self.runtime.metrics().ready;
        let host = process_table::host();
        Footprint {
            threads: process_table::threads(host),
            descriptors: process_table::descriptors(host).saturating_sub(2 * ready),
            processes: process_table::descendants_of(host).len().saturating_sub(ready),
        }
    }

    /// Runs the scripts of a plan.
    async fn attack(&self, plan: &Plan) -> anyhow::Result<Vec<Verdict>> {
        let mut verdicts = Vec::new();
        match plan.how {
            How::InOrder => {
                for script in &plan.scripts {
                    verdicts.push(self.attack_once(script).await?);
                }
            }
            How::Repeated(times) => {
                for script in &plan.scripts {
                    let mut worst = self.attack_once(script).await?;
                    for _ in 1..times {
                        let verdict = self.attack_once(script).await?;
                        if worst.failures.is_empty() {
                            worst = verdict;
                        }
                    }
                    verdicts.push(worst);
                }
            }
            How::SideBySide(attackers) => {
                let [attacking, victim] = &plan.scripts[..] else { anyhow::bail!("a pair has two scripts") };
                let attacks = (0..attackers).map(|_| self.attack_once(attacking));
                let victim_run = self.attack_once(victim);
                let (attacks, victim_verdict) = tokio::join!(futures::future::join_all(attacks), victim_run);
                let attacks: Vec<Verdict> = attacks.into_iter().collect::<anyhow::Result<_>>()?;
                let worst =
                    attacks.iter().find(|verdict| !verdict.failures.is_empty()).or(attacks.first()).context("no attack")?;
                verdicts.extend([worst.clone(), victim_verdict?]);
            }
        }
        Ok(verdicts)
    }

    /// Runs one script in a session of its own, and compares the records with what reached its upstream.
    async fn attack_once(&self, script: &Script) -> anyhow::Result<Verdict> {
        // The API takes text: whoever has bytes that are none refuses or replaces them. Replaced, they have to be harmless.
        let source = String::from_utf8_lossy(&script.bytes()?).into_owned();
        let upstream = Upstream::new(&script.id);
        let session = self.runtime.session(self.scope.clone(), TestTools(Arc::clone(&upstream)));
        let options = RunOptions::default().with(|options| options.limits = limits());
        let outcome = session.run_with(&source, options).await;
        let mut failures = Vec::new();
        if let Ok(outcome) = &outcome {
            failures.extend(audit_faults(outcome, upstream.take_received().len()));
        }
        drop(session);
        if !until(GRACE * SLACK, || upstream.running() == 0).await {
            failures.push(format!("{} calls go on after the run", upstream.running()));
        }
        let mut verdict = judge(script, outcome);
        verdict.failures.extend(failures);
        Ok(verdict)
    }

    /// The six conditions after a script; what does not hold. `quiet`: nothing else runs meanwhile.
    async fn conditions(&self, quiet: bool) -> Vec<String> {
        let mut failures = Vec::new();
        if let Some(zygote) = self.zygotes.iter().find(|zygote| !process_table::is_alive(**zygote)) {
            failures.push(format!("zygote {zygote} died"));
        }
        if self.runtime.metrics().zygotes_lost > 0 {
            failures.push("a zygote was lost".to_owned());
        }
        for session in [&self.attacker, &self.other] {
            if let Err(error) = self.check_benign(session).await {
                failures.push(format!("{error:#}"));
            }
        }
        if self.waiting.is_finished() || self.waiting_upstream.running() != 1 {
            failures.push("a run that waited has ended".to_owned());
        }
        if !quiet {
            return failures;
        }
        if !until(GRACE * SLACK, || self.footprint_now() == self.footprint).await {
            failures.push(format!("before: {:?}, after: {:?}", self.footprint, self.footprint_now()));
        }
        let memory_kb = process_table::status_number(process_table::host(), "VmRSS").unwrap_or(0);
        if memory_kb > self.memory_kb + HOST_GROWTH_MAX_KB {
            failures.push(format!("the host has grown from {} to {memory_kb} kB", self.memory_kb));
        }
        failures
    }

    /// A benign run gives its own answer, in time.
    async fn check_benign(&self, session: &Session) -> anyhow::Result<()> {
        let number = fastrand::u32(..);
        let started = Instant::now();
        let outcome =
            session.run(&format!("return (await test.echo({{ value: {number} }})).value")).await.context("a benign run")?;
        ensure!(outcome.end == End::Returned(number.into()), "a benign run: {}", outcome.end);
        ensure!(outcome.calls.len() == 1 && outcome.calls[0].end == CallEnd::Answered, "a benign run: {:?}", outcome.calls);
        ensure!(started.elapsed() < BENIGN_MAX, "a benign run took {:?}", started.elapsed());
        Ok(())
    }

    /// Conditions that do not hold are failures of the last script.
    fn add_failures(&self, verdicts: &mut [Verdict], failures: Vec<String>) {
        if let Some(last) = verdicts.last_mut() {
            last.failures.extend(failures);
        }
    }
}

/// What the suite suggests (`attacks/README.md`); all else is the default.
fn limits() -> LowerLimits {
    let mut limits = LowerLimits::default();
    limits.cpu_max = Some(Duration::from_secs(1));
    limits.wall_max = Some(WALL_MAX);
    limits
}

/// Each call that reached the upstream has its record. One that was answered or cancelled has reached it; one that failed may.
fn audit_faults(outcome: &Outcome, received: usize) -> Option<String> {
    let of_tools = outcome.calls.iter().filter(|record| record.server == "test");
    let (reached, failed): (Vec<_>, Vec<_>) = of_tools.partition(|record| !matches!(record.end, CallEnd::Failed(_)));
    let fits = (reached.len()..=reached.len() + failed.len()).contains(&received);
    (!fits).then(|| {
        format!("{received} calls reached the upstream, the records say {} and {} failed ones", reached.len(), failed.len())
    })
}

/// The corpus's word for an ending, and others that it may stand for (issue 5's table of endings).
fn words_of(end: &End) -> &'static [&'static str] {
    match end {
        End::Returned(value) if value.as_str().is_some_and(|text| text == "CONTAINED" || text.starts_with("UNREACHED:no ")) => {
            &["contained"]
        }
        End::Returned(_) => &["clean"],
        End::Threw(_)
        | End::Stopped(Stop::Calls { .. } | Stop::Traffic { .. } | Stop::Output { .. } | Stop::Deadlock { .. }) => &["error"],
        End::Stopped(Stop::Wall { .. } | Stop::Cpu { .. }) => &["timeout"],
        End::Stopped(Stop::Heap { .. } | Stop::Data) => &["memory_limit"],
        End::Stopped(Stop::GuestLost { .. }) => &["error", "memory_limit"],
        End::Stopped(_) => &[],
    }
}

fn judge(script: &Script, outcome: Result<Outcome, RunError>) -> Verdict {
    let mut failures = Vec::new();
    let detail = match outcome {
        Err(error) => {
            failures.push(format!("a fault of the host: {error}"));
            String::new()
        }
        Ok(outcome) => {
            let words = words_of(&outcome.end);
            let expected = std::iter::once(&script.expect).chain(&script.also);
            if !expected.clone().any(|word| word == "clean" || words.contains(&&**word)) {
                failures.push(format!("ended as {words:?}, expected {:?}", expected.collect::<Vec<_>>()));
            }
            failures.extend(faults_of(script, &outcome));
            detail_of(&outcome)
        }
    };
    Verdict { id: script.id.clone(), detail, failures }
}

/// What no outcome may have, whatever the script.
fn faults_of(script: &Script, outcome: &Outcome) -> Vec<String> {
    let mut faults = Vec::new();
    if let End::Returned(value) = &outcome.end
        && value.as_str().is_some_and(|text| text.starts_with("ESCAPED") || text.starts_with("SKIP"))
    {
        faults.push(format!("it says {value}"));
    }
    let late = outcome.cost.wall.saturating_sub(WALL_MAX);
    if late > GRACE * SLACK {
        faults.push(format!("its end came {late:?} after the limit"));
    }
    let everything = format!("{outcome:?}\n{}", outcome.end);
    // The script that looks for them says what it looked for.
    faults.extend(CANARIES.iter().filter(|canary| everything.contains(**canary)).map(|canary| format!("`{canary}` left")));
    if script.id == "248" && !outcome.console.iter().any(|line| line.text.contains("breadcrumb")) {
        faults.push("what it had said is lost".to_owned());
    }
    faults
}

fn detail_of(outcome: &Outcome) -> String {
    let mut detail: String = outcome.end.to_string().chars().take(300).collect();
    // Writing to a text cannot fail.
    let _ = write!(
        detail,
        " [{:?}, {:?} wall, {:?} cpu, {} calls",
        outcome.cost.origin,
        outcome.cost.wall,
        outcome.cost.cpu,
        outcome.calls.len()
    );
    if let End::Stopped(Stop::GuestLost { how }) = &outcome.end {
        let _ = write!(detail, ", {how}");
    }
    detail.push(']');
    detail
}
