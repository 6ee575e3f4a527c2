//! A token is renewed once, whoever needs it, in whichever process; and a refresh token is never knowingly used twice.
//!
//! Before a refresh token is sent, the store is told so; the note goes with the new grant. Whoever finds such a note while it has the right to
//! refresh knows that the one before ended in between: the token may have been used, and the user is asked.

use std::sync::Arc;
use std::time::SystemTime;

use isolet_outbound::Secret;

use crate::client::Client;
use crate::error::IdentityError;
use crate::grant::Grant;
use crate::grant_key::GrantKey;
use crate::http_client::{Clients, Fate, HttpClient};
use crate::store::Store;
use crate::turns::Turns;

/// What renews tokens.
#[derive(Clone)]
pub(crate) struct Refresher {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clients: Clients,
    pub(crate) turns: Arc<Turns>,
}

/// What came of one exchange.
enum Exchanged {
    New(Box<Grant>),
    /// The old one is as good as before.
    NotNow,
    /// The old one is used, or refused.
    Gone,
}

impl Refresher {
    /// A grant whose token is fresh and is not `refused`: another's, or a new one. None if the user has to be asked.
    ///
    /// It runs to its end even if nobody waits for it any more: a token that was asked for is kept.
    pub(crate) async fn renewed(&self, grant_key: &GrantKey, refused: Option<Secret>) -> Result<Option<Grant>, IdentityError> {
        let (this, grant_key, server) = (self.clone(), grant_key.clone(), grant_key.server().to_owned());
        let renewed = tokio::spawn(async move { this.renew(&grant_key, refused.as_ref()).await });
        renewed.await.unwrap_or(Err(IdentityError::NotNow { server }))
    }

    async fn renew(&self, grant_key: &GrantKey, refused: Option<&Secret>) -> Result<Option<Grant>, IdentityError> {
        // One of this process waits for the others.
        let _turn = self.turns.turn(grant_key).await;
        let _lock = self.store.lock(grant_key).await?;
        let Some(kept) = self.store.load(grant_key).await? else { return Ok(None) };
        let grant = Grant::read(&kept.grant, grant_key)?;
        let is_other = grant.token(grant_key).is_ok_and(|token| Some(&token) != refused);
        if is_other && !kept.is_refreshing && grant.is_fresh(SystemTime::now()) {
            return Ok(Some(grant));
        }
        if kept.is_refreshing || grant.refresh_token().is_none() {
            self.store.remove(grant_key).await?;
            return Ok(None);
        }
        self.store.mark(grant_key).await?;
        match self.exchange(grant_key, &grant).await {
            Exchanged::New(new) => {
                if let Err(error) = self.store.save(grant_key, new.write(grant_key)?).await {
                    // The note stays: the next one that needs a new token asks the user.
                    let (server, error) = (isolet::visible::line(grant_key.server()), isolet::with_causes(&error));
                    tracing::warn!(%server, %error, "a renewed token cannot be kept");
                }
                Ok(Some(*new))
            }
            Exchanged::NotNow => {
                self.store.save(grant_key, grant.write(grant_key)?).await?;
                Err(IdentityError::NotNow { server: grant_key.server().to_owned() })
            }
            Exchanged::Gone => {
                self.store.remove(grant_key).await?;
                Ok(None)
            }
        }
    }

    async fn exchange(&self, grant_key: &GrantKey, grant: &Grant) -> Exchanged {
        let Ok(resource) = isolet::mcp::Url::parse(grant_key.resource()) else { return Exchanged::Gone };
        let http = HttpClient::new(&self.clients, &resource);
        let Ok(client) = Client::of_grant(http, grant_key, grant).await else { return Exchanged::NotNow };
        let refreshed = client.manager.refresh_token().await;
        if refreshed.is_ok()
            && let Some(stored) = client.slot.take()
        {
            let new = Grant { stored, ..grant.clone() };
            // A token that cannot be used is none, and the old one is used.
            return if new.token(grant_key).is_ok() { Exchanged::New(Box::new(new)) } else { Exchanged::Gone };
        }
        match client.http.fate() {
            Fate::NotSent => Exchanged::NotNow,
            // The server was asked, and said that it did nothing.
            Fate::Answered(408 | 425 | 429 | 500..) => Exchanged::NotNow,
            // Refused; or done, in words that nobody understands; or nobody knows.
            Fate::Answered(_) | Fate::Lost => Exchanged::Gone,
        }
    }
}
