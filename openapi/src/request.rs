//! Arguments become a request: each where the document says, in the style it says, and nowhere else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use isolet_outbound::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use isolet_outbound::{Body, Method, Part, Request, Url};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::body::BodyKind;
use crate::error::{CallError, argument};
use crate::operation::{Argument, BodyPlan, Operation};
use crate::parameter::{ArgumentPlace, Writing};
use crate::style::{Notation, Style, text};

/// The most bytes of an address: servers take less.
const URL_BYTES_MAX: usize = 64 << 10;

/// The names and values of a query or of cookies, encoded.
type Pairs = Vec<(String, String)>;

/// What is filled in for a call, before its credential.
pub(crate) struct Draft {
    pub(crate) request: Request,
    pub(crate) query: Pairs,
    pub(crate) cookies: Pairs,
}

impl Draft {
    /// The request of `operation` below `base` with `given`.
    pub(crate) fn new(base: &Url, operation: &Operation, given: &Map<String, Value>) -> Result<Self, CallError> {
        check_names(operation, given)?;
        let mut url = base.clone();
        let path = path(operation, given)?;
        url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
        if let Some(fixed) = operation.path.query() {
            add_query(&mut url, fixed);
        }
        let method = Method::from_bytes(operation.method().as_bytes()).unwrap_or(Method::GET);
        let mut draft = Self { request: Request::new(method, url), query: Vec::new(), cookies: Vec::new() };
        draft
            .request
            .headers
            .insert(ACCEPT, HeaderValue::from_str(&operation.accept).unwrap_or(HeaderValue::from_static("*/*")));
        for (argument, value) in arguments(operation, given) {
            match argument.place {
                ArgumentPlace::Query => draft.query.extend(pairs(argument, value)),
                ArgumentPlace::Cookie => draft.cookies.extend(pairs(argument, value)),
                ArgumentPlace::Header => header(&mut draft.request.headers, argument, value)?,
                ArgumentPlace::Path | ArgumentPlace::Body => {}
            }
        }
        if let Some(plan) = &operation.body {
            draft.body(operation, plan, given)?;
        }
        Ok(draft)
    }

    /// The request, whole.
    pub(crate) fn finish(mut self) -> Result<Request, CallError> {
        let joined = |pairs: &Pairs, between: &str| {
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(between)
        };
        if !self.query.is_empty() {
            add_query(&mut self.request.url, &joined(&self.query, "&"));
        }
        if !self.cookies.is_empty() {
            let mut cookies = HeaderValue::from_str(&joined(&self.cookies, "; "))
                .map_err(|_| argument("cookie", "has a character that no cookie has"))?;
            cookies.set_sensitive(true);
            self.request.headers.insert(COOKIE, cookies);
        }
        if self.request.url.as_str().len() > URL_BYTES_MAX {
            return Err(argument("query", format!("makes an address of more than {URL_BYTES_MAX} bytes: give less")));
        }
        Ok(self.request)
    }

    fn body(&mut self, operation: &Operation, plan: &BodyPlan, given: &Map<String, Value>) -> Result<(), CallError> {
        let of_body: Vec<(&Argument, &Value)> =
            arguments(operation, given).filter(|(argument, _)| argument.place == ArgumentPlace::Body).collect();
        if of_body.is_empty() && !plan.is_required {
            return Ok(());
        }
        let whole = of_body.iter().find(|(argument, _)| argument.field.is_empty());
        if plan.kind == BodyKind::Raw {
            let Some((argument, value)) = whole else { return Ok(()) };
            let file = File::of(argument, value)?;
            let media = if plan.media.contains('*') {
                file.media.as_deref().unwrap_or("application/octet-stream")
            } else {
                &plan.media
            };
            return self.bytes(media, file.bytes);
        }
        let fields = match whole {
            Some((_, Value::Object(fields))) => fields.clone(),
            Some((_, value)) if plan.kind == BodyKind::Json => return self.bytes(&plan.media, value.to_string().into_bytes()),
            Some((whole, _)) => return Err(argument(&whole.name, "is not an object: give its fields by their names")),
            None => of_body.iter().map(|(argument, value)| (argument.field.clone(), (*value).clone())).collect(),
        };
        match plan.kind {
            BodyKind::Form => self.bytes(&plan.media, form(plan, &fields).into_bytes()),
            BodyKind::Multipart => {
                let is_file = |name: &str| of_body.iter().any(|(argument, _)| argument.is_file && argument.field == name);
                self.request.body = Body::Multipart(parts(plan, &fields, is_file)?);
                Ok(())
            }
            _ => self.bytes(&plan.media, Value::Object(fields).to_string().into_bytes()),
        }
    }

    fn bytes(&mut self, media: &str, bytes: Vec<u8>) -> Result<(), CallError> {
        let media = HeaderValue::from_str(media).map_err(|_| argument("body", "has a media type that no header can hold"))?;
        self.request.headers.insert(CONTENT_TYPE, media);
        self.request.body = Body::Bytes(bytes);
        Ok(())
    }
}

/// Adds `more` to the query that is there.
fn add_query(url: &mut Url, more: &str) {
    let query = match url.query().filter(|query| !query.is_empty()) {
        Some(query) => format!("{query}&{more}"),
        None => more.to_owned(),
    };
    url.set_query(Some(&query));
}

/// Nothing unknown, nothing missing.
fn check_names(operation: &Operation, given: &Map<String, Value>) -> Result<(), CallError> {
    let is_known = |name: &str| operation.arguments().iter().any(|argument| argument.name == name);
    if let Some(name) = given.keys().find(|name| !is_known(name)) {
        return Err(argument(name, "is not one of this operation: leave it away"));
    }
    match operation.arguments().iter().find(|argument| argument.is_required && !given.contains_key(&argument.name)) {
        Some(missing) => Err(argument(&missing.name, "is missing: give it")),
        None => Ok(()),
    }
}

