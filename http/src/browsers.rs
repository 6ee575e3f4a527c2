//! Whose browser it is: between the page on which a user has shown who they are and the callback of an authorization server.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, header};
use isolet::Principal;

use crate::keys::hexadecimal;

/// How long a browser is known: as long as an authorization may take.
const LIFE: Duration = Duration::from_secs(600);

/// The most browsers that are known. One more is not let on.
const BROWSERS_MAX: usize = 4096;

/// The bytes of an id's randomness.
const ID_BYTES: usize = 32;

/// The cookie.
const COOKIE: &str = "isolet_authorize";

/// The browsers that are known.
#[derive(Default)]
pub(crate) struct Browsers(Mutex<HashMap<String, (Principal, Instant)>>);

impl Browsers {
    /// Knows a browser as `principal`'s: the cookie that it is given, for `path` and what is below. None if too many are known.
    pub(crate) fn know(&self, principal: &Principal, path: &str, is_https: bool) -> Option<HeaderValue> {
        let mut bytes = [0_u8; ID_BYTES];
        getrandom::fill(&mut bytes).ok()?;
        let id = hexadecimal(&bytes);
        let secure = if is_https { "; Secure" } else { "" };
        let cookie = format!("{COOKIE}={id}; Path={path}; Max-Age={}; HttpOnly; SameSite=Lax{secure}", LIFE.as_secs());
        let cookie = HeaderValue::from_str(&cookie).ok()?;
        let mut known = self.known();
        if known.len() >= BROWSERS_MAX {
            return None;
        }
        known.insert(id, (principal.clone(), Instant::now()));
        Some(cookie)
    }

    /// Whose browser sends these header fields.
    pub(crate) fn whose(&self, headers: &HeaderMap) -> Option<Principal> {
        let known = self.known();
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut ids = cookies
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('=').filter(|(name, _)| *name == COOKIE).map(|(_, id)| id));
        ids.find_map(|id| known.get(id)).map(|(principal, _)| principal.clone())
    }

    /// Those that have not been known for too long.
    fn known(&self) -> MutexGuard<'_, HashMap<String, (Principal, Instant)>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, since)| since.elapsed() < LIFE);
        known
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_browser_is_known_by_its_cookie_and_no_more_of_them_than_may_be() {
        let browsers = Browsers::default();
        let sent = |cookie: &str| HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())]);
        let cookie = browsers.know(&"ada".into(), "/authorize", true).unwrap();
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.ends_with("; Path=/authorize; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        let pair = cookie.split(';').next().unwrap();
        assert_eq!(browsers.whose(&sent(&format!("a=b; {pair}"))).unwrap().user, "ada");
        assert!(browsers.whose(&sent(&pair[..pair.len() - 1])).is_none() && browsers.whose(&HeaderMap::new()).is_none());
        for _ in 0..BROWSERS_MAX + 1 {
            browsers.know(&"bob".into(), "/authorize", false);
        }
        assert!(browsers.know(&"eve".into(), "/authorize", false).is_none());
        assert_eq!(browsers.known().len(), BROWSERS_MAX);
    }
}
