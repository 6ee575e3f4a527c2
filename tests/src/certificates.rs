//! MCP servers over https with certificates of an authority of the operator's own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::http_server::{HttpServer, usual};
use crate::postgres_tls::certified;
use crate::upstream::Test;
use crate::{patience, program, roles};

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(120);

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[("certificates::a_server_is_used_whose_authority_the_machine_trusts_and_no_other", || {
    patience::within(PATIENCE, trusted())
})];

async fn trusted() -> Result<()> {
    if cfg!(target_os = "macos") {
        // There the keychain says which authorities are trusted, and a test adds none to it.
        return Ok(());
    }
    let server = HttpServer::start(|asked| usual(asked).unwrap_or_default()).await?;
    let (roots, certificate, key) = certified("localhost")?;
    let port = behind_tls(&server, &certificate, &key).await?;
    let folder = tempfile::tempdir()?;
    let (own, another) = (folder.path().join("company.pem"), folder.path().join("another.pem"));
    std::fs::write(&own, roots)?;
    std::fs::write(&another, certified("localhost")?.0)?;

    let (is_used, said) = tools(folder.path(), &format!("https://localhost:{port}/mcp"), &own).await?;
    ensure!(is_used && said.contains("inside.echo"), "its authority is trusted: {said}");
    ensure!(server.count("tools/list") == 1, "it is asked over TLS");
    let (is_used, said) = tools(folder.path(), &format!("https://localhost:{port}/mcp"), &another).await?;
    let is_refused = said.contains("the certificate of `localhost` is refused, invalid peer certificate: ")
        && said.contains(": correct it there, or have this machine trust its authority");
    ensure!(!is_used && is_refused, "nobody's authority: {said}");
    let (is_used, said) = tools(folder.path(), &format!("https://127.0.0.1:{port}/mcp"), &own).await?;
    ensure!(!is_used && said.contains("the certificate of `127.0.0.1` is refused"), "for another name: {said}");
    ensure!(server.count("tools/list") == 1, "nothing is sent to one that is refused");
    Ok(())
}

/// Lists the tools of the server at `url`, where the authorities of this file are trusted: whether it was used, and what was said.
async fn tools(folder: &Path, url: &str, roots: &Path) -> Result<(bool, String)> {
    let (config, roots) = (folder.join("servers.json"), roots.to_owned());
    std::fs::write(&config, json!({ "mcpServers": { "inside": { "url": url } } }).to_string())?;
    let output = tokio::task::spawn_blocking(move || {
        let config = config.to_string_lossy();
        let arguments = [program::ARGUMENT, "tools", "--config", &config];
        roles::output_of(&arguments, |command| command.env("SSL_CERT_FILE", roots).env_remove("SSL_CERT_DIR"))
    });
    let output = output.await??;
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    Ok((output.status.success(), said))
}

/// What speaks TLS in front of `server`, with a certificate and its key, PEM: the port.
async fn behind_tls(server: &HttpServer, certificate: &str, key: &str) -> Result<u16> {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_slice(key.as_bytes())?)?;
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await?);
    let port = listener.local_addr()?.port();
    let behind = server.url()?.socket_addrs(|| None)?.first().copied().context("it has an address")?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let (mut outside, mut inside) = (acceptor.accept(stream).await?, TcpStream::connect(behind).await?);
                tokio::io::copy_bidirectional(&mut outside, &mut inside).await
            });
        }
    });
    Ok(port)
}
