//! Authorizations in a file: SQLite, each row sealed, shared by all processes of one user on one machine.

use std::fs::OpenOptions;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use isolet::PrincipalKey;
use rusqlite::{Connection, OptionalExtension as _, params};
use zeroize::Zeroizing;

use crate::grant_key::GrantKey;
use crate::key_file::KeyFile;
use crate::seal::{self, Sealed};
use crate::store::{Kept, RefreshLock, Store, StoreError, Version};

/// How long another process may keep the file.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// Into how many files the right to refresh is divided. Grants that share one wait for each other.
const LOCKS: usize = 64;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS grants (
    tenant TEXT NOT NULL, user TEXT NOT NULL, server TEXT NOT NULL, resource TEXT NOT NULL,
    key TEXT NOT NULL, nonce BLOB NOT NULL, sealed BLOB NOT NULL, refreshing INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, user, server, resource)
) STRICT";

/// Keeps authorizations in a file. Who, where and when can be read in it; tokens and secrets cannot.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    keys: KeyFile,
    locks: PathBuf,
    database: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens the file, or makes one of mode 0600 (and its folder, of mode 0700). What it keeps is sealed with `keys`.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] for a file that others may read; [`StoreError::Database`] for one that is no database.
    pub fn open(path: impl AsRef<Path>, keys: KeyFile) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let failed = |source| StoreError::File { path: path.display().to_string(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(failed)?;
        let facts = file.metadata().map_err(failed)?;
        if !facts.is_file() || facts.uid() != rustix::process::geteuid().as_raw() || facts.mode() & 0o077 != 0 {
            return Err(failed(std::io::ErrorKind::PermissionDenied.into()));
        }
        let mut locks = path.to_owned().into_os_string();
        locks.push(".locks");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&locks).map_err(failed)?;
        let database = Connection::open(path).map_err(database_error)?;
        database.busy_timeout(BUSY_MAX).map_err(database_error)?;
        // A row is on the disk before it is said to be kept; what is removed is overwritten.
        database.execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;").map_err(database_error)?;
        database.execute_batch(TABLE).map_err(database_error)?;
        Ok(Self(Arc::new(Inner { keys, locks: locks.into(), database: Mutex::new(database) })))
    }

    /// Seals anew what an older key has sealed, so that its line may be taken out of the key file. How many rows that were.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: what has not been sealed anew stays as it was.
    pub async fn seal_anew(&self, principal: &PrincipalKey) -> Result<usize, StoreError> {
        let mut count = 0;
        for (server, resource) in self.list(principal).await? {
            let Ok(url) = isolet::mcp::Url::parse(&resource) else { continue };
            let grant_key = GrantKey::new(principal, &server, &url);
            let _lock = self.lock(&grant_key).await?;
            if let Some(Kept { grant, is_refreshing: false }) = self.load(&grant_key).await? {
                self.save(&grant_key, grant).await?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Does something with the database, where waiting for a disk keeps nobody else.
    async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connection, &KeyFile) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.0);
        let act = move || act(&inner.database.lock().unwrap_or_else(PoisonError::into_inner), &inner.keys);
        tokio::task::spawn_blocking(act).await.unwrap_or(Err(StoreError::Stopped))
    }
}

