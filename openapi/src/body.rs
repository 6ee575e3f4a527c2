//! The body of a request: which of its media types is used, and how its fields are written.

use serde_json::{Map, Value, json};

use crate::excerpt::beginning;
use crate::fault::OperationError;
use crate::parameter::{NAME_BYTES_MAX, is_json};
use crate::reference;
use crate::style::{Notation, Style};

/// The most fields of a body that become arguments of their own.
const FIELDS_MAX: usize = 200;

/// The most media types that are looked at.
pub(crate) const MEDIA_TYPES_MAX: usize = 50;

/// How a body is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// A text or bytes of any other kind.
    Raw,
}

/// How one field of a form is written, where the document says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldEncoding {
    pub(crate) name: String,
    pub(crate) notation: Option<Notation>,
    pub(crate) content_type: Option<String>,
}

/// The body of an operation's request.
#[derive(Debug)]
pub(crate) struct RequestBody<'a> {
    pub(crate) kind: BodyKind,
    /// The media type as the document writes it.
    pub(crate) media: &'a str,
    pub(crate) is_required: bool,
    pub(crate) schema: Option<&'a Value>,
    pub(crate) description: Option<&'a str>,
    pub(crate) encodings: Vec<FieldEncoding>,
}

impl<'a> RequestBody<'a> {
    /// The body of `operation`, if it has one. Of several media types JSON is taken before multipart, forms, and others.
    pub(crate) fn of(document: &'a Value, operation: &'a Value) -> Result<Option<Self>, OperationError> {
        let Some(body) = operation.get("requestBody") else { return Ok(None) };
        let body = reference::resolve(document, body)?;
        let Some(content) = body.get("content").and_then(Value::as_object).filter(|content| !content.is_empty()) else {
            return Ok(None);
        };
        let chosen = content.iter().take(MEDIA_TYPES_MAX).min_by_key(|(media, _)| match kind(media) {
            BodyKind::Json => 0,
            BodyKind::Multipart => 1,
            BodyKind::Form => 2,
            BodyKind::Raw => 3,
        });
        let Some((media, described)) = chosen else { return Ok(None) };
        let schema = described.get("schema");
        if let Some(schema) = schema {
            reference::resolve(document, schema)?;
        }
        let body = Self {
            kind: kind(media),
            media,
            is_required: body.get("required").and_then(Value::as_bool) == Some(true),
            schema,
            description: body.get("description").and_then(Value::as_str),
            encodings: encodings(described),
        };
        body.check_names(document)?;
        Ok(Some(body))
    }

    fn check_names(&self, document: &'a Value) -> Result<(), OperationError> {
        let mut fields = self.fields(document).into_iter().flat_map(|(fields, _)| fields.keys());
        match fields.find(|name| name.is_empty() || name.len() > NAME_BYTES_MAX) {
            Some(name) => {
                let name = beginning(name, 40).to_owned();
                Err(OperationError::Parameter { name, what: "has no usable name".to_owned() })
            }
            None => Ok(()),
        }
    }

    /// Its fields, if they can stand beside the parameters: it is an object of named properties and nothing else, and leaving all of them
    /// away is as good as leaving the body away.
    pub(crate) fn fields(&self, document: &'a Value) -> Option<(&'a Map<String, Value>, Vec<&'a str>)> {
        const OTHERWISE: [&str; 12] = [
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "if",
            "patternProperties",
            "propertyNames",
            "dependentRequired",
            "dependentSchemas",
            "minProperties",
            "discriminator",
            "nullable",
        ];
        if self.kind == BodyKind::Raw {
            return None;
        }
        let schema = reference::resolve(document, self.schema?).ok()?;
        let properties = schema.get("properties")?.as_object().filter(|properties| properties.len() <= FIELDS_MAX)?;
        let is_object = schema.get("type").is_none_or(|name| name == "object");
        let is_open = !matches!(schema.get("additionalProperties"), None | Some(Value::Bool(false)));
        let says_more = OTHERWISE.iter().any(|keyword| schema.get(*keyword).is_some_and(|value| *value != Value::Bool(false)));
        let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if required.len() > FIELDS_MAX {
            return None;
        }
        let required: Vec<&str> = required.iter().filter_map(Value::as_str).collect();
        let is_all_there = required.iter().all(|name| properties.contains_key(*name));
        let fits = is_object && !is_open && !says_more && is_all_there && !properties.is_empty();
        (fits && (self.is_required || required.is_empty())).then_some((properties, required))
    }

    /// What it may be, where the document does not say.
    pub(crate) fn default_schema(&self) -> Value {
        if self.kind == BodyKind::Raw { file() } else { Value::Bool(true) }
    }
}

/// A file: a text, or bytes as base64.
pub(crate) fn file() -> Value {
    json!({
        "anyOf": [
            { "type": "string" },
            {
                "type": "object",
                "properties": {
                    "base64": { "type": "string", "contentEncoding": "base64" },
                    "filename": { "type": "string" },
                    "mediaType": { "type": "string" }
                },
                "required": ["base64"],
                "additionalProperties": false
            }
        ],
        "description": "A text as it is, or bytes as `{ base64 }`."
    })
}

/// Whether `schema` describes bytes, which JSON cannot hold.
pub(crate) fn is_file(document: &Value, schema: &Value) -> bool {
    let Ok(schema) = reference::resolve(document, schema) else { return false };
    let is = |keyword: &str, value: &str| schema.get(keyword).and_then(Value::as_str) == Some(value);
    is("format", "binary")
        || is("type", "file")
        || (schema.get("contentMediaType").is_some() && schema.get("contentEncoding").is_none())
}

fn kind(media: &str) -> BodyKind {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        _ if is_json(&essence) => BodyKind::Json,
        "application/x-www-form-urlencoded" => BodyKind::Form,
        "multipart/form-data" => BodyKind::Multipart,
        _ => BodyKind::Raw,
    }
}

fn encodings(described: &Value) -> Vec<FieldEncoding> {
    let declared = described.get("encoding").and_then(Value::as_object).into_iter().flatten().take(FIELDS_MAX);
    declared
        .map(|(name, encoding)| {
            let style = encoding.get("style").and_then(Value::as_str).and_then(Style::of);
            let explode = encoding.get("explode").and_then(Value::as_bool);
            let reserved = encoding.get("allowReserved").and_then(Value::as_bool) == Some(true);
            let notation = (style.is_some() || explode.is_some() || reserved)
                .then(|| Notation::new(style.unwrap_or(Style::Form), explode, reserved));
            // Of several the first: a value goes out as one of them.
            let content_type = encoding.get("contentType").and_then(Value::as_str);
            let content_type =
                content_type.and_then(|types| types.split(',').next()).map(str::trim).filter(|kind| !kind.contains('*'));
            FieldEncoding { name: name.clone(), notation, content_type: content_type.map(str::to_owned) }
        })
        .collect()
}
