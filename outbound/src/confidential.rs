//! Which of the values that an operator configures are credentials: by their names, and by how they look.
//!
//! A header field or a variable may hold anything: a key, a date (`x-api-version`), a folder. If all of them were taken out of what servers answer,
//! a file server could not name its own folder. So a value counts as a credential if its name says so, or if it looks as if a machine had made
//! it. What is given as a credential in so many words always counts, and does not come here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::secret::Secret;

/// What a name has in it that says so.
const IN_NAMES: [&str; 9] = ["token", "secret", "passw", "apikey", "credential", "authoriz", "cookie", "bearer", "private"];

/// What one word of a name says it.
const WORDS: [&str; 8] = ["key", "pass", "pwd", "pat", "auth", "dsn", "jwt", "signature"];

/// What the last word of a name says where the value is a place and no credential.
const PLACES: [&str; 5] = ["file", "path", "dir", "url", "uri"];

/// The shortest run of letters and digits, with both in it, that no human writes.
const MACHINE_MADE_MIN: usize = 20;

/// The secrets in the value of a header field, a variable or a parameter called `name`: the value, what stands after its scheme (`Bearer ...`), the
/// parts of cookies and of basic authentication, and the password of an address. None if it is no credential.
#[must_use]
pub fn secrets_of(name: &str, value: &str) -> Vec<Secret> {
    let value = value.trim();
    if is_confidential(name) || is_machine_made(value) { secrets_in(value) } else { distinct(passwords(value)) }
}

/// The secrets in `value`, which is a credential whatever it is called: see [`secrets_of`].
#[must_use]
pub fn secrets_in(value: &str) -> Vec<Secret> {
    let value = value.trim();
    let mut parts = vec![value.to_owned()];
    parts.extend(passwords(value));
    if let Some((scheme, rest)) = value.split_once(' ').map(|(scheme, rest)| (scheme, rest.trim())) {
        parts.push(rest.to_owned());
        if scheme.eq_ignore_ascii_case("basic")
            && let Some(pair) = STANDARD.decode(rest).ok().and_then(|pair| String::from_utf8(pair).ok())
        {
            parts.extend(pair.split_once(':').map(|(_, password)| password.to_owned()));
            parts.push(pair);
        }
    }
    if value.contains('=') {
        let cookies = value.split(';').filter_map(|cookie| cookie.split_once('='));
        parts.extend(cookies.map(|(_, value)| value.trim().trim_matches('"').to_owned()));
    }
    distinct(parts)
}

/// Those that are long enough, each once.
fn distinct(texts: Vec<String>) -> Vec<Secret> {
    let mut secrets: Vec<Secret> = Vec::new();
    for text in texts {
        if let Ok(secret) = Secret::new(text)
            && !secrets.contains(&secret)
        {
            secrets.push(secret);
        }
    }
    secrets
}

/// The password in an address such as `postgres://user:password@host/`, as it is written and as it is meant.
fn passwords(value: &str) -> Vec<String> {
    let url = value.contains("://").then(|| Url::parse(value).ok()).flatten();
    let password = url.as_ref().and_then(Url::password);
    password.map_or_else(Vec::new, |password| {
        vec![password.to_owned(), percent_decode_str(password).decode_utf8_lossy().into_owned()]
    })
}

fn is_confidential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = || name.split(|c: char| !c.is_ascii_alphanumeric());
    let names_place = words().next_back().is_some_and(|word| PLACES.contains(&word));
    !names_place && (IN_NAMES.iter().any(|part| name.contains(part)) || words().any(|word| WORDS.contains(&word)))
}

fn is_machine_made(value: &str) -> bool {
    value.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        let has = |kind: fn(&char) -> bool| run.chars().any(|c| kind(&c));
        run.len() >= MACHINE_MADE_MIN && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, expected: &[&str]) {
        let secrets = secrets_of(name, value);
        assert_eq!(secrets.iter().map(Secret::expose).collect::<Vec<_>>(), expected, "{name}");
    }

    #[test]
    fn a_credential_is_known_by_its_name() {
        for name in ["Authorization", "X-Api-Key", "X-Key", "GITHUB_TOKEN", "apikey", "DB_PASSWORD", "GH_PAT", "client-secret"]
        {
            check(name, "canary-7f3a9c", &["canary-7f3a9c"]);
        }
        check("authorization", "Bearer canary-7f3a9c", &["Bearer canary-7f3a9c", "canary-7f3a9c"]);
        check(
            "authorization",
            "Basic dXNlcjpjYW5hcnktMQ==",
            &["Basic dXNlcjpjYW5hcnktMQ==", "dXNlcjpjYW5hcnktMQ==", "canary-1", "user:canary-1"],
        );
        check("cookie", "a=1; sid=\"canary-2\"", &["a=1; sid=\"canary-2\"", "sid=\"canary-2\"", "canary-2"]);
    }

    #[test]
    fn a_credential_is_known_by_its_looks() {
        check("X-Custom", "ghp_1a2b3c4d5e6f7g8h9i0jAB", &["ghp_1a2b3c4d5e6f7g8h9i0jAB"]);
        check("DATABASE_URL", "postgres://ada:p%40ssword1@db/x", &["p%40ssword1", "p@ssword1"]);
    }

    #[test]
    fn what_is_no_credential_stays_in_answers() {
        for (name, value) in [
            ("X-GitHub-Api-Version", "2022-11-28"),
            ("ROOT", "/srv/files/of/the/department"),
            ("LOG_LEVEL", "warning"),
            ("X-MCP-Toolsets", "repos,issues,pull_requests"),
            ("MODEL", "claude-sonnet-4-20250514"),
            ("API_URL", "https://api.example.com/v1/things"),
            ("TOKEN", "short"),
            ("TOKEN_FILE", "/run/secrets/token"),
            ("MONKEY_PATH", "/monkeys"),
        ] {
            check(name, value, &[]);
        }
    }
}
