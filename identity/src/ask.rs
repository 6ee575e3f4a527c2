//! What users are to be asked: for which server, with what its refusal said, and where. Nothing is sent anywhere before the user opens the link.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use isolet::mcp::{OAuthSettings, Url};
use isolet::{Authorization, Principal};

use crate::grant_key::GrantKey;

/// How long a link, and what stands behind it, is valid.
pub(crate) const LINK_LIFE: Duration = Duration::from_secs(600);

/// The most users who are asked at a time, for one server each.
const ASKS_MAX: usize = 4096;

/// How a user is asked. What a model sees of it is this, and never what a server wrote.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Asking {
    /// By a command, in which `{server}` is the server: `isolet login {server}`.
    Command(String),
    /// By a page of the application's: its address, to which a segment is added that is valid for ten minutes and for that principal alone. The
    /// application gives it to [`crate::OAuth::open`], with the principal of its own browser session.
    Page(Url),
}

/// One question.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) id: String,
    pub(crate) settings: OAuthSettings,
    /// What the server's refusal said.
    pub(crate) challenge: Option<String>,
    /// What is asked for, where the server refused too little.
    pub(crate) scopes: Vec<String>,
    since: Instant,
    expires: SystemTime,
}

/// The questions that are open.
#[derive(Default)]
pub(crate) struct Asks(Mutex<HashMap<GrantKey, Ask>>);

impl Asks {
    /// Asks, or asks again: a link that is still valid stays, with what is known now.
    pub(crate) fn ask(
        &self,
        grant_key: &GrantKey,
        settings: &OAuthSettings,
        challenge: Option<String>,
        scopes: Vec<String>,
    ) -> Option<Ask> {
        let mut asks = self.open();
        if let Some(ask) = asks.get_mut(grant_key) {
            ask.challenge = challenge.or(ask.challenge.take());
            ask.scopes.extend(scopes);
            ask.scopes.sort();
            ask.scopes.dedup();
            return Some(ask.clone());
        }
        let mut random = [0; 24];
        getrandom::fill(&mut random).ok()?;
        let ask = Ask {
            id: URL_SAFE_NO_PAD.encode(random),
            settings: settings.clone(),
            challenge,
            scopes,
            since: Instant::now(),
            expires: SystemTime::now() + LINK_LIFE,
        };
        if asks.len() < ASKS_MAX {
            asks.insert(grant_key.clone(), ask.clone());
        }
        Some(ask)
    }

    /// What is asked for `grant_key`.
    pub(crate) fn of(&self, grant_key: &GrantKey) -> Option<Ask> {
        self.open().get(grant_key).cloned()
    }

    /// The question `id`, if it is this principal's. Who is somebody else is not told that it is one.
    pub(crate) fn find(&self, principal: &Principal, id: &str) -> Option<(GrantKey, Ask)> {
        let (asks, key) = (self.open(), principal.key());
        let mut own = asks.iter().filter(|(grant_key, _)| *grant_key.principal() == key);
        own.find(|(_, ask)| ask.id == id).map(|(grant_key, ask)| (grant_key.clone(), ask.clone()))
    }

    /// The question is answered, or the server takes what there is.
    pub(crate) fn answered(&self, grant_key: &GrantKey) {
        self.open().remove(grant_key);
    }

    /// The questions that are still open.
    fn open(&self) -> MutexGuard<'_, HashMap<GrantKey, Ask>> {
        let mut asks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asks.retain(|_, ask| ask.since.elapsed() < LINK_LIFE);
        asks
    }
}

impl Asking {
    /// What a user is told.
    pub(crate) fn authorization(&self, server: &str, ask: &Ask) -> Authorization {
        match self {
            Self::Command(command) => {
                let server_shown = isolet::visible::line(server);
                Authorization::new(server, format!("run `{}`", command.replace("{server}", &server_shown)))
            }
            Self::Page(page) => {
                let mut link = page.clone();
                if let Ok(mut segments) = link.path_segments_mut() {
                    segments.pop_if_empty().push(&ask.id);
                }
                Authorization::at(server, link, ask.expires)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn grant_key(user: &str) -> GrantKey {
        GrantKey::new(&Principal::new(user).key(), "a", &Url::parse("https://a.example/mcp").unwrap())
    }

    #[test]
    fn a_question_is_asked_once_and_found_by_its_principal_alone() {
        let asks = Asks::default();
        let first =
            asks.ask(&grant_key("ada"), &OAuthSettings::default(), Some("Bearer".to_owned()), vec!["b".to_owned()]).unwrap();
        let again = asks.ask(&grant_key("ada"), &OAuthSettings::default(), None, vec!["a".to_owned(), "b".to_owned()]).unwrap();
        assert!(first.id == again.id && first.id.len() == 32);
        assert_eq!((again.challenge.as_deref(), again.scopes), (Some("Bearer"), vec!["a".to_owned(), "b".to_owned()]));
        assert!(asks.find(&"ada".into(), &first.id).is_some());
        assert!(asks.find(&"bob".into(), &first.id).is_none());
        assert!(asks.find(&Principal::new("ada").in_tenant("acme"), &first.id).is_none());
        asks.answered(&grant_key("ada"));
        assert!(asks.find(&"ada".into(), &first.id).is_none());
    }

    #[test]
    fn a_link_that_is_too_old_is_none_and_the_next_question_has_another() {
        let asks = Asks::default();
        let first = asks.ask(&grant_key("ada"), &OAuthSettings::default(), None, Vec::new()).unwrap();
        let Some(since) = Instant::now().checked_sub(LINK_LIFE) else { return };
        asks.0.lock().unwrap().get_mut(&grant_key("ada")).unwrap().since = since;
        assert!(asks.find(&"ada".into(), &first.id).is_none());
        assert_ne!(asks.ask(&grant_key("ada"), &OAuthSettings::default(), None, Vec::new()).unwrap().id, first.id);
    }

    #[test]
    fn no_more_questions_are_open_than_there_may_be() {
        let asks = Asks::default();
        for user in 0..ASKS_MAX + 10 {
            assert!(asks.ask(&grant_key(&user.to_string()), &OAuthSettings::default(), None, Vec::new()).is_some());
        }
        assert_eq!(asks.open().len(), ASKS_MAX);
    }

    #[test]
    fn a_user_is_asked_by_a_command_or_at_a_page_of_the_applications() {
        let ask = Asks::default().ask(&grant_key("ada"), &OAuthSettings::default(), None, Vec::new()).unwrap();
        let command = Asking::Command("isolet login {server}".to_owned()).authorization("a", &ask);
        assert_eq!((command.instruction.as_str(), &command.link), ("run `isolet login a`", &None));
        let page = Asking::Page(Url::parse("https://app.example/authorize/").unwrap()).authorization("a", &ask);
        assert_eq!(page.link, Some(format!("https://app.example/authorize/{}", ask.id)));
        assert_eq!(page.expires, Some(ask.expires));
    }
}
