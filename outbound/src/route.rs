//! Which way a connection goes: straight, through the proxy, or nowhere. Decided inside the client, for each connection that it opens.
//!
//! Libraries get a bare `reqwest::Client` and may ask it for any address, and the client asks its resolver for names alone: an address that
//! is written as numbers never gets there. But for each connection it asks which proxy to take. So what must not be called, and what goes
//! through the proxy, gets a "proxy" whose name says which of both: a name below [`ROUTE_SUFFIX`] that nothing but our resolver knows.

use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::host::{ROUTE_SUFFIX, host_name, is_loopback, is_reserved};
use crate::policy::Policy;
use crate::proxy::{self, Proxy};

/// The most characters of a label of a name.
const LABEL_LENGTH: usize = 60;

/// What a name that the client asks for stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// That host itself.
    Straight,
    /// The proxy, if this may be called. For an address there is nothing to look up any more.
    Proxy { host: String },
    /// Nothing: this must not be called. The policy says why.
    Nowhere { url: Option<Url> },
}

/// Decides for each connection.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    policy: Arc<Policy>,
    matcher: Option<Arc<Matcher>>,
}

impl Router {
    pub(crate) fn new(policy: Arc<Policy>) -> Self {
        let matcher = policy.proxy.as_ref().map(|proxy| Arc::new(proxy.matcher()));
        Self { policy, matcher }
    }

    /// The "proxy" for connections to `url`, of which scheme, host and port are known; `None` is the straight way.
    pub(crate) fn way(&self, url: &Url) -> Option<Url> {
        if self.policy.check_url(url).is_err() {
            return Some(named(80, "nowhere", url));
        }
        let proxy = self.policy.proxy.as_ref()?;
        let is_carried = url.scheme() == "https"
            && !url.host().is_some_and(|host| is_loopback(&host_name(&host)))
            && self.matcher.as_ref().is_none_or(|matcher| proxy::carries(matcher, url));
        is_carried.then(|| named(port(proxy), "proxy", url))
    }
}

fn port(proxy: &Proxy) -> u16 {
    proxy.url().port_or_known_default().unwrap_or(80)
}

/// `http://<hex of scheme and host>.<what>.route.isolet.invalid`
fn named(port: u16, what: &str, url: &Url) -> Url {
    let origin = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    let hex: String = origin.bytes().map(|byte| format!("{byte:02x}")).collect();
    let labels: Vec<&str> =
        (0..hex.len()).step_by(LABEL_LENGTH).filter_map(|at| hex.get(at..hex.len().min(at + LABEL_LENGTH))).collect();
    // Without a way of its own a connection would go straight: a name that cannot be said leads nowhere.
    format!("http://{}.{what}.{ROUTE_SUFFIX}:{port}", labels.join("."))
        .parse()
        .unwrap_or_else(|_| Url::parse(&format!("http://{ROUTE_SUFFIX}")).expect("a constant address is one"))
}

/// What `name` stands for.
pub(crate) fn of_name(name: &str) -> Route {
    if !is_reserved(name) {
        return Route::Straight;
    }
    let labels = name.strip_suffix(ROUTE_SUFFIX).unwrap_or_default().trim_end_matches('.');
    let (hex, what) = labels.rsplit_once('.').unwrap_or_default();
    let url = origin(hex);
    match url.as_ref().and_then(Url::host) {
        Some(host) if what == "proxy" => Route::Proxy { host: host_name(&host) },
        _ => Route::Nowhere { url },
    }
}

fn origin(hex: &str) -> Option<Url> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| *byte != b'.').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    Url::parse(&String::from_utf8(bytes?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn router(policy: Policy) -> Router {
        Router::new(Arc::new(policy))
    }

    fn way(router: &Router, url: &str) -> Route {
        router.way(&Url::parse(url).unwrap()).map_or(Route::Straight, |way| of_name(way.host_str().unwrap()))
    }

    #[test]
    fn what_may_be_called_goes_straight_and_the_rest_nowhere() {
        let router = router(Policy::server());
        assert_eq!(way(&router, "https://example.com"), Route::Straight);
        for url in [
            "https://10.0.0.1",
            "http://example.com",
            "https://localhost:1",
            "https://[::1]:8080",
            "https://a.route.isolet.invalid",
        ] {
            let Route::Nowhere { url: Some(refused) } = way(&router, url) else { panic!("{url} is not refused") };
            assert_eq!(refused.host_str(), Url::parse(url).unwrap().host_str());
        }
    }

    #[test]
    fn a_host_of_any_length_that_is_refused_goes_nowhere() {
        let long = format!("http://{}.example", vec!["a".repeat(63); 200].join("."));
        assert!(matches!(way(&router(Policy::server()), &long), Route::Nowhere { .. }));
    }

    #[test]
    fn a_proxy_carries_https_but_not_loopback_and_not_what_is_excepted() {
        let proxy = "http://proxy.corp:3128".parse::<Proxy>().unwrap().except("direct.example");
        let router =
            router(Policy { proxy: Some(proxy), allowed: vec!["http://plain.example".parse().unwrap()], ..Policy::operator() });
        let through = |host: &str| Route::Proxy { host: host.to_owned() };
        assert_eq!(way(&router, "https://example.com:8443"), through("example.com"));
        assert_eq!(way(&router, "https://8.8.8.8"), through("8.8.8.8"));
        assert_eq!(way(&router, "https://direct.example"), Route::Straight);
        assert_eq!(way(&router, "http://plain.example"), Route::Straight);
        assert_eq!(way(&router, "https://localhost:1"), Route::Straight);
        assert!(matches!(way(&router, "https://10.0.0.1"), Route::Nowhere { .. }));
        assert_eq!(router.way(&Url::parse("https://example.com").unwrap()).unwrap().port(), Some(3128));
    }

    #[test]
    fn names_of_ours_that_say_nothing_lead_nowhere() {
        for name in [
            "route.isolet.invalid",
            "zz.proxy.route.isolet.invalid",
            "proxy.route.isolet.invalid",
            "00.nowhere.route.isolet.invalid",
        ] {
            assert_eq!(of_name(name), Route::Nowhere { url: None }, "{name}");
        }
        assert_eq!(of_name("proute.isolet.invalid"), Route::Straight);
    }
}
