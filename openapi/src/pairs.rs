//! The names and values of a query, a form or cookies; and which names servers may take for one, so that no argument speaks for another.

use std::collections::HashSet;

use percent_encoding::percent_decode_str;

use crate::error::{CallError, argument};

/// Names and values, encoded.
pub(crate) type Pairs = Vec<(String, String)>;

/// `name=value`, one after the other.
pub(crate) fn joined(pairs: &Pairs, between: &str) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(between)
}

/// The `name=value` of a query as they are written.
pub(crate) fn pieces(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|piece| !piece.is_empty())
}

/// The name of a `name=value` as it is written.
pub(crate) fn name_of(piece: &str) -> String {
    decoded(piece.split('=').next().unwrap_or_default())
}

/// `name` as servers read it.
pub(crate) fn decoded(name: &str) -> String {
    percent_decode_str(&name.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// What servers may make of the name: some do not tell capitals apart, some take `a[]` and `a[b]` for `a`.
pub(crate) fn folded(name: &str) -> String {
    name.split('[').next().unwrap_or_default().trim().to_lowercase()
}

/// The names that have arguments of their own, or that somebody else has set.
pub(crate) struct TakenNames {
    whole: HashSet<String>,
    folded: HashSet<String>,
}

impl TakenNames {
    pub(crate) fn of(names: impl Iterator<Item = impl AsRef<str>>) -> Self {
        let (whole, folded) = names.map(|name| (name.as_ref().to_lowercase(), folded(name.as_ref()))).unzip();
        Self { whole, folded }
    }

    /// Whether `name` is one of them.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.folded.contains(&folded(name))
    }

    /// Refuses an argument that says again what is set, itself or by a member.
    pub(crate) fn check_set(&self, called: &str, pairs: &Pairs) -> Result<(), CallError> {
        match pairs.iter().map(|(name, _)| decoded(name)).find(|name| self.has(name)) {
            Some(name) => {
                let name: String = name.chars().take(100).collect();
                Err(argument(called, format!("says `{name}`, which the address has already: leave it away")))
            }
            None => Ok(()),
        }
    }

    /// Refuses what the members of the argument called `called` would say in another one's place; `field` is its own name there.
    pub(crate) fn check(&self, called: &str, field: &str, pairs: &Pairs) -> Result<(), CallError> {
        for (name, _) in pairs {
            let name = decoded(name);
            let is_within = name.strip_prefix(field).is_some_and(|rest| rest.starts_with('['));
            let is_taken = if is_within { self.whole.contains(&name.to_lowercase()) } else { self.has(&name) };
            if name != field && is_taken {
                let name: String = name.chars().take(100).collect();
                return Err(argument(called, format!("has a member `{name}`, which is said elsewhere: give it there")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_most_careless_server_takes_them_for() {
        for (name, expected) in [("a", "a"), ("A", "a"), ("a[]", "a"), ("a[b][c]", "a"), (" a ", "a"), ("Ü", "ü"), ("[a]", "")]
        {
            assert_eq!(folded(name), expected);
        }
        assert_eq!((name_of("a%20b=c=d"), name_of("a+b"), decoded("%5B%ff")), ("a b".into(), "a b".into(), "[\u{fffd}".into()));
        assert_eq!(pieces("a=1&&b&c=").collect::<Vec<_>>(), ["a=1", "b", "c="]);
    }

    #[test]
    fn a_member_is_no_name_that_is_taken() {
        let taken = TakenNames::of(["any", "a", "f[x]"].into_iter());
        let check = |field: &str, name: &str| taken.check("any", field, &vec![(name.to_owned(), String::new())]).is_ok();
        assert!(check("any", "any") && check("any", "b") && check("f", "f[y]") && check("a", "a[b]"));
        assert!(!check("any", "a") && !check("any", "A%5B%5D") && !check("f", "f[x]") && !check("f", "F[X]"));
    }
}
