//! Why a request failed, by whom, and what to do about it. No message has a credential, a query string, or a
//! path in it, but for the path that a redirect would lead to.

use std::error::Error;
use std::net::IpAddr;
use std::{fmt, io, iter};

use crate::address::AddressKind;
use crate::host::host_name;

/// What is wrong with TLS: a certificate, or what was agreed on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(transparent)]
pub struct TlsFault(rustls::Error);

/// Why a request got no answer.
///
/// | whose it is | variants |
/// |---|---|
/// | the operator's: the address or the policy | `NotHttp` to `NotACertificate` |
/// | the caller's: the request | `NotARequest`, `RequestTooLarge`, `HeadersAcrossOrigins` |
/// | the server's | `Certificate` to `TooLarge` |
/// | the network's, or the server's | `NotFound` to `Broken`: worth another try, [`OutboundError::is_retryable`] |
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OutboundError {
    /// Neither http nor https, or no host.
    #[error("`{scheme}:` is no address that can be called: write `https://host/path`")]
    NotHttp {
        /// Its scheme.
        scheme: String,
    },
    /// `user:password@` in the address, which ends up in logs.
    #[error("the address of `{host}` has a user or a password in it: give them as a header")]
    CredentialsInAddress {
        /// The host.
        host: String,
    },
    /// `http://` to a host that is not this machine.
    #[error("`http://{host}` would be sent in the clear: use https, or let the operator allow `http://{host}`")]
    PlainHttp {
        /// The host.
        host: String,
    },
    /// The host is, or resolves to, an address that is not public.
    #[error("{}", refused(host, *address, *kind))]
    AddressRefused {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
        /// Why it is refused.
        kind: AddressKind,
    },
    /// A redirect that is not followed.
    #[error("`{host}` redirects to `{target}`, which is not followed: write that address in the configuration if it is meant")]
    Redirected {
        /// The host.
        host: String,
        /// Where to: scheme, host, port and path, at most 200 characters of them.
        target: String,
    },
    /// The proxy refused, or is none.
    #[error("the proxy did not let `{host}` through, {detail}: correct the proxy's address or its user and password")]
    Proxy {
        /// The host behind it.
        host: String,
        /// What happened.
        detail: String,
    },
    /// The certificates of [`crate::Policy::roots`] cannot be read.
    #[error("the further certificates cannot be read, {detail}: give authorities' certificates as PEM")]
    NotACertificate {
        /// What is wrong.
        detail: String,
    },
    /// What the caller built is no request.
    #[error("the request to `{host}` cannot be sent, {detail}: correct its headers or its body")]
    NotARequest {
        /// The host.
        host: String,
        /// What is wrong.
        detail: String,
    },
    /// The body of the request is beyond [`crate::OutboundLimits::request_bytes_max`].
    #[error("the request to `{host}` has a body of {bytes} bytes, more than {bytes_max}: send less at once")]
    RequestTooLarge {
        /// The host.
        host: String,
        /// Its length.
        bytes: usize,
        /// The most.
        bytes_max: usize,
    },
    /// Headers or a body, and leave to follow redirects to other origins.
    #[error("a request with headers or a body would follow redirects from `{host}` to others: let it stay with its origin")]
    HeadersAcrossOrigins {
        /// The host.
        host: String,
    },
    /// Its certificate is not for this host, or not by an authority that is trusted, or not for today.
    #[error("the certificate of `{host}` is refused, {fault}: correct it there, or have this machine trust its authority")]
    Certificate {
        /// The host.
        host: String,
        /// What is wrong.
        fault: TlsFault,
    },
    /// It does not speak TLS as it should.
    #[error("`{host}` could not agree on TLS, {fault}: look whether https is spoken at this port")]
    Tls {
        /// The host.
        host: String,
        /// What is wrong.
        fault: TlsFault,
    },
    /// It does not speak HTTP as it should.
    #[error("`{host}` did not answer in HTTP, {detail}: look whether http is spoken at this port")]
    Malformed {
        /// The host.
        host: String,
        /// What is wrong.
        detail: String,
    },
    /// Compressed in a way that was not asked for, or wrongly.
    #[error("`{host}` sent a body that cannot be decompressed, {detail}: let it send `gzip` or none")]
    Encoding {
        /// The host.
        host: String,
        /// What is wrong.
        detail: String,
    },
    /// More redirects than [`crate::OutboundLimits::redirects_max`].
    #[error("`{host}` redirects more than {redirects_max} times: write the last address in the configuration")]
    TooManyRedirects {
        /// The host.
        host: String,
        /// The most.
        redirects_max: usize,
    },
    /// More header fields than can be taken.
    #[error("`{host}` sent more header fields than can be taken: ask whoever runs it")]
    HeadersTooLarge {
        /// The host.
        host: String,
    },
    /// The body of the answer is beyond [`crate::OutboundLimits::answer_bytes_max`].
    #[error("`{host}` sent more than {bytes_max} bytes: ask it for less at once")]
    TooLarge {
        /// The host.
        host: String,
        /// The most.
        bytes_max: usize,
    },
    /// The host has no address.
    #[error("`{host}` has no address: correct its name, or try again if the network was away")]
    NotFound {
        /// The host.
        host: String,
    },
    /// Nobody is there.
    #[error("`{host}` cannot be reached, {detail}: look whether it runs, and at which port")]
    Unreachable {
        /// The host.
        host: String,
        /// What the system says.
        detail: String,
    },
    /// No connection within [`crate::OutboundLimits::connect_max`].
    #[error("`{host}` could not be connected to in time: look whether it runs, and whether a firewall is in between")]
    ConnectTimedOut {
        /// The host.
        host: String,
    },
    /// No whole answer within [`crate::OutboundLimits::answer_max`], or silence beyond [`crate::OutboundLimits::silence_max`].
    #[error("`{host}` did not answer in time: try again later, or ask it for less at once")]
    TimedOut {
        /// The host.
        host: String,
    },
    /// The connection ended within the answer.
    #[error("`{host}` broke off, {detail}: try again")]
    Broken {
        /// The host.
        host: String,
        /// What the system says.
        detail: String,
    },
}

