//! Calls the operations of one document, at one address that the operator named, with one user's credentials.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use isolet_outbound::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use isolet_outbound::{Outbound, Url};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::answer;
use crate::credential::{Credential, Credentials};
use crate::document::Api;
use crate::error::{CallError, argument};
use crate::operation::Operation;
use crate::request::Draft;
use crate::security::{SecurityNeed, SecurityPlace, SecurityScheme};

/// One API as one user.
///
/// Everything goes to the address that it was made with, credentials above all: what the document says of its servers is not asked. Redirects
/// are followed within that origin alone.
#[derive(Clone, Debug)]
pub struct Caller<C> {
    base: Url,
    outbound: Outbound,
    credentials: C,
    headers: HeaderMap,
}

impl<C: Credentials> Caller<C> {
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
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
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
        for (scheme, credential) in self.credentials(api, operation).await? {
            add(&mut draft, scheme, &credential)?;
        }
        let request = draft.finish()?;
        // Whatever was filled in: it is the operator's address, or nothing is sent.
        if request.url.origin() != self.base.origin() {
            return Err(CallError::Base { what: "a call would go elsewhere".to_owned() });
        }
        answer::value(&self.outbound.send(request).await?)
    }

    /// The operator's header fields, which no argument may have set.
    fn fix_headers(&self, draft: &mut Draft, operation: &Operation) -> Result<(), CallError> {
        for (name, value) in &self.headers {
            let set = operation.arguments().iter().find(|argument| argument.field.eq_ignore_ascii_case(name.as_str()));
            if let Some(set) = set.filter(|_| draft.request.headers.contains_key(name)) {
                return Err(argument(&set.name, "is set by the operator: leave it away"));
            }
            draft.request.headers.insert(name.clone(), value.clone());
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
                .find(|scheme| scheme.name == need.scheme && scheme.place != SecurityPlace::MutualTls);
            let Some(scheme) = scheme else { return Ok(Err(need.scheme.clone())) };
            let credential = self.credentials.credential(scheme, &need.scopes).await;
            match credential.map_err(|source| CallError::Credential { scheme: need.scheme.clone(), source })? {
                Some(credential) => found.push((scheme, credential)),
                None => return Ok(Err(need.scheme.clone())),
            }
        }
        Ok(Ok(found))
    }
}

/// Puts `credential` where `scheme` says, and makes sure that no argument stands there.
fn add(draft: &mut Draft, scheme: &SecurityScheme, credential: &Credential) -> Result<(), CallError> {
    let text = credential.expose();
    let encoded = || utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match &scheme.place {
        SecurityPlace::Header(name) => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable(scheme))?;
            draft.request.headers.insert(name, value(scheme, text)?);
        }
        SecurityPlace::Query(name) => {
            let name = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
            draft.query.retain(|(other, _)| decoded(other) != decoded(&name));
            draft.query.push((name, encoded()));
        }
        SecurityPlace::Cookie(name) => {
            draft.cookies.retain(|(other, _)| other != name);
            draft.cookies.push((name.clone(), encoded()));
        }
        SecurityPlace::Basic => authorize(draft, scheme, &Zeroizing::new(format!("Basic {}", STANDARD.encode(text))))?,
        SecurityPlace::Bearer => authorize(draft, scheme, &Zeroizing::new(format!("Bearer {text}")))?,
        SecurityPlace::Authorization(name) => authorize(draft, scheme, &Zeroizing::new(format!("{name} {text}")))?,
        SecurityPlace::MutualTls => {}
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

fn unusable(scheme: &SecurityScheme) -> CallError {
    CallError::Credential { scheme: scheme.name.clone(), source: "it cannot stand in a header field".into() }
}

fn decoded(name: &str) -> String {
    percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned()
}
