//! Values of the public errors of the libraries around the runtime: what goes out, OpenAPI documents, credentials, observed shapes.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpListener};

use anyhow::{Context as _, Result, bail};
use axum::http::Method;
use isolet::mcp::KeyringError;
use isolet_identity::{
    DatabaseAddress, IdentityError, IssuersError, KeyFileError, NotADatabase, NotAnAlgorithm, SigningAlgorithm, StoreError,
    TokenRefused,
};
use isolet_observations::SqliteShapesError;
use isolet_openapi::{CallError, DocumentError, OperationError, Unresolved};
use isolet_outbound::{
    AddressKind, Destination, NotADestination, NotAProxy, Outbound, OutboundError, Policy, Proxy, Request, Secret, ShortSecret,
    TlsFault, Url,
};

use super::sample::{Sample, io_error, of};

/// One value of each variant.
pub(super) fn samples() -> Result<Vec<Sample>> {
    let tls_fault = tls_fault()?;
    let mut samples: Vec<Sample> = of(outbound_errors(&tls_fault)).collect();
    samples.extend(of(vec![tls_fault]));
    samples.extend(of(vec![not_a_destination()?]));
    samples.extend(of(vec![not_a_proxy()?]));
    samples.extend(of(vec![short_secret()?]));
    samples.extend(of(document_errors()));
    samples.extend(of(vec![unresolved()]));
    samples.extend(of(operation_errors()));
    samples.extend(of(call_errors()));
    samples.extend(of(identity_errors()?));
    samples.extend(of(store_errors()));
    samples.extend(of(vec![
        KeyFileError::File { path: "/a".into(), source: io_error() },
        KeyFileError::Keyring { path: "/a".into(), source: KeyringError::NoText },
        KeyFileError::NotInKeyring { path: "/a".into(), name: text() },
        KeyFileError::Line { path: "/a".into(), line: 3 },
        KeyFileError::Empty { path: "/a".into() },
    ]));
    samples.extend(of(vec![
        KeyringError::Unusable { detail: "it is not permitted".to_owned() },
        KeyringError::NoSecret { source: short_secret()? },
        KeyringError::NoText,
    ]));
    samples.extend(of(vec![
        TokenRefused::Invalid { why: "it has ended" },
        TokenRefused::InsufficientScope,
        TokenRefused::NoUser,
        TokenRefused::Unavailable { source: not_found().into() },
    ]));
    samples.extend(of(vec![
        IssuersError::Outbound(not_found()),
        IssuersError::NotAnAddress { issuer: text(), source: Some(not_found()) },
        IssuersError::Twice { issuer: text() },
        IssuersError::TwoIntrospections,
    ]));
    let not_a_database: NotADatabase = "a".parse::<DatabaseAddress>().err().context("`a` is the address of a database")?;
    samples.extend(of(vec![not_a_database]));
    let not_an_algorithm: NotAnAlgorithm = "none".parse::<SigningAlgorithm>().err().context("`none` signs tokens")?;
    samples.extend(of(vec![not_an_algorithm]));
    samples.extend(of(vec![
        SqliteShapesError::File { path: text(), source: io_error() },
        SqliteShapesError::Database { path: text(), source: io_error().into() },
        SqliteShapesError::Thread(io_error()),
    ]));
    Ok(samples)
}

fn text() -> String {
    "a.example".to_owned()
}

fn not_found() -> OutboundError {
    OutboundError::NotFound { host: text() }
}

fn outbound_errors(fault: &TlsFault) -> Vec<OutboundError> {
    let detail = || "the reason".to_owned();
    vec![
        OutboundError::NotHttp { scheme: "ftp".to_owned() },
        OutboundError::CredentialsInAddress { host: text() },
        OutboundError::PlainHttp { host: text() },
        OutboundError::AddressRefused { host: text(), address: IpAddr::V4(Ipv4Addr::LOCALHOST), kind: AddressKind::Loopback },
        OutboundError::Redirected { host: text(), target: "https://b.example/".to_owned() },
        OutboundError::Proxy { host: text(), detail: detail() },
        OutboundError::NotACertificate { detail: detail() },
        OutboundError::NotARequest { host: text(), detail: detail() },
        OutboundError::RequestTooLarge { host: text(), bytes: 9, bytes_max: 8 },
        OutboundError::HeadersAcrossOrigins { host: text() },
        OutboundError::Certificate { host: text(), fault: fault.clone() },
        OutboundError::Tls { host: text(), fault: fault.clone() },
        OutboundError::Malformed { host: text(), detail: detail() },
        OutboundError::Encoding { host: text(), detail: detail() },
        OutboundError::TooManyRedirects { host: text(), redirects_max: 3 },
        OutboundError::HeadersTooLarge { host: text() },
        OutboundError::TooLarge { host: text(), bytes_max: 9 },
        not_found(),
        OutboundError::Unreachable { host: text(), detail: detail() },
        OutboundError::ConnectTimedOut { host: text() },
        OutboundError::TimedOut { host: text() },
        OutboundError::Broken { host: text(), detail: detail() },
    ]
}

