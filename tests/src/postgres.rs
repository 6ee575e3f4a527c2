//! A PostgreSQL server of a test's own, as Debian packages it: in a temporary folder, on a Unix socket, with a password.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet_identity::{DatabaseAddress, KeyFile, PostgresStore};
use isolet_outbound::Secret;
use libtest_mimic::Trial;
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::required;

/// What is missing, and the way out: stands in the line of each test that is ignored for it.
const MISSING: &str = "needs PostgreSQL: install the package `postgresql`";

/// How long it may take to start, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of the one user that it has.
pub(crate) const PASSWORD: &str = "password-of-the-database-7f3a9c";

/// Where its programs are, if it is installed.
#[derive(Clone)]
pub(crate) struct Programs(PathBuf);

/// The server, which ends with this.
pub(crate) struct Postgres {
    programs: Programs,
    folder: TempDir,
    process: Option<Child>,
    /// Where it listens on this machine, beside its socket, if it does.
    port: Option<u16>,
}

/// A test that needs it.
pub(crate) type Test = (&'static str, fn(&Programs) -> Result<()>);

/// A trial for each test: ignored without PostgreSQL, or failed where everything is required.
pub(crate) fn trials(tests: &[Test]) -> Vec<Trial> {
    let trial = |(name, test): &Test| match Programs::find() {
        Some(programs) => {
            let test = *test;
            Trial::test(*name, move || test(&programs).map_err(|error| format!("{error:#}").into()))
        }
        None => required::lacking(name, MISSING),
    };
    tests.iter().map(trial).collect()
}

impl Programs {
    /// The newest that is installed.
    pub(crate) fn find() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|version| version.path().join("bin"));
        versions.filter(|folder| folder.join("initdb").is_file()).max().map(Self)
    }

    /// A program, as a user who is not root: the server refuses to be that.
    fn program(&self, name: &str) -> Command {
        if !rustix::process::geteuid().is_root() {
            return Command::new(self.0.join(name));
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]).arg(self.0.join(name));
        command
    }
}

impl Postgres {
    /// Makes one, and starts it.
    pub(crate) fn start(programs: &Programs) -> Result<Self> {
        let mut this = Self::make(programs)?;
        this.begin()?;
        Ok(this)
    }

    /// The same, which also listens on the loopback.
    pub(crate) fn start_listening(programs: &Programs) -> Result<Self> {
        const TRIES: usize = 5;

        let mut this = Self::make(programs)?;
        for attempt in 1..=TRIES {
            // Somebody else may be quicker to have it.
            let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            this.port = Some(port);
            match this.begin() {
                Err(_) if attempt < TRIES => this.end()?,
                begun => return begun.map(|()| this),
            }
        }
        anyhow::bail!("there is no port for it")
    }

    fn make(programs: &Programs) -> Result<Self> {
        // The address of a socket is short.
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp")?;
        if rustix::process::geteuid().is_root() {
            let owned = Command::new("chown").arg("nobody:nogroup").arg(folder.path()).status()?;
            ensure!(owned.success(), "the folder cannot be given away: {owned}");
        }
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD)?;
        let made = programs
            .program("initdb")
            .args(["--username=isolet", "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C", "--pwfile"])
            .arg(&password)
            .arg("--pgdata")
            .arg(folder.path().join("data"))
            .env("LC_ALL", "C")
            .current_dir("/")
            .output()
            .context("`initdb` cannot be started")?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Ok(Self { programs: programs.clone(), folder, process: None, port: None })
    }

    /// Starts it, as it was left.
    pub(crate) fn begin(&mut self) -> Result<()> {
        let port = self.number();
        let socket = self.folder.path().join(format!(".s.PGSQL.{port}"));
        let mut command = self.programs.program("postgres");
        command.arg("-D").arg(self.folder.path().join("data")).arg("-k").arg(self.folder.path());
        command.args(["-c", "fsync=off", "-c", "shared_buffers=16MB", "-p", &port.to_string(), "-c"]).current_dir("/");
        command.arg(if self.port.is_some() { "listen_addresses=127.0.0.1" } else { "listen_addresses=" });
        self.process = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        // It makes its socket before it takes anybody.
        let begun = std::time::Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() || !self.takes_statements() {
            let has_ended = self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
            ensure!(begun.elapsed() < PATIENCE && !has_ended, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn takes_statements(&self) -> bool {
        let mut asked = self.programs.program("pg_isready");
        asked.args(["-p", &self.number().to_string(), "-h"]).arg(self.folder.path());
        let asked = asked.current_dir("/").output();
        asked.is_ok_and(|output| output.status.success())
    }

    /// Ends it: connections are cut off.
    pub(crate) fn end(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        if let Some(number) = i32::try_from(process.id()).ok().and_then(Pid::from_raw) {
            rustix::process::kill_process(number, Signal::INT)?;
        }
        process.wait()?;
        Ok(())
    }

    /// The number of its port, which is in the name of its socket too.
    pub(crate) fn number(&self) -> u16 {
        self.port.unwrap_or(5432)
    }

    /// A file of its own, which it alone may read.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        if rustix::process::geteuid().is_root() {
            let owned = Command::new("chown").arg("nobody:nogroup").arg(&path).status()?;
            ensure!(owned.success(), "`{name}` cannot be given away: {owned}");
        }
        Ok(path)
    }

    /// What a deployment says of it, without its password.
    pub(crate) fn address(&self) -> String {
        format!("host={} user=isolet dbname=postgres", self.folder.path().display())
    }

    /// What stands in `[authorization]` of a replica whose folder, with the key, is `folder`.
    pub(crate) fn lines(&self, folder: &Path) -> Result<String> {
        let password = folder.join("database.password");
        std::fs::write(&password, PASSWORD)?;
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600))?;
        let (address, folder) = (self.address(), folder.display());
        Ok(format!("database = \"{address}\"\ndatabase_password_file = \"{}\"\nfolder = \"{folder}\"\n", password.display()))
    }

    /// The store of a replica with the keys of `folder`.
    pub(crate) async fn store(&self, folder: &Path) -> Result<PostgresStore> {
        let address = self.address().parse::<DatabaseAddress>()?.with_password(&Secret::new(PASSWORD)?);
        Ok(PostgresStore::open(&address, KeyFile::open(folder.join("credentials.key"))?).await?)
    }

    /// What `psql` says to a statement.
    pub(crate) fn say(&self, statement: &str) -> Result<String> {
        let mut psql = self.programs.program("psql");
        psql.args(["-U", "isolet", "-d", "postgres", "-At", "-c", statement]);
        psql.args(["-p", &self.number().to_string(), "-h"]).arg(self.folder.path());
        let said = psql.env("PGPASSWORD", PASSWORD).current_dir("/").output()?;
        ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        Ok(String::from_utf8(said.stdout)?.trim().to_owned())
    }

    /// Every file that it has written, log and tables: none has `what`.
    pub(crate) fn has_not(&self, what: &[u8]) -> Result<()> {
        self.say("CHECKPOINT")?;
        let mut folders = vec![self.folder.path().join("data/base"), self.folder.path().join("data/pg_wal")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    // What it writes again meanwhile may be gone.
                    let bytes = std::fs::read(&path).unwrap_or_default();
                    ensure!(memchr::memmem::find(&bytes, what).is_none(), "{} has a token", path.display());
                }
            }
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
