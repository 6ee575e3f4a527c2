//! Proxies whose word on whose a request is is taken.

use std::collections::BTreeMap;

use isolet_http::TrustedProxy;

use super::file::File;
use super::merged::User;
use super::mistake::{Mistake, Text};

/// The header field where none is said.
const USER_HEADER: &str = "X-Forwarded-User";

/// Those proxies, and what the users are whom they name.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) trusted: TrustedProxy,
    /// The roles of users who are not in the file.
    pub(crate) roles: Vec<String>,
}

/// What `file` says of it, whose roles are `roles`.
pub(super) fn proxy(text: &Text, file: &File, roles: &BTreeMap<String, User>, mistakes: &mut Vec<Mistake>) -> Option<Proxy> {
    let said = file.proxy.as_ref()?;
    if said.addresses.get_ref().is_empty() {
        mistakes.push(text.mistake(said.addresses.span().start, "there is no address: write those of the proxy"));
    }
    let mut peers = Vec::new();
    for address in said.addresses.get_ref() {
        match address.get_ref().parse() {
            Ok(range) => peers.push(range),
            Err(error) => {
                let error: isolet_http::NotAPeerRange = error;
                mistakes.push(text.mistake(address.span().start, format!("`{}`: {error}", address.get_ref())));
            }
        }
    }
    let unknown = said.roles.iter().filter(|role| !roles.contains_key(role.get_ref()));
    mistakes.extend(unknown.map(|role| text.no_role(role, roles.keys())));
    let name = said.user_header.as_ref().map_or(USER_HEADER, |name| name.get_ref());
    let trusted = TrustedProxy::new(name, peers);
    if let (None, Some(written)) = (&trusted, &said.user_header) {
        let message = format!("`{name}` is no header field in which a proxy names the user: write one such as `{USER_HEADER}`");
        mistakes.push(text.mistake(written.span().start, message));
    }
    Some(Proxy { trusted: trusted?, roles: said.roles.iter().map(|role| role.get_ref().clone()).collect() })
}
