//! What a token says of its user: who it is, and by the operator's rules which roles.

use isolet::Principal;
use serde_json::{Map, Value};

use crate::issuer::Issuer;

/// The most characters of a user or a tenant.
const NAME_CHARACTERS_MAX: usize = 256;

/// The claims of a token that was verified, or that its issuer said is active.
pub(crate) type Claims = Map<String, Value>;

/// Whether the token has all scopes that `issuer`'s tokens have to have.
pub(crate) fn have_scopes(claims: &Claims, issuer: &Issuer) -> bool {
    issuer.scopes.iter().all(|scope| ["scope", "scp"].iter().any(|claim| has(claims, claim, scope)))
}

/// Whose the token is. Its tenant is the issuer, so no issuer speaks of another's users. None if it does not say.
pub(crate) fn principal(claims: &Claims, issuer: &Issuer) -> Option<Principal> {
    let user = name(claims, &issuer.user_claim)?;
    let tenant = match &issuer.tenant_claim {
        None => issuer.issuer.clone(),
        Some(claim) => format!("{} {}", issuer.issuer, name(claims, claim)?),
    };
    let given = issuer.rules.iter().filter(|rule| has(claims, &rule.claim, &rule.has)).map(|rule| &rule.role);
    let roles = issuer.roles.iter().chain(given);
    let mut principal = roles.fold(Principal::new(user).in_tenant(tenant), Principal::with_role);
    principal.claims = claims.clone();
    Some(principal)
}

/// A claim that is a name.
fn name<'c>(claims: &'c Claims, claim: &str) -> Option<&'c str> {
    let name = find(claims, claim)?.as_str()?;
    let is_usable = !name.is_empty() && name.chars().count() <= NAME_CHARACTERS_MAX && !name.contains(char::is_control);
    is_usable.then_some(name)
}

/// Whether the claim is `value`, or has it.
fn has(claims: &Claims, claim: &str, value: &str) -> bool {
    match find(claims, claim) {
        Some(Value::String(text)) if matches!(claim, "scope" | "scp") => text.split(' ').any(|word| word == value),
        Some(Value::String(text)) => text == value,
        Some(Value::Array(list)) => list.iter().any(|element| element == value),
        Some(Value::Bool(is_so)) => value == if *is_so { "true" } else { "false" },
        _ => false,
    }
}

/// The claim of this name, or the member that the dots lead to.
fn find<'c>(claims: &'c Claims, claim: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(claim) {
        return Some(value);
    }
    let (first, rest) = claim.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;
    use crate::issuer::RoleRule;

    fn issuer() -> Issuer {
        let rule = |claim: &str, has: &str, role: &str| RoleRule {
            claim: claim.to_owned(),
            has: has.to_owned(),
            role: role.to_owned(),
        };
        Issuer::new("https://login.example", []).with(|issuer| {
            issuer.roles = vec!["reader".to_owned()];
            issuer.scopes = vec!["tools".to_owned()];
            issuer.rules = vec![
                rule("groups", "platform team", "developer"),
                rule("realm_access.roles", "admin", "admin"),
                rule("scope", "write", "writer"),
                rule("email_verified", "true", "verified"),
                rule("department", "eng", "engineer"),
            ];
        })
    }

    fn roles(claims: Value) -> Vec<String> {
        principal(claims.as_object().unwrap(), &issuer()).unwrap().roles.into_iter().collect()
    }

    #[test]
    fn claims_give_roles_by_the_rules_alone() {
        assert_eq!(roles(json!({"sub": "ada"})), ["reader"]);
        assert_eq!(roles(json!({"sub": "ada", "groups": ["platform team", "x"]})), ["developer", "reader"]);
        assert_eq!(roles(json!({"sub": "ada", "groups": "platform team"})), ["developer", "reader"]);
        assert_eq!(roles(json!({"sub": "ada", "realm_access": {"roles": ["admin"]}})), ["admin", "reader"]);
        assert_eq!(
            roles(json!({"sub": "ada", "scope": "read write", "email_verified": true})),
            ["reader", "verified", "writer"]
        );
        // A part of a text, another type, a role that is claimed.
        let others = json!({"sub": "ada", "department": "engineering", "groups": {"platform team": 1}, "roles": ["admin"], "role": "admin"});
        assert_eq!(roles(others), ["reader"]);
    }

    #[test]
    fn a_user_is_who_the_issuer_says_and_of_that_issuer() {
        let of = |claims: Value, issuer: &Issuer| principal(claims.as_object().unwrap(), issuer).map(|found| found.key());
        let key = of(json!({"sub": "ada"}), &issuer()).unwrap();
        assert_eq!((key.user(), key.tenant()), ("ada", Some("https://login.example")));
        for claims in
            [json!({}), json!({"sub": ""}), json!({"sub": 7}), json!({"sub": "a\nb"}), json!({"sub": "a".repeat(257)})]
        {
            assert_eq!(of(claims.clone(), &issuer()), None, "{claims}");
        }
        let with_tenants = issuer().with(|issuer| issuer.tenant_claim = Some("tid".to_owned()));
        assert_eq!(of(json!({"sub": "ada"}), &with_tenants), None);
        let acme = of(json!({"sub": "ada", "tid": "acme"}), &with_tenants).unwrap();
        assert_ne!(Some(&acme), of(json!({"sub": "ada", "tid": "other"}), &with_tenants).as_ref());
    }

    #[test]
    fn scopes_are_words_or_elements() {
        let have = |claims: Value| have_scopes(claims.as_object().unwrap(), &issuer());
        assert!(have(json!({"scope": "a tools"})) && have(json!({"scp": ["tools"]})) && have(json!({"scp": "tools"})));
        assert!(!have(json!({})) && !have(json!({"scope": "toolsmith"})) && !have(json!({"scope": {"tools": 1}})));
    }
}
