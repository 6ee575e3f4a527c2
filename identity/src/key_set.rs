//! The keys of an issuer, as it publishes them: fetched when they are needed, kept for a while, and fetched again when a token is by a key that is not
//! among them. However many tokens are wrong, the issuer is asked so often and no more.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use isolet::mcp::Url;
use isolet_outbound::OutboundError;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use serde_json::Value;

use crate::http_client::{Clients, HttpClient};
use crate::signing::SigningAlgorithm;

/// The most bytes of a set, the most keys that are taken of it, and how long it may take.
const SET_BYTES_MAX: usize = 256 << 10;
const KEYS_MAX: usize = 64;
const FETCH_MAX: Duration = Duration::from_secs(5);

/// How long a set is used before it is fetched again, and how long if that fails.
const LIFE: Duration = Duration::from_secs(600);
const STALE_MAX: Duration = Duration::from_secs(3600);

/// How long an issuer that failed is left alone.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// How often a set is fetched for the sake of a token that it does not fit: so many times, then once in a while.
const REFETCHES_AT_ONCE: NonZeroU32 = NonZeroU32::new(4).expect("not zero");
const REFETCH_PAUSE: Duration = Duration::from_secs(30);

/// The keys of one issuer.
pub(crate) struct KeySet {
    clients: Clients,
    issuer: Url,
    /// Where they are, if that is configured.
    configured: Option<Url>,
    state: Mutex<State>,
    fetching: tokio::sync::Mutex<()>,
    refetches: DefaultDirectRateLimiter,
}

#[derive(Default)]
struct State {
    known: Option<Arc<KnownKeys>>,
    failed: Option<Instant>,
}

/// What was fetched.
pub(crate) struct KnownKeys {
    keys: Vec<PublishedKey>,
    at: Instant,
}

/// One key, and what it may have signed.
struct PublishedKey {
    id: Option<String>,
    algorithms: Vec<SigningAlgorithm>,
    key: DecodingKey,
}

/// Why an issuer's keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    #[error("the issuer's keys cannot be fetched")]
    Unreachable(#[from] OutboundError),
    #[error("the issuer answered {status} for its keys")]
    Status { status: u16 },
    #[error("the issuer's metadata cannot be found: configure `jwks_url`")]
    NoMetadata,
    #[error("the issuer's keys are no JWK set")]
    NotASet,
    #[error("the issuer's keys could not be fetched a moment ago")]
    Lately,
}

impl KeySet {
    /// The keys of `issuer`, which are where `configured` says, else where its metadata does.
    pub(crate) fn new(clients: &Clients, issuer: &Url, configured: Option<Url>) -> Self {
        let quota = Quota::with_period(REFETCH_PAUSE).map(|quota| quota.allow_burst(REFETCHES_AT_ONCE));
        let refetches = RateLimiter::direct(quota.unwrap_or_else(|| Quota::per_hour(REFETCHES_AT_ONCE)));
        let (state, fetching) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { clients: clients.clone(), issuer: issuer.clone(), configured, state, fetching, refetches }
    }

