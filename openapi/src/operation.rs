//! One operation: what it is called, what it takes, where each of that goes, and the tool definition that says so.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::body::{BodyKind, FieldEncoding, RequestBody, file, is_file};
use crate::excerpt::{beginning, cut};
use crate::fault::OperationError;
use crate::name::{self, ToolNames};
use crate::output;
use crate::parameter::{self, ArgumentLocation, Writing};
use crate::path::PathTemplate;
use crate::reference;
use crate::schema::{Collector, Direction};
use crate::security::{self, SecurityLocation, SecurityNeed, SecurityScheme};
use crate::style::{Notation, Style};

/// The most characters of a tool's description.
const DESCRIPTION_LENGTH_MAX: usize = 4_000;

/// The most characters of a text that are looked at.
const TEXT_LENGTH_MAX: usize = 2 * DESCRIPTION_LENGTH_MAX;

/// The most characters of its title.
const TITLE_LENGTH_MAX: usize = 200;

/// An operation of a document, as a tool.
#[derive(Clone, Debug)]
pub struct Operation {
    name: String,
    method: &'static str,
    pub(crate) path: PathTemplate,
    arguments: Vec<Argument>,
    pub(crate) body: Option<BodyPlan>,
    needs: Vec<Vec<SecurityNeed>>,
    pub(crate) accept: String,
    definition: Value,
}

/// One argument of a tool, and where it goes.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Argument {
    /// What the tool calls it.
    pub name: String,
    /// Where it goes.
    pub location: ArgumentLocation,
    /// What it is called there. Empty for a body as a whole.
    pub field: String,
    /// Whether it has to be given.
    pub is_required: bool,
    pub(crate) writing: Writing,
    pub(crate) is_file: bool,
}

/// How the arguments of a body are put together.
#[derive(Clone, Debug)]
pub(crate) struct BodyPlan {
    pub(crate) kind: BodyKind,
    pub(crate) media: String,
    pub(crate) is_required: bool,
    pub(crate) encodings: Vec<FieldEncoding>,
}

impl Operation {
    pub(crate) fn of(
        document: &Value,
        schemes: &[SecurityScheme],
        path: &str,
        item: &Value,
        method: &str,
        raw: &Value,
        names: &mut ToolNames,
    ) -> Result<Self, OperationError> {
        if !raw.is_object() {
            return Err(OperationError::NotAnObject);
        }
        let template = PathTemplate::parse(path)?;
        let locations: Vec<SecurityLocation> = schemes.iter().map(|scheme| scheme.location.clone()).collect();
        let body = RequestBody::of(document, raw)?;
        let mut made = Arguments::new(document);
        made.parameters(&parameter::all(document, item, raw, &locations)?, &template);
        if let Some(body) = &body {
            made.body(body);
        }
        let (output, accept) = output::of(document, raw);
        let text = |key: &str| {
            let text = raw.get(key).or_else(|| item.get(key)).and_then(Value::as_str);
            text.map(|text| beginning(text, TEXT_LENGTH_MAX).trim()).filter(|text| !text.is_empty())
        };
        let name = names.give(raw.get("operationId").and_then(Value::as_str), method, path);
        let mut definition = Map::new();
        definition.insert("name".to_owned(), json!(name));
        if let Some(title) = text("summary") {
            definition.insert("title".to_owned(), json!(cut(title, TITLE_LENGTH_MAX)));
        }
        let is_deprecated = raw.get("deprecated") == Some(&Value::Bool(true));
        definition.insert(
            "description".to_owned(),
            json!(describe(text("summary"), text("description"), is_deprecated, method, path)),
        );
        let (arguments, input) = made.finish();
        definition.insert("inputSchema".to_owned(), input);
        definition.extend(output.map(|output| ("outputSchema".to_owned(), output)));
        definition.insert("annotations".to_owned(), annotations(method));
        Ok(Self {
            name,
            method: METHODS.iter().copied().find(|known| known.eq_ignore_ascii_case(method)).unwrap_or("GET"),
            path: template,
            arguments,
            body: body.map(|body| BodyPlan {
                kind: body.kind,
                media: body.media.to_owned(),
                is_required: body.is_required,
                encodings: body.encodings,
            }),
            needs: security::needs(raw.get("security").or_else(|| document.get("security"))),
            accept,
            definition: Value::Object(definition),
        })
    }

