//! An MCP server and its authorization server in one, as a script: it agrees to everything, once, and counts what it is asked.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use isolet::mcp::Url;
use isolet_outbound::header::LOCATION;
use isolet_outbound::{Method, Outbound, Policy, Redirects, Request};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::http_server::{Answer, Asked, HttpServer, result, status, usual, whole};

/// How the server behaves. The default is good.
#[derive(Clone)]
pub(crate) struct Manners {
    /// How long a token lasts, seconds.
    pub(crate) token_life: u64,
    /// It lists its tools to strangers, and asks at a call alone.
    pub(crate) lists_to_strangers: bool,
    /// It refuses every token.
    pub(crate) refuses_all: bool,
    /// What a call needs, if it is not granted from the beginning.
    pub(crate) scope: Option<&'static str>,
    /// What its metadata says instead, by the names of the members.
    pub(crate) metadata: fn(&str) -> Value,
    /// How it answers a refresh, if not as it should.
    pub(crate) refresh: Option<fn() -> Answer>,
    /// What it gives for the word of an identity provider, if not a token of its own.
    pub(crate) vouched: Option<fn(&str) -> Option<String>>,
    /// What it says, one after the other, before it gives a token to a device; and how long a code for one lasts, seconds.
    pub(crate) device: Vec<&'static str>,
    pub(crate) device_life: u64,
    /// What a call says, given the token that it came with.
    pub(crate) said: fn(&str) -> Value,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            token_life: 3600,
            lists_to_strangers: false,
            refuses_all: false,
            scope: None,
            metadata: |_| json!({}),
            refresh: None,
            vouched: None,
            device: Vec::new(),
            device_life: 600,
            said: |token| json!({"content": [{"type": "text", "text": format!("{} calls", token.len())}]}),
        }
    }
}

/// What has happened.
#[derive(Default)]
pub(crate) struct Events {
    codes: HashMap<String, HashMap<String, String>>,
    tokens: HashMap<String, String>,
    refresh_tokens: HashSet<String>,
    used: HashSet<String>,
    numbers: u64,
    /// What devices have been told of what is said before a token.
    device_told: usize,
    /// Refreshes that gave a token.
    pub(crate) refreshes: usize,
    /// Refreshes with a token that had been used.
    pub(crate) reuses: usize,
    /// Tokens that were taken back.
    pub(crate) revoked: Vec<String>,
    /// The tokens that calls came with.
    pub(crate) called_with: Vec<String>,
}

/// The server.
pub(crate) struct AuthorizationServer {
    pub(crate) http: HttpServer,
    events: Arc<Mutex<Events>>,
    manners: Arc<Mutex<Manners>>,
}

impl AuthorizationServer {
    /// Starts one.
    pub(crate) async fn start(manners: Manners) -> Result<Self> {
        let (events, manners) = (Arc::<Mutex<Events>>::default(), Arc::new(Mutex::new(manners)));
        let shared = (Arc::clone(&events), Arc::clone(&manners));
        let http = HttpServer::start(move |asked| answer(asked, &mut lock(&shared.0), &lock(&shared.1).clone())).await?;
        Ok(Self { http, events, manners })
    }

    /// Where its tools are.
    pub(crate) fn url(&self) -> Result<Url> {
        self.http.url()
    }

    /// What has happened.
    pub(crate) fn events(&self) -> MutexGuard<'_, Events> {
        lock(&self.events)
    }

    /// Changes how it behaves.
    pub(crate) fn behave(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut lock(&self.manners));
    }

    /// No token that was given is good any more.
    pub(crate) fn forget_tokens(&self) {
        self.events().tokens.clear();
    }
}

