//! Calls the operations of one document, at one address that the operator named, with one user's credentials.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use isolet_outbound::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use isolet_outbound::{Outbound, Scrubber, Secret, Url, secrets_in, secrets_of};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::answer;
use crate::credential::{Credential, SchemeCredentials};
use crate::document::Api;
use crate::error::{CallError, argument};
use crate::operation::{Argument, Operation};
use crate::pairs::{TakenNames, decoded, name_of};
use crate::parameter::{self, ArgumentLocation};
use crate::request::Draft;
use crate::security::{SecurityLocation, SecurityNeed, SecurityScheme};

/// One API as one user.
///
/// Everything goes to the address that it was made with, credentials above all: what the document says of its servers is not asked. Redirects
/// are followed within that origin alone. Credentials that the server repeats are taken out of what it answers.
#[derive(Clone)]
pub struct Caller<C> {
    base: Url,
    outbound: Outbound,
    credentials: C,
    headers: HeaderMap,
}

impl<C: SchemeCredentials> Caller<C> {
    /// What calls the API at `base`, the address in front of the document's paths, with its query if every request needs one.
    ///
    /// # Errors
    ///
    /// [`CallError::Outbound`] when `outbound` refuses that address, [`CallError::Base`] when it has a fragment or can have no path.
    pub fn new(base: Url, outbound: Outbound, credentials: C) -> Result<Self, CallError> {
        outbound.check(&base)?;
        if base.fragment().is_some() || base.cannot_be_a_base() {
            return Err(CallError::Base { what: "it has a fragment".to_owned() });
        }
        Ok(Self { base, outbound, credentials, headers: HeaderMap::new() })
    }

    /// Header fields of the operator's, sent with each call. No argument has a say in them.
    #[must_use]
    pub fn with_headers(mut self, mut headers: HeaderMap) -> Self {
        headers.values_mut().for_each(|value| value.set_sensitive(true));
        self.headers = headers;
        self
    }

    /// Calls the operation `name` of `api` with these arguments, and gives what it answers.
    ///
    /// Arguments are those of the tool definition, against whose schema they are meant to be checked before: here only what cannot be sent
    /// is refused.
    ///
    /// # Errors
    ///
    /// When there is no value: see [`CallError`].
    pub async fn call(&self, api: &Api, name: &str, arguments: &Map<String, Value>) -> Result<Value, CallError> {
        let unknown = || CallError::UnknownOperation { name: name.chars().take(200).collect() };
        let operation = api.operation(name).ok_or_else(unknown)?;
        let mut draft = Draft::new(&self.base, operation, arguments)?;
        self.fix_headers(&mut draft, operation)?;
        let mut secrets = self.configured_secrets();
        for (scheme, credential) in self.credentials(api, operation).await? {
            add(&mut draft, scheme, &credential)?;
            secrets.extend(secrets_in(credential.expose()));
        }
        let request = draft.finish()?;
        // Whatever was filled in: it is the operator's address, or nothing is sent.
        if request.url.origin() != self.base.origin() {
            return Err(CallError::Base { what: "a call would go elsewhere".to_owned() });
        }
        let sent = Scrubber::of(secrets);
        match answer::value(&self.outbound.send(request).await?) {
            Ok(mut value) => {
                sent.value(&mut value);
                Ok(value)
            }
            Err(error) => Err(error.scrubbed(&sent)),
        }
    }

    /// What of the operator's header fields and address is a credential.
    fn configured_secrets(&self) -> Vec<Secret> {
        let value = |value: &HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
        let of_headers = self.headers.iter().flat_map(|(name, text)| secrets_of(name.as_str(), &value(text)));
        let of_address = self.base.query_pairs().flat_map(|(name, value)| secrets_of(&name, &value));
        of_headers.chain(of_address).collect()
    }

    /// The operator's header fields, none of which and no cookie in which an argument may have set.
    fn fix_headers(&self, draft: &mut Draft, operation: &Operation) -> Result<(), CallError> {
        let set = |location: ArgumentLocation, name: &str| {
            let is_set = |argument: &&Argument| argument.location == location && argument.field.eq_ignore_ascii_case(name);
            let called = operation.arguments().iter().find(is_set).map_or(name, |argument| &argument.name);
            argument(called, "is set by the operator: leave it away")
        };
        for name in self.headers.keys() {
            if !parameter::is_own_header(name.as_str()) && draft.request.headers.contains_key(name) {
                return Err(set(ArgumentLocation::Header, name.as_str()));
            }
            draft.request.headers.remove(name);
        }
        let cookies = self.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let fixed = TakenNames::of(cookies.flat_map(|cookies| cookies.split(';')).map(name_of));
        if let Some((name, _)) = draft.cookies.iter().find(|(name, _)| fixed.has(&decoded(name))) {
            return Err(set(ArgumentLocation::Cookie, &decoded(name)));
        }
        for (name, value) in &self.headers {
            draft.request.headers.append(name, value.clone());
        }
        Ok(())
    }

