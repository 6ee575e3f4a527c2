//! Certificates: those that fit are taken, all others end the request before a byte of it is sent.

use std::sync::Arc;

use isolet_outbound::{Outbound, OutboundError, Policy};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::server::{Names, Server, allowing, finish, get, get_as_library, ok, read_request};

/// An authority of a test's own.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn pem(&self) -> String {
        self.pem.clone()
    }

    /// What accepts connections with a certificate for `names`, as `change` leaves it.
    pub(crate) fn acceptor(&self, names: &[&str], change: impl Fn(&mut CertificateParams)) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A server that answers `secured` to whoever trusts it.
    pub(crate) async fn server(&self, at: &str, names: &[&str]) -> Server {
        serve(at, self.acceptor(names, |_| {})).await
    }
}

async fn serve(at: &str, acceptor: TlsAcceptor) -> Server {
    Server::scripted(at, move |stream| secured(acceptor.clone(), stream)).await
}

/// One request over TLS.
pub(crate) async fn secured(acceptor: TlsAcceptor, stream: TcpStream) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    read_request(&mut stream).await?;
    finish(&mut stream, ok("secured").as_bytes()).await
}

fn trusting(authority: &Authority) -> Outbound {
    let mut policy = allowing(Policy::server(), &["right.test", "wrong.test"]);
    policy.roots = authority.pem();
    let names = Names::of([("right.test", &[&["127.0.0.1"]]), ("wrong.test", &[&["127.0.0.1"]])]);
    Outbound::with_resolver(policy, names).unwrap()
}

#[tokio::test]
async fn a_certificate_that_fits_is_taken_and_one_for_another_host_is_not() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1:0", &["right.test"]).await;
    let outbound = trusting(&authority);
    assert_eq!(get(&outbound, &server.https("right.test")).await.unwrap().body, b"secured");
    assert_eq!(get_as_library(&outbound, &server.https("right.test")).await.unwrap(), "secured");
    for error in [
        get(&outbound, &server.https("wrong.test")).await.unwrap_err(),
        get_as_library(&outbound, &server.https("wrong.test")).await.unwrap_err(),
    ] {
        assert!(matches!(&error, OutboundError::Certificate { host, .. } if host == "wrong.test"), "{error:?}");
        assert!(
            error.to_string().starts_with("the certificate of `wrong.test` is refused, invalid peer certificate"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_or_another_day_is_refused() {
    let authority = Authority::new();
    let outbound = trusting(&authority);
    let unknown = Authority::new().server("127.0.0.1:0", &["right.test"]).await;
    let expired =
        serve("127.0.0.1:0", authority.acceptor(&["right.test"], |params| params.not_after = date_time_ymd(2020, 1, 1))).await;
    let early =
        serve("127.0.0.1:0", authority.acceptor(&["right.test"], |params| params.not_before = date_time_ymd(4000, 1, 1))).await;
    for server in [unknown, expired, early] {
        let error = get(&outbound, &server.https("right.test")).await.unwrap_err();
        assert!(matches!(error, OutboundError::Certificate { .. }), "{error:?}");
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn https_at_a_port_that_speaks_http_is_said_to_be_that() {
    let server =
        Server::scripted("127.0.0.1:0", |mut stream| async move { finish(&mut stream, ok("plain").as_bytes()).await }).await;
    let error = get(&trusting(&Authority::new()), &server.https("right.test")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn http_at_a_port_that_speaks_https_is_no_answer() {
    let server = Authority::new().server("127.0.0.1:0", &["localhost"]).await;
    let error = get(&crate::server::operator(), &server.url("/")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Malformed { .. } | OutboundError::Broken { .. }), "{error:?}");
}
