//! Authorizations in PostgreSQL, each row sealed, shared by all replicas of a service wherever they run.
//!
//! One connection has the statements. The right to refresh is an advisory lock on a connection of its own, so that it ends with its holder: with the
//! task, the process, or the machine.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use isolet::PrincipalKey;
use isolet_outbound::Secret;
use tokio::sync::Semaphore;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;
use zeroize::Zeroizing;

use crate::grant_key::GrantKey;
use crate::key_file::KeyFile;
use crate::seal::{self, Sealed};
use crate::store::{Kept, RefreshLock, Store, StoreError, Version};

/// How long a connection, and then an answer, may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How long the right to refresh is waited for: longer than a refresh of another replica takes.
const LOCK_MAX: Duration = Duration::from_secs(60);

/// The most connections of one process that hold a right to refresh, or wait for one.
const LOCKS_MAX: usize = 16;

/// A row is on the disk before it is said to be kept; what waits ends, and a connection whose machine is gone is noticed.
const SESSION: &str = "SET synchronous_commit = on; SET statement_timeout = '5s'; SET tcp_keepalives_idle = 10; \
    SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";
const LOCK_SESSION: &str = "SET statement_timeout = '60s'";

/// One replica makes the tables. Who may not make any uses those that are there.
const ARE_THERE: &str = "SELECT to_regclass('isolet_grants') IS NOT NULL AND to_regclass('isolet_seal') IS NOT NULL";
const TABLES: &str = "BEGIN; SELECT pg_advisory_xact_lock(7583028465091326831);
    CREATE TABLE IF NOT EXISTS isolet_grants (
        tenant text NOT NULL, user_name text NOT NULL, server text NOT NULL, resource text NOT NULL,
        key text NOT NULL, nonce bytea NOT NULL, sealed bytea NOT NULL,
        refreshing boolean NOT NULL DEFAULT false, updated timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant, user_name, server, resource)
    );
    CREATE TABLE IF NOT EXISTS isolet_seal (single boolean PRIMARY KEY DEFAULT true CHECK (single), key text NOT NULL);
    COMMIT";

/// The first replica says which key seals; the others have to have it, and one that has a newer one says so.
const FIRST_KEY: &str = "INSERT INTO isolet_seal (key) VALUES ($1) ON CONFLICT DO NOTHING";
const KEY: &str = "SELECT key FROM isolet_seal";
const NEXT_KEY: &str = "UPDATE isolet_seal SET key = $1 WHERE key = $2";

/// Where a database is, and as whom it is used.
#[derive(Clone)]
pub struct DatabaseAddress {
    config: Config,
    /// Authorities that are trusted beside the platform's, as PEM.
    roots: String,
}

/// A text that is no address of a database.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no address of a PostgreSQL database: write one such as `postgresql://isolet@db.example.com/isolet`")]
pub struct NotADatabase;

impl FromStr for DatabaseAddress {
    type Err = NotADatabase;

    /// Reads an address as PostgreSQL's own clients do. Another machine is called with TLS unless it says `sslmode=disable`.
    fn from_str(text: &str) -> Result<Self, NotADatabase> {
        let mut config = text.parse::<Config>().map_err(|_| NotADatabase)?;
        let is_away = |host: &Host| matches!(host, Host::Tcp(name) if !is_here(name));
        if config.get_hosts().is_empty() || config.get_user().is_none() {
            return Err(NotADatabase);
        }
        let is_any_away =
            config.get_hosts().iter().any(is_away) || config.get_hostaddrs().iter().any(|address| !address.is_loopback());
        if is_any_away && config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(SslMode::Require);
        }
        config.connect_timeout(CONNECT_MAX).application_name("isolet");
        Ok(Self { config, roots: String::new() })
    }
}

impl DatabaseAddress {
    /// Whether a password is in it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The same, with this password.
    #[must_use]
    pub fn with_password(mut self, password: &Secret) -> Self {
        self.config.password(password.expose());
        self
    }

    /// The same, whose certificate one of these authorities may have signed, too: PEM.
    #[must_use]
    pub fn with_roots(mut self, roots: impl Into<String>) -> Self {
        self.roots = roots.into();
        self
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Keeps authorizations in a database that several replicas share. Who, where and when can be read in it; tokens and secrets cannot.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    keys: KeyFile,
    address: DatabaseAddress,
    tls: MakeRustlsConnect,
    client: tokio::sync::Mutex<Option<Arc<Client>>>,
    locks: Arc<Semaphore>,
}

impl PostgresStore {
    /// Opens the database, and makes its tables where they are missing. What it keeps is sealed with `keys`, which every replica has.
    ///
    /// # Errors
    ///
    /// [`StoreError::Server`] for a database that cannot be used; [`StoreError::Keys`] for one whose rows other keys have sealed.
    pub async fn open(address: &DatabaseAddress, keys: KeyFile) -> Result<Self, StoreError> {
        let tls =
            isolet_outbound::tls_config(&address.roots).map_err(|source| StoreError::Server { source: Box::new(source) })?;
        let (client, locks) = (tokio::sync::Mutex::default(), Arc::new(Semaphore::new(LOCKS_MAX)));
        let inner = Inner { keys, address: address.clone(), tls: MakeRustlsConnect::new(tls), client, locks };
        let this = Self(Arc::new(inner));
        let client = this.client().await?;
        let is_there: bool = client.query_one(ARE_THERE, &[]).await.and_then(|row| row.try_get(0)).map_err(server_error)?;
        if !is_there {
            client.batch_execute(TABLES).await.map_err(server_error)?;
        }
        this.check_keys().await?;
        Ok(this)
    }

