//! What a service is called, by those who may call it: a page or a name that somebody else has made up does not reach it.

use std::net::SocketAddr;

use axum::extract::Request;
use axum::http::header;

/// The names of a service: hosts, with a port unless that is the scheme's own, and the origins of pages that may call it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceNames {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl ServiceNames {
    /// A server at `address`: that, and `localhost` where it is this machine's own. One at an unspecified address has no name yet.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        let mut names = Self::default();
        if address.ip().is_unspecified() {
            return names;
        }
        let mut add = |host: String| {
            names.origins.push(format!("http://{host}"));
            names.hosts.push(host);
        };
        let default = |host: &str| host.strip_suffix(":80").map(str::to_owned);
        let localhost = address.ip().is_loopback().then(|| format!("localhost:{}", address.port()));
        for host in std::iter::once(address.to_string()).chain(localhost) {
            default(&host).into_iter().for_each(&mut add);
            add(host);
        }
        names
    }

    /// The same, and this host, such as `mcp.example.com` or `mcp.example.com:8443`.
    #[must_use]
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// The same, and pages of this origin, such as `https://app.example.com`.
    #[must_use]
    pub fn with_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Whether there is none: nothing is answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// Whether the request names this service: in `Host`, once; in its target, if that names one; and as its origin, if it has one.
    pub(crate) fn are_in(&self, request: &Request) -> bool {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let is_host = |name: &str| self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
        let has_one_host = hosts.next().is_some_and(|host| host.to_str().is_ok_and(is_host)) && hosts.next().is_none();
        let mut origins = request.headers().get_all(header::ORIGIN).iter();
        let is_origin = |name: &str| self.origins.iter().any(|origin| origin.eq_ignore_ascii_case(name));
        has_one_host
            && request.uri().authority().is_none_or(|authority| is_host(authority.as_str()))
            && origins.all(|origin| origin.to_str().is_ok_and(is_origin))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use axum::body::Body;

    use super::*;

    #[track_caller]
    fn check_names(names: &ServiceNames, target: &str, headers: &[(&str, &str)], is_meant: bool) {
        let request =
            headers.iter().fold(Request::builder().uri(target), |request, (name, value)| request.header(*name, *value));
        assert_eq!(names.are_in(&request.body(Body::empty()).unwrap()), is_meant, "{target} {headers:?}");
    }

    #[track_caller]
    fn check(target: &str, headers: &[(&str, &str)], is_meant: bool) {
        check_names(&ServiceNames::of("127.0.0.1:8808".parse().unwrap()), target, headers, is_meant);
    }

    #[test]
    fn a_request_names_this_service_or_is_refused() {
        check("/run", &[("host", "127.0.0.1:8808")], true);
        check("/run", &[("host", "LOCALHOST:8808"), ("origin", "http://localhost:8808")], true);
        check("http://localhost:8808/run", &[("host", "localhost:8808")], true);
        for host in
            ["", "localhost", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8808.evil.example", "evil.example", "evil.example:8808"]
        {
            check("/run", &[("host", host)], false);
        }
        check("/run", &[], false);
        check("/run", &[("host", "localhost:8808"), ("host", "evil.example")], false);
        check("http://evil.example/run", &[("host", "localhost:8808")], false);
        check("http://user@localhost:8808/run", &[("host", "localhost:8808")], false);
        for origin in
            ["null", "", "https://localhost:8808", "http://localhost", "http://evil.example", "http://localhost:8808/"]
        {
            check("/run", &[("host", "localhost:8808"), ("origin", origin)], false);
        }
        check("/run", &[("host", "localhost:8808"), ("origin", "http://localhost:8808"), ("origin", "null")], false);
    }

    #[test]
    fn names_are_those_of_the_address_and_those_that_are_added() {
        let names = ServiceNames::of("[::1]:80".parse().unwrap());
        for host in ["[::1]", "[::1]:80", "localhost", "localhost:80"] {
            check_names(&names, "/", &[("host", host)], true);
        }
        let anywhere = ServiceNames::of("0.0.0.0:8808".parse().unwrap());
        assert!(anywhere.is_empty());
        check_names(&anywhere, "/", &[("host", "0.0.0.0:8808")], false);
        let named = anywhere.with_host("mcp.example.com").with_origin("https://app.example.com");
        check_names(&named, "/", &[("host", "mcp.example.com"), ("origin", "https://app.example.com")], true);
        check_names(&named, "/", &[("host", "mcp.example.com"), ("origin", "https://mcp.example.com")], false);
        check_names(&ServiceNames::of("10.0.0.1:8808".parse().unwrap()), "/", &[("host", "localhost:8808")], false);
    }
}