fn database_error(source: rusqlite::Error) -> StoreError {
    StoreError::Database { source: Box::new(source) }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, grant_key: &GrantKey) -> Result<Option<Kept>, StoreError> {
        let grant_key = grant_key.clone();
        self.with(move |database, keys| {
            const ROW: &str = "SELECT key, nonce, sealed, refreshing FROM grants
                WHERE tenant = ?1 AND user = ?2 AND server = ?3 AND resource = ?4";
            let place_of = params![grant_key.tenant(), grant_key.principal().user(), grant_key.server(), grant_key.resource()];
            let read = |row: &rusqlite::Row<'_>| {
                Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?, row.get::<_, bool>(3)?))
            };
            let row = database.query_row(ROW, place_of, read).optional().map_err(database_error)?;
            let Some((key, nonce, bytes, is_refreshing)) = row else { return Ok(None) };
            let changed = |_| StoreError::Sealed { server: grant_key.server().to_owned() };
            let sealed = Sealed { key, nonce: nonce.as_slice().try_into().map_err(changed)?, bytes };
            Ok(Some(Kept { grant: seal::open(keys, &grant_key, sealed)?, is_refreshing }))
        })
        .await
    }

    async fn save(&self, grant_key: &GrantKey, grant: Zeroizing<Vec<u8>>) -> Result<(), StoreError> {
        let grant_key = grant_key.clone();
        self.with(move |database, keys| {
            const ROW: &str = "INSERT OR REPLACE INTO grants (tenant, user, server, resource, key, nonce, sealed, refreshing)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)";
            let Sealed { key, nonce, bytes } = seal::seal(keys, &grant_key, &grant)?;
            let (user, server, resource) = (grant_key.principal().user(), grant_key.server(), grant_key.resource());
            let row = params![grant_key.tenant(), user, server, resource, key, nonce.as_slice(), bytes];
            database.execute(ROW, row).map(drop).map_err(database_error)
        })
        .await
    }

    async fn mark(&self, grant_key: &GrantKey) -> Result<(), StoreError> {
        const MARK: &str = "UPDATE grants SET refreshing = 1 WHERE tenant = ?1 AND user = ?2 AND server = ?3 AND resource = ?4";
        self.change(MARK, grant_key).await
    }

    async fn remove(&self, grant_key: &GrantKey) -> Result<(), StoreError> {
        const REMOVE: &str = "DELETE FROM grants WHERE tenant = ?1 AND user = ?2 AND server = ?3 AND resource = ?4";
        self.change(REMOVE, grant_key).await
    }

    async fn list(&self, principal: &PrincipalKey) -> Result<Vec<(String, String)>, StoreError> {
        let (tenant, user) = (GrantKey::tenant_of(principal), principal.user().to_owned());
        self.with(move |database, _| {
            const ROWS: &str = "SELECT server, resource FROM grants WHERE tenant = ?1 AND user = ?2 ORDER BY server, resource";
            let mut statement = database.prepare(ROWS).map_err(database_error)?;
            let rows = statement.query_map(params![tenant, user], |row| Ok((row.get(0)?, row.get(1)?)));
            rows.map_err(database_error)?.collect::<Result<_, _>>().map_err(database_error)
        })
        .await
    }

    async fn version(&self, principal: &PrincipalKey) -> Result<Version, StoreError> {
        let (tenant, user) = (GrantKey::tenant_of(principal), principal.user().to_owned());
        self.with(move |database, _| {
            const ROWS: &str = "SELECT nonce FROM grants WHERE tenant = ?1 AND user = ?2 ORDER BY server, resource";
            let mut statement = database.prepare(ROWS).map_err(database_error)?;
            let rows = statement.query_map(params![tenant, user], |row| row.get::<_, Vec<u8>>(0)).map_err(database_error)?;
            Ok(Version::of(rows.collect::<Result<Vec<_>, _>>().map_err(database_error)?))
        })
        .await
    }

    async fn lock(&self, grant_key: &GrantKey) -> Result<RefreshLock, StoreError> {
        let number = usize::from(grant_key.digest()[0]) % LOCKS;
        let path = self.0.locks.join(format!("{number:02}"));
        // The system gives it back when the process ends, however that comes about.
        let lock = move || {
            let failed = |source| StoreError::File { path: path.display().to_string(), source };
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
            file.lock().map_err(failed)?;
            Ok(RefreshLock::new(file))
        };
        tokio::task::spawn_blocking(lock).await.unwrap_or(Err(StoreError::Stopped))
    }
}

