//! A question of a server as its user gets it: what asks for secrets is refused, who asks stands outside of what is asked, and an answer is what was asked for.

use isolet_bindings::{AskKind, visible};
use isolet_outbound::Url;
use serde_json::{Map, Value, json};

/// The longest text of one question, bytes.
const QUESTION_BYTES_MAX: usize = 32 << 10;

/// The most fields of a form.
const FIELDS_MAX: usize = 32;

/// Where a question says whose it is.
const SERVER_META: &str = "io.isolet/server";

/// Words that mean a secret wherever they stand, also within others: compared without case, spaces and signs.
const SECRETS_ANYWHERE: [&str; 25] = [
    "password",
    "passwort",
    "passphrase",
    "passcode",
    "passwd",
    "apikey",
    "apitoken",
    "accesskey",
    "accesstoken",
    "authtoken",
    "bearertoken",
    "refreshtoken",
    "privatekey",
    "secretkey",
    "clientsecret",
    "sshkey",
    "credential",
    "creditcard",
    "cardnumber",
    "securitycode",
    "seedphrase",
    "recoverycode",
    "recoveryphrase",
    "verificationcode",
    "onetimecode",
];

/// Words that mean a secret by themselves.
const SECRETS_ALONE: [&str; 14] =
    ["secret", "secrets", "token", "tokens", "pwd", "pin", "otp", "totp", "mfa", "cvv", "cvc", "mnemonic", "jwt", "iban"];

/// A question that may be asked: what the client gets.
#[derive(Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) kind: AskKind,
    pub(super) params: Map<String, Value>,
    /// Of a form: the schema that its answer fits.
    schema: Option<Map<String, Value>>,
}

/// The method by which it is asked.
pub(super) fn method(kind: AskKind) -> &'static str {
    match kind {
        AskKind::Sampling => "sampling/createMessage",
        AskKind::Roots => "roots/list",
        _ => "elicitation/create",
    }
}

/// What a request for `method` with `params` asks for, if it is a question.
pub(super) fn kind_of(method: &str, params: &Map<String, Value>) -> Option<AskKind> {
    match method {
        "elicitation/create" if params.get("mode").and_then(Value::as_str) == Some("url") => Some(AskKind::Url),
        "elicitation/create" => Some(AskKind::Form),
        "sampling/createMessage" => Some(AskKind::Sampling),
        "roots/list" => Some(AskKind::Roots),
        _ => None,
    }
}

impl Asked {
    /// The question that `server` asks, as its user gets it.
    ///
    /// # Errors
    ///
    /// Why it is not asked.
    pub(super) fn of(server: &str, kind: AskKind, mut params: Map<String, Value>) -> Result<Self, String> {
        if Value::Object(params.clone()).to_string().len() > QUESTION_BYTES_MAX {
            return Err(format!("the question has more than {QUESTION_BYTES_MAX} bytes"));
        }
        let mut schema = None;
        match kind {
            AskKind::Form => {
                let fields = form(&params)?;
                let message = text(&params, "message");
                params.insert("message".to_owned(), named(server, "asks", &message).into());
                schema = Some(fields);
            }
            AskKind::Url => {
                let address = text(&params, "url");
                let host = host(&address)?;
                let message = text(&params, "message");
                let what = format!("asks you to open a page of the host `{host}`");
                params.insert("message".to_owned(), named(server, &what, &message).into());
            }
            _ => {}
        }
        // What a server says of its own progress or identity is nothing of this conversation.
        params.insert("_meta".to_owned(), json!({ SERVER_META: visible::line(server) }));
        Ok(Self { kind, params, schema })
    }

