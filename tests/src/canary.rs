//! Canaries: what is planted in the host's environment, credentials and files and behind a forbidden tool is in no byte that
//! leaves, in no guest process and in no snapshot; nothing of a run is in its zygote or in another run.
//!
//! The canaries are drawn anew each time: constants would be in the executable, which every guest process maps.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{Config, End, LowerLimits, RunOptions, Runtime, Session};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::kill;
use crate::process_table::{self, until};
use crate::roles::{self, Check};
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--canary-host";
/// The first argument of a process that makes a base snapshot; the second is where to write it.
pub(crate) const SNAPSHOT_ARGUMENT: &str = "--make-snapshot";
/// The environment variable with a canary.
const ENVIRONMENT: &str = "ISOLET_TEST_CANARY";
/// The file with a canary, in the host's working directory.
const FILE: &str = "credentials.json";

const CHECKS: &[Check] = &[
    ("nothing_planted_leaves", || on_host(async |host| host.nothing_planted_leaves().await)),
    ("no_guest_process_holds_what_is_planted", || on_host(async |host| host.no_guest_process_holds_what_is_planted().await)),
    ("a_zygote_is_the_same_after_1000_hostile_runs", || on_host(async |host| host.a_zygote_is_the_same().await)),
    ("runs_share_nothing", || on_host(async |host| host.runs_share_nothing().await)),
];

/// One trial a check, each in a host of its own.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(check, _): &Check| {
        let check = *check;
        Trial::test(format!("canary::{check}"), move || with_canaries(&[HOST_ARGUMENT, check]))
    };
    let mut trials: Vec<Trial> = CHECKS.iter().map(trial).collect();
    trials.push(Trial::test("canary::a_snapshot_holds_nothing_of_the_process_that_made_it", check_snapshot));
    trials
}

fn canary() -> String {
    format!("canary-{:016x}", fastrand::u64(..))
}

fn with_canaries(arguments: &[&str]) -> Result<(), Failed> {
    let place = tempfile::tempdir()?;
    std::fs::write(place.path().join(FILE), canary())?;
    roles::play_with(arguments, |command| command.env(ENVIRONMENT, canary()).current_dir(place.path()))
}

/// Makes a base snapshot in this process and writes it.
pub(crate) fn write_snapshot(arguments: &[String]) -> anyhow::Result<()> {
    let [path] = arguments else { anyhow::bail!("the only argument is a path") };
    Ok(std::fs::write(path, isolet_snapshots::base::make(isolet::Jit::Off.v8_flags())?)?)
}

fn check_snapshot() -> Result<(), Failed> {
    let place = tempfile::tempdir()?;
    let (path, canary) = (place.path().join("base.snapshot"), canary());
    let text = path.to_str().ok_or("a temporary folder whose name is no text")?;
    roles::play_with(&[SNAPSHOT_ARGUMENT, text], |command| command.env(ENVIRONMENT, &canary).current_dir(place.path()))?;
    let snapshot = std::fs::read(&path)?;
    // It is what it should be: our own JavaScript is in it.
    if !holds(&snapshot, "structuredClone") {
        return Err(format!("{} bytes are no snapshot", snapshot.len()).into());
    }
    let folder = env!("CARGO_MANIFEST_DIR").trim_end_matches("/tests");
    for text in [&*canary, folder, &std::env::var("HOME").unwrap_or_else(|_| "/root/".to_owned()), text] {
        if text.len() > 1 && holds(&snapshot, text) {
            return Err(format!("`{text}` is in the snapshot").into());
        }
    }
    Ok(())
}

