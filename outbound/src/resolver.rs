//! Looks hosts up, and gives the client no address that must not be connected to: what is checked is what is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use crate::destination::without_root;
use crate::error::OutboundError;
use crate::host::{host_name, is_loopback, literal};
use crate::policy::Policy;
use crate::route::{self, Route};

/// The most addresses of one host that are tried.
const ADDRESSES_MAX: usize = 16;

/// The resolver of the client: `inner` looks up, the policy decides.
#[derive(Clone)]
pub(crate) struct CheckedResolver {
    policy: Arc<Policy>,
    inner: Arc<dyn Resolve>,
}

impl CheckedResolver {
    pub(crate) fn new(policy: Arc<Policy>, inner: Arc<dyn Resolve>) -> Self {
        Self { policy, inner }
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, OutboundError> {
        match route::of_name(name) {
            Route::Straight => self.permitted(without_root(name)).await,
            Route::Nowhere { url } => Err(self.refusal(url.as_ref(), name)),
            Route::Proxy { host } => {
                if literal(&host).is_none() && !self.policy.allows_host(&host) {
                    self.permitted(&host).await?;
                }
                self.proxy().await
            }
        }
    }

    /// The addresses of `host` that may be connected to, at least one.
    async fn permitted(&self, host: &str) -> Result<Vec<IpAddr>, OutboundError> {
        // This machine by every name that says so, whatever a DNS server makes of it (RFC 6761).
        let found = if is_loopback(host) {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        } else {
            self.look_up(host).await?
        };
        let mut refusal = OutboundError::NotFound { host: host.to_owned() };
        let mut permitted = Vec::new();
        for address in found {
            match self.policy.check_address(host, address) {
                Ok(()) => permitted.push(address),
                Err(error) => refusal = error,
            }
        }
        if permitted.is_empty() { Err(refusal) } else { Ok(permitted) }
    }

    async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, OutboundError> {
        let not_found = || OutboundError::NotFound { host: host.to_owned() };
        let name: Name = host.parse().map_err(|_| not_found())?;
        let found = self.inner.resolve(name).await.map_err(|error| {
            tracing::debug!(host, %error, "a host was not found");
            not_found()
        })?;
        Ok(found.take(ADDRESSES_MAX).map(|address| address.ip()).collect())
    }

    /// The proxy may be at any address: the operator wrote it.
    async fn proxy(&self) -> Result<Vec<IpAddr>, OutboundError> {
        let host = self.policy.proxy.as_ref().and_then(|proxy| proxy.url().host().map(|host| host_name(&host)));
        let Some(host) = host else { return Ok(Vec::new()) };
        match literal(&host) {
            Some(address) => Ok(vec![address]),
            None if is_loopback(&host) => Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
            None => self.look_up(&host).await,
        }
    }

    fn refusal(&self, url: Option<&url::Url>, name: &str) -> OutboundError {
        let refused = url.and_then(|url| self.policy.check_url(url).err());
        refused.unwrap_or_else(|| OutboundError::NotFound { host: name.to_owned() })
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            // Port 0 is replaced by that of the address that is called.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// The resolver of the system: hosts file, DNS and whatever else it is set up to ask.
pub(crate) struct SystemResolver {
    places: Arc<Semaphore>,
}

impl SystemResolver {
    pub(crate) fn new(lookups_max: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(lookups_max.clamp(1, Semaphore::MAX_PERMITS))) }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let places = Arc::clone(&self.places);
        Box::pin(async move {
            let place = places.acquire_owned().await?;
            // A task of its own: a look-up that nobody waits for any more keeps its place for as long as it keeps its thread.
            let found = tokio::spawn(async move {
                let found = tokio::net::lookup_host((name.as_str(), 0)).await.map(Iterator::collect::<Vec<_>>);
                drop(place);
                found
            });
            let addresses: Addrs = Box::new(found.await??.into_iter());
            Ok(addresses)
        })
    }
}
