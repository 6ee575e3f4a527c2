//! Credentials: each where its scheme says, to the operator's address and nowhere else, whatever document, arguments and server say.

use isolet_openapi::{Api, CallError, Caller, Credential};
use isolet_outbound::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::server::{Secrets, Server, document, object, outbound};

const SECRETS: Secrets = Secrets(&[
    ("header", "s3cret"),
    ("query", "s3cret&"),
    ("cookie", "s3cret-._=/+"),
    ("basic", "user:s3cret"),
    ("token", "s3cret"),
    ("locked", "fails"),
]);

/// A document with all kinds of schemes, and the one operation `op` which asks for these.
fn secured(security: Value, parameters: Value, more: Value) -> Api {
    let mut operation = json!({"operationId": "op", "security": security, "parameters": parameters});
    operation.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let schemes = json!({
        "header": {"type": "apiKey", "in": "header", "name": "X-Key"}, "query": {"type": "apiKey", "in": "query", "name": "api key"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"}, "basic": {"type": "http", "scheme": "basic"},
        "token": {"type": "oauth2", "flows": {}}, "digest": {"type": "http", "scheme": "digest"}, "tls": {"type": "mutualTLS"},
        "locked": {"type": "http", "scheme": "bearer"}
    });
    document("3.1.0", json!({"/x": {"get": operation}}), json!({"components": {"securitySchemes": schemes}}))
}

async fn call(server: &Server, api: &Api, arguments: Value) -> Result<Value, CallError> {
    Caller::new(server.url.clone(), outbound(), SECRETS).unwrap().call(api, "op", &object(arguments)).await
}

#[tokio::test]
async fn each_credential_goes_where_its_scheme_says() {
    for (scheme, line, header, value) in [
        ("header", "GET /x", "x-key", Some("s3cret")),
        ("query", "GET /x?api%20key=s3cret%26", "x-key", None),
        ("cookie", "GET /x", "cookie", Some("sid=s3cret-._=/+")),
        ("basic", "GET /x", "authorization", Some("Basic dXNlcjpzM2NyZXQ=")),
        ("token", "GET /x", "authorization", Some("Bearer s3cret")),
    ] {
        let server = Server::ok().await;
        call(&server, &secured(json!([{ scheme: [] }]), json!([]), Value::Null), json!({})).await.unwrap();
        assert_eq!((server.line().as_str(), server.header(header).as_deref()), (line, value), "{scheme}");
    }
}

#[tokio::test]
async fn the_first_whole_set_is_used_and_without_any_nothing_is_sent() {
    for (security, expected) in [
        (json!([{"digest": []}, {"header": [], "query": []}, {"token": []}]), Ok(("x-key", Some("s3cret")))),
        (json!([{"header": [], "digest": []}, {"token": []}]), Ok(("authorization", Some("Bearer s3cret")))),
        (json!([{"digest": []}, {}]), Ok(("authorization", None))),
        (json!([]), Ok(("authorization", None))),
        (
            json!([{"digest": []}, {"tls": []}]),
            Err("the operation asks for the credential `digest`, and there is none: sign in"),
        ),
        (json!([{"unknown": []}]), Err("the operation asks for the credential `unknown`")),
        (json!([{"tls": []}]), Err("the operation asks for the credential `tls`")),
        (json!([{"locked": []}]), Err("the credential `locked` cannot be got: the keyring is locked: open it")),
    ] {
        let server = Server::ok().await;
        match (call(&server, &secured(security.clone(), json!([]), Value::Null), json!({})).await, expected) {
            (Ok(_), Ok((header, value))) => assert_eq!(server.header(header).as_deref(), value, "{security}"),
            (Err(error), Err(expected)) => {
                assert!(error.to_string().starts_with(expected), "{error}");
                assert!(server.requests().is_empty());
            }
            (result, _) => panic!("{security}: {result:?}"),
        }
    }
}

#[tokio::test]
async fn the_documents_own_security_holds_where_an_operation_says_nothing() {
    let api = Api::parse(
        json!({
            "openapi": "3.0.0", "security": [{"key": []}], "paths": {"/": {"get": {}, "put": {"security": []}}},
            "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "k"}}}
        })
        .to_string(),
    )
    .unwrap();
    let needs: Vec<usize> = api.operations().iter().map(|operation| operation.security().len()).collect();
    assert_eq!(needs, [1, 0]);
}

#[tokio::test]
async fn credentials_go_to_the_operators_address_whatever_the_document_says() {
    let (ours, theirs) = (Server::ok().await, Server::ok().await);
    let servers = json!([{"url": theirs.url.as_str()}]);
    let mut api = json!({
        "openapi": "3.0.0", "servers": servers,
        "paths": {"/x": {"servers": servers, "get": {"operationId": "op", "servers": servers, "security": [{"token": []}]}}},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
    });
    api["components"]["securitySchemes"]["token"]["flows"] = json!({"implicit": {"authorizationUrl": theirs.url.as_str()}});
    let api = Api::parse(api.to_string()).unwrap();
    assert_eq!(api.servers(), [theirs.url.as_str()]);
    call(&ours, &api, json!({})).await.unwrap();
    assert_eq!((ours.requests().len(), theirs.requests().len()), (1, 0));
    assert!(ours.requests()[0].contains("authorization: Bearer s3cret"));
}

#[tokio::test]
async fn a_redirect_to_another_origin_gets_no_credential() {
    let theirs = Server::ok().await;
    let location = format!("location: {}", theirs.url.as_str().replace("127.0.0.1", "localhost"));
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let ours = Server::answering(status, &[&location], "").await;
        for scheme in ["header", "query", "cookie", "basic", "token"] {
            let error = call(&ours, &secured(json!([{ scheme: [] }]), json!([]), Value::Null), json!({})).await.unwrap_err();
            assert!(matches!(error, CallError::Outbound(_)) && !format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }
    assert!(theirs.requests().is_empty());
}

#[tokio::test]
async fn no_argument_stands_where_a_credential_goes() {
    let parameters = json!([
        {"name": "x-key", "in": "header"}, {"name": "api key", "in": "query"}, {"name": "sid", "in": "cookie"},
        {"name": "Authorization", "in": "header", "required": true}, {"name": "HOST", "in": "header"}, {"name": "Cookie", "in": "header"},
        {"name": "any", "in": "query", "style": "form", "explode": true, "schema": {"type": "object"}},
        {"name": "some", "in": "query", "style": "deepObject", "schema": {"type": "object"}}
    ]);
    let api = secured(json!([{"query": [], "header": [], "cookie": []}]), parameters, Value::Null);
    let names: Vec<&str> = api.operations()[0].arguments().iter().map(|argument| argument.name.as_str()).collect();
    assert_eq!(names, ["any", "some"]);
    let server = Server::ok().await;
    let any = json!({"api key": "forged", "API KEY": "forged", "api key[]": "forged", "other": 1});
    call(&server, &api, json!({"any": any, "some": {"api key": 2}})).await.unwrap();
    assert_eq!(server.line(), "GET /x?other=1&some[api%20key]=2&api%20key=s3cret%26");
    // Some servers take `_` for `-`.
    let api = secured(json!([{"header": []}]), json!([{"name": "X_Key", "in": "header"}]), Value::Null);
    assert!(api.operations()[0].arguments().is_empty());
}

/// Else whoever wrote the document would have calls made with an account of his own.
#[tokio::test]
async fn the_documents_path_brings_no_credential_of_its_own() {
    let schemes = json!({"key": {"type": "apiKey", "in": "query", "name": "api key"}});
    let paths =
        json!({"/x?api%20key=forged&beta=1&API+KEY=forged": {"get": {"operationId": "op", "security": [{"query": []}]}}});
    let mut components = json!({ "securitySchemes": schemes });
    components["securitySchemes"]["query"] = components["securitySchemes"]["key"].take();
    let server = Server::ok().await;
    call(&server, &document("3.0.0", paths, json!({ "components": components })), json!({})).await.unwrap();
    assert_eq!(server.line(), "GET /x?beta=1&api%20key=s3cret%26");
}

#[tokio::test]
async fn a_credential_goes_into_no_field_of_the_connections_and_beside_no_other_cookie() {
    let secured = |scheme: Value| {
        let paths = json!({"/x": {"get": {"operationId": "op", "security": [{"header": []}]}}});
        document("3.0.0", paths, json!({"components": {"securitySchemes": { "header": scheme }}}))
    };
    let api_key = |location: &str, name: &str| secured(json!({"type": "apiKey", "in": location, "name": name}));
    let server = Server::ok().await;
    for api in [
        api_key("header", "Host"),
        api_key("header", "content-length"),
        api_key("header", "Transfer-Encoding"),
        api_key("header", "connection"),
        api_key("header", "X-Forwarded-For"),
        api_key("header", "X-Original-URL"),
        api_key("header", "x: y"),
        api_key("cookie", "admin=1; sid"),
        api_key("cookie", "a b"),
        api_key("cookie", "sid="),
        secured(json!({"type": "http", "scheme": "token evil,"})),
    ] {
        let error = call(&server, &api, json!({})).await.unwrap_err();
        assert!(matches!(error, CallError::Credential { .. }), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    for (secret, scheme) in
        [("s3cret; admin=1", "cookie"), ("s3c ret", "cookie"), ("s3c,ret", "cookie"), ("s3c\"ret", "cookie")]
    {
        let secrets: &'static [(&str, &str)] = vec![("header", secret)].leak();
        let caller = Caller::new(server.url.clone(), outbound(), Secrets(secrets)).unwrap();
        let error = caller.call(&api_key(scheme, "sid"), "op", &object(json!({}))).await.unwrap_err();
        assert!(matches!(error, CallError::Credential { .. }) && !error.to_string().contains("s3c"), "{error}");
    }
    assert!(server.requests().is_empty());
    for name in ["Authorization", "Cookie", "X-Token"] {
        let server = Server::ok().await;
        call(&server, &api_key("header", name), json!({})).await.unwrap();
        assert_eq!(server.header(&name.to_ascii_lowercase()).as_deref(), Some("s3cret"));
    }
}

#[tokio::test]
async fn the_operators_header_fields_are_sent_and_no_argument_changes_them() {
    let server = Server::ok().await;
    let api = secured(json!([{"digest": []}]), json!([{"name": "X-Version", "in": "header"}]), Value::Null);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer fixed"));
    headers.insert("x-version", HeaderValue::from_static("7"));
    let caller = Caller::new(server.url.clone(), outbound(), ()).unwrap().with_headers(headers);
    let error = caller.call(&api, "op", &object(json!({"X-Version": "8"}))).await.unwrap_err();
    assert_eq!(error.to_string(), "the argument `X-Version` is set by the operator: leave it away");
    caller.call(&api, "op", &object(json!({}))).await.unwrap();
    assert_eq!(server.header("authorization").as_deref(), Some("Bearer fixed"), "the operator's own is as good as a scheme's");
    assert_eq!(server.header("x-version").as_deref(), Some("7"));
}

#[tokio::test]
async fn a_credential_that_no_header_can_hold_is_refused_and_never_shown() {
    let server = Server::ok().await;
    let bad = Secrets(&[("token", "s3cret\r\nx: y"), ("header", "s3cret\n")]);
    for scheme in ["token", "header"] {
        let caller = Caller::new(server.url.clone(), outbound(), bad.clone()).unwrap();
        let error =
            caller.call(&secured(json!([{ scheme: [] }]), json!([]), Value::Null), "op", &object(json!({}))).await.unwrap_err();
        assert!(matches!(error, CallError::Credential { .. }) && !format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    assert_eq!(format!("{:?}", Credential::new("s3cret")), "Credential(...)");
    assert!(server.requests().is_empty());
}
