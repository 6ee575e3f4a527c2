//! Shapes in a file: SQLite, shared by all processes of one user on one machine. They work from memory; what changes is written soon after.

use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use isolet_bindings::{ContentHash, ObservedShapes, ReplyShape, Tool};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::records::{Key, Records, SHAPES_MAX, Shared};
use crate::writer::Writer;

/// How long another process may keep the file.
const BUSY_MAX: Duration = Duration::from_secs(5);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS shapes (
    principal TEXT NOT NULL, tool BLOB NOT NULL, written INTEGER NOT NULL, shape TEXT NOT NULL,
    PRIMARY KEY (principal, tool)
) STRICT";

/// Keeps what replies were like in a file, at most [`SHAPES_MAX`] shapes. It holds principals' names and the names in replies, and no value.
#[derive(Debug)]
pub struct SqliteShapes {
    records: Arc<Mutex<Records>>,
    shared: Arc<Shared>,
    writer: Writer,
}

/// Shapes cannot be kept in a file.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SqliteShapesError {
    /// It cannot be opened, or others may read it.
    #[error("the file `{path}` for observed shapes cannot be used: it has to be yours, with mode 0600")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It is no database, or not one of shapes.
    #[error("the file `{path}` for observed shapes is no database of such: remove it, and what was seen is seen again")]
    Database {
        /// The file.
        path: String,
        /// What SQLite says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no thread to write with.
    #[error("there is no thread to write observed shapes with")]
    Thread(#[source] std::io::Error),
}

impl SqliteShapes {
    /// Opens the file, or makes one of mode 0600, for servers of which `shared` answer all principals alike:
    /// [`MemoryShapes::sharing`](crate::MemoryShapes::sharing).
    ///
    /// # Errors
    ///
    /// [`SqliteShapesError`].
    pub fn open<Name: Into<String>>(
        path: impl AsRef<Path>,
        shared: impl IntoIterator<Item = Name>,
    ) -> Result<Self, SqliteShapesError> {
        let path = path.as_ref();
        let shown = || path.display().to_string();
        let refused = |source| SqliteShapesError::File { path: shown(), source };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let facts = file.and_then(|file| file.metadata()).map_err(refused)?;
        if !facts.is_file() || facts.uid() != rustix::process::geteuid().as_raw() || facts.mode() & 0o077 != 0 {
            return Err(refused(std::io::ErrorKind::PermissionDenied.into()));
        }
        let is_none = |source: rusqlite::Error| SqliteShapesError::Database { path: shown(), source: Box::new(source) };
        let database = Connection::open(path).map_err(is_none)?;
        database.busy_timeout(BUSY_MAX).map_err(is_none)?;
        database.execute_batch(TABLE).map_err(is_none)?;
        let shared: Arc<Shared> = Arc::new(shared.into_iter().map(Into::into).collect());
        let records = Arc::new(Mutex::new(read(&database).map_err(is_none)?));
        let of_writer = Arc::clone(&records);
        let write = move |key: &Key| {
            let own = of_writer.lock().unwrap_or_else(PoisonError::into_inner).own(key);
            if let Some(shape) = own
                && let Err(error) = write(&database, key, &shape)
            {
                tracing::warn!(%error, "what a reply was like could not be written: it is written when more is seen");
            }
        };
        let writer = Writer::start(write).map_err(SqliteShapesError::Thread)?;
        Ok(Self { records, shared, writer })
    }

    /// Waits until all that was seen is written. Dropping it does so, too.
    pub fn flush(&self) {
        self.writer.flush();
    }
}

/// What the file has: of what is too much the oldest is removed.
fn read(database: &Connection) -> Result<Records, rusqlite::Error> {
    const TOO_MANY: &str =
        "DELETE FROM shapes WHERE rowid IN (SELECT rowid FROM shapes ORDER BY written DESC LIMIT -1 OFFSET ?1)";
    const ALL: &str = "SELECT principal, tool, shape FROM shapes ORDER BY written";
    database.execute(TOO_MANY, params![i64::try_from(SHAPES_MAX).unwrap_or(i64::MAX)])?;
    let mut records = Records::default();
    let mut rows = database.prepare(ALL)?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let (principal, tool, shape): (String, [u8; 32], String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if let Some(shape) = ReplyShape::from_json(&shape) {
            let key = Key { principal: principal.into(), tool: ContentHash::from_bytes(tool) };
            records.observe(&key, &shape, false);
        }
    }
    Ok(records)
}

/// Writes a shape, widened by what another process has seen.
fn write(database: &Connection, key: &Key, shape: &ReplyShape) -> Result<(), rusqlite::Error> {
    const ROW: &str = "SELECT shape FROM shapes WHERE principal = ?1 AND tool = ?2";
    const WRITE: &str = "INSERT OR REPLACE INTO shapes (principal, tool, written, shape) VALUES (?1, ?2, ?3, ?4)";
    let transaction = Transaction::new_unchecked(database, TransactionBehavior::Immediate)?;
    let place = params![&*key.principal, key.tool.as_bytes()];
    let there: Option<String> = transaction.query_row(ROW, place, |row| row.get(0)).optional()?;
    let there = there.and_then(|there| ReplyShape::from_json(&there));
    let shape = there.map_or_else(|| shape.clone(), |there| shape.or(&there));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    transaction.execute(WRITE, params![&*key.principal, key.tool.as_bytes(), now, shape.to_json()])?;
    transaction.commit()
}

impl ObservedShapes for SqliteShapes {
    fn observe(&self, principal: &str, tool: &Tool, shape: ReplyShape) {
        let key = Key { principal: Arc::from(principal), tool: tool.hash() };
        let is_shared = self.shared.contains(tool.server());
        let is_news = self.records.lock().unwrap_or_else(PoisonError::into_inner).observe(&key, &shape, is_shared);
        if is_news {
            self.writer.write(key);
        }
    }

    fn seen(&self, principal: &str, tool: &Tool) -> Option<Arc<ReplyShape>> {
        let key = Key { principal: Arc::from(principal), tool: tool.hash() };
        let is_shared = self.shared.contains(tool.server());
        self.records.lock().unwrap_or_else(PoisonError::into_inner).seen(&key, is_shared)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::unix::fs::PermissionsExt as _;

    use isolet_bindings::{Catalog, Grants, Scope};
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let tools = vec![json!({"name": "list", "inputSchema": {"type": "object"}})];
        Catalog::load([("s", tools)]).unwrap().scope(&Grants::new().allow("*")).unwrap()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn what_was_seen_is_there_after_a_restart_for_whom_it_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shapes.db");
        let shapes = SqliteShapes::open(&path, NONE).unwrap();
        let scope = scope();
        scope.observing(Arc::new(shapes), "ada").observe(0, r#"{"number": 1, "sk-secret": "value"}"#);
        let shapes = Arc::new(SqliteShapes::open(&path, NONE).unwrap());
        let again = scope.observing(shapes.clone(), "ada");
        assert!(
            again.typescript().contains("interface list_result { number: number; [key: string]: string | number } // 1 reply"),
            "{}",
            again.typescript()
        );
        assert_eq!(scope.observing(shapes, "bob").typescript(), scope.typescript());
        let bytes = std::fs::read(&path).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(has("number") && !has("secret") && !has("value\""));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn two_processes_see_what_either_has_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shapes.db");
        let [one, two] = [0, 1].map(|_| Arc::new(SqliteShapes::open(&path, NONE).unwrap()));
        let scope = scope();
        scope.observing(one.clone(), "ada").observe(0, "1");
        one.flush();
        scope.observing(two.clone(), "ada").observe(0, r#""x""#);
        two.flush();
        let third = Arc::new(SqliteShapes::open(&path, NONE).unwrap());
        assert!(scope.observing(third, "ada").typescript().contains("type list_result = number | string;"));
    }

    #[test]
    fn what_three_principals_had_is_published_after_a_restart_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shapes.db");
        let scope = scope();
        let shapes = Arc::new(SqliteShapes::open(&path, ["s"]).unwrap());
        for principal in ["ada", "bob", "cay"] {
            scope.observing(shapes.clone(), principal).observe(0, &format!(r#"{{"id": 1, "of_{principal}": 1}}"#));
        }
        drop(shapes);
        let shared = Arc::new(SqliteShapes::open(&path, ["s"]).unwrap());
        assert!(scope.observing(shared, "eve").typescript().contains("interface list_result { id: number } // 3 replies"));
        let closed = Arc::new(SqliteShapes::open(&path, NONE).unwrap());
        assert_eq!(scope.observing(closed, "eve").typescript(), scope.typescript());
    }

    #[test]
    fn a_file_that_others_may_read_and_one_that_is_no_database_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shapes.db");
        std::fs::write(&path, "not a database, and longer than its header would be: ".repeat(10)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(SqliteShapes::open(&path, NONE), Err(SqliteShapesError::File { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(SqliteShapes::open(&path, NONE), Err(SqliteShapesError::Database { .. })));
    }
}