fn holds(bytes: &[u8], text: &str) -> bool {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [text.as_bytes(), &utf16].iter().any(|wanted| memchr::memmem::find(bytes, wanted).is_some())
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

/// Makes a check on a host that has planted everything.
fn on_host(check: impl AsyncFnOnce(Host) -> anyhow::Result<()>) -> anyhow::Result<()> {
    roles::drive(async { check(Host::start().await?).await })
}

/// Programs that look for what they should not see. None of them knows a canary.
const SEEKERS: [&str; 8] = [
    "return await test.secret({})",
    "return [await tools.search('secret', 50), await tools.describe('test.secret').catch((error) => String(error.stack))]",
    "return [await tools.search('canary', 50), await test.fail({ message: 'x' }).catch((error) => [error.message, error.stack, Object.getOwnPropertyNames(error).map((name) => String(error[name]))])]",
    "try { await import('file:///proc/self/environ') } catch (error) { console.log(error); return [String(error), error.stack] }",
    "return Object.getOwnPropertyNames(globalThis).map((name) => { try { return [name, String(globalThis[name]), JSON.stringify(globalThis[name])] } catch (error) { return String(error) } })",
    "const seen = new Set(), found = []; const walk = (value, depth) => { if (depth > 6 || value === null || !['object', 'function'].includes(typeof value) || seen.has(value)) return; seen.add(value); for (const key of Reflect.ownKeys(value)) { found.push(String(key)); try { const held = value[key]; if (typeof held === 'string') found.push(held); walk(held, depth + 1); } catch (error) { found.push(String(error)); } } walk(Object.getPrototypeOf(value), depth + 1); }; walk(globalThis, 0); return found.join(' ').slice(0, 500_000)",
    "console.error(process.env); return Deno.env",
    "Error.prepareStackTrace = (error, frames) => frames.map((frame) => [frame.getFileName(), frame.getThis(), frame.getFunction()].map(String)); const errors = []; try { null.x } catch (error) { errors.push(error.stack) } try { await test.add({}) } catch (error) { errors.push(error.stack, error.message) } return errors",
];

struct Host {
    runtime: Runtime,
    scopes: test_tools::Scopes,
    /// In the environment, in a file, and in credentials and the forbidden tool's answer (as the user's name).
    planted: [String; 3],
    upstream: Arc<Upstream>,
    session: Session,
}

impl Host {
    async fn start() -> anyhow::Result<Self> {
        let environment = std::env::var(ENVIRONMENT).context("no canary in the environment")?;
        let file = std::fs::read_to_string(FILE).context("no canary in a file")?;
        let user = canary();
        let mut config = Config::default().dangerous().readable_by_tests();
        config.limits.wall_max = Duration::from_secs(240); // searching takes time
        let runtime = Runtime::new(config)?;
        let scopes = test_tools::scopes()?;
        runtime.prepare(&scopes.both).await?;
        let upstream = Upstream::new(&user);
        let session = runtime.session(scopes.both.clone(), TestTools(Arc::clone(&upstream)));
        // A call with the credential has been made.
        session.run("return await test.echo({ value: 1 })").await?;
        Ok(Self { runtime, scopes, planted: [environment, file, user], upstream, session })
    }

    fn check_bytes(&self, what: &str, bytes: &str) -> anyhow::Result<()> {
        for canary in &self.planted {
            ensure!(!bytes.contains(canary.as_str()), "{what}: `{canary}` is in {bytes}");
        }
        Ok(())
    }

    async fn nothing_planted_leaves(&self) -> anyhow::Result<()> {
        self.check_bytes("types", self.session.typescript())?;
        for program in SEEKERS {
            let (events, mut received) = tokio::sync::mpsc::channel(10_000);
            let options = RunOptions::default().with(|options| options.events = Some(events));
            let outcome = self.session.run_with(program, options).await?;
            self.check_bytes(program, &format!("{outcome:?} {}", outcome.end))?;
            while let Ok(event) = received.try_recv() {
                self.check_bytes(program, &format!("{event:?}"))?;
            }
        }
        // The forbidden tool was asked for and never reached; the allowed ones were.
        let received = self.upstream.take_received();
        ensure!(!received.is_empty() && received.iter().all(|(tool, _)| tool != "secret"), "calls: {received:?}");
        Ok(())
    }

    async fn no_guest_process_holds_what_is_planted(&self) -> anyhow::Result<()> {
        // What one run holds, to see that the search finds it there, and nowhere else.
        let own = format!("own-{:016x}", fastrand::u64(..));
        let cold = self.runtime.session(self.scopes.hold.clone(), TestTools(Arc::clone(&self.upstream)));
        let program = format!(
            "const own = '{own}'; for (const seek of ['a', 'b']) await test.echo({{ value: seek }}); await hold.until_told({{ id: own }}); return own"
        );
        let (first, second) = (self.session.run(&program), cold.run("return await hold.until_told({ id: 'cold' })"));
        let look = async {
            let there = until(Duration::from_secs(20), || self.upstream.running() == 2).await;
            ensure!(there, "the runs do not wait");
            let found = self.search(&own);
            self.upstream.tell(true);
            found
        };
        let (first, second, looked) = tokio::join!(first, second, look);
        ensure!(first?.end == End::Returned(own.into()) && matches!(second?.end, End::Returned(_)), "the runs were disturbed");
        looked
    }

    /// Looks through the memory and the environment of all guest processes.
    fn search(&self, own: &str) -> anyhow::Result<()> {
        let processes = process_table::descendants_of(process_table::host());
        ensure!(processes.len() >= 4, "two zygotes and two runs, not {processes:?}");
        let mut holders = Vec::new();
        for process in &processes {
            let environment = std::fs::read(format!("/proc/{process}/environ"))?;
            ensure!(environment == b"TZ=UTC\0", "the environment of {process}: {}", String::from_utf8_lossy(&environment));
            for mapping in process_table::mappings(*process)? {
                // What is a file's and cannot be written holds what is in the file; what cannot be read was never written.
                if mapping.name.starts_with('/') && !mapping.rights.contains('w') || !mapping.rights.starts_with('r') {
                    continue;
                }
                let mut last = Vec::new();
                process_table::read_mapping(*process, &mapping, |_, part| {
                    // A text may lie across two parts.
                    last.extend_from_slice(&part[..part.len().min(64)]);
                    for text in self.planted.iter().map(String::as_str).chain([own]) {
                        if [&last, part].iter().any(|bytes| memchr::memmem::find(bytes, text.as_bytes()).is_some()) {
                            holders.push((*process, text.to_owned(), mapping.name.clone()));
                        }
                    }
                    last = part[part.len().saturating_sub(64)..].to_vec();
                })?;
            }
        }
        let leaked: Vec<_> = holders.iter().filter(|(_, text, _)| text != own).collect();
        ensure!(leaked.is_empty(), "guest processes hold what is planted: {leaked:?}");
        let own_holders: HashSet<_> = holders.iter().map(|(process, _, _)| process).collect();
        ensure!(own_holders.len() == 1, "the text of one run is in the processes {own_holders:?}");
        Ok(())
    }

    async fn a_zygote_is_the_same(&self) -> anyhow::Result<()> {
        let zygotes: Vec<_> = process_table::descendants_of(process_table::host())
            .into_iter()
            .filter(|process| !process_table::children_of(*process).is_empty())
            .collect();
        ensure!(zygotes.len() == 2, "a base zygote and one of a scope, not {zygotes:?}");
        let before: Vec<_> = zygotes.iter().map(|zygote| pages(*zygote, "")).collect::<anyhow::Result<_>>()?;
        let own_before: Vec<_> = zygotes.iter().map(|zygote| pages(*zygote, "[heap]")).collect::<anyhow::Result<_>>()?;
        let mut limits = LowerLimits::default();
        limits.cpu_max = Some(Duration::from_millis(50));
        for number in 0..1000 {
            // One in ten takes its process down; all others change what they can reach.
            let program = if number % 10 == 0 {
                kill::LETHAL[number / 10 % kill::LETHAL.len()].1
            } else {
                VANDALS[number % VANDALS.len()]
            };
            let options = RunOptions::default().with(|options| options.limits = limits.clone());
            self.session.run_with(program, options).await.with_context(|| program.to_owned())?;
        }
        for (zygote, before) in zygotes.iter().zip(before) {
            let after = pages(*zygote, "")?;
            let changed: Vec<_> =
                before.iter().filter(|(page, hash)| after.get(page) != Some(hash)).map(|(page, _)| *page).collect();
            let places: Vec<_> = process_table::mappings(*zygote)?
                .into_iter()
                .filter(|mapping| changed.iter().any(|page| (mapping.start..mapping.end).contains(page)))
                .collect();
            ensure!(
                changed.is_empty(),
                "zygote {zygote}: {} of {} pages have changed: {changed:x?} in {places:x?}",
                changed.len(),
                before.len()
            );
            ensure!(before.len() > 200, "zygote {zygote} has only {} pages of V8", before.len());
        }
        // What a zygote does itself is seen in the same way.
        let own_after: Vec<_> = zygotes.iter().map(|zygote| pages(*zygote, "[heap]")).collect::<anyhow::Result<_>>()?;
        ensure!(own_before != own_after, "the zygotes have forked a thousand runs, and their own heaps are the same");
        Ok(())
    }

    async fn runs_share_nothing(&self) -> anyhow::Result<()> {
        const RUNS: usize = 60;
        let program = "const id = crypto.randomUUID(); const numbers = Array.from({ length: 4 }, Math.random); \
                       const key = 'left' + numbers[0]; if (Object.keys(globalThis).some((name) => name.startsWith('left'))) throw 'not the first'; \
                       globalThis[key] = Object.prototype[key] = 1; await test.echo({ value: id }); \
                       return [id, ...numbers.map(String), ...crypto.getRandomValues(new Uint32Array(4)).map(String)]";
        let cold = self.runtime.session(self.scopes.test.clone(), TestTools(Arc::clone(&self.upstream)));
        let runs = (0..RUNS).map(|number| if number % 3 == 0 { cold.run(program) } else { self.session.run(program) });
        let mut seen = HashSet::new();
        for outcome in futures::future::join_all(runs).await {
            let outcome = outcome?;
            let End::Returned(Value::Array(values)) = &outcome.end else { anyhow::bail!("{}", outcome.end) };
            ensure!(values.len() == 9, "{values:?}");
            for value in values {
                ensure!(seen.insert(value.to_string()), "{value} came twice");
            }
        }
        Ok(())
    }
}

/// Programs that change all that they can reach, and end.
const VANDALS: [&str; 5] = [
    "for (const name of Reflect.ownKeys(globalThis)) try { delete globalThis[name] } catch {} return 1",
    "for (const type of [Object, Array, String, Number, Promise, Function, Map, Error, JSON, Math]) for (const key of Reflect.ownKeys(type.prototype ?? type)) try { (type.prototype ?? type)[key] = () => 666 } catch {} return 1",
    "const kept = []; for (let i = 0; i < 2000; i++) kept.push(('key' + i).repeat(50), { ['k' + i]: Symbol.for('s' + i) }); globalThis.kept = kept; throw new Error(kept.join('').slice(0, 1000))",
    "for (let i = 0; i < 20; i++) await test.echo({ value: 'x'.repeat(5000) + i }); console.log('y'.repeat(5000)); return 'z'.repeat(5000)",
    "Object.prototype.toJSON = () => 7; Array.prototype[Symbol.iterator] = null; Error.prepareStackTrace = () => { throw 1 }; setTimeout(() => { throw 2 }, 0); Promise.reject(3); await null; return [/(a*)*b/.test('a'.repeat(15)), new Date().toLocaleString(), 'ß'.localeCompare('z'), [3, 1].sort()]",
];

/// Hashes of all pages of memory with this name that can be written. Anonymous memory is V8's heap and tables, but for
/// the few pages of the C library's thread-local variables. The heap of
/// `malloc` and the stack have names, and change with each frame that a zygote reads.
fn pages(process: u32, name: &str) -> anyhow::Result<BTreeMap<u64, u64>> {
    const PAGE_BYTES: usize = 4096;
    const THREAD_LOCAL_BYTES_MAX: u64 = 64 << 10;
    let mut pages = BTreeMap::new();
    for mapping in process_table::mappings(process)? {
        if mapping.name == name && mapping.rights == "rw-p" && mapping.end - mapping.start > THREAD_LOCAL_BYTES_MAX {
            process_table::read_mapping(process, &mapping, |start, part| {
                for (address, page) in (start..).step_by(PAGE_BYTES).zip(part.chunks(PAGE_BYTES)) {
                    let mut hasher = DefaultHasher::new();
                    page.hash(&mut hasher);
                    pages.insert(address, hasher.finish());
                }
            })?;
        }
    }
    Ok(pages)
}
