//! The backend example under load and malice: what one user, or nobody at all, sends costs no other user, and it ends when it is told to.
//!
//! The backend is this binary in a role of its own, with lower limits, so that a test can wait for them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use isolet_examples::backend::{self, ServerLimits};
use libtest_mimic::Trial;
use rustix::process::{Pid, Resource, Rlimit, Signal};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::process_table::{self, until};
use crate::roles;

/// The arguments by which this binary tries the backend out, and by which it is the backend.
pub(crate) const TRY_ARGUMENT: &str = "--try-backend";
pub(crate) const SERVE_ARGUMENT: &str = "--backend";

/// How long a head, or a body, may take here.
const READ_MAX: Duration = Duration::from_secs(2);
/// Connections at a time.
const CONNECTIONS_MAX: usize = 160;
/// From SIGTERM to the end.
const SHUTDOWN_MAX: Duration = Duration::from_secs(6);
/// What a busy machine may take more than a limit says.
const SLACK: Duration = Duration::from_secs(4);
/// Descriptors of the backend beside those of connections and runs.
const DESCRIPTORS_OF_ALL: usize = 64;

const HALF_HEAD: &str = "POST /v1/run HTTP/1.1\r\nHost: ";
const COUNT: &str = "return (await tracker.list_projects({ limit: 100 })).items.length";

const TESTS: &[crate::upstream::Test] = &[
    ("backend::users_are_kept_apart_and_what_is_not_allowed_is_refused", users_are_kept_apart),
    ("backend::a_user_who_floods_delays_no_other", || on_tokio(a_flood())),
    ("backend::thousands_who_say_nothing_or_half_take_no_place", || on_tokio(crowd_of_nobody())),
    ("backend::a_slow_head_is_closed_and_a_slow_body_refused_in_time", || on_tokio(slow_requests())),
    ("backend::half_requests_do_not_keep_it_from_ending", || on_tokio(ended_with_half_requests())),
    ("backend::requests_under_way_are_answered_before_it_ends", || on_tokio(ended_with_requests())),
    ("backend::each_request_is_one_line_of_the_log_without_a_token", || on_tokio(the_log())),
];

/// One trial for each test.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, test): &crate::upstream::Test| {
        let test = *test;
        Trial::test(*name, move || test().map_err(|error| format!("{error:#}").into()))
    };
    TESTS.iter().map(trial).collect()
}

fn on_tokio(test: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(test)
}

/// Tries the backend out.
pub(crate) fn try_it() -> Result<()> {
    let report = tokio::runtime::Runtime::new()?.block_on(backend::self_test())?;
    std::io::stdout().write_all(report.as_bytes())?;
    Ok(())
}

/// Is the backend, until it is terminated.
pub(crate) fn serve() -> Result<()> {
    backend::log_to_standard_error();
    let mut limits = ServerLimits::default();
    (limits.connections_max, limits.connections_of_address_max) = (CONNECTIONS_MAX, CONNECTIONS_MAX);
    (limits.head_max, limits.shutdown_max) = (READ_MAX, SHUTDOWN_MAX);
    tokio::runtime::Runtime::new()?.block_on(backend::serve(0, limits, READ_MAX))
}

/// The self-test looks at the answers; here, that it has asked.
fn users_are_kept_apart() -> Result<()> {
    let output = roles::output_of(&[TRY_ARGUMENT], |command| command)?;
    let (report, errors) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    ensure!(output.status.success() && errors.is_empty(), "{}\n{report}\n{errors}", output.status);
    let count = |text: &str| report.matches(text).count();
    ensure!(count("\n  401 ") == 6 && count("\n  413 ") == 1 && count("\n  200 ") == 11, "{report}");
    ensure!(count("\n  403 ") == 8 && count("\n  415 ") == 2 && count("\nbob: GET /nowhere") == 2, "{report}");
    ensure!(
        count("\nbob: POST /v1/run") == 6 && count("ada: POST /mcp/classic") == 2 && count("bob: POST /mcp/classic") == 6,
        "{report}"
    );
    Ok(())
}

/// A backend in a process of its own.
struct Served {
    process: Child,
    address: SocketAddr,
    tokens: [String; 2],
    log: Arc<Mutex<String>>,
}

