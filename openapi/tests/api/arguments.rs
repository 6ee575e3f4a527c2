//! Hostile arguments: none reaches another path, another argument's location, what the operator set, or more memory than it brought.

use isolet_openapi::{Api, CallError, Caller};
use isolet_outbound::header::{ACCEPT, AUTHORIZATION, COOKIE, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::server::{Secrets, Server, call, object, operation, outbound};

/// Each of these is refused as an argument, and nothing is sent.
#[track_caller]
fn refused(server: &Server, arguments: &Value, result: Result<Value, CallError>) {
    match result {
        Err(CallError::Argument { .. }) => {}
        other => panic!("{arguments}: {other:?}"),
    }
    assert!(server.requests().is_empty(), "{arguments}: {:?}", server.requests());
}

/// Proxies decode `%2F` before they look for `..`, some twice; Java servers cut a segment at its `;`.
#[tokio::test]
async fn no_value_is_a_way_to_another_path() {
    let within = ["a/../../b", "x\\..\\y", "x/..", "x/.", "a/./b", "x%2F%2e%2e", "x%252f..", "x/..;a=b/y", "x/.;/y"];
    let at_once = [
        "../x",
        "..\\x",
        "./x",
        "%2e%2e",
        "%2E%2E%2Fx",
        "%2e%2e%5Cx",
        "%252e%252e%252fx",
        "%25252e%25252e%25252fx",
        "..;/x",
        "..;a=b",
    ];
    let begins_with_dot = ["./x", ".", ".;/x", "%2e/x"];
    for (style, more) in [("simple", &at_once[..]), ("label", &begins_with_dot), ("matrix", &[])] {
        let api = operation("get", "/users/{id}/keys", json!({"parameters": [{"name": "id", "in": "path", "style": style}]}));
        let server = Server::ok().await;
        for id in within.iter().chain(more) {
            let arguments = json!({ "id": id });
            refused(&server, &arguments, call(&server, &api, arguments.clone()).await);
        }
    }
    let api = operation("get", "/users/{id}", json!({"parameters": [{"name": "id", "in": "path"}]}));
    for (id, sent) in [
        ("a/b", "a%2Fb"),
        ("..x/y", "..x%2Fy"),
        ("a..b", "a..b"),
        ("...", "..."),
        ("v1.0/x", "v1.0%2Fx"),
        ("50%", "50%25"),
        ("a;b", "a%3Bb"),
        (".hidden/x", ".hidden%2Fx"),
    ] {
        let server = Server::ok().await;
        call(&server, &api, json!({ "id": id })).await.unwrap();
        assert_eq!(server.line(), format!("GET /base/users/{sent}"));
    }
}

#[tokio::test]
async fn no_control_character_is_in_a_path_however_deep() {
    let api = operation("get", "/users/{id}", json!({"parameters": [{"name": "id", "in": "path"}]}));
    let server = Server::ok().await;
    for id in [json!(["a\r\nb"]), json!({"a": "b\u{0}"}), json!({"a\n": "b"}), json!([["\u{7f}"]])] {
        let arguments = json!({ "id": id });
        refused(&server, &arguments, call(&server, &api, arguments.clone()).await);
    }
}

/// A path that begins like another host is a path.
#[tokio::test]
async fn a_path_of_two_slashes_is_no_host() {
    for (path, expected) in [("//evil.example/x", "GET //evil.example/x"), ("///x", "GET ///x")] {
        let server = Server::ok().await;
        let caller = Caller::new(server.url.clone(), outbound(), ()).unwrap();
        caller.call(&operation("get", path, json!({})), "op", &object(json!({}))).await.unwrap();
        assert_eq!(server.line(), expected);
    }
}

/// What an operator pinned an argument to, another argument must not say again: servers take the last one, or the first.
#[tokio::test]
async fn no_argument_says_what_another_one_says() {
    let free = json!({"type": "object"});
    let query = operation(
        "get",
        "/x",
        json!({"parameters": [
            {"name": "tenant", "in": "query"}, {"name": "page[size]", "in": "query"},
            {"name": "any", "in": "query", "style": "form", "explode": true, "schema": free},
            {"name": "page", "in": "query", "style": "deepObject", "schema": free}
        ]}),
    );
    let content = json!({"application/x-www-form-urlencoded": {
        "schema": {"type": "object", "properties": {"tenant": {"type": "string"}, "any": free, "page": free, "page[size]": {}}},
        "encoding": {"any": {"style": "form", "explode": true}, "page": {"style": "deepObject"}}
    }});
    let form = operation("post", "/x", json!({"requestBody": {"content": content}}));
    for api in [query, form] {
        let server = Server::ok().await;
        for key in ["tenant", "TENANT", "tenant[]", "tenant[a]", " tenant", "tenant ", "page[size]", "page"] {
            let arguments = json!({"tenant": "mine", "any": { key: "theirs" }});
            refused(&server, &arguments, call(&server, &api, arguments.clone()).await);
        }
        let arguments = json!({"page[size]": 1, "page": {"size": 1000}});
        refused(&server, &arguments, call(&server, &api, arguments.clone()).await);
        let arguments = json!({"tenant": "mine", "any": {"other": "x"}, "page": {"number": 2}, "page[size]": 3});
        call(&server, &api, arguments).await.unwrap();
    }
}

#[tokio::test]
async fn the_operators_query_is_the_operators() {
    let parameters = json!([
        {"name": "api-version", "in": "query"}, {"name": "q", "in": "query"}, {"name": "any", "in": "query", "schema": {"type": "object"}}
    ]);
    // The document's own query does not change the operator's either.
    let api = operation("get", "/x?API-version=9&beta=true&q=doc", json!({ "parameters": parameters }));
    let server = Server::ok().await;
    let base = server.url.join("/v1?api-version=2").unwrap();
    let caller = Caller::new(base, outbound(), ()).unwrap();
    for arguments in [
        json!({"api-version": "3"}),
        json!({"any": {"api-version": "3"}}),
        json!({"any": {"Api-Version[]": "3"}}),
        json!({"any": {"beta": "false"}}),
        json!({"q": "again"}),
    ] {
        refused(&server, &arguments, caller.call(&api, "op", &object(arguments.clone())).await);
    }
    caller.call(&api, "op", &object(json!({"any": {"x": 1}}))).await.unwrap();
    assert_eq!(server.line(), "GET /v1/x?api-version=2&beta=true&q=doc&x=1");
}

#[tokio::test]
async fn the_operators_cookies_and_fields_stay() {
    let parameters = json!([
        {"name": "session", "in": "cookie"}, {"name": "tenant", "in": "cookie"}, {"name": "accept", "in": "query"}, {"name": "x-version", "in": "query"},
        {"name": "X-Version", "in": "header"}
    ]);
    let api = operation("get", "/x", json!({ "parameters": parameters }));
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_static("tenant=7; a=b"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.x+json"));
    headers.insert("x-version", HeaderValue::from_static("7"));
    let server = Server::ok().await;
    let caller = Caller::new(server.url.clone(), outbound(), ()).unwrap().with_headers(headers);
    for (arguments, wrong) in [(json!({"tenant": "8"}), "tenant"), (json!({"X-Version": "8"}), "X-Version")] {
        let error = caller.call(&api, "op", &object(arguments)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("the argument `{wrong}` is set by the operator: leave it away"));
    }
    assert!(server.requests().is_empty());
    caller.call(&api, "op", &object(json!({"session": "s", "accept": "a", "x-version": "9"}))).await.unwrap();
    assert_eq!(server.line(), "GET /x?accept=a&x-version=9");
    assert_eq!(server.header("cookie").as_deref(), Some("tenant=7; a=b; session=s"));
    assert_eq!(server.header("accept").as_deref(), Some("application/vnd.x+json"));
}

/// Fields that make one operation another, or one caller another: our host may be one that the server believes.
#[tokio::test]
async fn fields_that_say_who_calls_or_what_are_no_arguments() {
    let names = [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Forwarded-For",
        "x-forwarded-user",
        "X_Forwarded_Host",
        "Forwarded",
        "X-Real-IP",
        "Transfer_Encoding",
        "Proxy-Authorization",
        "Origin-Kept",
    ];
    let parameters: Vec<Value> = names.iter().map(|name| json!({"name": name, "in": "header"})).collect();
    let api = operation("get", "/x", json!({ "parameters": parameters }));
    let kept: Vec<&str> = api.operations()[0].arguments().iter().map(|argument| argument.name.as_str()).collect();
    assert_eq!(kept, ["Origin-Kept"]);
}

/// Three megabytes of arguments must not become a terabyte of address.
#[tokio::test]
async fn what_would_multiply_is_refused_before_it_is_written() {
    let (key, items) = ("k".repeat(20_000), vec![json!(1); 20_000]);
    let free = json!({"type": "object"});
    let parameter = |name: &str, location: &str, style: &str| json!({"name": name, "in": location, "style": style, "explode": true, "schema": free});
    let long = "n".repeat(200);
    let path = format!("/x/{{{long}}}");
    let encoding = json!({"deep": {"style": "deepObject"}, long.clone(): {"style": "form"}});
    let schema = json!({"type": "object", "properties": {"deep": free, long.clone(): {}}});
    let content = json!({"application/x-www-form-urlencoded": {"schema": schema, "encoding": encoding}});
    let server = Server::ok().await;
    for (api, arguments) in [
        (
            operation("get", "/x", json!({"parameters": [parameter("deep", "query", "deepObject")]})),
            json!({"deep": { key.clone(): items }}),
        ),
        (operation("get", "/x", json!({"parameters": [parameter(&long, "query", "form")]})), json!({ long.clone(): items })),
        (operation("get", &path, json!({"parameters": [parameter(&long, "path", "matrix")]})), json!({ long.clone(): items })),
        (operation("post", "/x", json!({"requestBody": {"content": content}})), json!({"deep": { key: items }})),
    ] {
        let result = call(&server, &api, arguments).await;
        assert!(matches!(result, Err(CallError::Argument { .. })), "{:?}", result.map_err(|error| error.to_string()));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn fields_and_cookies_have_a_length() {
    let parameters = json!([{"name": "h", "in": "header"}, {"name": "c", "in": "cookie"}]);
    let api = operation("get", "/x", json!({ "parameters": parameters }));
    let server = Server::ok().await;
    for name in ["h", "c"] {
        let arguments = json!({ name: "x".repeat(70_000) });
        refused(&server, &json!(name), call(&server, &api, arguments).await);
    }
    call(&server, &api, json!({"h": "x".repeat(30_000), "c": "y".repeat(30_000)})).await.unwrap();
}

fn form(schema: Value) -> Api {
    let content = json!({"multipart/form-data": { "schema": schema }});
    operation("post", "/x", json!({"requestBody": {"required": true, "content": content}}))
}

#[tokio::test]
async fn no_name_of_a_part_ends_its_line() {
    let file = form(json!({"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}));
    let free = form(json!({"type": "object", "additionalProperties": {}}));
    let server = Server::ok().await;
    for text in ["a\r\nContent-Type: text/html", "a\nb", "a\rb", "a\u{0}", "a\u{85}b"] {
        for (api, arguments) in [
            (&file, json!({"file": {"base64": "aGk=", "filename": text}})),
            (&file, json!({"file": {"base64": "aGk=", "filename": "a", "mediaType": text}})),
            (&free, json!({"body": { text: "x" }})),
        ] {
            let result = call(&server, api, arguments.clone()).await;
            assert!(result.is_err(), "{arguments}: {result:?}");
        }
    }
    assert!(server.requests().is_empty());
    call(&server, &free, json!({"body": {"a b": "x", "ü\"": "y"}})).await.unwrap();
    for name in ["name=\"a b\"\r\n", "name=\"ü%22\"\r\n"] {
        assert!(server.body().contains(name), "{name} is not in\n{}", server.body());
    }
}

#[tokio::test]
async fn a_raw_body_is_of_the_declared_kind() {
    let content = json!({"image/*": {"schema": {"type": "string", "format": "binary"}}});
    let api = operation("put", "/x", json!({"requestBody": {"required": true, "content": content}}));
    let server = Server::ok().await;
    for media in ["text/html", "imagetext/html", "image/png\r\nx: y", "image"] {
        let arguments = json!({"body": {"base64": "aGk=", "mediaType": media}});
        refused(&server, &arguments, call(&server, &api, arguments.clone()).await);
    }
    call(&server, &api, json!({"body": {"base64": "aGk=", "mediaType": "IMAGE/png"}})).await.unwrap();
}

#[tokio::test]
async fn what_a_program_wrote_is_not_repeated_at_length() {
    let server = Server::ok().await;
    let api = operation("get", "/x", json!({}));
    let error = call(&server, &api, json!({ "n".repeat(1 << 20): 1 })).await.unwrap_err();
    assert!(error.to_string().len() < 400, "{}", error.to_string().len());
}

#[test]
fn a_caller_shows_no_secret() {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer s3cret"));
    let base = "https://api.example/v1?key=s3cret".parse().unwrap();
    let caller = Caller::new(base, outbound(), Secrets(&[("key", "s3cret")])).unwrap().with_headers(headers);
    let shown = format!("{caller:?}");
    assert!(shown.contains("https://api.example") && !shown.contains("s3cret"), "{shown}");
}
