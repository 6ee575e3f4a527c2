//! Whose a token is that came with a request: its signature, issuer, audience and time, or what its issuer says of it; then its user and roles.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use isolet::Principal;
use isolet::mcp::{Policy, Url};
use isolet_outbound::OutboundError;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, dangerous, decode, decode_header};
use serde_json::Value;

use crate::claims::{self, Claims};
use crate::http_client::Clients;
use crate::introspection::Introspector;
use crate::issuer::Issuer;
use crate::key_set::KeySet;
use crate::signing::{self, SigningAlgorithm};

/// The most bytes of a token.
const TOKEN_BYTES_MAX: usize = 8 << 10;

/// The most keys that are tried where a token does not name its own.
const KEYS_TRIED_MAX: usize = 8;

/// Says whose tokens are. The tokens of each issuer are its own: no key, audience or role of one counts for another.
pub struct TokenVerifier(Vec<Known>);

struct Known {
    issuer: Issuer,
    keys: KeySet,
    introspector: Option<Introspector>,
}

/// A token that was verified.
#[non_exhaustive]
#[derive(Debug)]
pub struct Verified {
    /// Whose it is; the tenant is its issuer.
    pub principal: Principal,
    /// When it ends.
    pub expires: Option<SystemTime>,
}

/// Why a token is not taken. Nothing of the token is in it.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum TokenRefused {
    /// It is no token of an issuer that is trusted, for this service, and now.
    #[error("the token is not valid: {why}")]
    Invalid {
        /// What is wrong.
        why: &'static str,
    },
    /// It is valid, and lacks a scope.
    #[error("the token lacks a scope that is needed here")]
    InsufficientScope,
    /// It is valid, and says too little of its user.
    #[error("the token does not say who its user is: look at `user_claim` and `tenant_claim`")]
    NoUser,
    /// It cannot be checked now.
    #[error("the token cannot be checked now")]
    Unavailable {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Issuers that cannot be used together.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum IssuersError {
    /// The policy cannot be followed.
    #[error("the issuers cannot be called")]
    Outbound(#[from] OutboundError),
    /// The identifier of an issuer is no address.
    #[error("the issuer `{issuer}` is no address of https, or of this machine")]
    NotAnAddress {
        /// Its identifier.
        issuer: String,
        /// Why.
        #[source]
        source: Option<OutboundError>,
    },
    /// Two issuers are one.
    #[error("the issuer `{issuer}` is there twice: write its rules together")]
    Twice {
        /// Its identifier.
        issuer: String,
    },
    /// A token that nobody can read would be sent to each of them.
    #[error("only one issuer can be asked about tokens: a token of another one would be sent to it")]
    TwoIntrospections,
}

impl TokenVerifier {
    /// Takes the tokens of `issuers`, who are called under `policy`. Calls nobody yet.
    ///
    /// # Errors
    ///
    /// [`IssuersError`].
    pub fn new(issuers: impl IntoIterator<Item = Issuer>, policy: &Policy) -> Result<Self, IssuersError> {
        let clients = Clients::new(policy)?;
        let mut known: Vec<Known> = Vec::new();
        for issuer in issuers {
            let name = || issuer.issuer.clone();
            if known.iter().any(|other| other.issuer.issuer == issuer.issuer) {
                return Err(IssuersError::Twice { issuer: name() });
            }
            if issuer.introspection.is_some() && known.iter().any(|other| other.introspector.is_some()) {
                return Err(IssuersError::TwoIntrospections);
            }
            let url = Url::parse(&issuer.issuer).map_err(|_| IssuersError::NotAnAddress { issuer: name(), source: None })?;
            let refused = |source| IssuersError::NotAnAddress { issuer: name(), source: Some(source) };
            clients.check_operators(&url).map_err(refused)?;
            let keys = KeySet::new(&clients, &url, issuer.jwks_url.clone());
            let introspector = issuer.introspection.clone().map(|settings| Introspector::new(&clients, settings));
            known.push(Known { issuer, keys, introspector });
        }
        Ok(Self(known))
    }

    /// Whose `token` is.
    ///
    /// # Errors
    ///
    /// [`TokenRefused`].
    pub async fn verify(&self, token: &str) -> Result<Verified, TokenRefused> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(invalid("it is too long"));
        }
        // What a token says of itself before it is verified only tells with whose keys that is tried.
        match dangerous::insecure_decode_claims::<Claims>(token) {
            Ok(unverified) => {
                let issuer = unverified.get("iss").and_then(Value::as_str);
                let known = self.0.iter().find(|known| Some(known.issuer.issuer.as_str()) == issuer);
                known.ok_or_else(|| invalid("its issuer is not trusted"))?.verify(token).await
            }
            Err(_) => {
                let asked = self.0.iter().find_map(|known| known.introspector.as_ref().map(|asked| (known, asked)));
                let (known, introspector) = asked.ok_or_else(|| invalid("it is no JWT"))?;
                known.ask(introspector, token).await
            }
        }
    }
}

fn invalid(why: &'static str) -> TokenRefused {
    TokenRefused::Invalid { why }
}

fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> TokenRefused {
    TokenRefused::Unavailable { source: Box::new(source) }
}

