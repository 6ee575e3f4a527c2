//! An issuer of tokens, as a script: it publishes keys, says what tokens are, gives tokens for servers, and counts what it is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use isolet::mcp::Url;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::http_server::{Answer, Asked, HttpServer, Part, status, whole};

/// The client that this service is at the issuer, and its secret.
pub(crate) const CLIENT: (&str, &str) = ("isolet", "canary-client-secret");

/// A key that signs.
pub(crate) enum SigningKey {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    pub(crate) fn p256() -> Result<Self> {
        let random = SystemRandom::new();
        let failed = || anyhow::anyhow!("no key");
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(|_| failed())?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).map_err(|_| failed())?;
        Ok(Self::P256(key))
    }

    pub(crate) fn ed25519() -> Result<Self> {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| anyhow::anyhow!("no key"))?;
        Ok(Self::Ed25519(Ed25519KeyPair::from_pkcs8(made.as_ref()).map_err(|_| anyhow::anyhow!("no key"))?))
    }

    /// The key as it is published.
    pub(crate) fn public(&self, id: &str) -> Value {
        match self {
            Self::P256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": x, "y": y})
            }
            Self::Ed25519(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": URL_SAFE_NO_PAD.encode(key.public_key().as_ref())})
            }
        }
    }

    /// The bytes of the public key.
    pub(crate) fn public_bytes(&self) -> &[u8] {
        match self {
            Self::P256(key) => key.public_key().as_ref(),
            Self::Ed25519(key) => key.public_key().as_ref(),
        }
    }

    /// A token with these claims.
    pub(crate) fn token(&self, id: Option<&str>, claims: &Value) -> Result<String> {
        let algorithm = if matches!(self, Self::P256(_)) { "ES256" } else { "EdDSA" };
        let mut header = json!({"alg": algorithm, "typ": "at+jwt"});
        if let Some(id) = id {
            header["kid"] = id.into();
        }
        let signed = signed_part(&header, claims);
        let signature = match self {
            Self::P256(key) => {
                let signature =
                    key.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| anyhow::anyhow!("no signature"))?;
                signature.as_ref().to_vec()
            }
            Self::Ed25519(key) => key.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// What of a token is signed.
pub(crate) fn signed_part(header: &Value, claims: &Value) -> String {
    [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".")
}

/// So many seconds from now, as tokens have it.
pub(crate) fn from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or_default());
    now + seconds
}

/// How the issuer behaves.
pub(crate) struct Manners {
    /// The keys that it publishes.
    pub(crate) keys: Vec<Value>,
    /// How it answers for its keys, if not with them.
    pub(crate) keys_answer: Option<fn() -> Answer>,
    /// What its metadata says instead, by the names of the members.
    pub(crate) metadata: fn(&str) -> Value,
    /// What it says of a token.
    pub(crate) said: fn(&str, &str) -> Value,
    /// Gives back the token that it was sent for exchange.
    pub(crate) gives_back: bool,
    /// How long the tokens last that it gives, seconds.
    pub(crate) token_life: u64,
}

/// The issuer.
pub(crate) struct TokenIssuer {
    pub(crate) http: HttpServer,
    pub(crate) name: String,
    manners: Arc<Mutex<Manners>>,
}

impl TokenIssuer {
    /// Starts one that publishes these keys.
    pub(crate) async fn start(keys: Vec<Value>) -> Result<Self> {
        let manners = Manners {
            keys,
            keys_answer: None,
            metadata: |_| json!({}),
            said: |_, _| json!({"active": false}),
            gives_back: false,
            token_life: 3600,
        };
        let manners = Arc::new(Mutex::new(manners));
        let (shared, given) = (Arc::clone(&manners), Mutex::new(0));
        let http = HttpServer::start(move |asked| answer(asked, &lock(&shared), &given)).await?;
        let name = http.url()?.origin().ascii_serialization();
        Ok(Self { http, name, manners })
    }

    pub(crate) fn behave(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut lock(&self.manners));
    }

    /// An address of it.
    pub(crate) fn at(&self, path: &str) -> Result<Url> {
        Url::parse(&format!("{}{path}", self.name)).context("it is an address")
    }

    /// How often it was asked at `path`.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.http.asked().iter().filter(|asked| asked.target() == path).count()
    }
}

fn lock(manners: &Mutex<Manners>) -> MutexGuard<'_, Manners> {
    manners.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(asked: &Asked, manners: &Manners, given: &Mutex<u64>) -> Answer {
    let base = format!("http://{}", asked.header("host").unwrap_or_default());
    match asked.target() {
        "/.well-known/openid-configuration" => {
            let mut metadata = json!({"issuer": base, "jwks_uri": format!("{base}/keys")});
            for (name, value) in (manners.metadata)(&base).as_object().into_iter().flatten() {
                metadata[name] = value.clone();
            }
            json_answer(200, &metadata)
        }
        "/keys" => manners.keys_answer.map_or_else(|| json_answer(200, &json!({"keys": manners.keys})), |answer| answer()),
        "/introspect" | "/token" if !is_client(asked) => json_answer(401, &json!({"error": "invalid_client"})),
        "/introspect" => json_answer(200, &(manners.said)(&field(asked, "token"), &base)),
        "/token" => {
            let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
            *given += 1;
            let token = match &*field(asked, "grant_type") {
                "client_credentials" => format!("own-canary-{:06}", *given),
                "urn:ietf:params:oauth:grant-type:token-exchange" if manners.gives_back => field(asked, "subject_token"),
                "urn:ietf:params:oauth:grant-type:token-exchange" => format!("exchanged-canary-{:06}", *given),
                _ => return json_answer(400, &json!({"error": "unsupported_grant_type"})),
            };
            json_answer(200, &json!({"access_token": token, "token_type": "Bearer", "expires_in": manners.token_life}))
        }
        _ => status(404),
    }
}

fn is_client(asked: &Asked) -> bool {
    let expected = format!("Basic {}", STANDARD.encode(format!("{}:{}", CLIENT.0, CLIENT.1)));
    asked.header("authorization") == Some(&expected)
}

/// A field of a form.
pub(crate) fn field(asked: &Asked, name: &str) -> String {
    let url = Url::parse(&format!("http://form/?{}", asked.text()));
    let found = url.iter().flat_map(|url| url.query_pairs().into_owned()).find(|(other, _)| other == name);
    found.map(|(_, value)| value).unwrap_or_default()
}

fn json_answer(status: u16, body: &Value) -> Answer {
    whole(status, &[("content-type", "application/json")], body.to_string().as_bytes())
}

/// An answer that never comes.
pub(crate) fn hangs() -> Answer {
    vec![Part::Hang]
}