fn refused(host: &str, address: IpAddr, kind: AddressKind) -> String {
    let is_literal = host.parse() == Ok(address);
    let what = if is_literal { format!("`{host}` is {kind}") } else { format!("`{host}` is at {address}, {kind}") };
    format!(
        "{what}, and is not called: use a public one, or let the operator allow `{}`",
        if kind == AddressKind::Metadata { address.to_string() } else { host.to_owned() }
    )
}

impl OutboundError {
    /// Whether the same request may succeed later, with nothing changed here.
    ///
    /// Whether the server took the first one nobody knows after `TimedOut` and `Broken`: what changes something is not repeated.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. }
                | Self::Unreachable { .. }
                | Self::ConnectTimedOut { .. }
                | Self::TimedOut { .. }
                | Self::Broken { .. }
        )
    }

    /// Whether the server may have taken the request: not if nobody was there, or the rules forbade it.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        !matches!(
            self,
            Self::AddressRefused { .. }
                | Self::NotFound { .. }
                | Self::Unreachable { .. }
                | Self::ConnectTimedOut { .. }
                | Self::PlainHttp { .. }
                | Self::NotHttp { .. }
                | Self::CredentialsInAddress { .. }
                | Self::Certificate { .. }
                | Self::Proxy { .. }
        )
    }

    /// What `error` means, if an error of the HTTP client is in it anywhere: for libraries that were given [`crate::Outbound::client`].
    ///
    /// ```
    /// # fn show(error: &(dyn std::error::Error + 'static)) {
    /// match isolet_outbound::OutboundError::explain(error) {
    ///     Some(known) => println!("{known}"),
    ///     None => println!("{error}"),
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn explain(error: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(own) = chain(error).find_map(<dyn Error>::downcast_ref::<Self>) {
            return Some(own.clone());
        }
        let request = chain(error).find_map(<dyn Error>::downcast_ref::<reqwest::Error>)?;
        let host = request.url().and_then(|url| url.host().map(|host| host_name(&host))).unwrap_or_default();
        Some(Self::of_request(host, request))
    }

    fn of_request(host: String, error: &reqwest::Error) -> Self {
        if let Some(source) = find::<rustls::Error>(error) {
            let fault = TlsFault(source.clone());
            return match source {
                rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
                    Self::Certificate { host, fault }
                }
                _ => Self::Tls { host, fault },
            };
        }
        if error.is_timeout() {
            return if error.is_connect() { Self::ConnectTimedOut { host } } else { Self::TimedOut { host } };
        }
        if error.is_dns() {
            return Self::NotFound { host };
        }
        let detail = detail(error);
        if chain(error).any(|error| error.to_string().starts_with("tunnel error")) {
            return Self::Proxy { host, detail };
        }
        if error.is_connect() {
            return Self::Unreachable { host, detail };
        }
        match find::<hyper::Error>(error) {
            Some(http) if http.is_parse_too_large() => Self::HeadersTooLarge { host },
            Some(http) if http.is_parse() => Self::Malformed { host, detail },
            Some(_) => Self::Broken { host, detail },
            None if error.is_builder() => Self::NotARequest { host, detail },
            None if error.is_decode() && find::<io::Error>(error).is_some_and(is_of_decoder) => Self::Encoding { host, detail },
            None => Self::Broken { host, detail },
        }
    }
}