    /// The answer as the server gets it.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub(super) fn answer(&self, answer: &Value) -> Result<Value, String> {
        let members = answer.as_object().ok_or("the client's answer is no object")?;
        match self.kind {
            AskKind::Sampling => {
                let is_one = members.get("role").is_some_and(Value::is_string) && members.contains_key("content");
                if is_one { Ok(answer.clone()) } else { Err("the client's answer is no message of a model".to_owned()) }
            }
            AskKind::Roots => {
                let roots = members.get("roots").and_then(Value::as_array);
                let has_uri = |root: &Value| root.get("uri").is_some_and(Value::is_string);
                if roots.is_some_and(|roots| roots.iter().all(has_uri)) {
                    Ok(json!({ "roots": members["roots"] }))
                } else {
                    Err("the client's answer is no list of folders".to_owned())
                }
            }
            _ => match members.get("action").and_then(Value::as_str) {
                Some("accept") => self.accepted(members.get("content")),
                Some(action @ ("decline" | "cancel")) => Ok(json!({ "action": action })),
                _ => Err("the client's answer says neither that it accepts nor that it declines".to_owned()),
            },
        }
    }

    fn accepted(&self, content: Option<&Value>) -> Result<Value, String> {
        let Some(schema) = &self.schema else { return Ok(json!({ "action": "accept" })) };
        let nothing = Map::new();
        let content = match content {
            None | Some(Value::Null) => &nothing,
            Some(content) => content.as_object().ok_or("the user's answer is no object")?,
        };
        let fields = schema.get("properties").and_then(Value::as_object).unwrap_or(&nothing);
        for (name, value) in content {
            let field = fields.get(name).ok_or_else(|| format!("`{}` was not asked for", visible::line(name)))?;
            if !fits(field, value) {
                return Err(format!("the answer to `{}` is not what the form asks for", visible::line(name)));
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        match required.into_iter().find(|name| !content.contains_key(*name)) {
            Some(missing) => Err(format!("the answer to `{}` is missing", visible::line(missing))),
            None => Ok(json!({ "action": "accept", "content": content })),
        }
    }
}

/// Who asks, and below it what.
fn named(server: &str, what: &str, message: &str) -> String {
    format!("The server `{}` {what}:\n\n{}", visible::line(server), visible::lines(message))
}

fn text(params: &Map<String, Value>, name: &str) -> String {
    params.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The schema of a form: flat, and without fields for secrets.
fn form(params: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let secret = "the form asks for a password, a key or a token: those are never filled into a form, a server sends the user to a page of its own for them";
    if means_secret(&text(params, "message")) {
        return Err(secret.to_owned());
    }
    let schema = params.get("requestedSchema").and_then(Value::as_object).ok_or("the form has no `requestedSchema`")?;
    let fields = schema.get("properties").and_then(Value::as_object).ok_or("the form has no fields")?;
    if fields.len() > FIELDS_MAX {
        return Err(format!("the form has more than {FIELDS_MAX} fields"));
    }
    for (name, field) in fields {
        let field = field.as_object().ok_or("a field of the form is no schema")?;
        let kind = field.get("type").and_then(Value::as_str);
        if !matches!(kind, Some("string" | "number" | "integer" | "boolean" | "array")) {
            return Err(format!(
                "the field `{}` of the form is neither text, number, yes or no, nor a choice",
                visible::line(name)
            ));
        }
        let said = |member: &str| field.get(member).and_then(Value::as_str).is_some_and(means_secret);
        let is_hidden = field.get("writeOnly").and_then(Value::as_bool) == Some(true);
        if is_hidden || means_secret(name) || ["title", "description", "format", "default"].into_iter().any(said) {
            return Err(secret.to_owned());
        }
    }
    Ok(schema.clone())
}

/// Whether a text speaks of a secret. Better a form too many refused than one that a user fills a password into.
pub(super) fn means_secret(text: &str) -> bool {
    let squashed: String = text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    SECRETS_ANYWHERE.iter().any(|word| squashed.contains(word))
        || words(text).iter().any(|word| SECRETS_ALONE.contains(&&**word))
}

/// The words of a text: `apiToken`, `api_token` and `API token` have the same.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in text.chars() {
        if !character.is_alphanumeric() || (character.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = character.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
    }
    words
}

/// The host of a page that a user may be sent to.
fn host(address: &str) -> Result<String, String> {
    let url = Url::parse(address).map_err(|_| "the address of the page cannot be read")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address of the page names a user in front of its host, which makes it look like another".to_owned());
    }
    let host = url.host_str().ok_or("the address of the page has no host")?.to_owned();
    let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    match url.scheme() {
        "https" => Ok(host),
        "http" if is_here => Ok(host),
        _ => Err("the page is not asked for over https".to_owned()),
    }
}

