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
use crate::pairs::{Pairs, TakenNames, joined, name_of, pieces};
use crate::parameter::{ArgumentLocation, Writing};
use crate::style::{Notation, Style, has_control, text};

/// The most bytes of an address, and of all header fields together: servers take less.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// The most bytes of a form that is no multipart one, before they are encoded.
const FORM_BYTES_MAX: usize = 8 << 20;

/// The most parts of a multipart form.
const PARTS_MAX: usize = 10_000;

/// What is filled in for a call, before its credential.
pub(crate) struct Draft {
    pub(crate) request: Request,
    /// The query that the document's path has, as it is written.
    pub(crate) fixed: Vec<String>,
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
        // What the operator wrote into the address the document does not change, and what either wrote no argument does.
        let own: Vec<String> = base.query().into_iter().flat_map(pieces).map(name_of).collect();
        let is_own = TakenNames::of(own.iter());
        let fixed = operation.path.query().into_iter().flat_map(pieces).filter(|piece| !is_own.has(&name_of(piece)));
        let fixed: Vec<String> = fixed.map(str::to_owned).collect();
        let set = TakenNames::of(own.into_iter().chain(fixed.iter().map(|piece| name_of(piece))));
        let taken = TakenNames::of(fields(operation, ArgumentLocation::Query));
        let method = Method::from_bytes(operation.method().as_bytes()).unwrap_or(Method::GET);
        let mut draft = Self { request: Request::new(method, url), fixed, query: Vec::new(), cookies: Vec::new() };
        draft
            .request
            .headers
            .insert(ACCEPT, HeaderValue::from_str(&operation.accept).unwrap_or(HeaderValue::from_static("*/*")));
        for (argument, value) in arguments(operation, given) {
            match argument.location {
                ArgumentLocation::Query => {
                    let pairs = pairs(argument, value)?;
                    taken.check(&argument.name, &argument.field, &pairs)?;
                    set.check_set(&argument.name, &pairs)?;
                    draft.query.extend(pairs);
                }
                ArgumentLocation::Cookie => draft.cookies.extend(pairs(argument, value)?),
                ArgumentLocation::Header => header(&mut draft.request.headers, argument, value)?,
                ArgumentLocation::Path | ArgumentLocation::Body => {}
            }
        }
        if let Some(plan) = &operation.body {
            draft.body(operation, plan, given)?;
        }
        Ok(draft)
    }

    /// The request, whole.
    pub(crate) fn finish(mut self) -> Result<Request, CallError> {
        for more in [self.fixed.join("&"), joined(&self.query, "&")] {
            if !more.is_empty() {
                add_query(&mut self.request.url, &more);
            }
        }
        self.add_cookies()?;
        if self.request.url.as_str().len() > HEAD_BYTES_MAX {
            return Err(argument("query", format!("makes an address of more than {HEAD_BYTES_MAX} bytes: give less")));
        }
        let bytes: usize = self.request.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if bytes > HEAD_BYTES_MAX {
            return Err(argument("header", format!("makes header fields of more than {HEAD_BYTES_MAX} bytes: give less")));
        }
        Ok(self.request)
    }

    /// The cookies behind those that are there already.
    fn add_cookies(&mut self) -> Result<(), CallError> {
        if self.cookies.is_empty() {
            return Ok(());
        }
        let wrong = || argument("cookie", "has a character that no cookie has: leave it away");
        let headers = &mut self.request.headers;
        let there: Result<Vec<&str>, _> = headers.get_all(COOKIE).iter().map(HeaderValue::to_str).collect();
        let mut all: Vec<&str> = there.map_err(|_| wrong())?;
        let ours = joined(&self.cookies, "; ");
        all.push(&ours);
        let mut cookies = HeaderValue::from_str(&all.join("; ")).map_err(|_| wrong())?;
        cookies.set_sensitive(true);
        headers.insert(COOKIE, cookies);
        Ok(())
    }

    fn body(&mut self, operation: &Operation, plan: &BodyPlan, given: &Map<String, Value>) -> Result<(), CallError> {
        let of_body: Vec<(&Argument, &Value)> =
            arguments(operation, given).filter(|(argument, _)| argument.location == ArgumentLocation::Body).collect();
        if of_body.is_empty() && !plan.is_required {
            return Ok(());
        }
        let whole = of_body.iter().find(|(argument, _)| argument.field.is_empty());
        if plan.kind == BodyKind::Raw {
            let Some((given, value)) = whole else { return Ok(()) };
            let file = File::of(given, value)?;
            let media = match plan.media.split_once('*') {
                Some((range, _)) => match &file.media {
                    Some(media) if media.to_ascii_lowercase().starts_with(&range.to_ascii_lowercase()) => media,
                    Some(_) => {
                        return Err(argument(&given.name, format!("is none of `{}`: give another `mediaType`", plan.media)));
                    }
                    None => "application/octet-stream",
                },
                None => &plan.media,
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
            BodyKind::Form => {
                let taken = TakenNames::of(self::fields(operation, ArgumentLocation::Body));
                self.bytes(&plan.media, form(plan, &fields, &taken)?.into_bytes())
            }
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

/// What the arguments that go there are called there.
fn fields(operation: &Operation, location: ArgumentLocation) -> impl Iterator<Item = &str> {
    let arguments = operation.arguments().iter().filter(move |argument| argument.location == location);
    arguments.map(|argument| argument.field.as_str()).filter(|field| !field.is_empty())
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
    let is_there = |argument: &Argument, value: &Value| !value.is_null() || argument.location == ArgumentLocation::Body;
    operation
        .arguments()
        .iter()
        .filter_map(|argument| Some((argument, given.get(&argument.name)?)))
        .filter(move |(argument, value)| is_there(argument, value))
}

fn path(operation: &Operation, given: &Map<String, Value>) -> Result<String, CallError> {
    let of_path = |name: &str| {
        arguments(operation, given).find(|(argument, _)| argument.location == ArgumentLocation::Path && argument.field == name)
    };
    for name in operation.path.names() {
        let Some((given, value)) = of_path(name).filter(|(_, value)| !has_control(value)) else {
            return Err(argument(name, "is no part of a path: give a text without control characters"));
        };
        check_length(given, value, HEAD_BYTES_MAX)?;
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

/// Whether `value` can be written within `bytes_max`, before it is.
fn check_length(given: &Argument, value: &Value, bytes_max: usize) -> Result<(), CallError> {
    let notation = match given.writing {
        Writing::Styled(notation) => notation,
        Writing::Json => JSON_TEXT,
    };
    if notation.length(&given.field, value) > bytes_max { Err(too_long(&given.name, bytes_max)) } else { Ok(()) }
}

fn too_long(name: &str, bytes_max: usize) -> CallError {
    argument(name, format!("takes more than {bytes_max} bytes: give less"))
}

/// How JSON is written, and a value of which nothing is said.
const JSON_TEXT: Notation = Notation { style: Style::Form, explode: false, allow_reserved: false };

fn pairs(argument: &Argument, value: &Value) -> Result<Pairs, CallError> {
    check_length(argument, value, HEAD_BYTES_MAX)?;
    Ok(match argument.writing {
        Writing::Styled(notation) => notation.pairs(&argument.field, value),
        Writing::Json => JSON_TEXT.pairs(&argument.field, &Value::String(value.to_string())),
    })
}

fn header(headers: &mut HeaderMap, given: &Argument, value: &Value) -> Result<(), CallError> {
    let wrong = || argument(&given.name, "cannot stand in a header field: give a text of one line");
    let name = HeaderName::from_bytes(given.field.as_bytes()).map_err(|_| wrong())?;
    check_length(given, value, HEAD_BYTES_MAX)?;
    let written = match given.writing {
        Writing::Styled(notation) => notation.header(value),
        Writing::Json => value.to_string(),
    };
    headers.insert(name, HeaderValue::from_bytes(written.as_bytes()).map_err(|_| wrong())?);
    Ok(())
}

fn form(plan: &BodyPlan, fields: &Map<String, Value>, taken: &TakenNames) -> Result<String, CallError> {
    let mut all = Pairs::new();
    let mut room = FORM_BYTES_MAX;
    for (name, value) in fields {
        let encoding = plan.encodings.iter().find(|encoding| encoding.name == *name);
        let notation = match encoding.and_then(|encoding| encoding.notation) {
            Some(notation) => notation,
            // Without a word about it an object is JSON, and a list its name again for each item.
            None if value.is_object() => JSON_TEXT,
            None => Notation::new(Style::Form, None, false),
        };
        room = room.checked_sub(notation.length(name, value)).ok_or_else(|| too_long(name, FORM_BYTES_MAX))?;
        if notation == JSON_TEXT && value.is_object() {
            all.extend(notation.pairs(name, &Value::String(value.to_string())));
            continue;
        }
        let pairs = notation.pairs(name, value);
        taken.check(name, name, &pairs)?;
        all.extend(pairs);
    }
    Ok(joined(&all, "&"))
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
        if items.len() + parts.len() > PARTS_MAX {
            return Err(argument(name, format!("makes a form of more than {PARTS_MAX} parts: give less at once")));
        }
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
