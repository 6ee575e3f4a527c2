//! Which walls stand around programs in containers and under limits of many kinds: `isolet doctor` in each of them, and what `docs/containers.md` says of
//! it. `cargo xtask walls` prints what was seen.

mod settings;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;

use self::settings::{Cgroup, SETTINGS, Seen, Setting};
use crate::{program, required, shortages, unprivileged};

/// The first argument of this binary that tries all of them; a program to be tried may follow.
pub(crate) const ARGUMENT: &str = "walls";

/// Where what is seen is told to others.
const PAGE: &str = "docs/containers.md";

/// One trial for each setting, and one for the page.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |setting: &'static Setting| {
        Trial::test(format!("walls::{}", setting.name), move || {
            let tried = Tried::this().and_then(|tried| tried.checked(setting));
            tried.map(drop).map_err(|error| format!("{error:#}").into())
        })
    };
    let mut trials: Vec<_> = SETTINGS.iter().map(trial).collect();
    trials.push(Trial::test("walls::two_users_start_one_program_at_once", || {
        two_users_at_once().map_err(|error| format!("{error:#}").into())
    }));
    trials.push(Trial::test("walls::the_page_says_of_each_setting_what_is_seen", || {
        the_page_says_what_is_seen().map_err(|error| format!("{error:#}").into())
    }));
    trials
}

/// Tries every setting, one after another, and prints the table.
#[expect(clippy::print_stdout, reason = "a command that reports")]
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let tried = match arguments {
        [] => Tried::this()?,
        [program] => Tried::new(Path::new(program), &[])?,
        _ => anyhow::bail!("one program, not {arguments:?}"),
    };
    println!("| setting | tier | started by | runs at a time | said |\n|---|---|---|---|---|");
    let mut wrong = Vec::new();
    for setting in SETTINGS {
        match tried.checked(setting) {
            Ok(Some(report)) => println!("| {} | {} |", setting.name, report.row()),
            Ok(None) => println!("| {} | not tried: this machine cannot make it | | | |", setting.name),
            Err(error) => {
                println!("| {} | {error:#} | | | |", setting.name);
                wrong.push(setting.name);
            }
        }
    }
    ensure!(wrong.is_empty(), "other than known: {}", wrong.join(", "));
    Ok(())
}

/// The program that is tried, where every user may start it.
struct Tried {
    _place: TempDir,
    program: PathBuf,
    arguments: &'static [&'static str],
}

/// What the program said in a setting.
struct Report {
    /// What it examined, if it came to that.
    examined: Option<Value>,
    errors: String,
    code: Option<i32>,
}

impl Tried {
    /// The program that this binary plays.
    fn this() -> Result<Self> {
        Self::new(&std::env::current_exe()?, &[program::ARGUMENT])
    }