    /// The keys, fetched if they are not known, or too old. Where they are only old, nobody waits for somebody else's fetching, and a failure costs
    /// nothing for a while.
    pub(crate) async fn known(&self) -> Result<Arc<KnownKeys>, KeysError> {
        let usable = match self.in_time() {
            Ok(known) => return Ok(known),
            Err(usable) => usable,
        };
        if self.has_failed_lately() {
            return usable.ok_or(KeysError::Lately);
        }
        let _turn = match usable {
            None => self.fetching.lock().await,
            Some(usable) => match self.fetching.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(usable),
            },
        };
        // Somebody else's turn may have been before this.
        let usable = match self.in_time() {
            Ok(known) => return Ok(known),
            Err(usable) => usable,
        };
        if self.has_failed_lately() {
            return usable.ok_or(KeysError::Lately);
        }
        match (self.fetch().await, usable) {
            (Ok(known), _) => Ok(known),
            (Err(error), Some(usable)) => {
                tracing::warn!(issuer = %self.issuer.origin().ascii_serialization(), error = %isolet::with_causes(&error), "old keys are used on");
                Ok(usable)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Other keys than `before`, which have none for a token: those that somebody else has fetched since, or new ones, if the issuer may be asked.
    pub(crate) async fn newer(&self, before: &Arc<KnownKeys>) -> Option<Arc<KnownKeys>> {
        let _turn = self.fetching.lock().await;
        let known = self.state().known.clone();
        if let Some(known) = known.filter(|known| !Arc::ptr_eq(known, before)) {
            return Some(known);
        }
        if self.has_failed_lately() || self.refetches.check().is_err() {
            return None;
        }
        self.fetch().await.ok()
    }

    /// The keys if they are not old; else those that may still be used.
    fn in_time(&self) -> Result<Arc<KnownKeys>, Option<Arc<KnownKeys>>> {
        match self.state().known.clone() {
            Some(known) if known.at.elapsed() < LIFE => Ok(known),
            known => Err(known.filter(|known| known.at.elapsed() < STALE_MAX)),
        }
    }

    fn has_failed_lately(&self) -> bool {
        self.state().failed.is_some_and(|at| at.elapsed() < RETRY_PAUSE)
    }

    async fn fetch(&self) -> Result<Arc<KnownKeys>, KeysError> {
        let fetched = self.fetched().await;
        let mut state = self.state();
        match fetched {
            Ok(keys) => {
                let known = Arc::new(KnownKeys { keys, at: Instant::now() });
                *state = State { known: Some(Arc::clone(&known)), failed: None };
                Ok(known)
            }
            Err(error) => {
                state.failed = Some(Instant::now());
                Err(error)
            }
        }
    }

    async fn fetched(&self) -> Result<Vec<PublishedKey>, KeysError> {
        let http = HttpClient::new(&self.clients, &self.issuer);
        let url = match &self.configured {
            Some(url) => url.clone(),
            None => self.named(&http).await?,
        };
        // Where the operator wrote it, it is called as such.
        let http = if self.configured.is_some() { HttpClient::new(&self.clients, &url) } else { http };
        let answer = http.get(url, SET_BYTES_MAX, FETCH_MAX).await?;
        if !answer.status.is_success() {
            return Err(KeysError::Status { status: answer.status.as_u16() });
        }
        read(&answer.body)
    }

    /// Where the issuer's metadata says that its keys are.
    async fn named(&self, http: &HttpClient) -> Result<Url, KeysError> {
        for url in metadata_urls(&self.issuer) {
            let Ok(answer) = http.get(url, SET_BYTES_MAX, FETCH_MAX).await else { continue };
            let Ok(metadata) = serde_json::from_slice::<Value>(&answer.body) else { continue };
            let is_own = metadata["issuer"].as_str().is_some_and(|issuer| is_same(issuer, &self.issuer));
            let keys = metadata["jwks_uri"].as_str().and_then(|url| Url::parse(url).ok());
            if let Some(keys) = keys.filter(|_| is_own && answer.status.is_success()) {
                return Ok(keys);
            }
        }
        Err(KeysError::NoMetadata)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KnownKeys {
    /// The keys that may have signed a token that names this algorithm and this key.
    pub(crate) fn of(&self, algorithm: SigningAlgorithm, id: Option<&str>) -> impl Iterator<Item = &DecodingKey> {
        let may_have =
            move |key: &&PublishedKey| key.algorithms.contains(&algorithm) && (id.is_none() || key.id.as_deref() == id);
        self.keys.iter().filter(may_have).map(|key| &key.key)
    }
}

/// Whether metadata speaks of the issuer that was asked: a slash at the end is the same.
fn is_same(said: &str, issuer: &Url) -> bool {
    said.trim_end_matches('/') == issuer.as_str().trim_end_matches('/')
}

/// Where the metadata of an issuer may be: RFC 8414, and OpenID Connect.
fn metadata_urls(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/').to_owned();
    let paths = [format!("/.well-known/oauth-authorization-server{path}"), format!("{path}/.well-known/openid-configuration")];
    paths.iter().filter_map(|path| issuer.join(path).ok()).collect()
}

/// The keys of a set that can have signed something. What is none of ours is left out: a symmetric key is nobody's to publish.
fn read(set: &[u8]) -> Result<Vec<PublishedKey>, KeysError> {
    let set: Value = serde_json::from_slice(set).map_err(|_| KeysError::NotASet)?;
    let keys = set["keys"].as_array().ok_or(KeysError::NotASet)?;
    Ok(keys.iter().take(KEYS_MAX).filter_map(PublishedKey::read).collect())
}

impl PublishedKey {
    fn read(value: &Value) -> Option<Self> {
        use SigningAlgorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};

        let is_for_signatures = value["use"].as_str().is_none_or(|purpose| purpose == "sig");
        let may_verify = value["key_ops"].as_array().is_none_or(|all| all.iter().any(|one| one == "verify"));
        if !is_for_signatures || !may_verify {
            return None;
        }
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => vec![Rs256, Rs384, Rs512, Ps256, Ps384, Ps512],
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => vec![Es256],
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => vec![Es384],
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => vec![EdDsa],
            _ => return None,
        };
        if let Some(only) = value["alg"].as_str() {
            algorithms.retain(|algorithm| algorithm.name() == only);
        }
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { id: value["kid"].as_str().map(str::to_owned), algorithms, key })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn only_keys_that_may_have_signed_are_taken() {
        let point = "A".repeat(43);
        let curve = |more: Value| {
            let mut key = json!({"kty": "EC", "crv": "P-256", "x": point, "y": point, "kid": "a"});
            key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            key
        };
        let taken = |key: Value| read(json!({ "keys": [key, 7, {}] }).to_string().as_bytes()).unwrap();
        let of = |key: Value, algorithm| {
            let keys = taken(key);
            KnownKeys { keys, at: Instant::now() }.of(algorithm, Some("a")).count()
        };
        assert_eq!(of(curve(json!({})), SigningAlgorithm::Es256), 1);
        assert_eq!(of(curve(json!({"use": "sig", "alg": "ES256", "key_ops": ["verify"]})), SigningAlgorithm::Es256), 1);
        assert_eq!(of(curve(json!({})), SigningAlgorithm::Es384), 0);
        assert_eq!(of(curve(json!({"kid": "b"})), SigningAlgorithm::Es256), 0);
        for more in
            [json!({"use": "enc"}), json!({"key_ops": ["encrypt"]}), json!({"alg": "ES384"}), json!({"crv": "secp256k1"})]
        {
            assert_eq!(of(curve(more.clone()), SigningAlgorithm::Es256), 0, "{more}");
        }
        let shared = json!({"kty": "oct", "k": "c2VjcmV0c2VjcmV0", "kid": "a", "alg": "HS256"});
        assert!(taken(shared).is_empty(), "a shared secret is nobody's to publish");
        let many: Vec<Value> = (0..KEYS_MAX + 10).map(|_| curve(json!({}))).collect();
        assert_eq!(read(json!({ "keys": many }).to_string().as_bytes()).unwrap().len(), KEYS_MAX);
        assert!(read(b"[]").is_err() && read(b"<html>").is_err() && read(br#"{"keys": {}}"#).is_err());
    }

    #[test]
    fn metadata_is_looked_for_in_both_places() {
        let urls = |issuer: &str| -> Vec<String> {
            metadata_urls(&Url::parse(issuer).unwrap()).iter().map(ToString::to_string).collect()
        };
        let expected = [
            "https://a.example/.well-known/oauth-authorization-server/t/1",
            "https://a.example/t/1/.well-known/openid-configuration",
        ];
        assert_eq!(urls("https://a.example/t/1/"), expected);
        assert_eq!(urls("https://a.example")[1], "https://a.example/.well-known/openid-configuration");
    }
}