/// Opens `link` as a browser whose user agrees: where it is sent afterwards.
pub(crate) async fn agree(link: &Url) -> Result<Url> {
    let mut request = Request::new(Method::GET, link.clone());
    request.redirects = Redirects::None;
    let answer = Outbound::new(Policy::operator())?.send(request).await?;
    let location = answer.headers.get(LOCATION).with_context(|| format!("{answer:?} is no redirect"))?;
    Ok(Url::parse(location.to_str()?)?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(asked: &Asked, events: &mut Events, manners: &Manners) -> Answer {
    let base = format!("http://{}", asked.header("host").unwrap_or_default());
    let url = Url::parse(&format!("{base}{}", asked.target())).ok();
    let query = || url.iter().flat_map(|url| url.query_pairs().into_owned()).collect::<HashMap<_, _>>();
    match url.as_ref().map(Url::path).unwrap_or_default() {
        "/.well-known/oauth-protected-resource/mcp" => {
            json_answer(200, &json!({"resource": format!("{base}/mcp"), "authorization_servers": [base]}))
        }
        "/.well-known/oauth-authorization-server" => json_answer(200, &metadata(&base, manners)),
        "/register" => json_answer(201, &json!({"client_id": "registered", "redirect_uris": asked.body["redirect_uris"]})),
        "/authorize" => events.authorize(query(), &base),
        "/device" => json_answer(
            200,
            &json!({
                "device_code": "device-canary-1", "user_code": "WDJB-MJHT", "verification_uri": format!("{base}/verify"),
                "expires_in": manners.device_life, "interval": 0,
            }),
        ),
        "/token" => events.token(&form(asked), manners),
        "/revoke" => {
            events.revoked.extend(form(asked).remove("token"));
            status(200)
        }
        "/mcp" => events.mcp(asked, &base, manners),
        _ => status(404),
    }
}

fn metadata(base: &str, manners: &Manners) -> Value {
    let mut metadata = json!({
        "issuer": base, "authorization_endpoint": format!("{base}/authorize"), "token_endpoint": format!("{base}/token"),
        "registration_endpoint": format!("{base}/register"), "revocation_endpoint": format!("{base}/revoke"),
        "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    for (name, value) in (manners.metadata)(base).as_object().into_iter().flatten() {
        metadata[name] = value.clone();
    }
    metadata
}

fn form(asked: &Asked) -> HashMap<String, String> {
    let url = Url::parse(&format!("http://form/?{}", asked.text()));
    url.iter().flat_map(|url| url.query_pairs().into_owned()).collect()
}

fn json_answer(status: u16, body: &Value) -> Answer {
    whole(status, &[("content-type", "application/json")], body.to_string().as_bytes())
}

fn refused(error: &str) -> Answer {
    json_answer(400, &json!({"error": error}))
}

impl Events {
    fn authorize(&mut self, query: HashMap<String, String>, base: &str) -> Answer {
        self.numbers += 1;
        let code = format!("code-canary-{}", self.numbers);
        let said = |name: &str| query.get(name).cloned().unwrap_or_default();
        let Ok(mut back) = Url::parse(&said("redirect_uri")) else { return status(400) };
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &said("state")).append_pair("iss", base);
        self.codes.insert(code, query);
        whole(302, &[("location", back.as_str())], b"")
    }

    fn token(&mut self, form: &HashMap<String, String>, manners: &Manners) -> Answer {
        let said = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        match said("grant_type") {
            "authorization_code" => {
                let Some(asked) = self.codes.remove(said("code")) else { return refused("invalid_grant") };
                let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(said("code_verifier")));
                let is_same = |name: &str| asked.get(name).map(String::as_str) == Some(said(name));
                let is_proven = asked.get("code_challenge") == Some(&challenge);
                if !is_proven || !is_same("redirect_uri") || !is_same("resource") || !is_same("client_id") {
                    return refused("invalid_grant");
                }
                let scope = asked.get("scope").cloned().unwrap_or_default();
                self.give(&scope, manners)
            }
            "refresh_token" => {
                if let Some(refresh) = manners.refresh {
                    return refresh();
                }
                let token = said("refresh_token");
                if self.used.contains(token) {
                    self.reuses += 1;
                }
                if !self.refresh_tokens.remove(token) {
                    return refused("invalid_grant");
                }
                self.used.insert(token.to_owned());
                self.refreshes += 1;
                self.give(said("scope"), manners)
            }
            "urn:ietf:params:oauth:grant-type:device_code" if said("device_code") == "device-canary-1" => {
                self.device_told += 1;
                match manners.device.get(self.device_told - 1) {
                    Some(error) => refused(error),
                    None => self.give(said("scope"), manners),
                }
            }
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                self.numbers += 1;
                let own = || Some(format!("vouched/canary+{:06}", self.numbers));
                let token = manners.vouched.map_or_else(own, |vouched| vouched(said("assertion")));
                let Some(token) = token else { return refused("invalid_grant") };
                self.tokens.insert(token.clone(), "read".to_owned());
                json_answer(200, &json!({"access_token": token, "token_type": "Bearer", "expires_in": manners.token_life}))
            }
            _ => refused("unsupported_grant_type"),
        }
    }

    fn give(&mut self, scope: &str, manners: &Manners) -> Answer {
        self.numbers += 1;
        let (token, refresh) = (format!("access/canary+{:06}", self.numbers), format!("refresh-canary-{:06}", self.numbers));
        self.tokens.insert(token.clone(), scope.to_owned());
        self.refresh_tokens.insert(refresh.clone());
        let mut given =
            json!({"access_token": token, "token_type": "Bearer", "expires_in": manners.token_life, "refresh_token": refresh});
        if !scope.is_empty() {
            given["scope"] = scope.into();
        }
        json_answer(200, &given)
    }

    fn mcp(&mut self, asked: &Asked, base: &str, manners: &Manners) -> Answer {
        let token = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let is_open = manners.lists_to_strangers && asked.what() != "tools/call";
        let scopes = self.tokens.get(token).filter(|_| !manners.refuses_all);
        let page = format!("{base}/.well-known/oauth-protected-resource/mcp");
        if scopes.is_none() && !is_open {
            let challenge = format!("Bearer resource_metadata=\"{page}\"");
            return whole(401, &[("www-authenticate", &challenge)], b"who are you?");
        }
        if let Some(answer) = usual(asked) {
            return answer;
        }
        if let Some(scope) = manners.scope.filter(|scope| !scopes.is_some_and(|has| has.split(' ').any(|one| one == *scope))) {
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\", resource_metadata=\"{page}\"");
            return whole(403, &[("www-authenticate", &challenge)], b"");
        }
        self.called_with.push(token.to_owned());
        result(asked, &(manners.said)(token))
    }
}