impl SqliteStore {
    async fn change(&self, statement: &'static str, grant_key: &GrantKey) -> Result<(), StoreError> {
        let grant_key = grant_key.clone();
        self.with(move |database, _| {
            let place_of = params![grant_key.tenant(), grant_key.principal().user(), grant_key.server(), grant_key.resource()];
            database.execute(statement, place_of).map(drop).map_err(database_error)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::unix::fs::PermissionsExt as _;

    use isolet::Principal;
    use isolet::mcp::Url;

    use super::*;

    fn store(folder: &Path) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(folder.join("store.db"), KeyFile::open(folder.join("key")).unwrap())
    }

    fn grant_key(user: &str) -> GrantKey {
        GrantKey::new(&Principal::new(user).in_tenant("acme").key(), "a", &Url::parse("https://a.example/mcp").unwrap())
    }

    fn grant(text: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn what_is_kept_is_there_for_its_principal_after_a_restart_and_not_in_clear() {
        let folder = tempfile::tempdir().unwrap();
        let first = store(folder.path()).unwrap();
        first.save(&grant_key("ada"), grant("canary-7f3a9c")).await.unwrap();
        first.mark(&grant_key("ada")).await.unwrap();
        drop(first);
        let again = store(folder.path()).unwrap();
        let kept = again.load(&grant_key("ada")).await.unwrap().unwrap();
        assert_eq!((kept.grant.as_slice(), kept.is_refreshing), (&b"canary-7f3a9c"[..], true));
        assert!(again.load(&grant_key("bob")).await.unwrap().is_none());
        assert_eq!(again.list(grant_key("ada").principal()).await.unwrap().len(), 1);
        assert!(again.list(grant_key("bob").principal()).await.unwrap().is_empty());
        let bytes = std::fs::read(folder.path().join("store.db")).unwrap();
        assert!(!bytes.windows(6).any(|bytes| bytes == b"canary"));
        let version = async || again.version(grant_key("ada").principal()).await.unwrap();
        let before = version().await;
        again.mark(&grant_key("ada")).await.unwrap();
        assert!(before == version().await && before != again.version(grant_key("bob").principal()).await.unwrap());
        again.save(&grant_key("ada"), grant("another")).await.unwrap();
        assert_ne!(before, version().await);
        assert!(!again.load(&grant_key("ada")).await.unwrap().unwrap().is_refreshing);
        again.remove(&grant_key("ada")).await.unwrap();
        assert!(again.load(&grant_key("ada")).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn rows_cannot_change_places_and_a_new_key_opens_old_ones() {
        let folder = tempfile::tempdir().unwrap();
        let one = store(folder.path()).unwrap();
        one.save(&grant_key("ada"), grant("of-ada")).await.unwrap();
        one.with(|database, _| database.execute("UPDATE grants SET user = 'eve'", []).map(drop).map_err(database_error))
            .await
            .unwrap();
        assert!(matches!(one.load(&grant_key("eve")).await, Err(StoreError::Sealed { .. })));
        one.save(&grant_key("ada"), grant("of-ada")).await.unwrap();
        let keys = KeyFile::open(folder.path().join("key")).unwrap().rotate().unwrap();
        let rotated = SqliteStore::open(folder.path().join("store.db"), keys).unwrap();
        assert_eq!(rotated.seal_anew(grant_key("ada").principal()).await.unwrap(), 1);
        assert!(matches!(one.load(&grant_key("ada")).await, Err(StoreError::Sealed { .. })), "it has the old key alone");
        assert_eq!(rotated.load(&grant_key("ada")).await.unwrap().unwrap().grant.as_slice(), b"of-ada");
    }

    #[tokio::test]
    async fn a_file_that_others_read_and_one_that_is_no_database_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        std::fs::write(&path, "this is no database, and long enough to be one ".repeat(40)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(store(folder.path()), Err(StoreError::Database { .. })));
        std::fs::remove_file(&path).unwrap();
        drop(store(folder.path()).unwrap());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(store(folder.path()), Err(StoreError::File { .. })));
    }

    #[tokio::test]
    async fn a_store_that_is_full_or_locked_says_so_and_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (store(folder.path()).unwrap(), store(folder.path()).unwrap());
        one.save(&grant_key("ada"), grant("of-ada")).await.unwrap();
        let pragma = |text: &'static str| one.with(move |database, _| database.execute_batch(text).map_err(database_error));
        pragma("PRAGMA max_page_count = 1").await.unwrap();
        assert!(matches!(one.save(&grant_key("ada"), grant(&"x".repeat(1 << 20))).await, Err(StoreError::Database { .. })));
        assert_eq!(one.load(&grant_key("ada")).await.unwrap().unwrap().grant.as_slice(), b"of-ada");
        other.with(|database, _| database.busy_timeout(Duration::ZERO).map_err(database_error)).await.unwrap();
        pragma("BEGIN EXCLUSIVE").await.unwrap();
        assert!(matches!(other.mark(&grant_key("ada")).await, Err(StoreError::Database { .. })));
        assert!(matches!(other.load(&grant_key("ada")).await, Err(StoreError::Database { .. })));
        pragma("ROLLBACK").await.unwrap();
        assert!(!other.load(&grant_key("ada")).await.unwrap().unwrap().is_refreshing);
    }

    #[tokio::test]
    async fn two_processes_have_the_right_to_refresh_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (store(folder.path()).unwrap(), store(folder.path()).unwrap());
        let held = one.lock(&grant_key("ada")).await.unwrap();
        let waiting = tokio::spawn(async move { other.lock(&grant_key("ada")).await.is_ok() });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held);
        assert!(waiting.await.unwrap());
    }
}