    /// The name of its tool.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its method, in capitals.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method
    }

    /// Its path, as the document has it.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.text()
    }

    /// What its tool takes: paths first, then queries, headers, cookies and the body.
    #[must_use]
    pub fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    /// The credentials it asks for: any one of these sets, an empty one being none at all. Without any set nothing is asked for.
    #[must_use]
    pub fn security(&self) -> &[Vec<SecurityNeed>] {
        &self.needs
    }

    /// Its tool as an MCP server would list it.
    #[must_use]
    pub fn definition(&self) -> &Value {
        &self.definition
    }
}

const METHODS: [&str; 7] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"];

/// What HTTP says of the method. Hints, from a document that nobody here wrote.
fn annotations(method: &str) -> Value {
    match method {
        "get" | "head" | "options" => json!({ "readOnlyHint": true, "idempotentHint": true, "openWorldHint": true }),
        "put" | "delete" => {
            json!({ "readOnlyHint": false, "destructiveHint": true, "idempotentHint": true, "openWorldHint": true })
        }
        // What a POST does only its server knows: the protocol's own default, destructive, stays.
        _ => json!({ "readOnlyHint": false, "idempotentHint": false, "openWorldHint": true }),
    }
}

fn describe(summary: Option<&str>, description: Option<&str>, is_deprecated: bool, method: &str, path: &str) -> String {
    let mut parts = Vec::new();
    if is_deprecated {
        parts.push("Deprecated.".to_owned());
    }
    // Many descriptions begin with the summary.
    let is_said = |summary: &&str| description.is_some_and(|text| text.starts_with(summary.trim_end_matches('.')));
    parts.extend(summary.filter(|summary| !is_said(summary)).map(str::to_owned));
    parts.extend(description.map(str::to_owned));
    if summary.is_none() && description.is_none() {
        parts.push(format!("{} {path}", method.to_ascii_uppercase()));
    }
    cut(&parts.join("\n\n"), DESCRIPTION_LENGTH_MAX)
}

/// Collects the arguments of one tool, and the schema of all of them.
struct Arguments<'a> {
    document: &'a Value,
    collector: Collector<'a>,
    names: HashSet<String>,
    arguments: Vec<Argument>,
    properties: Map<String, Value>,
}

impl<'a> Arguments<'a> {
    fn new(document: &'a Value) -> Self {
        Self {
            document,
            collector: Collector::new(document, Direction::Request),
            names: HashSet::new(),
            arguments: Vec::new(),
            properties: Map::new(),
        }
    }

