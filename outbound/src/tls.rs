//! TLS: rustls with ring, and the authorities that the platform trusts.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use crate::error::OutboundError;

/// How TLS is spoken: with ring, and the authorities that the platform trusts. `roots` are further authorities, as PEM. For what is no HTTP.
///
/// # Errors
///
/// [`OutboundError::NotACertificate`].
pub fn config(roots: &str) -> Result<ClientConfig, OutboundError> {
    let roots = certificates(roots)?;
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(not_a_certificate)?;
    let verifier = match Verifier::new_with_extra_roots(roots.clone(), provider) {
        Ok(verifier) => verifier,
        // A machine without any still has to reach what runs on it in the clear. Every https request says what is wrong.
        Err(error) if roots.is_empty() => {
            tracing::warn!(%error, "no https address can be called: install the certificates of the authorities on this machine");
            return Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth());
        }
        Err(error) => return Err(not_a_certificate(error)),
    };
    // This is how any other verifier than webpki's own is given to rustls: this one checks as the platform does.
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, OutboundError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match certificates {
        Ok(none) if none.is_empty() && !pem.trim().is_empty() => {
            Err(OutboundError::NotACertificate { detail: "there is none in the text".to_owned() })
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(OutboundError::NotACertificate { detail: error.to_string() }),
    }
}

fn not_a_certificate(error: rustls::Error) -> OutboundError {
    OutboundError::NotACertificate { detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_authorities_are_certificates_or_refused() {
        assert!(config("").is_ok());
        assert!(config(" \n").is_ok());
        for text in
            ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAA"]
        {
            assert!(matches!(config(text), Err(OutboundError::NotACertificate { .. })), "{text}");
        }
    }
}
