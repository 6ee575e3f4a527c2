//! The parameters of an operation: where each goes, how it is written, what it may be.

use serde_json::Value;

use crate::fault::OperationError;
use crate::reference;
use crate::security::SecurityLocation;
use crate::style::{Notation, Style};

/// The most parameters of an operation.
const PARAMETERS_MAX: usize = 200;

/// The most bytes of a parameter's name.
pub(crate) const NAME_BYTES_MAX: usize = 200;

/// Header fields that are the connection's, the client's or a credential's: never an argument.
/// Nor what makes one operation another, or one caller another: the host that we are on may be one that the server believes.
const OWN_HEADERS: &[&str] = &[
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// Where an argument of a tool goes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArgumentLocation {
    /// The path.
    Path,
    /// The query.
    Query,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
    /// The body, or one field of it.
    Body,
}

impl ArgumentLocation {
    /// As OpenAPI writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "body",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Path, Self::Query, Self::Header, Self::Cookie].into_iter().find(|location| location.as_str() == name)
    }

    fn default_style(self) -> Style {
        match self {
            Self::Path | Self::Header => Style::Simple,
            Self::Query | Self::Cookie | Self::Body => Style::Form,
        }
    }

    fn takes(self, style: Style) -> bool {
        match self {
            Self::Path => matches!(style, Style::Simple | Style::Label | Style::Matrix),
            Self::Query => matches!(style, Style::Form | Style::SpaceDelimited | Style::PipeDelimited | Style::DeepObject),
            Self::Header => style == Style::Simple,
            Self::Cookie | Self::Body => style == Style::Form,
        }
    }
}

/// How an argument is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    Styled(Notation),
    /// As JSON text: `content` with a JSON media type.
    Json,
}

/// One parameter.
#[derive(Debug)]
pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a str,
    pub(crate) location: ArgumentLocation,
    pub(crate) is_required: bool,
    pub(crate) writing: Writing,
    pub(crate) schema: Option<&'a Value>,
    pub(crate) description: Option<&'a str>,
    pub(crate) is_deprecated: bool,
}

/// The parameters of `operation` and of its path, in the order of their locations; the operation's own win.
///
/// Those that are the client's or a credential's are left out.
pub(crate) fn all<'a>(
    document: &'a Value,
    path_item: &'a Value,
    operation: &'a Value,
    credentials: &[SecurityLocation],
) -> Result<Vec<Parameter<'a>>, OperationError> {
    let mut parameters: Vec<Parameter<'a>> = Vec::new();
    let mut count = 0;
    for list in [operation.get("parameters"), path_item.get("parameters")].into_iter().flatten() {
        let list = list.as_array().ok_or(OperationError::Parameters)?;
        count += list.len();
        if count > PARAMETERS_MAX {
            return Err(OperationError::TooManyParameters { max: PARAMETERS_MAX });
        }
        for parameter in list {
            let parameter = read(document, reference::resolve(document, parameter)?)?;
            let is_there =
                parameters.iter().any(|earlier| earlier.name == parameter.name && earlier.location == parameter.location);
            if !is_there && !is_own(&parameter, credentials) {
                parameters.push(parameter);
            }
        }
    }
    parameters.sort_by_key(|parameter| parameter.location);
    Ok(parameters)
}

fn read<'a>(document: &'a Value, parameter: &'a Value) -> Result<Parameter<'a>, OperationError> {
    let text = |key: &str| parameter.get(key).and_then(Value::as_str);
    let flag = |key: &str| parameter.get(key).and_then(Value::as_bool);
    let name =
        text("name").filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX).ok_or(OperationError::Parameters)?;
    let wrong = |what: &str| OperationError::Parameter { name: name.to_owned(), what: what.to_owned() };
    let location = text("in").and_then(ArgumentLocation::of).ok_or_else(|| wrong("is nowhere that OpenAPI knows"))?;
    let content = parameter.get("content").and_then(Value::as_object).and_then(|content| content.iter().next());
    let (schema, writing) = match content {
        Some((media, described)) if is_json(media) => (described.get("schema"), Writing::Json),
        Some((_, described)) => {
            (described.get("schema"), Writing::Styled(Notation::new(location.default_style(), Some(false), false)))
        }
        None => {
            // A style that its location does not know is a slip that servers do not mind: the usual one is used.
            let style = text("style").and_then(Style::of).filter(|style| location.takes(*style));
            let style = style.unwrap_or_else(|| location.default_style());
            let explode = if location == ArgumentLocation::Cookie { Some(false) } else { flag("explode") };
            let reserved = location == ArgumentLocation::Query && flag("allowReserved") == Some(true);
            (parameter.get("schema"), Writing::Styled(Notation::new(style, explode, reserved)))
        }
    };
    if let Some(schema) = schema {
        reference::resolve(document, schema)?;
    }
    Ok(Parameter {
        name,
        location,
        is_required: location == ArgumentLocation::Path || flag("required") == Some(true),
        writing,
        schema,
        description: text("description"),
        is_deprecated: flag("deprecated") == Some(true),
    })
}

fn is_own(parameter: &Parameter<'_>, credentials: &[SecurityLocation]) -> bool {
    let name = parameter.name;
    match parameter.location {
        ArgumentLocation::Header => {
            is_own_header(name)
                || credentials
                    .iter()
                    .any(|location| matches!(location, SecurityLocation::Header(own) if plain(own) == plain(name)))
        }
        ArgumentLocation::Query => {
            credentials.iter().any(|location| matches!(location, SecurityLocation::Query(own) if own == name))
        }
        ArgumentLocation::Cookie => {
            credentials.iter().any(|location| matches!(location, SecurityLocation::Cookie(own) if own == name))
        }
        ArgumentLocation::Path | ArgumentLocation::Body => false,
    }
}

/// Whether the header field `name` is never an argument.
pub(crate) fn is_own_header(name: &str) -> bool {
    let name = plain(name);
    OWN_HEADERS.contains(&name.as_str()) || name.starts_with("x-forwarded-")
}

/// The name of a header field as servers see it: capitals are as good as others, and to some `_` is `-`.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// Whether `media` is JSON, by its own name or by its suffix.
pub(crate) fn is_json(media: &str) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}