    /// The parameters; those of the path are the ones that the path has.
    fn parameters(&mut self, parameters: &[parameter::Parameter<'a>], template: &PathTemplate) {
        for name in template.names() {
            let declared =
                parameters.iter().any(|parameter| parameter.location == ArgumentLocation::Path && parameter.name == name);
            if !declared {
                let writing = Writing::Styled(Notation::new(Style::Simple, None, false));
                self.add(name, ArgumentLocation::Path, true, writing, json!({ "type": "string" }), false);
            }
        }
        for parameter in parameters {
            if parameter.location == ArgumentLocation::Path && !template.names().any(|name| name == parameter.name) {
                continue;
            }
            let schema = self.schema(parameter.schema, parameter.description, parameter.is_deprecated);
            self.add(parameter.name, parameter.location, parameter.is_required, parameter.writing, schema, false);
        }
    }

    fn body(&mut self, body: &RequestBody<'a>) {
        let writing = Writing::Json;
        let Some((fields, required)) = body.fields(self.document) else {
            let is_file = body.kind == BodyKind::Raw && body.schema.is_none_or(|schema| is_file(self.document, schema));
            let schema = match body.schema {
                Some(schema) if !is_file => self.schema(Some(schema), body.description, false),
                _ => body.default_schema(),
            };
            self.add_named("body", "", ArgumentLocation::Body, body.is_required, writing, schema, is_file);
            return;
        };
        for (name, schema) in fields {
            if schema.get("readOnly") == Some(&Value::Bool(true)) {
                continue;
            }
            let (is_file, schema) = self.field(body, schema);
            self.add(name, ArgumentLocation::Body, required.contains(&name.as_str()), writing, schema, is_file);
        }
    }

    /// One field of a body: in a multipart form it may be a file, or several.
    fn field(&mut self, body: &RequestBody<'a>, schema: &'a Value) -> (bool, Value) {
        if body.kind == BodyKind::Multipart {
            let resolved = reference::resolve(self.document, schema).unwrap_or(schema);
            if is_file(self.document, schema) {
                return (true, described(file(), resolved.get("description").and_then(Value::as_str)));
            }
            if resolved.get("items").is_some_and(|items| is_file(self.document, items)) {
                return (
                    true,
                    described(json!({ "type": "array", "items": file() }), resolved.get("description").and_then(Value::as_str)),
                );
            }
        }
        (false, self.schema(Some(schema), None, false))
    }

    fn schema(&mut self, schema: Option<&'a Value>, description: Option<&str>, is_deprecated: bool) -> Value {
        let made = schema.map_or(Value::Bool(true), |schema| self.collector.take(schema));
        let mut made = described(made, description);
        if let Some(members) = made.as_object_mut().filter(|_| is_deprecated) {
            members.insert("deprecated".to_owned(), Value::Bool(true));
        }
        made
    }

    fn add(
        &mut self,
        field: &str,
        location: ArgumentLocation,
        is_required: bool,
        writing: Writing,
        schema: Value,
        is_file: bool,
    ) {
        self.add_named(field, field, location, is_required, writing, schema, is_file);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one argument, which are put together here alone")]
    fn add_named(
        &mut self,
        wished: &str,
        field: &str,
        location: ArgumentLocation,
        is_required: bool,
        writing: Writing,
        schema: Value,
        is_file: bool,
    ) {
        let name = name::argument(&self.names, wished, location.as_str());
        let mut schema = described(schema, None);
        if let Some(members) = schema.as_object_mut() {
            members.insert("x-in".to_owned(), json!(location.as_str()));
        }
        self.names.insert(name.clone());
        self.properties.insert(name.clone(), schema);
        self.arguments.push(Argument { name, location, field: field.to_owned(), is_required, writing, is_file });
    }

    fn finish(self) -> (Vec<Argument>, Value) {
        let required: Vec<&str> =
            self.arguments.iter().filter(|argument| argument.is_required).map(|argument| argument.name.as_str()).collect();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(self.properties));
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        let definitions = self.collector.definitions();
        if !definitions.is_empty() {
            schema.insert("$defs".to_owned(), Value::Object(definitions));
        }
        (self.arguments, Value::Object(schema))
    }
}

/// `schema` as an object, with `description` if it has none of its own.
fn described(schema: Value, description: Option<&str>) -> Value {
    let mut members = match schema {
        Value::Object(members) => members,
        // `true` in the form that has room for more.
        Value::Bool(true) => Map::new(),
        other => return other,
    };
    let description = description.map(|text| beginning(text, TEXT_LENGTH_MAX).trim());
    if let Some(description) = description.filter(|text| !text.is_empty())
        && !members.contains_key("description")
    {
        members.insert("description".to_owned(), json!(cut(description, TITLE_LENGTH_MAX * 10)));
    }
    Value::Object(members)
}