/// Whether the decoder said this, and not the connection beneath it.
fn is_of_decoder(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other)
}

/// The error and what caused it. An [`io::Error`] that wraps another does not name it as its source.
fn chain<'error>(error: &'error (dyn Error + 'static)) -> impl Iterator<Item = &'error (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'error (dyn Error + 'static)| {
        let error: &'error (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
    .take(CAUSES_MAX)
}

/// The most causes of causes that are looked at.
const CAUSES_MAX: usize = 32;

fn find<'error, E: Error + 'static>(error: &'error (dyn Error + 'static)) -> Option<&'error E> {
    chain(error).find_map(<dyn Error>::downcast_ref)
}

/// The innermost cause in its own words: those of the system, of TLS or of HTTP, which hold no address.
fn detail(error: &reqwest::Error) -> String {
    let cause: Option<&dyn Error> = chain(error).filter(|cause| !cause.is::<reqwest::Error>()).last().map(|cause| cause as _);
    cause.map_or_else(|| "for an unknown reason".to_owned(), one_line)
}

fn one_line(error: impl fmt::Display) -> String {
    let mut text: String = error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_is_wrapped_in_others_is_found() {
        let own = OutboundError::NotFound { host: "a".to_owned() };
        let wrapped = io::Error::other(io::Error::other(own.clone()));
        assert_eq!(OutboundError::explain(&wrapped), Some(own));
        assert_eq!(OutboundError::explain(&io::Error::other("something else")), None);
    }

    #[test]
    fn a_refusal_names_host_and_address_once() {
        let error = |host: &str, address: [u8; 4], kind| {
            OutboundError::AddressRefused { host: host.to_owned(), address: address.into(), kind }.to_string()
        };
        assert_eq!(
            error("10.0.0.1", [10, 0, 0, 1], AddressKind::Private),
            "`10.0.0.1` is a private address, and is not called: use a public one, or let the operator allow `10.0.0.1`"
        );
        assert_eq!(
            error("mcp.example", [169, 254, 169, 254], AddressKind::Metadata),
            "`mcp.example` is at 169.254.169.254, the address of a cloud's metadata, and is not called: use a public one, or let the operator allow `169.254.169.254`"
        );
    }
}
