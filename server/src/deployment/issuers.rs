//! Whose tokens a deployment takes, and which roles they give: what can be wrong with that is said before anybody comes.

use std::collections::BTreeMap;
use std::time::Duration;

use isolet_identity::{Introspection, Issuer, RoleRule, SigningAlgorithm};
use toml::Spanned;

use super::authorization::address;
use super::file::{self, File};
use super::merged::{User, check_contradictions};
use super::mistake::{Mistake, Text};
use super::secret_of::secret_of;

/// The most that clocks may differ, seconds.
const CLOCK_SKEW_SECONDS_MAX: u64 = 300;

/// The issuers of `file`, whose roles are `roles`.
pub(super) fn issuers(text: &Text, file: &File, roles: &BTreeMap<String, User>, mistakes: &mut Vec<Mistake>) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = Vec::new();
    for said in &file.issuers {
        let at = |spanned: std::ops::Range<usize>| spanned.start;
        let Some(_) = address(text, "issuer", &said.issuer, mistakes) else { continue };
        if issuers.iter().any(|other| other.issuer == *said.issuer.get_ref()) {
            mistakes.push(text.mistake(at(said.issuer.span()), "this issuer is there twice: write its rules together"));
        }
        check_roles(text, said, roles, mistakes);
        let introspection = said.introspection.as_ref().and_then(|said| introspection(text, said, mistakes));
        if let (Some(again), true) = (&said.introspection, issuers.iter().any(|other| other.introspection.is_some())) {
            let message = "only one issuer can be asked about tokens: a token of another one would be sent to it";
            mistakes.push(text.mistake(at(again.url.span()), message));
        }
        let jwks_url = said.jwks_url.as_ref().and_then(|url| address(text, "jwks_url", url, mistakes));
        let algorithms = algorithms(text, &said.algorithms, mistakes);
        issuers.push(Issuer::new(said.issuer.get_ref(), said.audiences.iter().cloned()).with(|issuer| {
            issuer.jwks_url = jwks_url;
            issuer.introspection = introspection;
            issuer.algorithms = algorithms.unwrap_or_else(|| issuer.algorithms.clone());
            issuer.scopes = scopes(text, &said.scopes, mistakes);
            issuer.clock_skew = clock_skew(text, said, mistakes).unwrap_or(issuer.clock_skew);
            issuer.user_claim = said.user_claim.clone().unwrap_or_else(|| issuer.user_claim.clone());
            issuer.tenant_claim.clone_from(&said.tenant_claim);
            issuer.roles = said.roles.iter().map(|role| role.get_ref().clone()).collect();
            issuer.rules = said.rules.iter().map(rule).collect();
        }));
    }
    issuers
}

fn rule(said: &file::RoleRule) -> RoleRule {
    RoleRule { claim: said.claim.clone(), has: said.has.clone(), role: said.role.get_ref().clone() }
}

/// The roles that an issuer gives are there, and what any two of them say of a tool is the same.
fn check_roles(text: &Text, said: &file::Issuer, roles: &BTreeMap<String, User>, mistakes: &mut Vec<Mistake>) {
    let given: Vec<&Spanned<String>> = said.roles.iter().chain(said.rules.iter().map(|rule| &rule.role)).collect();
    if given.is_empty() {
        let message = "this issuer gives nobody a role: write `roles` for all of its users, or `[[issuers.rules]]`";
        mistakes.push(text.mistake(said.issuer.span().start, message));
    }
    let mut before: BTreeMap<&str, &User> = BTreeMap::new();
    for role in given {
        let Some(user) = roles.get(role.get_ref()) else {
            mistakes.push(text.no_role(role, roles.keys()));
            continue;
        };
        if before.insert(role.get_ref(), user).is_some() {
            continue;
        }
        let whom = format!("whoever comes from `{}`", said.issuer.get_ref());
        for (_, other) in before.iter().filter(|(name, _)| **name != role.get_ref().as_str()) {
            check_contradictions(text, &whom, &other.rules, &user.rules, mistakes);
        }
    }
}

/// None: those that are taken where nothing is said.
fn algorithms(text: &Text, said: &[Spanned<String>], mistakes: &mut Vec<Mistake>) -> Option<Vec<SigningAlgorithm>> {
    let mut algorithms = Vec::new();
    for name in said {
        match name.get_ref().parse() {
            Ok(algorithm) => algorithms.push(algorithm),
            Err(error) => {
                let error: isolet_identity::NotAnAlgorithm = error;
                mistakes.push(text.mistake(name.span().start, format!("`{}`: {error}", name.get_ref())));
            }
        }
    }
    (!said.is_empty()).then_some(algorithms)
}

fn scopes(text: &Text, said: &[Spanned<String>], mistakes: &mut Vec<Mistake>) -> Vec<String> {
    // What may stand in a challenge (RFC 6749).
    let may_be =
        |scope: &str| !scope.is_empty() && scope.chars().all(|one| one.is_ascii_graphic() && !matches!(one, '"' | '\\'));
    for scope in said.iter().filter(|scope| !may_be(scope.get_ref())) {
        let message = format!("`{}` is no scope: write one word for each", scope.get_ref());
        mistakes.push(text.mistake(scope.span().start, message));
    }
    said.iter().map(|scope| scope.get_ref().clone()).collect()
}

fn clock_skew(text: &Text, said: &file::Issuer, mistakes: &mut Vec<Mistake>) -> Option<Duration> {
    let seconds = said.clock_skew_seconds.as_ref()?;
    if *seconds.get_ref() > CLOCK_SKEW_SECONDS_MAX {
        let message = format!("`clock_skew_seconds` is {}: it can be 0 to {CLOCK_SKEW_SECONDS_MAX}", seconds.get_ref());
        mistakes.push(text.mistake(seconds.span().start, message));
    }
    Some(Duration::from_secs(*seconds.get_ref()))
}

fn introspection(text: &Text, said: &file::Introspection, mistakes: &mut Vec<Mistake>) -> Option<Introspection> {
    let url = address(text, "url", &said.url, mistakes)?;
    let secret = secret_of(text, said.client_secret_env.as_ref(), said.client_secret_file.as_ref());
    let (offset, secret) = secret.unwrap_or_else(|| {
        let message = "the client's secret is missing: write `client_secret_env` or `client_secret_file`, one of them";
        (said.url.span().start, Err(message.to_owned()))
    });
    match secret {
        Ok(secret) => Some(Introspection::new(url, &said.client_id, secret)),
        Err(message) => {
            mistakes.push(text.mistake(offset, message));
            None
        }
    }
}