    /// Whether what is kept was sealed with keys that are here.
    async fn check_keys(&self) -> Result<(), StoreError> {
        let current = self.0.keys.current().map(|key| key.id.clone()).unwrap_or_default();
        self.query(FIRST_KEY, &[&current]).await?;
        let rows = self.query(KEY, &[]).await?;
        let said: &str = rows.first().ok_or(StoreError::Keys)?.try_get(0).map_err(server_error)?;
        match self.0.keys.key(said) {
            None => Err(StoreError::Keys),
            Some(_) if said == current => Ok(()),
            Some(_) => self.query(NEXT_KEY, &[&current, &said]).await.map(drop),
        }
    }

    async fn query(&self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        let mut is_second = false;
        loop {
            let client = self.client().await?;
            let said = tokio::time::timeout(ANSWER_MAX, client.query(statement, parameters)).await;
            match said {
                Ok(Ok(rows)) => return Ok(rows),
                // Every statement may be said twice: one that was lost with its connection is.
                Ok(Err(error)) if !is_second && is_lost(&error) => self.forget(&client).await,
                Ok(Err(error)) => return Err(server_error(error)),
                Err(late) => {
                    self.forget(&client).await;
                    return Err(StoreError::Server { source: Box::new(late) });
                }
            }
            is_second = true;
        }
    }

    /// Uses this connection no more.
    async fn forget(&self, client: &Arc<Client>) {
        let mut held = self.0.client.lock().await;
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, client)) {
            *held = None;
        }
    }

    /// The connection, or a new one if that has ended.
    async fn client(&self) -> Result<Arc<Client>, StoreError> {
        let mut held = self.0.client.lock().await;
        if let Some(client) = held.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.0.connect(SESSION).await?);
        *held = Some(Arc::clone(&client));
        Ok(client)
    }
}

impl Inner {
    async fn connect(&self, session: &str) -> Result<Client, StoreError> {
        let (client, connection) = in_time(self.address.config.connect(self.tls.clone())).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = %isolet::with_causes(&error), "a connection to the database of credentials has ended");
            }
        });
        in_time(client.batch_execute(session)).await?;
        Ok(client)
    }
}

async fn in_time<T>(said: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER_MAX, said).await {
        Ok(said) => said.map_err(server_error),
        Err(late) => Err(StoreError::Server { source: Box::new(late) }),
    }
}

/// Whether a statement was lost with its connection: nobody answered it, or the server said that it ends.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    error.code().is_none_or(|code| code.code().starts_with("57P"))
}

fn server_error(source: tokio_postgres::Error) -> StoreError {
    StoreError::Server { source: Box::new(source) }
}

#[async_trait]
impl Store for PostgresStore {
    async fn load(&self, grant_key: &GrantKey) -> Result<Option<Kept>, StoreError> {
        const ROW: &str = "SELECT key, nonce, sealed, refreshing FROM isolet_grants
            WHERE tenant = $1 AND user_name = $2 AND server = $3 AND resource = $4";
        let rows = self
            .query(ROW, &[&grant_key.tenant(), &grant_key.principal().user(), &grant_key.server(), &grant_key.resource()])
            .await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let nonce: &[u8] = row.try_get(1).map_err(server_error)?;
        let changed = |_| StoreError::Sealed { server: grant_key.server().to_owned() };
        let sealed = Sealed {
            key: row.try_get(0).map_err(server_error)?,
            nonce: nonce.try_into().map_err(changed)?,
            bytes: row.try_get(2).map_err(server_error)?,
        };
        let is_refreshing = row.try_get(3).map_err(server_error)?;
        Ok(Some(Kept { grant: seal::open(&self.0.keys, grant_key, sealed)?, is_refreshing }))
    }