/// What comes of https at a port that speaks something else.
fn tls_fault() -> Result<TlsFault> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = Url::parse(&format!("https://{}/", listener.local_addr()?))?;
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")?;
        stream.shutdown(Shutdown::Write)?;
        // What is sent is read, lest its answer is lost.
        stream.read_to_end(&mut Vec::new())
    });
    let error = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let sent = Outbound::new(Policy::operator())?.send(Request::new(Method::GET, url)).await;
        anyhow::Ok(sent.err())
    })?;
    server.join().ok().context("the server panicked")?.ok();
    match error {
        Some(OutboundError::Tls { fault, .. }) => Ok(fault),
        other => bail!("no fault of TLS: {other:?}"),
    }
}

fn not_a_destination() -> Result<NotADestination> {
    "a.example/b".parse::<Destination>().err().context("a path is a destination")
}

fn not_a_proxy() -> Result<NotAProxy> {
    "ftp://a.example".parse::<Proxy>().err().context("a server of ftp is a proxy")
}

fn short_secret() -> Result<ShortSecret> {
    Secret::new("a").err().context("one byte is a secret")
}

fn document_errors() -> Vec<DocumentError> {
    vec![
        DocumentError::TooLarge { bytes: 9 },
        DocumentError::NotText,
        DocumentError::NotRead { detail: text() },
        DocumentError::Version { version: "2.0".to_owned() },
        DocumentError::NoOperation,
    ]
}

fn unresolved() -> Unresolved {
    Unresolved { reference: "#/a".to_owned() }
}

fn operation_errors() -> Vec<OperationError> {
    vec![
        OperationError::Unresolved(unresolved()),
        OperationError::NotAnObject,
        OperationError::Path { what: "it is long".to_owned() },
        OperationError::Parameters,
        OperationError::Parameter { name: text(), what: "is long".to_owned() },
        OperationError::TooManyParameters { max: 9 },
        OperationError::TooMany,
    ]
}

fn call_errors() -> Vec<CallError> {
    let said = || "no such issue".to_owned();
    vec![
        CallError::UnknownOperation { name: text() },
        CallError::Argument { argument: text(), what: "is missing: give it".to_owned() },
        CallError::NoCredential { scheme: text() },
        CallError::Credential { scheme: text(), reason: io_error().into() },
        CallError::Unauthorised { message: said(), challenge: None },
        CallError::Forbidden { message: said(), challenge: None, retry_after: None },
        CallError::RateLimited { message: said(), retry_after: None },
        CallError::Failed { status: 500, message: said(), body: None, retry_after: None },
        CallError::Answer { what: "it is no JSON".to_owned() },
        CallError::Base { what: "it has a query".to_owned() },
        CallError::Outbound(not_found()),
    ]
}

fn identity_errors() -> Result<Vec<IdentityError>> {
    let server = text;
    Ok(vec![
        IdentityError::NoAuthorizationServer { server: server() },
        IdentityError::NoPkce { server: server() },
        IdentityError::OtherIssuer { server: server() },
        IdentityError::Address { server: server(), what: "tokens", source: Some(Box::new(not_found())) },
        IdentityError::Refused { server: server(), what: "the reason".to_owned() },
        IdentityError::Slow { server: server() },
        IdentityError::Denied { server: server(), why: "access_denied".to_owned() },
        IdentityError::NotValid,
        IdentityError::TooMany,
        IdentityError::Token { server: server(), source: short_secret()? },
        IdentityError::Kept { server: server() },
        IdentityError::NotNow { server: server() },
        IdentityError::Store(StoreError::Stopped),
    ])
}

fn store_errors() -> Vec<StoreError> {
    let cause = || -> Box<dyn Error + Send + Sync> { io_error().into() };
    vec![
        StoreError::File { path: "/a".to_owned(), source: io_error() },
        StoreError::Database { source: cause() },
        StoreError::Server { source: cause() },
        StoreError::Keys,
        StoreError::Sealed { server: text() },
        StoreError::Stopped,
    ]
}