impl Served {
    fn start() -> Result<Self> {
        // Thousands of connections are opened here.
        let limit = rustix::process::getrlimit(Resource::Nofile);
        rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
        let mut process = Command::new(std::env::current_exe()?)
            .arg(SERVE_ARGUMENT)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
        let mut user = |name: &str| -> Result<(String, SocketAddr)> {
            let line = lines.next().context("the backend does not say where it serves")??;
            ensure!(line.starts_with(name), "{line}");
            let after = |text: &str, end: char| line.split_once(text)?.1.split(end).next().map(str::to_owned);
            let address = after("http://", '/').context("no address")?.parse()?;
            Ok((after("Bearer ", '\'').context("no token")?, address))
        };
        let ((ada, address), (bob, _)) = (user("ada")?, user("bob")?);
        let written = BufReader::new(process.stderr.take().context("no log")?).lines();
        let log = Arc::new(Mutex::new(String::new()));
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || written.map_while(Result::ok).for_each(|line| *lock(&log) += &format!("{line}\n"))
        });
        Ok(Self { process, address, tokens: [ada, bob], log })
    }

    fn ada(&self) -> &str {
        &self.tokens[0]
    }

    fn bob(&self) -> &str {
        &self.tokens[1]
    }

    /// A request of a user for a program's outcome.
    fn program(&self, token: &str, code: &str) -> String {
        let body = json!({ "code": code }).to_string();
        format!("{}Content-Length: {}\r\n\r\n{body}", self.head("POST /v1/run", token), body.len())
    }

    /// The head of a request, not ended.
    fn head(&self, request: &str, token: &str) -> String {
        format!(
            "{request} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nConnection: close\r\n",
            self.address
        )
    }

    async fn connect(&self, said: &str) -> Result<TcpStream> {
        let mut connection = TcpStream::connect(self.address).await?;
        connection.write_all(said.as_bytes()).await?;
        Ok(connection)
    }

    /// A connection whose request the backend has begun to answer: it asks for the body, which is sent.
    async fn under_way(&self, token: &str, length: usize, body: &str) -> Result<TcpStream> {
        let head = self.head("POST /v1/run", token);
        let mut connection = self.connect(&format!("{head}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n")).await?;
        let mut asked = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        connection.read_exact(&mut asked).await?;
        ensure!(asked.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&asked));
        connection.write_all(body.as_bytes()).await?;
        Ok(connection)
    }

    /// Status and time of bob's request for a program.
    async fn bobs_run(&self) -> Result<(u16, Duration)> {
        let (address, request) = (self.address, self.program(self.bob(), COUNT));
        // In a thread of its own: whoever floods here must not delay what bob sends.
        let ask = move || -> Result<(u16, Duration)> {
            let started = Instant::now();
            let mut connection = std::net::TcpStream::connect(address)?;
            connection.write_all(request.as_bytes())?;
            let mut answer = String::new();
            connection.read_to_string(&mut answer)?;
            Ok((status_of(&answer)?, started.elapsed()))
        };
        tokio::task::spawn_blocking(ask).await?
    }

    fn terminate(&self) -> Result<()> {
        let process = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("no process")?;
        Ok(rustix::process::kill_process(process, Signal::TERM)?)
    }

    async fn ended_within(&mut self, at_most: Duration) -> Result<ExitStatus> {
        let mut status = None;
        let has_ended = || {
            status = self.process.try_wait().ok().flatten();
            status.is_some()
        };
        ensure!(until(at_most, has_ended).await, "the backend has not ended after {at_most:?}");
        status.context("no status")
    }

    /// What it has written to the log so far.
    fn log(&self) -> String {
        lock(&self.log).clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All that is answered until the connection is closed.
async fn answer_of(mut connection: TcpStream) -> Result<String> {
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn status_of(answer: &str) -> Result<u16> {
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    status.with_context(|| format!("no status: `{answer}`"))
}

/// 1,300 requests of ada at a time, again and again; meanwhile those of bob.
async fn a_flood() -> Result<()> {
    const AT_ONCE: usize = 1_300;
    let served = Arc::new(Served::start()?);
    served.bobs_run().await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut flood = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (served, is_over) = (Arc::clone(&served), Arc::clone(&is_over));
        flood.spawn(async move {
            let (mut answered, mut refused) = (0_usize, 0_usize);
            while !is_over.load(Ordering::Relaxed) {
                let request = served.program(served.ada(), COUNT);
                // One that is closed to make room is no answer, and is tried again.
                let Ok(connection) = served.connect(&request).await else { continue };
                match answer_of(connection).await.ok().and_then(|answer| status_of(&answer).ok()) {
                    Some(200) => answered += 1,
                    Some(429 | 503) => {
                        refused += 1;
                        // As the answer says.
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    Some(status) => bail!("a request of the flood is answered {status}"),
                    None => {}
                }
            }
            Ok((answered, refused))
        });
    }
    let mut slowest = Duration::ZERO;
    for number in 0..20 {
        let (status, took) = served.bobs_run().await.with_context(|| format!("request {number} of bob"))?;
        ensure!(status == 200, "request {number} of bob is answered {status}");
        slowest = slowest.max(took);
    }
    is_over.store(true, Ordering::Relaxed);
    let (mut answered, mut refused) = (0, 0);
    while let Some(ended) = flood.join_next().await {
        let (more_answered, more_refused) = ended??;
        (answered, refused) = (answered + more_answered, refused + more_refused);
    }
    ensure!(slowest < SLACK, "a request of bob took {slowest:?}");
    ensure!(answered > 0 && refused > 0, "of the flood {answered} were answered and {refused} refused");
    Ok(())
}

/// Connections of nobody: 1,500 that are silent, and as many that have begun a request.
async fn crowd_of_nobody() -> Result<()> {
    let served = Served::start()?;
    served.bobs_run().await?;
    let possible = rustix::process::getrlimit(Resource::Nofile).current.map_or(3_000, |limit| limit.saturating_sub(256));
    let mut crowd = Vec::new();
    for number in 0..possible.min(3_000) {
        crowd.extend(served.connect(if number % 2 == 0 { "" } else { HALF_HEAD }).await);
        if number % 100 == 99 {
            let (status, took) = served.bobs_run().await.with_context(|| format!("beside {number} connections"))?;
            ensure!(status == 200 && took < SLACK, "beside {number} connections: {status} after {took:?}");
        }
    }
    ensure!(crowd.len() > 500, "only {} connections could be opened", crowd.len());
    let descriptors = process_table::descriptors(served.process.id());
    ensure!(descriptors <= CONNECTIONS_MAX + DESCRIPTORS_OF_ALL, "the backend has {descriptors} descriptors");
    // Those that were left are closed when their heads are not there in time.
    let closed = async {
        for mut connection in crowd {
            let _ = connection.read(&mut [0; 64]).await;
        }
    };
    tokio::time::timeout(READ_MAX + SLACK, closed).await.context("connections that say nothing stay open")?;
    Ok(())
}

async fn slow_requests() -> Result<()> {
    let served = Served::start()?;
    // A byte now and then, for ever; what was answered in the end, and when.
    let drip = async |begin: String| -> Result<(String, Duration)> {
        let (mut reads, mut writes) = served.connect(&begin).await?.into_split();
        let started = Instant::now();
        let mut answer = String::new();
        let dripping = async {
            while writes.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            // A connection that is reset has been closed too.
            _ = reads.read_to_string(&mut answer) => {}
            () = dripping => {}
            () = tokio::time::sleep(READ_MAX * 10) => bail!("it is listened to for ever"),
        }
        Ok((answer, started.elapsed()))
    };
    let (answer, took) = drip(format!("{}X-Slow: ", served.head("POST /v1/run", served.bob()))).await?;
    ensure!(took < READ_MAX + SLACK && !answer.contains(" 200 "), "a slow head: `{answer}` after {took:?}");
    let (answer, took) = drip(format!("{}Content-Length: 1000\r\n\r\n", served.head("POST /v1/run", served.bob()))).await?;
    ensure!(status_of(&answer)? == 408 && took < READ_MAX + SLACK, "a slow body: `{answer}` after {took:?}");
    // The body of nobody is not waited for.
    let (answer, took) = drip(format!("{}Content-Length: 1000\r\n\r\n", served.head("POST /v1/run", "wrong"))).await?;
    ensure!(status_of(&answer)? == 401 && took < READ_MAX, "a body of nobody: `{answer}` after {took:?}");
    ensure!(served.bobs_run().await?.0 == 200, "a request after slow ones");
    Ok(())
}

async fn ended_with_half_requests() -> Result<()> {
    let mut served = Served::start()?;
    served.bobs_run().await?;
    let silent = served.connect("").await?;
    let half_head = served.connect(HALF_HEAD).await?;
    let kept_alive = served.connect(&format!("GET /v1/types HTTP/1.1\r\nHost: {}\r\n\r\n", served.address)).await?;
    kept_alive.readable().await?;
    served.terminate()?;
    // A second for what may be on its way out.
    let status = served.ended_within(Duration::from_secs(1) + SLACK).await?;
    ensure!(status.success(), "{status}");
    drop((silent, half_head, kept_alive));
    Ok(())
}

async fn ended_with_requests() -> Result<()> {
    let mut served = Served::start()?;
    served.bobs_run().await?;
    let program = |ms: u32| {
        json!({ "code": format!("await new Promise((resolve) => setTimeout(resolve, {ms})); return 'waited'") }).to_string()
    };
    let (soon, late) = (program(1_000), program(25_000));
    let half_body = served.under_way(served.bob(), 1_000, "{").await?;
    let soon = served.under_way(served.ada(), soon.len(), &soon).await?;
    let late = served.under_way(served.ada(), late.len(), &late).await?;
    served.terminate()?;
    let answer = answer_of(soon).await?;
    ensure!(answer.contains("\"value\":\"waited\""), "the answer of a run that was under way: `{answer}`");
    ensure!(TcpStream::connect(served.address).await.is_err(), "it accepts connections after it was told to end");
    ensure!(status_of(&answer_of(half_body).await?)? == 408, "a body that does not come");
    let status = served.ended_within(SHUTDOWN_MAX + SLACK).await?;
    ensure!(status.success(), "{status}");
    let cut = answer_of(late).await;
    ensure!(!cut.is_ok_and(|answer| answer.contains("waited")), "a run beyond the deadline was waited for");
    Ok(())
}

async fn the_log() -> Result<()> {
    let served = Served::start()?;
    let (nobody, nowhere) = ("wrong-token-7f3a", "GET /nowhere?token=wrong-token-7f3a");
    for (token, request) in [(served.ada(), "GET /v1/types"), (nobody, "GET /v1/types"), (served.bob(), nowhere)] {
        answer_of(served.connect(&format!("{}\r\n", served.head(request, token))).await?).await?;
    }
    served.bobs_run().await?;
    let endless = "await new Promise((resolve) => setTimeout(resolve, 25_000))";
    let endless = json!({ "code": endless }).to_string();
    drop(served.under_way(served.ada(), endless.len(), &endless).await?);
    let expected = [
        ["user=\"ada\"", "method=\"GET\"", "route=\"/v1/types\"", "status=\"200\""],
        ["user=\"nobody\"", "method=\"GET\"", "route=\"/v1/types\"", "status=\"401\""],
        ["user=\"bob\"", "method=\"GET\"", "route=\"none\"", "status=\"404\""],
        ["user=\"bob\"", "method=\"POST\"", "route=\"/v1/run\"", "status=\"200\""],
        ["user=\"ada\"", "method=\"POST\"", "route=\"/v1/run\"", "status=\"gone\""],
    ];
    let requests = |log: &str| log.lines().filter(|line| line.contains(" request ")).count();
    until(SLACK, || requests(&served.log()) >= expected.len()).await;
    let log = served.log();
    ensure!(requests(&log) == expected.len(), "not one line a request:\n{log}");
    for parts in expected {
        let is_it = |line: &&str| parts.iter().all(|part| line.contains(part)) && line.contains("duration=");
        ensure!(log.lines().filter(is_it).count() == 1, "not one line with {parts:?}:\n{log}");
    }
    ensure!(!served.tokens.iter().any(|token| log.contains(token.as_str())) && !log.contains(nobody), "a token:\n{log}");
    Ok(())
}