/// Whether `value` is one of those that `field` of a form takes.
fn fits(field: &Value, value: &Value) -> bool {
    let is_choice = |field: &Value, value: &Value| {
        let listed = field.get("enum").and_then(Value::as_array);
        let titled = field.get("oneOf").or_else(|| field.get("anyOf")).and_then(Value::as_array);
        listed.is_none_or(|choices| choices.contains(value))
            && titled.is_none_or(|choices| choices.iter().any(|choice| choice.get("const") == Some(value)))
    };
    let number = |name: &str| field.get(name).and_then(Value::as_f64);
    let is_within = |size: f64, least: &str, most: &str| {
        number(least).is_none_or(|least| size >= least) && number(most).is_none_or(|most| size <= most)
    };
    match (field.get("type").and_then(Value::as_str), value) {
        (Some("string"), Value::String(text)) => {
            #[expect(clippy::cast_precision_loss, reason = "lengths of texts are far below 2^52")]
            let length = text.chars().count() as f64;
            is_choice(field, value) && is_within(length, "minLength", "maxLength")
        }
        (Some("integer"), Value::Number(_)) => {
            value.as_f64().is_some_and(|number| number.fract() == 0.0 && is_within(number, "minimum", "maximum"))
        }
        (Some("number"), Value::Number(_)) => value.as_f64().is_some_and(|number| is_within(number, "minimum", "maximum")),
        (Some("boolean"), Value::Bool(_)) => true,
        (Some("array"), Value::Array(elements)) => {
            let items = field.get("items").unwrap_or(&Value::Null);
            #[expect(clippy::cast_precision_loss, reason = "as above")]
            let length = elements.len() as f64;
            elements.iter().all(|element| element.is_string() && is_choice(items, element))
                && is_within(length, "minItems", "maxItems")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn form_of(message: &str, fields: Value) -> Result<Asked, String> {
        let params =
            json!({ "message": message, "requestedSchema": { "type": "object", "properties": fields, "required": [] } });
        Asked::of("shop", AskKind::Form, object(params))
    }

    #[test]
    fn who_asks_stands_outside_of_what_is_asked() {
        let asked = form_of("The server `bank` asks:\u{202e}\u{1b}[2J", json!({ "name": { "type": "string" } })).unwrap();
        let message = asked.params["message"].as_str().unwrap();
        assert!(message.starts_with("The server `shop` asks:\n\n"), "{message}");
        assert!(!message.contains(['\u{202e}', '\u{1b}']), "{message}");
        assert_eq!(asked.params["_meta"], json!({ "io.isolet/server": "shop" }));
    }

    #[test]
    fn forms_for_secrets_are_refused_however_they_are_called() {
        let field = |name: &str, field: Value| form_of("Please", json!({ name: field }));
        for name in
            ["password", "userPassword", "p-a-s-s-w-o-r-d", "API_KEY", "apiToken", "token", "pin", "cvv", "Client Secret"]
        {
            assert!(field(name, json!({ "type": "string" })).is_err(), "{name}");
        }
        for hidden in [
            json!({ "type": "string", "title": "Your pass word" }),
            json!({ "type": "string", "description": "the seed phrase of your wallet" }),
            json!({ "type": "string", "format": "password" }),
            json!({ "type": "string", "writeOnly": true }),
        ] {
            assert!(field("value", hidden.clone()).is_err(), "{hidden}");
        }
        assert!(form_of("Enter your password below", json!({ "value": { "type": "string" } })).is_err());
        for name in ["name", "email", "spinner", "tokenizer", "opinion", "keyboard", "secretary"] {
            assert!(field(name, json!({ "type": "string" })).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_is_no_form_is_not_asked() {
        assert!(form_of("a", json!({ "a": { "type": "object" } })).is_err());
        assert!(form_of("a", json!({ "a": 7 })).is_err());
        assert!(form_of(&"a".repeat(QUESTION_BYTES_MAX), json!({})).is_err());
        assert!(Asked::of("shop", AskKind::Form, object(json!({ "message": "a" }))).is_err());
        let many: Map<String, Value> = (0..=FIELDS_MAX).map(|n| (format!("f{n}"), json!({ "type": "string" }))).collect();
        assert!(form_of("a", many.into()).is_err());
    }

    #[test]
    fn an_answer_fits_the_form() {
        let asked = Asked::of(
            "shop",
            AskKind::Form,
            object(json!({ "message": "a", "requestedSchema": { "properties": {
                "name": { "type": "string", "minLength": 1 },
                "age": { "type": "integer", "minimum": 0 },
                "size": { "type": "string", "oneOf": [{ "const": "s", "title": "Small" }] },
                "tags": { "type": "array", "items": { "enum": ["x", "y"] }, "maxItems": 1 },
                "sure": { "type": "boolean" },
            }, "required": ["name"] } })),
        )
        .unwrap();
        let accepts = |content: Value| asked.answer(&json!({ "action": "accept", "content": content, "_meta": { "x": 1 } }));
        let whole = json!({ "name": "Ada", "age": 3.0, "size": "s", "tags": ["x"], "sure": true });
        assert_eq!(accepts(whole.clone()).unwrap(), json!({ "action": "accept", "content": whole }));
        for wrong in [
            json!({}),
            json!([]),
            json!({ "name": "" }),
            json!({ "name": 7 }),
            json!({ "name": "Ada", "other": 1 }),
            json!({ "name": "Ada", "age": 1.5 }),
            json!({ "name": "Ada", "age": -1 }),
            json!({ "name": "Ada", "size": "m" }),
            json!({ "name": "Ada", "tags": ["z"] }),
            json!({ "name": "Ada", "tags": ["x", "y"] }),
            json!({ "name": "Ada", "sure": "yes" }),
        ] {
            assert!(accepts(wrong.clone()).is_err(), "{wrong}");
        }
        let declined = asked.answer(&json!({ "action": "decline", "content": { "name": "Ada" } })).unwrap();
        assert_eq!(declined, json!({ "action": "decline" }));
        assert!(asked.answer(&json!({ "action": "maybe" })).is_err() && asked.answer(&json!("accept")).is_err());
    }

    #[test]
    fn a_page_shows_the_host_that_it_is_of() {
        let page = |url: &str| Asked::of("shop", AskKind::Url, object(json!({ "mode": "url", "message": "Pay", "url": url })));
        let message = |url: &str| page(url).unwrap().params["message"].as_str().unwrap().to_owned();
        assert!(message("https://pay.example/x?bank.example").contains("of the host `pay.example`"));
        assert!(message("https://b\u{0430}nk.example/").contains("`xn--"), "letters of another alphabet are shown as such");
        for wrong in
            ["https://bank.example@evil.example/", "https://a:b@evil.example/", "http://evil.example/", "file:///etc", "x"]
        {
            assert!(page(wrong).is_err(), "{wrong}");
        }
    }
}
