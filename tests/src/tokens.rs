//! Tokens that come with requests: which are taken, whose they are, and what an issuer that misbehaves costs.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use isolet::mcp::{Policy, Secret, Url};
use isolet_identity::{Introspection, Issuer, SigningAlgorithm, TokenRefused, TokenVerifier};
use serde_json::{Value, json};

use crate::http_server::{status, whole};
use crate::issuer::{CLIENT, SigningKey, TokenIssuer, field, from_now, hangs, signed_part};
use crate::patience;
use crate::upstream::Test;

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the tokens are for.
const AUDIENCE: &str = "https://tools.example/mcp";

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("tokens::a_token_is_taken_where_all_of_it_is_right_and_nowhere_else", || block_on(taken_where_all_is_right())),
    ("tokens::no_secret_and_no_absence_of_one_is_a_signature", || block_on(no_secret_is_a_signature())),
    ("tokens::keys_that_rotate_are_found_and_the_issuer_is_not_asked_for_ever", || block_on(keys_that_rotate())),
    ("tokens::an_issuer_that_misbehaves_costs_its_own_tokens_alone", || block_on(an_issuer_that_misbehaves())),
    ("tokens::an_opaque_token_is_what_its_issuer_says", || block_on(opaque_tokens())),
];

fn block_on(test: impl Future<Output = Result<()>>) -> Result<()> {
    patience::within(PATIENCE, test)
}