    async fn save(&self, grant_key: &GrantKey, grant: Zeroizing<Vec<u8>>) -> Result<(), StoreError> {
        const ROW: &str = "INSERT INTO isolet_grants (tenant, user_name, server, resource, key, nonce, sealed)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, user_name, server, resource) DO UPDATE
            SET key = $5, nonce = $6, sealed = $7, refreshing = false, updated = now()";
        let Sealed { key, nonce, bytes } = seal::seal(&self.0.keys, grant_key, &grant)?;
        let (tenant, nonce) = (grant_key.tenant(), nonce.as_slice());
        let (user, server, resource) = (grant_key.principal().user(), grant_key.server(), grant_key.resource());
        self.query(ROW, &[&tenant, &user, &server, &resource, &key, &nonce, &bytes]).await.map(drop)
    }

    async fn mark(&self, grant_key: &GrantKey) -> Result<(), StoreError> {
        const MARK: &str = "UPDATE isolet_grants SET refreshing = true
            WHERE tenant = $1 AND user_name = $2 AND server = $3 AND resource = $4";
        self.change(MARK, grant_key).await
    }

    async fn remove(&self, grant_key: &GrantKey) -> Result<(), StoreError> {
        const REMOVE: &str = "DELETE FROM isolet_grants WHERE tenant = $1 AND user_name = $2 AND server = $3 AND resource = $4";
        self.change(REMOVE, grant_key).await
    }

    async fn list(&self, principal: &PrincipalKey) -> Result<Vec<(String, String)>, StoreError> {
        const ROWS: &str = "SELECT server, resource FROM isolet_grants WHERE tenant = $1 AND user_name = $2
            ORDER BY server, resource";
        let rows = self.query(ROWS, &[&GrantKey::tenant_of(principal), &principal.user()]).await?;
        let pair = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter().map(pair).collect::<Result<_, _>>().map_err(server_error)
    }

    async fn version(&self, principal: &PrincipalKey) -> Result<Version, StoreError> {
        const ROWS: &str = "SELECT nonce FROM isolet_grants WHERE tenant = $1 AND user_name = $2 ORDER BY server, resource";
        let rows = self.query(ROWS, &[&GrantKey::tenant_of(principal), &principal.user()]).await?;
        let nonces: Result<Vec<&[u8]>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        Ok(Version::of(nonces.map_err(server_error)?))
    }

    async fn lock(&self, grant_key: &GrantKey) -> Result<RefreshLock, StoreError> {
        // Whoever holds or waits has one place here and waits for nobody's second.
        let permit = Arc::clone(&self.0.locks).acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let client = self.0.connect(LOCK_SESSION).await?;
        let [first, second, third, fourth, fifth, sixth, seventh, eighth, ..] = grant_key.digest();
        let number = i64::from_le_bytes([first, second, third, fourth, fifth, sixth, seventh, eighth]);
        let parameters: [&(dyn ToSql + Sync); 1] = [&number];
        let locked = client.query("SELECT pg_advisory_lock($1)", &parameters);
        match tokio::time::timeout(LOCK_MAX, locked).await {
            Ok(locked) => drop(locked.map_err(server_error)?),
            Err(late) => return Err(StoreError::Server { source: Box::new(late) }),
        }
        // The connection ends before another one may take its place.
        Ok(RefreshLock::new((client, permit)))
    }
}

impl PostgresStore {
    async fn change(&self, statement: &str, grant_key: &GrantKey) -> Result<(), StoreError> {
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&grant_key.tenant(), &grant_key.principal().user(), &grant_key.server(), &grant_key.resource()];
        self.query(statement, &parameters).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn another_machine_is_called_with_tls_and_this_one_need_not_be() {
        let mode = |text: &str| text.parse::<DatabaseAddress>().unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgresql://isolet@db.example.com/isolet"), SslMode::Require);
        assert_eq!(mode("postgresql://isolet@db.example.com/isolet?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgresql://isolet@127.0.0.1,db.example.com/isolet"), SslMode::Require);
        let elsewhere = "host=localhost hostaddr=10.0.0.7 user=isolet";
        assert_eq!(mode(elsewhere), SslMode::Require, "the name is of this machine, and the address is not");
        for here in
            ["postgresql://isolet@127.0.0.1/isolet", "postgresql://isolet@localhost/i", "host=/run/postgresql user=isolet"]
        {
            assert_eq!(mode(here), SslMode::Prefer, "{here}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_a_password_in_it_is_seen() {
        for text in
            ["", "db.example.com", "postgresql:///isolet", "mysql://isolet@db.example.com/isolet", "host=a port=b user=c"]
        {
            assert!(text.parse::<DatabaseAddress>().is_err(), "{text}");
        }
        let address = |text: &str| text.parse::<DatabaseAddress>().unwrap();
        assert!(address("postgresql://isolet:canary@localhost/isolet").has_password());
        let without = address("postgresql://isolet@localhost/isolet");
        assert!(!without.has_password() && without.with_password(&Secret::new("canary-password").unwrap()).has_password());
    }
}
