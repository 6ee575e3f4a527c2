//! The database of several replicas, over TLS: with a certificate that fits, or not at all.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet_identity::{DatabaseAddress, KeyFile, PostgresStore, Store as _, StoreError};
use isolet_outbound::Secret;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::patience;
use crate::postgres::{PASSWORD, Postgres, Programs, Test};
use crate::replicas::{grant, grant_key};

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(120);

/// Every test of this module.
pub(crate) const TESTS: &[Test] =
    &[("postgres_tls::a_database_is_used_over_tls_with_a_certificate_that_fits_or_not_at_all", |programs| {
        patience::within(PATIENCE, with_a_certificate_that_fits(programs))
    })];

async fn with_a_certificate_that_fits(programs: &Programs) -> Result<()> {
    let (postgres, folder) = (Postgres::start_listening(programs)?, tempfile::tempdir()?);
    let (roots, certificate, key) = certified("localhost")?;
    let open = async |host: &str, roots: &str| -> Result<PostgresStore, StoreError> {
        let text = format!("postgresql://isolet@{host}:{}/postgres?sslmode=require", postgres.number());
        let address = text.parse::<DatabaseAddress>().map_err(|error| StoreError::Server { source: Box::new(error) })?;
        let password = Secret::new(PASSWORD).map_err(|error| StoreError::Server { source: Box::new(error) })?;
        let keys = KeyFile::open(folder.path().join("credentials.key"));
        let keys = keys.map_err(|error| StoreError::Server { source: Box::new(error) })?;
        PostgresStore::open(&address.with_password(&password).with_roots(roots), keys).await
    };
    let is_refused = |opened: Result<PostgresStore, StoreError>| matches!(opened, Err(StoreError::Server { .. }));
    ensure!(is_refused(open("localhost", &roots).await), "it speaks no TLS, and nothing is said in the clear");
    let (certificate, key) = (postgres.file("server.crt", &certificate)?, postgres.file("server.key", &key)?);
    postgres.say(&format!("ALTER SYSTEM SET ssl_cert_file = '{}'", certificate.display()))?;
    postgres.say(&format!("ALTER SYSTEM SET ssl_key_file = '{}'", key.display()))?;
    postgres.say("ALTER SYSTEM SET ssl = on")?;
    postgres.say("SELECT pg_reload_conf()")?;
    let opened = async {
        loop {
            // It reads its files when it comes to it.
            match open("localhost", &roots).await {
                Ok(store) => return store,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let store = tokio::time::timeout(PATIENCE, opened).await.context("it speaks no TLS")?;
    let ada = grant_key("ada")?;
    store.save(&ada, grant("of ada")).await?;
    ensure!(store.load(&ada).await?.context("it is kept")?.grant.as_slice() == b"of ada");
    drop(store.lock(&ada).await?);
    let ways = "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'isolet'";
    ensure!(postgres.say(ways)? == "t", "{}", postgres.say(ways)?);
    ensure!(is_refused(open("localhost", "").await), "its authority is nobody's");
    ensure!(is_refused(open("127.0.0.1", &roots).await), "the certificate is for another name");
    let (others, ..) = certified("localhost")?;
    ensure!(is_refused(open("localhost", &others).await), "another authority has signed it");
    Ok(())
}

/// An authority, and a certificate of it for `name` with its key: all PEM.
pub(crate) fn certified(name: &str) -> Result<(String, String, String)> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let roots = params.self_signed(&key)?.pem();
    let (authority, key) = (Issuer::new(params, key), KeyPair::generate()?);
    let certificate = CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &authority)?;
    Ok((roots, certificate.pem(), key.serialize_pem()))
}