/// The claims of a good token, changed.
fn claims(issuer: &TokenIssuer, changes: Value) -> Value {
    let mut claims = json!({
        "iss": issuer.name, "aud": AUDIENCE, "sub": "ada", "exp": from_now(300), "iat": from_now(0), "scope": "tools read",
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        if value.is_null() {
            claims.as_object_mut().map(|claims| claims.remove(name));
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn trusted(issuer: &TokenIssuer) -> Issuer {
    Issuer::new(&issuer.name, [AUDIENCE.to_owned()])
}

fn verifier(issuer: Issuer) -> Result<TokenVerifier> {
    Ok(TokenVerifier::new([issuer], &Policy::operator())?)
}

/// Why a token is refused; nothing if it is taken.
async fn refusal(verifier: &TokenVerifier, token: &str) -> String {
    verifier.verify(token).await.err().map(|error| error.to_string()).unwrap_or_default()
}

async fn taken_where_all_is_right() -> Result<()> {
    let (key, other) = (SigningKey::p256()?, SigningKey::ed25519()?);
    let issuer = TokenIssuer::start(vec![key.public("one"), other.public("two")]).await?;
    let verifier = verifier(trusted(&issuer).with(|issuer| {
        issuer.scopes = vec!["tools".to_owned()];
        issuer.algorithms = vec![SigningAlgorithm::Es256];
    }))?;
    let token = |changes: Value| key.token(Some("one"), &claims(&issuer, changes));
    let verified = verifier.verify(&token(json!({}))?).await?;
    ensure!(verified.principal.user == "ada" && verified.principal.tenant.as_deref() == Some(&issuer.name), "{verified:?}");
    for good in [
        json!({"aud": ["https://other.example", AUDIENCE]}),
        json!({"exp": from_now(-30)}),
        json!({"exp": u64::MAX}),
        json!({"nbf": from_now(30)}),
        json!({"nbf": from_now(-30), "exp": from_now(300)}),
    ] {
        let said = refusal(&verifier, &token(good.clone())?).await;
        ensure!(said.is_empty(), "{good}: {said}");
    }
    for (bad, expected) in [
        (json!({"iss": "https://evil.example"}), "its issuer is not trusted"),
        (json!({"iss": null}), "its issuer is not trusted"),
        (json!({"iss": [issuer.name]}), "its issuer is not trusted"),
        (json!({"iss": format!("{}/", issuer.name)}), "its issuer is not trusted"),
        (json!({"aud": "https://tools.example"}), "it is for another audience"),
        (json!({"aud": ["https://other.example"]}), "it is for another audience"),
        (json!({"aud": []}), "it is for another audience"),
        (json!({"aud": null}), "it lacks a claim"),
        (json!({"aud": {"is": AUDIENCE}}), ""),
        (json!({"exp": from_now(-90)}), "it has ended"),
        (json!({"exp": null}), "it lacks a claim"),
        (json!({"exp": 1e300}), ""),
        (json!({"exp": -1}), ""),
        (json!({"nbf": u64::MAX}), "it has not begun"),
        (json!({"exp": "tomorrow"}), ""),
        (json!({"exp": from_now(300).to_string()}), ""),
        (json!({"nbf": from_now(90)}), "it has not begun"),
        (json!({"nbf": "yesterday"}), ""),
        (json!({"scope": "read"}), "lacks a scope"),
        (json!({"sub": null}), "does not say who its user is"),
    ] {
        let said = refusal(&verifier, &token(bad.clone())?).await;
        ensure!(!said.is_empty() && said.contains(expected), "{bad}: {said}");
    }
    // By another key, under another name, of an algorithm that is not taken; changed, cut, and far too long.
    let good = token(json!({}))?;
    let (signed, signature) = good.rsplit_once('.').context("a signature")?;
    let of_eve = signed_part(&json!({"alg": "ES256", "kid": "one"}), &claims(&issuer, json!({"sub": "eve"})));
    for bad in [
        SigningKey::p256()?.token(Some("one"), &claims(&issuer, json!({})))?,
        key.token(Some("two"), &claims(&issuer, json!({})))?,
        key.token(Some("three"), &claims(&issuer, json!({})))?,
        other.token(Some("two"), &claims(&issuer, json!({})))?,
        format!("{of_eve}.{signature}"),
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        format!("{signed}."),
        signed.to_owned(),
        format!("{good}.{signature}"),
        String::new(),
        "a.b.c".to_owned(),
        token(json!({"long": "x".repeat(9000)}))?,
    ] {
        let said = refusal(&verifier, &bad).await;
        ensure!(said.contains("not valid") && !said.contains("canary"), "{bad}: {said}");
    }
    // A token that names no key is tried with all that fit.
    ensure!(refusal(&verifier, &key.token(None, &claims(&issuer, json!({})))?).await.is_empty());
    Ok(())
}

async fn no_secret_is_a_signature() -> Result<()> {
    let key = SigningKey::p256()?;
    let public = key.public("one");
    // A careless issuer publishes a secret too: nobody's signature.
    let shared = json!({"kty": "oct", "kid": "shared", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode("0123456789abcdef")});
    let issuer = TokenIssuer::start(vec![public.clone(), shared]).await?;
    let verifier = verifier(trusted(&issuer).with(|issuer| issuer.algorithms = SigningAlgorithm::ALL.to_vec()))?;
    let claims = claims(&issuer, json!({}));
    ensure!(refusal(&verifier, &key.token(Some("one"), &claims)?).await.is_empty());
    for name in ["none", "None", "NONE", "nOnE", ""] {
        for signature in ["", "AAAA"] {
            let token = format!("{}.{signature}", signed_part(&json!({"alg": name, "kid": "one"}), &claims));
            ensure!(refusal(&verifier, &token).await.contains("not valid"), "{name} {signature}");
        }
    }
    // HMAC with everything that everybody knows, and with the secret that was published.
    let texts = [public.to_string(), public["x"].to_string(), URL_SAFE_NO_PAD.encode(key.public_bytes()), String::new()];
    let mut secrets: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    secrets.extend([key.public_bytes().to_vec(), key.public_bytes()[1..].to_vec(), b"0123456789abcdef".to_vec()]);
    for secret in secrets {
        for (name, algorithm) in [("HS256", ring::hmac::HMAC_SHA256), ("HS512", ring::hmac::HMAC_SHA512)] {
            for id in ["one", "shared"] {
                let signed = signed_part(&json!({"alg": name, "kid": id}), &claims);
                let tag = ring::hmac::sign(&ring::hmac::Key::new(algorithm, &secret), signed.as_bytes());
                let said = refusal(&verifier, &format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))).await;
                ensure!(said.contains("its algorithm is not taken"), "{name} {id}: {said}");
            }
        }
    }
    // A header that brings its own key, or says what has to be understood.
    let eve = SigningKey::p256()?;
    for header in [
        json!({"alg": "ES256", "jwk": eve.public("one")}),
        json!({"alg": "ES256", "kid": "one", "jku": "https://evil.example/keys"}),
        json!({"alg": "ES256", "kid": "one", "crit": ["exp"], "exp": 1}),
    ] {
        let token = eve.token(Some("one"), &claims)?;
        let signature = token.rsplit_once('.').context("a signature")?.1.to_owned();
        let said = refusal(&verifier, &format!("{}.{signature}", signed_part(&header, &claims))).await;
        ensure!(said.contains("not valid"), "{header}: {said}");
    }
    ensure!(issuer.http.asked().iter().all(|asked| !asked.target().contains("evil")));
    Ok(())
}

async fn keys_that_rotate() -> Result<()> {
    let (old, new, newest) = (SigningKey::p256()?, SigningKey::p256()?, SigningKey::ed25519()?);
    let issuer = TokenIssuer::start(vec![old.public("old")]).await?;
    let verifier = verifier(trusted(&issuer))?;
    let claims = claims(&issuer, json!({}));
    let [by_old, by_new, by_newest] =
        [old.token(Some("old"), &claims)?, new.token(Some("new"), &claims)?, newest.token(None, &claims)?];
    // However many come at once, the keys are fetched once.
    let all = futures::future::join_all((0..50).map(|_| verifier.verify(&by_old))).await;
    ensure!(all.iter().all(Result::is_ok) && issuer.count("/keys") == 1, "{}", issuer.count("/keys"));
    ensure!(refusal(&verifier, &by_new).await.contains("no key of its issuer"), "there is none yet");
    issuer.behave(|manners| manners.keys = vec![old.public("old"), new.public("new")]);
    let all = futures::future::join_all((0..50).map(|_| verifier.verify(&by_new))).await;
    ensure!(all.iter().all(Result::is_ok), "the new key is found");
    ensure!(refusal(&verifier, &by_old).await.is_empty(), "the old one is there yet");
    // The same name for another key, and a token that names none.
    issuer.behave(|manners| manners.keys = vec![newest.public("old"), new.public("new")]);
    ensure!(refusal(&verifier, &by_newest).await.is_empty());
    ensure!(refusal(&verifier, &by_old).await.contains("not valid"), "the old one is gone");
    // Whoever sends any number of wrong tokens does not have the issuer asked for each.
    for number in 0..200 {
        let wrong = old.token(Some(&format!("key-{number}")), &claims)?;
        ensure!(refusal(&verifier, &wrong).await.contains("not valid"));
    }
    ensure!(issuer.count("/keys") <= 6, "{} times", issuer.count("/keys"));
    ensure!(refusal(&verifier, &by_new).await.is_empty(), "and what was known is known on");
    Ok(())
}

async fn an_issuer_that_misbehaves() -> Result<()> {
    let key = SigningKey::p256()?;
    let is_unavailable = |result: &Result<_, TokenRefused>| matches!(result, Err(TokenRefused::Unavailable { .. }));
    let huge = || {
        whole(200, &[("content-type", "application/json")], format!("{{\"keys\": [\"{}\"]}}", "x".repeat(300_000)).as_bytes())
    };
    let elsewhere = || whole(302, &[("location", "http://169.254.169.254/keys")], b"");
    let page = || whole(200, &[("content-type", "text/html")], b"<html>");
    for (what, answer) in
        [("huge", huge as fn() -> _), ("slow", hangs), ("failing", || status(500)), ("elsewhere", elsewhere), ("a page", page)]
    {
        let issuer = TokenIssuer::start(vec![key.public("one")]).await?;
        let verifier = verifier(trusted(&issuer))?;
        issuer.behave(|manners| manners.keys_answer = Some(answer));
        let token = key.token(Some("one"), &claims(&issuer, json!({})))?;
        let begun = Instant::now();
        let all = futures::future::join_all((0..20).map(|_| verifier.verify(&token))).await;
        ensure!(all.iter().all(is_unavailable), "{what}");
        ensure!(begun.elapsed() < Duration::from_secs(20) && issuer.count("/keys") == 1, "{what}: {:?}", begun.elapsed());
        // Keys that are known outlast it, and a token that they do not fit does not wait for it.
        issuer.behave(|manners| manners.keys_answer = None);
        let other = self::verifier(trusted(&issuer))?;
        ensure!(refusal(&other, &token).await.is_empty(), "{what}");
        issuer.behave(|manners| manners.keys_answer = Some(answer));
        if what != "slow" {
            let wrong = key.token(Some("another"), &claims(&issuer, json!({})))?;
            ensure!(refusal(&other, &wrong).await.contains("no key of its issuer"), "{what}");
        }
        ensure!(refusal(&other, &token).await.is_empty(), "{what}: what is known is used on");
    }
    // Metadata that speaks of another issuer, or points inside.
    for metadata in [
        |_: &str| json!({"issuer": "https://evil.example"}),
        |_: &str| json!({"jwks_uri": "http://169.254.169.254/keys"}),
        |_: &str| json!({"jwks_uri": "file:///etc/passwd"}),
        |_: &str| json!({"jwks_uri": 7}),
    ] {
        let issuer = TokenIssuer::start(vec![key.public("one")]).await?;
        issuer.behave(|manners| manners.metadata = metadata);
        let token = key.token(Some("one"), &claims(&issuer, json!({})))?;
        ensure!(is_unavailable(&verifier(trusted(&issuer))?.verify(&token).await), "{}", metadata(""));
        ensure!(issuer.count("/keys") == 0);
        // An operator who says where the keys are asks no metadata.
        let keys = issuer.at("/keys")?;
        let told = verifier(trusted(&issuer).with(|issuer| issuer.jwks_url = Some(keys)))?;
        ensure!(refusal(&told, &token).await.is_empty());
    }
    // Two issuers: neither has the other's keys.
    let (one, two) = (TokenIssuer::start(vec![key.public("one")]).await?, TokenIssuer::start(vec![]).await?);
    let both = TokenVerifier::new([trusted(&one), trusted(&two)], &Policy::operator())?;
    ensure!(refusal(&both, &key.token(Some("one"), &claims(&one, json!({})))?).await.is_empty());
    ensure!(refusal(&both, &key.token(Some("one"), &claims(&two, json!({})))?).await.contains("no key of its issuer"));
    for issuers in [vec![trusted(&one), trusted(&one)], vec![Issuer::new("nowhere", []), trusted(&one)]] {
        ensure!(TokenVerifier::new(issuers, &Policy::operator()).is_err());
    }
    Ok(())
}

async fn opaque_tokens() -> Result<()> {
    let issuer = TokenIssuer::start(Vec::new()).await?;
    let asking = || -> Result<Issuer> {
        let introspection = Introspection::new(issuer.at("/introspect")?, CLIENT.0, Secret::new(CLIENT.1)?);
        Ok(trusted(&issuer).with(|issuer| issuer.introspection = Some(introspection)))
    };
    let asked = verifier(asking()?)?;
    issuer.behave(|manners| {
        manners.said = |token, base| {
            let mut said = json!({"active": true, "iss": base, "aud": AUDIENCE, "sub": "ada", "exp": from_now(300)});
            match token {
                "good-canary" => {}
                "ended" => said["exp"] = from_now(-90).into(),
                "odd" => said["exp"] = "tomorrow".into(),
                "early" => said["nbf"] = from_now(90).into(),
                "of another issuer" => said["iss"] = "https://other.example".into(),
                "for another" => said["aud"] = "https://other.example".into(),
                "for nobody" => said["aud"] = Value::Null,
                "no answer" => return json!([]),
                "no word" => return json!({"sub": "ada", "aud": AUDIENCE}),
                _ => return json!({"active": false}),
            }
            said
        }
    });
    for _ in 0..20 {
        ensure!(asked.verify("good-canary").await?.principal.user == "ada");
    }
    ensure!(issuer.count("/introspect") == 1, "what was said holds for a while");
    let (sent, hint) = issuer
        .http
        .asked()
        .last()
        .map(|asked| (field(asked, "token"), field(asked, "token_type_hint")))
        .context("it was asked")?;
    ensure!((sent.as_str(), hint.as_str()) == ("good-canary", "access_token"), "{sent}");
    for token in ["ended", "odd", "early", "of another issuer", "for another", "for nobody", "unknown"] {
        ensure!(refusal(&asked, token).await.contains("not valid"), "{token}");
    }
    for token in ["no answer", "no word"] {
        ensure!(matches!(asked.verify(token).await, Err(TokenRefused::Unavailable { .. })), "{token}");
    }
    let before = issuer.count("/introspect");
    ensure!(refusal(&asked, "unknown").await.contains("not valid") && issuer.count("/introspect") == before);
    // Who is nobody there learns nothing; and where nobody is asked, what is no JWT is nothing.
    let wrong = Introspection::new(issuer.at("/introspect")?, CLIENT.0, Secret::new("another-secret")?);
    let wrong = verifier(trusted(&issuer).with(|issuer| issuer.introspection = Some(wrong)))?;
    ensure!(matches!(wrong.verify("good-canary").await, Err(TokenRefused::Unavailable { .. })));
    ensure!(refusal(&verifier(trusted(&issuer))?, "good-canary").await.contains("it is no JWT"));
    let other = Issuer::new("https://other.example", []).with(|other| {
        other.introspection = Url::parse("https://other.example/i")
            .ok()
            .zip(Secret::new("another-secret").ok())
            .map(|(url, secret)| Introspection::new(url, "x", secret));
    });
    ensure!(TokenVerifier::new([asking()?, other], &Policy::operator()).is_err(), "a token goes to one issuer");
    Ok(())
}
