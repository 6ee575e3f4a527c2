//! What it costs a call that its user's token is looked up. `cargo xtask bench -- credentials`.
#![expect(clippy::unwrap_used, reason = "a benchmark: what fails ends it")]

use criterion::Criterion;
use isolet::Principal;
use isolet::mcp::{CredentialRequest, CredentialSource as _, Given, Url};
use isolet_identity::{GrantKey, MemoryStore, OAuth, OAuthOptions, Store as _};
use serde_json::json;
use zeroize::Zeroizing;

/// Users whose tokens are held ready.
const USERS: usize = 1_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    cached(&mut criterion);
    criterion.final_summary();
}

/// The token of one of many users, held ready.
fn cached(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = Url::parse("https://mcp.example/mcp").unwrap();
    let users: Vec<Principal> = (0..USERS).map(|user| Principal::new(format!("user-{user}"))).collect();
    let store = MemoryStore::new();
    for user in &users {
        let grant_key = GrantKey::new(&user.key(), "scripted", &url);
        runtime.block_on(store.save(&grant_key, Zeroizing::new(grant(user)))).unwrap();
    }
    let oauth = OAuth::new(store, OAuthOptions::default()).unwrap();
    let look_up = |user: &Principal| {
        let request = CredentialRequest::new(user, "scripted").at(&url);
        let given = runtime.block_on(oauth.credentials(request)).unwrap();
        assert!(matches!(given, Given::These(_)));
    };
    users.iter().for_each(look_up);
    let mut user = users.iter().cycle();
    criterion.bench_function("credentials/cached", |bencher| bencher.iter(|| look_up(user.next().unwrap())));
}

/// What is kept of a grant whose token lasts for long.
fn grant(user: &Principal) -> Vec<u8> {
    let stored = json!({
        "client_id": "me", "granted_scopes": ["read"], "token_received_at": 1_000_000,
        "token_response": {"access_token": format!("token-of-{}", user.user), "token_type": "bearer", "expires_in": 10_000_000_000_u64},
    });
    let metadata = json!({"authorization_endpoint": "https://login.example/a", "token_endpoint": "https://login.example/t"});
    let grant = json!({
        "client_secret": null, "redirect": "https://tools.example/callback", "resource": "https://mcp.example/mcp",
        "metadata": metadata, "stored": stored,
    });
    grant.to_string().into_bytes()
}
