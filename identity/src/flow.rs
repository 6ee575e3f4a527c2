//! Authorizations between the link and the callback: each single-use, ten minutes long, and for the principal that began it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use isolet::Principal;
use isolet::mcp::Url;

use crate::ask::LINK_LIFE;
use crate::client::Client;
use crate::error::IdentityError;
use crate::grant_key::GrantKey;

/// The most authorizations between link and callback, and how many of them may be one principal's.
const FLOWS_MAX: usize = 4096;
const OF_PRINCIPAL_MAX: usize = 16;

/// One authorization that is under way.
pub(crate) struct Flow {
    pub(crate) grant_key: GrantKey,
    pub(crate) client: Client,
    pub(crate) redirect: Url,
    pub(crate) resource: String,
    pub(crate) since: Instant,
}

/// Those that are under way, by their `state`.
#[derive(Default)]
pub(crate) struct Flows(Mutex<HashMap<String, Flow>>);

/// What a callback says.
pub(crate) struct Callback {
    pub(crate) state: String,
    pub(crate) issuer: Option<String>,
    /// The code, or the error that there is instead.
    pub(crate) said: Result<String, String>,
}

impl Callback {
    /// Reads the address of a callback. What stands there twice could be read in two ways.
    pub(crate) fn read(url: &Url) -> Option<Self> {
        let mut found: HashMap<String, String> = HashMap::new();
        for (name, value) in url.query_pairs() {
            let is_ours = ["state", "code", "error", "iss"].contains(&&*name);
            if is_ours && found.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        let said = match (found.remove("code"), found.remove("error")) {
            (Some(code), None) => Ok(code),
            (_, Some(error)) => Err(error),
            (None, None) => return None,
        };
        Some(Self { state: found.remove("state")?, issuer: found.remove("iss"), said })
    }
}

impl Flows {
    /// Begins one, if there may be one more.
    pub(crate) fn begin(&self, state: String, flow: Flow) -> Result<(), IdentityError> {
        let mut flows = self.under_way();
        let of_principal = flows.values().filter(|other| other.grant_key.principal() == flow.grant_key.principal());
        if flows.len() >= FLOWS_MAX || of_principal.count() >= OF_PRINCIPAL_MAX {
            return Err(IdentityError::TooMany);
        }
        flows.insert(state, flow);
        Ok(())
    }

    /// Takes the one with this `state`, once. Who is not the principal that began it takes nothing, and is not told whether there is one.
    pub(crate) fn take(&self, principal: &Principal, state: &str) -> Result<Flow, IdentityError> {
        let mut flows = self.under_way();
        let is_own = flows.get(state).is_some_and(|flow| *flow.grant_key.principal() == principal.key());
        let flow = if is_own { flows.remove(state) } else { None };
        flow.ok_or(IdentityError::NotValid)
    }

    /// Those that are not too old.
    fn under_way(&self) -> MutexGuard<'_, HashMap<String, Flow>> {
        let mut flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.retain(|_, flow| flow.since.elapsed() < LINK_LIFE);
        flows
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Duration;

    use isolet::mcp::Policy;

    use super::*;
    use crate::grant::tests::grant;
    use crate::http_client::{Clients, HttpClient};

    #[tokio::test]
    async fn no_more_authorizations_are_under_way_than_there_may_be() {
        let (clients, url) = (Clients::new(&Policy::operator()).unwrap(), Url::parse("https://m.example/mcp").unwrap());
        let flows = Flows::default();
        let begin = async |user: &str, state: usize| {
            let grant_key = GrantKey::new(&Principal::new(user).key(), "m", &url);
            let client = Client::of_grant(HttpClient::new(&clients, &url), &grant_key, &grant(60)).await.unwrap();
            let flow = Flow { grant_key, client, redirect: url.clone(), resource: url.to_string(), since: Instant::now() };
            flows.begin(format!("{user}-{state}"), flow).is_ok()
        };
        for state in 0..OF_PRINCIPAL_MAX {
            assert!(begin("ada", state).await);
        }
        assert!(!begin("ada", OF_PRINCIPAL_MAX).await && begin("bob", 0).await);
        assert!(flows.take(&"bob".into(), "ada-0").is_err() && flows.take(&"ada".into(), "ada-0").is_ok());
        assert!(flows.take(&"ada".into(), "ada-0").is_err() && begin("ada", 0).await);
        for user in 0..FLOWS_MAX {
            begin(&user.to_string(), 0).await;
        }
        assert_eq!(flows.under_way().len(), FLOWS_MAX);
    }

    #[tokio::test]
    async fn an_authorization_that_took_too_long_is_none() {
        let (clients, url) = (Clients::new(&Policy::operator()).unwrap(), Url::parse("https://m.example/mcp").unwrap());
        let grant_key = GrantKey::new(&Principal::new("ada").key(), "m", &url);
        for (age, is_valid) in [(LINK_LIFE - Duration::from_secs(60), true), (LINK_LIFE, false)] {
            let Some(since) = Instant::now().checked_sub(age) else { return };
            let client = Client::of_grant(HttpClient::new(&clients, &url), &grant_key, &grant(60)).await.unwrap();
            let (redirect, resource) = (url.clone(), url.to_string());
            let flows = Flows::default();
            flows.begin("s".to_owned(), Flow { grant_key: grant_key.clone(), client, redirect, resource, since }).unwrap();
            assert_eq!(flows.take(&"ada".into(), "s").is_ok(), is_valid, "{age:?}");
        }
    }

    #[test]
    fn a_callback_is_read_in_one_way_only() {
        let read = |query: &str| Callback::read(&Url::parse(&format!("http://127.0.0.1/callback?{query}")).unwrap());
        let callback = read("code=c&state=s&iss=https%3A%2F%2Fa.example&x=1&x=2").unwrap();
        assert_eq!((callback.state.as_str(), callback.issuer.as_deref()), ("s", Some("https://a.example")));
        assert_eq!(callback.said, Ok("c".to_owned()));
        assert_eq!(read("error=access_denied&state=s&code=c").unwrap().said, Err("access_denied".to_owned()));
        for query in ["", "code=c", "state=s", "code=c&code=d&state=s", "code=c&state=s&state=t", "code=c&state=s&iss=a&iss=b"]
        {
            assert!(read(query).is_none(), "{query}");
        }
    }
}
