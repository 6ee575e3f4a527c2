//! What the machine does not give: a run that meets a shortage fails with the call that was refused, as a fault of the host, and no
//! other run notices.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{Config, End, RunError, Runtime, Session};
use libtest_mimic::Trial;
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit};

use crate::process_table::{self, until};
use crate::processes::{Run, waiting_run, zygotes};
use crate::program::{self, Ran};
use crate::roles::{self, Check};
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--shortage-host";

/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(10);

const CHECKS: &[Check] = &[
    ("a_zygote_without_a_free_descriptor_fails_the_run_that_was_asked_for", || roles::drive(no_descriptor_in_a_zygote())),
    ("a_host_without_a_free_descriptor_fails_the_run_that_was_asked_for", || roles::drive(no_descriptor_in_the_host())),
];

type Test = (&'static str, fn() -> anyhow::Result<()>);

/// What the program says where the machine refuses something.
const TESTS: &[Test] = &[
    ("without_processes_the_limit_is_named", without_processes),
    ("a_call_that_a_sandbox_forbids_is_named", forbidden_calls),
    ("without_addresses_the_limit_is_named", without_addresses),
    ("without_descriptors_the_limit_is_named", without_descriptors),
    ("without_proc_or_the_null_device_that_is_named", without_files),
    ("a_wall_that_is_refused_is_told_from_one_that_is_not_there", refused_walls),
];

/// One trial for each; those that look at processes in a host of their own.
pub(crate) fn trials() -> Vec<Trial> {
    let checks = roles::trials_of("shortages", HOST_ARGUMENT, CHECKS);
    let tests = TESTS.iter().map(|(name, test)| {
        Trial::test(format!("shortages::{name}"), move || test().map_err(|error| format!("{error:#}").into()))
    });
    checks.into_iter().chain(tests).collect()
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

/// Leaves a process so many descriptors that it may still open; `None` leaves it as many as this one may have.
fn leave_descriptors(process: u32, free: Option<usize>) -> anyhow::Result<()> {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let open = process_table::descriptor_targets(process);
    // The limit is on their numbers: the first that is not to be opened.
    let current = free
        .and_then(|free| (0..).filter(|number| !open.contains_key(number)).nth(free))
        .map_or(maximum, |number| Some(number.into()));
    let process = i32::try_from(process).ok().and_then(Pid::from_raw).context("no process")?;
    rustix::process::prlimit(Some(process), Resource::Nofile, Rlimit { current, maximum })?;
    Ok(())
}

/// Runs that meet a shortage, and who must not notice.
struct Stage {
    session: Session,
    bystander: Bystander,
}

/// A run that waits for its tool, the only one of its zygote.
struct Bystander {
    _runtime: Runtime,
    upstream: Arc<Upstream>,
    live: Run,
    zygote: u32,
}

impl Stage {
    /// Nothing is forked ahead, so that each run is forked in the shortage.
    async fn set(mut config: Config) -> anyhow::Result<Self> {
        config.ready_runs_max = 0;
        let (runtime, scopes, upstream) = (Runtime::new(config)?, test_tools::scopes()?, Upstream::new("user"));
        runtime.prepare(&scopes.hold).await?;
        let live = waiting_run(&runtime, &scopes.hold, &upstream).await?;
        let (_, of_scopes) = zygotes().await?;
        let [zygote] = of_scopes[..] else { anyhow::bail!("one zygote of a scope, not {of_scopes:?}") };
        let session = runtime.session(scopes.hold, TestTools(Arc::clone(&upstream)));
        Ok(Self { session, bystander: Bystander { _runtime: runtime, upstream, live, zygote } })
    }
}

impl Bystander {
    async fn check_undisturbed(self) -> anyhow::Result<()> {
        let zygote = self.zygote;
        ensure!(until(SOON, || process_table::children_of(zygote).len() == 1).await, "what was not wanted lives on");
        ensure!(zygotes().await?.1 == [zygote], "the zygote was lost");
        self.upstream.tell(true);
        ensure!(self.live.await??.end == End::Returned(7.into()), "a live run was disturbed");
        Ok(())
    }
}

/// From none free on, one more each time: first the run's socket cannot be received, then its pidfd not be made.
async fn no_descriptor_in_a_zygote() -> anyhow::Result<()> {
    let Stage { session, bystander } = Stage::set(Config::default().dangerous().readable_by_tests()).await?;
    for free in 0..2 {
        leave_descriptors(bystander.zygote, Some(free))?;
        let ran = session.run("return 1").await;
        let Err(RunError::System { source, .. }) = &ran else { anyhow::bail!("with {free} free descriptors: {ran:?}") };
        ensure!(source.raw_os_error() == Some(Errno::MFILE.raw_os_error()), "with {free} free descriptors: {source}");
    }
    leave_descriptors(bystander.zygote, None)?;
    let outcome = session.run("return 1").await?;
    ensure!(outcome.end == End::Returned(1.into()), "after the shortage: {}", outcome.end);
    bystander.check_undisturbed().await
}

/// A pidfd that the host cannot receive: its run ends, and is no other's.
async fn no_descriptor_in_the_host() -> anyhow::Result<()> {
    let Stage { session, bystander } = Stage::set(Config::default()).await?;
    let mut failed = 0;
    for free in 0..8 {
        leave_descriptors(process_table::host(), Some(free))?;
        let ran = session.run("return 1").await;
        leave_descriptors(process_table::host(), None)?;
        match &ran {
            Ok(outcome) => ensure!(outcome.end == End::Returned(1.into()), "with {free} free descriptors: {}", outcome.end),
            Err(RunError::System { source, .. }) => {
                ensure!(source.raw_os_error() == Some(Errno::MFILE.raw_os_error()), "with {free} free descriptors: {source}");
                failed += 1;
            }
            Err(error) => anyhow::bail!("with {free} free descriptors: {error:?}"),
        }
    }
    ensure!((1..8).contains(&failed), "{failed} of 8 runs failed");
    bystander.check_undisturbed().await
}

/// What a process does to itself before it becomes the program.
pub(crate) type Before = Box<dyn Fn() -> std::io::Result<()> + Send + Sync>;

/// The program with these arguments, on a machine that gives less.
fn isolet(arguments: &[&str], before: Before) -> anyhow::Result<Ran> {
    let place = tempfile::tempdir()?;
    let [source, config] = ["main.ts", "servers.json"].map(|name| place.path().join(name));
    std::fs::write(&source, "return 1 + 1")?;
    std::fs::write(&config, r#"{ "mcpServers": {} }"#)?;
    let (source, config) = (source.to_string_lossy(), config.to_string_lossy());
    let mut all = vec![program::ARGUMENT];
    all.extend(arguments);
    if arguments.first() == Some(&"run") {
        all.extend([&*source, "--config", &*config]);
    }
    #[expect(unsafe_code, reason = "a limit or a list of calls, between fork and exec")]
    let output = roles::output_of(&all, |command| {
        // SAFETY: system calls alone; what they read was made before the fork.
        unsafe { command.pre_exec(before) }
    })?;
    Ok(Ran { code: output.status.code(), output: String::from_utf8(output.stdout)?, errors: String::from_utf8(output.stderr)? })
}

/// The program cannot run a program, and says why: no panic, and nobody blames the program.
fn check_refused(ran: &Ran, texts: &[&str]) -> anyhow::Result<()> {
    ran.check(4, "", texts)?;
    for wrong in ["panicked", "engine or memory limit", "out of time"] {
        ensure!(!ran.errors.contains(wrong), "`{wrong}`: {}", ran.errors);
    }
    Ok(())
}

fn limited(resource: Resource, limit: u64) -> Before {
    Box::new(move || Ok(rustix::process::setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?))
}

/// Root may have as many as it likes: the tests as nobody have this one.
fn without_processes() -> anyhow::Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    check_refused(&isolet(&["run"], limited(Resource::Nproc, 5))?, &["`clone`", "`ulimit -u`"])
}

fn without_addresses() -> anyhow::Result<()> {
    check_refused(&isolet(&["run"], limited(Resource::As, 8 << 30))?, &["`mmap`", "`ulimit -v unlimited`"])
}

fn without_descriptors() -> anyhow::Result<()> {
    check_refused(&isolet(&["run"], limited(Resource::Nofile, 4))?, &["`ulimit -n`"])
}

/// A sandbox that answers some calls with an error.
pub(crate) fn forbidding(calls: &[i64], error: Errno) -> anyhow::Result<Before> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    let answer = SeccompAction::Errno(error.raw_os_error().unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, std::env::consts::ARCH.try_into()?)?;
    let filter = BpfProgram::try_from(filter)?;
    Ok(Box::new(move || seccompiler::apply_filter(&filter).map_err(std::io::Error::other)))
}

/// What starts processes and threads; `clone3` alone is not there for many, and `clone` is tried then.
pub(crate) const STARTING: &[i64] = &[
    libc::SYS_clone,
    libc::SYS_clone3,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
];

fn forbidden_calls() -> anyhow::Result<()> {
    check_refused(&isolet(&["run"], forbidding(STARTING, Errno::PERM)?)?, &["`clone`", "sandbox"])?;
    check_refused(&isolet(&["run"], forbidding(&[libc::SYS_socketpair], Errno::PERM)?)?, &["`socketpair`", "sandbox"])?;
    // Without pidfds processes are killed by who reaps them.
    isolet(&["run"], forbidding(&[libc::SYS_pidfd_open], Errno::PERM)?)?.check(0, "2", &[])?;
    isolet(&["run"], forbidding(&[libc::SYS_pidfd_open], Errno::NOSYS)?)?.check(0, "2", &[])
}

/// A machine whose `place` is empty; `None` where this user may not have such a one.
fn emptied(place: &'static std::ffi::CStr) -> Option<Before> {
    let before = move || {
        let of_user = if rustix::process::geteuid().is_root() { 0 } else { libc::CLONE_NEWUSER };
        let (none, file_system) = (c"none".as_ptr(), c"tmpfs".as_ptr());
        let nothing = std::ptr::null();
        #[expect(unsafe_code, reason = "a place in the file system of its own")]
        // SAFETY: C strings, and calls that change this process alone.
        let done = unsafe {
            libc::unshare(libc::CLONE_NEWNS | of_user) == 0
                && libc::mount(none, c"/".as_ptr(), nothing, libc::MS_REC | libc::MS_PRIVATE, nothing.cast()) == 0
                && libc::mount(none, place.as_ptr(), file_system, 0, nothing.cast()) == 0
        };
        if done { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    let mut tried = std::process::Command::new("true");
    #[expect(unsafe_code, reason = "as above")]
    // SAFETY: as above.
    let tried = unsafe { std::os::unix::process::CommandExt::pre_exec(&mut tried, before) }.status();
    tried.is_ok_and(|status| status.success()).then(|| Box::new(before) as Before)
}

fn without_files() -> anyhow::Result<()> {
    let (Some(without_proc), Some(without_devices)) = (emptied(c"/proc"), emptied(c"/dev")) else { return Ok(()) };
    check_refused(&isolet(&["run"], without_proc)?, &["`execve`", "mount `/proc`"])?;
    check_refused(&isolet(&["run"], without_devices)?, &["`open /dev/null`", "`/dev`"])
}

fn refused_walls() -> anyhow::Result<()> {
    let landlock = [libc::SYS_landlock_create_ruleset];
    for (error, why) in [
        (Errno::PERM, "a sandbox or container around this process forbids it"),
        (Errno::NOSYS, "gVisor, a kernel before 5.13 or one without CONFIG_SECURITY_LANDLOCK, or a sandbox that hides it"),
        (Errno::OPNOTSUPP, "add `landlock` to its parameter `lsm=`"),
    ] {
        let wall = ["landlock: `landlock_create_ruleset`", why];
        isolet(&["run"], forbidding(&landlock, error)?)?.check(0, "2", &[wall[0], wall[1], "`isolet doctor`", "`--strict`"])?;
        check_refused(&isolet(&["run", "--strict"], forbidding(&landlock, error)?)?, &[wall[0], wall[1], "`isolet doctor`"])?;
        let doctor = isolet(&["doctor"], forbidding(&landlock, error)?)?;
        ensure!(doctor.code == Some(5), "{:?}: {}", doctor.code, doctor.output);
        ensure!(wall.iter().all(|text| doctor.output.contains(text)), "{}", doctor.output);
    }
    // Who does without landlock by name runs without a word, and with the others in place alone.
    let without = |calls: &[i64]| isolet(&["run", "--isolation", "system-calls"], forbidding(calls, Errno::NOSYS)?);
    without(&landlock)?.check(0, "2", &[])?;
    check_refused(&without(&[libc::SYS_seccomp])?, &["the isolation that is asked for", "seccomp: `seccomp`"])?;
    // One that is missing is said once, not for each run.
    let ran = isolet(&["run"], forbidding(&landlock, Errno::PERM)?)?;
    ensure!(ran.errors.matches("landlock_create_ruleset").count() == 1, "{}", ran.errors);
    let seccomp = isolet(&["run", "--strict"], forbidding(&[libc::SYS_seccomp], Errno::PERM)?)?;
    check_refused(&seccomp, &["seccomp: `seccomp`", "forbids it"])
}