/// What is given, in the order of the operation. Outside a body, `null` is as good as nothing.
fn arguments<'a>(operation: &'a Operation, given: &'a Map<String, Value>) -> impl Iterator<Item = (&'a Argument, &'a Value)> {
    let is_there = |argument: &Argument, value: &Value| !value.is_null() || argument.place == ArgumentPlace::Body;
    operation
        .arguments()
        .iter()
        .filter_map(|argument| Some((argument, given.get(&argument.name)?)))
        .filter(move |(argument, value)| is_there(argument, value))
}

fn path(operation: &Operation, given: &Map<String, Value>) -> Result<String, CallError> {
    let of_path = |name: &str| {
        arguments(operation, given).find(|(argument, _)| argument.place == ArgumentPlace::Path && argument.field == name)
    };
    for name in operation.path.names() {
        let has_control = of_path(name).is_some_and(|(_, value)| text(value).contains(char::is_control));
        if has_control || of_path(name).is_none() {
            return Err(argument(name, "is no part of a path: give a text without control characters"));
        }
    }
    let filled = operation.path.filled(|name| match of_path(name) {
        Some((argument, value)) => match argument.writing {
            Writing::Styled(notation) => notation.path(name, value),
            Writing::Json => utf8_percent_encode(&value.to_string(), NON_ALPHANUMERIC).to_string(),
        },
        None => String::new(),
    });
    let first = operation.path.names().next().unwrap_or("path").to_owned();
    filled
        .ok_or_else(|| argument(&first, "or another one of the path is empty, `.` or `..`, which is another path: give a name"))
}

fn pairs(argument: &Argument, value: &Value) -> Pairs {
    match argument.writing {
        Writing::Styled(notation) => notation.pairs(&argument.field, value),
        Writing::Json => {
            Notation::new(Style::Form, Some(false), false).pairs(&argument.field, &Value::String(value.to_string()))
        }
    }
}

fn header(headers: &mut HeaderMap, given: &Argument, value: &Value) -> Result<(), CallError> {
    let wrong = || argument(&given.name, "cannot stand in a header field: give a text of one line");
    let name = HeaderName::from_bytes(given.field.as_bytes()).map_err(|_| wrong())?;
    let written = match given.writing {
        Writing::Styled(notation) => notation.header(value),
        Writing::Json => value.to_string(),
    };
    headers.insert(name, HeaderValue::from_bytes(written.as_bytes()).map_err(|_| wrong())?);
    Ok(())
}

fn form(plan: &BodyPlan, fields: &Map<String, Value>) -> String {
    let pairs = fields.iter().flat_map(|(name, value)| {
        let encoding = plan.encodings.iter().find(|encoding| encoding.name == *name);
        match encoding.and_then(|encoding| encoding.notation) {
            Some(notation) => notation.pairs(name, value),
            // Without a word about it an object is JSON, and a list its name again for each item.
            None if value.is_object() => Notation::new(Style::Form, None, false).pairs(name, &Value::String(value.to_string())),
            None => Notation::new(Style::Form, None, false).pairs(name, value),
        }
    });
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn parts(plan: &BodyPlan, fields: &Map<String, Value>, is_file: impl Fn(&str) -> bool) -> Result<Vec<Part>, CallError> {
    let mut parts = Vec::new();
    for (name, value) in fields {
        let declared =
            plan.encodings.iter().find(|encoding| encoding.name == *name).and_then(|encoding| encoding.content_type.clone());
        let items = match value {
            Value::Array(items) if declared.as_deref() != Some("application/json") => items.as_slice(),
            lone => std::slice::from_ref(lone),
        };
        for item in items.iter().filter(|item| !item.is_null()) {
            parts.push(if is_file(name) || base64_of(item).is_some() {
                file_part(name, item, declared.clone())?
            } else {
                plain_part(name, item, declared.clone())
            });
        }
    }
    Ok(parts)
}

fn plain_part(name: &str, value: &Value, declared: Option<String>) -> Part {
    let is_json = value.is_object() || value.is_array();
    let content_type = declared.or_else(|| is_json.then(|| "application/json".to_owned()));
    Part { name: name.to_owned(), file_name: None, content_type, bytes: text(value).into_owned().into_bytes() }
}

fn file_part(name: &str, value: &Value, declared: Option<String>) -> Result<Part, CallError> {
    let file = File::read(name, value)?;
    let content_type = file.media.or(declared).unwrap_or_else(|| "application/octet-stream".to_owned());
    Ok(Part {
        name: name.to_owned(),
        file_name: Some(file.name.unwrap_or_else(|| name.to_owned())),
        content_type: Some(content_type),
        bytes: file.bytes,
    })
}

/// A text as it is, or bytes as `{ base64, filename?, mediaType? }`.
struct File {
    bytes: Vec<u8>,
    name: Option<String>,
    media: Option<String>,
}

impl File {
    fn of(argument: &Argument, value: &Value) -> Result<Self, CallError> {
        Self::read(&argument.name, value)
    }

    fn read(name: &str, value: &Value) -> Result<Self, CallError> {
        let Some(encoded) = base64_of(value) else {
            return Ok(Self { bytes: text(value).into_owned().into_bytes(), name: None, media: None });
        };
        let member = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let bytes =
            STANDARD.decode(encoded).map_err(|_| argument(name, "has a `base64` that is none: encode it with padding"))?;
        Ok(Self { bytes, name: member("filename"), media: member("mediaType") })
    }
}

fn base64_of(value: &Value) -> Option<&str> {
    value.as_object()?.get("base64")?.as_str()
}