    fn new(program: &Path, arguments: &'static [&'static str]) -> Result<Self> {
        // Not in `/tmp`, which some settings take away.
        let place = tempfile::tempdir_in("/var/tmp")?;
        let program = unprivileged::copy_for_all(program, place.path())?;
        Ok(Self { _place: place, program, arguments })
    }

    /// What is seen in a setting, which is what is known of it; `None` where this machine cannot make it.
    fn checked(&self, setting: &Setting) -> Result<Option<Report>> {
        if !required::is_there(&format!("way to make `{}`", setting.name), setting.can_be_made()?)? {
            return Ok(None);
        }
        let report = self.report(setting)?;
        let examined = report.examined.as_ref().unwrap_or(&Value::Null);
        let said = format!("exit code {:?}\n{examined:#}\n{}", report.code, report.errors);
        ensure!(report.code == Some(setting.seen.code()), "exit code {} is known: {said}", setting.seen.code());
        match setting.seen {
            Seen::Tier(tier, words) => {
                ensure!(report.member("tier") == tier, "the tier `{tier}` is known: {said}");
                ensure!(said.contains(words), "`{words}` is known: {said}");
            }
            Seen::Nothing(words) => {
                ensure!(report.examined.is_none() || report.member("tier") == "none", "nothing runs here, as is known: {said}");
                ensure!(said.contains(words), "`{words}` is known: {said}");
            }
        }
        if let Some(runs) = setting.runs {
            ensure!(report.member("live_runs_max") == runs, "{runs} runs at a time are known: {said}");
        }
        Ok(Some(report))
    }

    fn report(&self, setting: &Setting) -> Result<Report> {
        let cgroup = setting.cgroup.map(|cgroup| cgroup.made()).transpose()?;
        let mut line: Vec<String> = cgroup.as_ref().map(Cgroup::entering).unwrap_or_default();
        line.extend(setting.prefix.iter().map(|word| (*word).to_owned()));
        line.push(self.program.to_str().context("the program has a name that is no text")?.to_owned());
        line.extend(self.arguments.iter().chain(&["doctor", "--json"]).map(|word| (*word).to_owned()));
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).current_dir("/").stdin(Stdio::null());
        for (calls, error) in setting.refuses {
            let refusing = shortages::forbidding(calls, *error)?;
            #[expect(unsafe_code, reason = "a list of calls, between fork and exec")]
            // SAFETY: a system call alone; what it reads was made before the fork.
            unsafe {
                std::os::unix::process::CommandExt::pre_exec(&mut command, refusing);
            }
        }
        let output = command.output().with_context(|| format!("`{}` does not start", line[0]))?;
        Ok(Report {
            examined: serde_json::from_slice(&output.stdout).ok(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        })
    }
}

impl Report {
    fn member(&self, name: &str) -> Value {
        self.examined.as_ref().map_or(Value::Null, |examined| examined[name].clone())
    }

    /// What is told of it in the table.
    fn row(&self) -> String {
        let Some(examined) = &self.examined else { return format!("none | | | {}", self.errors.trim().replace('\n', " ")) };
        let missing: Vec<_> = examined["missing"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let error = examined["run"]["error"].as_str().unwrap_or_default();
        let text = |name: &str| examined[name].as_str().unwrap_or_default().to_owned();
        format!("{} | {} | {} | {}{error}", text("tier"), text("start"), examined["live_runs_max"], missing.join("; "))
    }
}

/// One file, which root has installed, started by root and by nobody: neither leaves anything that the other meets.
fn two_users_at_once() -> Result<()> {
    let tried = &Tried::this()?;
    let users = ["as_root", "as_nobody"].map(|name| SETTINGS.iter().find(|setting| setting.name == name));
    std::thread::scope(|scope| {
        let started = users.map(|setting| setting.map(|setting| scope.spawn(move || tried.checked(setting))));
        for user in started {
            let checked = user.context("there is no such setting")?.join();
            checked.map_err(|_| anyhow::anyhow!("a user's thread was lost"))??;
        }
        Ok(())
    })
}

/// Each setting has a row whose last column names its trial, and whose second has the tier.
fn the_page_says_what_is_seen() -> Result<()> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE))?;
    let rows: Vec<Vec<&str>> =
        page.lines().filter(|line| line.starts_with("| ")).map(|line| line.split(" | ").collect()).collect();
    for setting in SETTINGS {
        let name = format!("`walls::{}` |", setting.name);
        let row =
            rows.iter().find(|row| row.last() == Some(&&*name)).with_context(|| format!("{PAGE} has no row for {name}"))?;
        let tier = match setting.seen {
            Seen::Tier(tier, _) => tier,
            Seen::Nothing(_) => "none",
        };
        ensure!(row.get(1) == Some(&&*format!("`{tier}`")), "{PAGE} says another tier than `{tier}` of `{}`", setting.name);
    }
    let named = page.lines().filter(|line| line.starts_with("| ") && line.contains("`walls::")).count();
    ensure!(named == SETTINGS.len(), "{PAGE} has {named} rows for {} settings", SETTINGS.len());
    Ok(())
}