impl Known {
    /// A JWT of this issuer.
    async fn verify(&self, token: &str) -> Result<Verified, TokenRefused> {
        signing::install();
        let header = decode_header(token).map_err(|_| invalid("its header cannot be read"))?;
        let algorithm = SigningAlgorithm::of(header.alg).filter(|algorithm| self.issuer.algorithms.contains(algorithm));
        let algorithm = algorithm.ok_or_else(|| invalid("its algorithm is not taken"))?;
        let validation = self.validation(algorithm);
        let mut keys = self.keys.known().await.map_err(unavailable)?;
        let mut is_second = false;
        loop {
            let mut why = ErrorKind::InvalidSignature;
            for key in keys.of(algorithm, header.kid.as_deref()).take(KEYS_TRIED_MAX) {
                match decode::<Claims>(token, key, &validation) {
                    Ok(verified) => return self.taken(&verified.claims),
                    Err(error) => why = error.into_kind(),
                }
            }
            if !matches!(why, ErrorKind::InvalidSignature) {
                return Err(invalid(reason(&why)));
            }
            // It may be by a key that is new.
            let newer = if is_second { None } else { self.keys.newer(&keys).await };
            keys = newer.ok_or_else(|| invalid("no key of its issuer has signed it"))?;
            is_second = true;
        }
    }

    fn validation(&self, algorithm: SigningAlgorithm) -> Validation {
        let mut validation = Validation::new(algorithm.algorithm());
        validation.leeway = self.issuer.clock_skew.as_secs();
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[&self.issuer.issuer]);
        validation.set_audience(&self.issuer.audiences);
        validation
    }

    /// A token of which the issuer has to be asked.
    async fn ask(&self, introspector: &Introspector, token: &str) -> Result<Verified, TokenRefused> {
        let claims = introspector.claims(token).await.map_err(unavailable)?.ok_or_else(|| invalid("its issuer says so"))?;
        self.check(&claims, SystemTime::now())?;
        self.taken(&claims)
    }

    /// What a signature would have been checked with.
    fn check(&self, claims: &Claims, now: SystemTime) -> Result<(), TokenRefused> {
        let skew = self.issuer.clock_skew;
        let seconds = |name: &str| claims.get(name).and_then(Value::as_u64).map(Duration::from_secs);
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let is_odd = |name: &str| claims.get(name).is_some_and(|value| !value.is_null() && !value.is_u64());
        if is_odd("exp") || is_odd("nbf") {
            return Err(invalid("its times cannot be read"));
        }
        if seconds("exp").is_some_and(|end| end.saturating_add(skew) < now) {
            return Err(invalid("it has ended"));
        }
        if seconds("nbf").is_some_and(|begin| begin > now.saturating_add(skew)) {
            return Err(invalid("it has not begun"));
        }
        if claims.get("iss").is_some_and(|issuer| issuer.as_str() != Some(&self.issuer.issuer)) {
            return Err(invalid("it is of another issuer"));
        }
        let is_ours =
            |audience: &Value| audience.as_str().is_some_and(|name| self.issuer.audiences.iter().any(|own| own == name));
        let is_for_us = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().any(is_ours),
            Some(one) => is_ours(one),
            None => false,
        };
        if is_for_us { Ok(()) } else { Err(invalid("it is for another audience")) }
    }

    fn taken(&self, claims: &Claims) -> Result<Verified, TokenRefused> {
        if !claims::have_scopes(claims, &self.issuer) {
            return Err(TokenRefused::InsufficientScope);
        }
        let principal = claims::principal(claims, &self.issuer).ok_or(TokenRefused::NoUser)?;
        let expires =
            claims.get("exp").and_then(Value::as_u64).and_then(|end| UNIX_EPOCH.checked_add(Duration::from_secs(end)));
        Ok(Verified { principal, expires })
    }
}

/// What is wrong with a token, as it is told.
fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "it has ended",
        ErrorKind::ImmatureSignature => "it has not begun",
        ErrorKind::InvalidIssuer => "it is of another issuer",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "it lacks a claim that every token has",
        ErrorKind::InvalidClaimFormat(_) => "one of its claims cannot be read",
        ErrorKind::InvalidAlgorithm => "its algorithm is not that of its key",
        _ => "it cannot be read",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    /// What is said of a token with these times at this moment of this machine's clock, seconds since 1970.
    #[track_caller]
    fn check(times: Value, now: u64, expected: Option<&str>) {
        let issuer = Issuer::new("https://login.example", ["https://tools.example".to_owned()]);
        let verifier = TokenVerifier::new([issuer], &Policy::operator()).unwrap();
        let mut claims = json!({"aud": ["https://tools.example"], "iss": "https://login.example"});
        claims.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
        let said = verifier.0[0].check(claims.as_object().unwrap(), UNIX_EPOCH + Duration::from_secs(now));
        let why = said.err().map(|error| error.to_string());
        assert_eq!(why.is_some(), expected.is_some(), "{times} at {now}: {why:?}");
        assert!(why.unwrap_or_default().contains(expected.unwrap_or_default()), "{times} at {now}");
    }

    #[test]
    fn times_count_to_the_second_wherever_a_clock_has_jumped() {
        let hour = json!({"nbf": 1_000_000, "exp": 1_003_600});
        check(hour.clone(), 999_939, Some("it has not begun"));
        check(hour.clone(), 999_940, None);
        check(hour.clone(), 1_003_660, None);
        check(hour.clone(), 1_003_661, Some("it has ended"));
        for now in [0, 1] {
            check(hour.clone(), now, Some("it has not begun"));
        }
        check(hour, 100_000_000_000, Some("it has ended"));
        check(json!({"nbf": 0, "exp": u64::MAX}), 100_000_000_000, None);
        check(json!({"nbf": u64::MAX, "exp": u64::MAX}), 100_000_000_000, Some("it has not begun"));
        check(json!({"exp": 0}), 60, None);
        check(json!({"exp": 0}), 61, Some("it has ended"));
        for odd in [json!({"exp": -1}), json!({"exp": "1003600"}), json!({"nbf": 1.5}), json!({"exp": []})] {
            check(odd, 1_000_000, Some("its times cannot be read"));
        }
    }
}
