//! The proxy that an operator names: where it is, who we are to it, and what goes past it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use url::Url;
use zeroize::Zeroizing;

/// A proxy that carries https by `CONNECT`, as `http://proxy.corp:3128` or `http://user:password@proxy.corp:3128`.
///
/// It is named by the operator and may be at any address. What it carries is looked up and checked here first; the proxy looks it up once
/// more by itself, so its own rules have to hold too. Hosts that are allowed by name are not looked up here, for networks in
/// which only the proxy can. `http://` and loopback are never sent to it.
///
/// ```
/// use isolet_outbound::Proxy;
///
/// let proxy = "http://user:secret@proxy.corp:3128".parse::<Proxy>()?.except("internal.corp, 10.0.0.0/8");
/// assert_eq!(format!("{proxy:?}"), "Proxy(http://proxy.corp:3128/)");
/// # Ok::<(), isolet_outbound::NotAProxy>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    url: Url,
    user: String,
    password: Zeroizing<String>,
    exceptions: String,
}

/// A text that names no [`Proxy`].
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the proxy's address cannot be used: write `http://host:port`, with `user:password@` before the host if it asks for them"
)]
pub struct NotAProxy;

impl Proxy {
    /// What goes past it, as in `NO_PROXY`: hosts with all below them, addresses, ranges, `*`; commas between. Default nothing.
    #[must_use]
    pub fn except(mut self, exceptions: impl Into<String>) -> Self {
        self.exceptions = exceptions.into();
        self
    }

    /// Its address, without user and password.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Who we are to it.
    pub(crate) fn credentials(&self) -> Option<(&str, &str)> {
        if self.user.is_empty() && self.password.is_empty() { None } else { Some((&self.user, &self.password)) }
    }

    /// Decides which addresses it carries.
    pub(crate) fn matcher(&self) -> Matcher {
        Matcher::builder().all(self.url.as_str()).no(self.exceptions.as_str()).build()
    }
}

/// Whether `matcher` has `url` carried by its proxy.
pub(crate) fn carries(matcher: &Matcher, url: &Url) -> bool {
    // What cannot be said as a `Uri` goes to the proxy, which refuses it.
    url.as_str().parse::<Uri>().map_or(true, |uri| matcher.intercept(&uri).is_some())
}

impl FromStr for Proxy {
    type Err = NotAProxy;

    fn from_str(text: &str) -> Result<Self, NotAProxy> {
        let mut url = Url::parse(text).map_err(|_| NotAProxy)?;
        if url.scheme() != "http"
            || url.host().is_none()
            || url.path() != "/"
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(NotAProxy);
        }
        let decoded = |part: &str| percent_decode_str(part).decode_utf8().map(Cow::into_owned).map_err(|_| NotAProxy);
        let (user, password) = (decoded(url.username())?, Zeroizing::new(decoded(url.password().unwrap_or_default())?));
        url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| NotAProxy)?;
        Ok(Self { url, user, password, exceptions: String::new() })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Proxy({})", self.url)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_proxy_is_read_and_its_password_not_shown() {
        let proxy: Proxy = "http://us%40er:p%3Aa%2Bs+s%3D%26@proxy.corp:3128".parse().unwrap();
        assert_eq!(proxy.credentials(), Some(("us@er", "p:a+s+s=&")));
        assert_eq!(format!("{proxy:?}"), "Proxy(http://proxy.corp:3128/)");
        assert_eq!("http://10.0.0.1:3128".parse::<Proxy>().unwrap().credentials(), None);
    }

    #[test]
    fn other_proxies_are_refused_without_repeating_them() {
        for text in ["https://proxy.corp", "socks5://proxy.corp", "proxy.corp:3128", "http://proxy.corp/path", ""] {
            let error = text.parse::<Proxy>().unwrap_err().to_string();
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }

    #[test]
    fn exceptions_are_those_of_no_proxy() {
        let matcher = "http://proxy.corp:1"
            .parse::<Proxy>()
            .unwrap()
            .except("internal.corp, .dot.example,10.0.0.0/8 , 192.0.2.7")
            .matcher();
        for (url, is_carried) in [
            ("https://internal.corp/", false),
            ("https://a.internal.corp/", false),
            ("https://dot.example/", false),
            ("https://notinternal.corp/", true),
            ("https://10.9.9.9/", false),
            ("https://11.9.9.9/", true),
            ("https://192.0.2.7/", false),
            ("https://example.com/", true),
        ] {
            assert_eq!(carries(&matcher, &Url::parse(url).unwrap()), is_carried, "{url}");
        }
        assert!(!carries(&"http://p:1".parse::<Proxy>().unwrap().except("*").matcher(), &Url::parse("https://a.b/").unwrap()));
    }
}