    /// The credentials of the first set of which there are all.
    async fn credentials<'a>(
        &self,
        api: &'a Api,
        operation: &Operation,
    ) -> Result<Vec<(&'a SecurityScheme, Credential)>, CallError> {
        let mut missing = None;
        for needs in operation.security() {
            match self.whole(api, needs).await? {
                Ok(found) => return Ok(found),
                Err(scheme) => missing = missing.or(Some(scheme)),
            }
        }
        match missing {
            // Whatever else is said, the operator's own header may be what is asked for.
            Some(_) if self.headers.contains_key(AUTHORIZATION) => Ok(Vec::new()),
            Some(scheme) => Err(CallError::NoCredential { scheme }),
            None => Ok(Vec::new()),
        }
    }

    /// All credentials of one set, or the name of one that is not there.
    async fn whole<'a>(
        &self,
        api: &'a Api,
        needs: &[SecurityNeed],
    ) -> Result<Result<Vec<(&'a SecurityScheme, Credential)>, String>, CallError> {
        let mut found = Vec::new();
        for need in needs {
            let scheme = api
                .security_schemes()
                .iter()
                .find(|scheme| scheme.name == need.scheme && scheme.location != SecurityLocation::MutualTls);
            let Some(scheme) = scheme else { return Ok(Err(need.scheme.clone())) };
            let credential = self.credentials.credential(scheme, &need.scopes).await;
            match credential.map_err(|reason| CallError::Credential { scheme: need.scheme.clone(), reason })? {
                Some(credential) => found.push((scheme, credential)),
                None => return Ok(Err(need.scheme.clone())),
            }
        }
        Ok(Ok(found))
    }
}

/// Addresses and header fields may hold secrets.
impl<C> fmt::Debug for Caller<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Caller({})", self.base.origin().ascii_serialization())
    }
}

/// Puts `credential` where `scheme` says, and makes sure that no argument stands there.
fn add(draft: &mut Draft, scheme: &SecurityScheme, credential: &Credential) -> Result<(), CallError> {
    let text = credential.expose();
    let encoded = || utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match &scheme.location {
        SecurityLocation::Header(name) => {
            let header = HeaderName::from_bytes(name.as_bytes()).ok().filter(takes_credential);
            draft.request.headers.insert(header.ok_or_else(|| no_location(scheme))?, value(scheme, text)?);
        }
        SecurityLocation::Query(name) => {
            let taken = TakenNames::of([name].into_iter());
            draft.fixed.retain(|piece| !taken.has(&name_of(piece)));
            draft.query.retain(|(other, _)| !taken.has(&decoded(other)));
            draft.query.push((utf8_percent_encode(name, NON_ALPHANUMERIC).to_string(), encoded()));
        }
        SecurityLocation::Cookie(name) => {
            if !is_token(name) {
                return Err(no_location(scheme));
            }
            if !text.bytes().all(is_of_cookie) {
                return Err(unusable(scheme));
            }
            let taken = TakenNames::of([name].into_iter());
            draft.cookies.retain(|(other, _)| !taken.has(&decoded(other)));
            draft.cookies.push((name.clone(), text.to_owned()));
        }
        SecurityLocation::Basic => authorize(draft, scheme, &Zeroizing::new(format!("Basic {}", STANDARD.encode(text))))?,
        SecurityLocation::Bearer => authorize(draft, scheme, &Zeroizing::new(format!("Bearer {text}")))?,
        SecurityLocation::Authorization(name) if !is_token(name) => return Err(no_location(scheme)),
        SecurityLocation::Authorization(name) => authorize(draft, scheme, &Zeroizing::new(format!("{name} {text}")))?,
        SecurityLocation::MutualTls => {}
    }
    Ok(())
}

fn authorize(draft: &mut Draft, scheme: &SecurityScheme, text: &str) -> Result<(), CallError> {
    draft.request.headers.insert(AUTHORIZATION, value(scheme, text)?);
    Ok(())
}

fn value(scheme: &SecurityScheme, text: &str) -> Result<HeaderValue, CallError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| unusable(scheme))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether a credential may go into this header field: not into one that the connection needs.
fn takes_credential(name: &HeaderName) -> bool {
    [AUTHORIZATION, COOKIE].contains(name) || !parameter::is_own_header(name.as_str())
}

/// A name in HTTP's own grammar (RFC 9110, `token`).
fn is_token(name: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_of_token)
}

/// What a cookie's value consists of (RFC 6265, `cookie-octet`). It goes out as it is: few servers decode cookies.
fn is_of_cookie(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

fn unusable(scheme: &SecurityScheme) -> CallError {
    let reason = "it has a character that cannot stand where it goes: give another one".into();
    CallError::Credential { scheme: scheme.name.clone(), reason }
}

fn no_location(scheme: &SecurityScheme) -> CallError {
    let reason = "the document names no header, query or cookie for it: correct the document".into();
    CallError::Credential { scheme: scheme.name.clone(), reason }
}
