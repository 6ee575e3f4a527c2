//! What is sent: each argument where the document says, in its style, and nothing anywhere else.

use isolet_openapi::{ArgumentLocation, CallError, Caller};
use serde_json::{Value, json};

use crate::server::{Server, call, document, object, operation, outbound};

#[tokio::test]
async fn each_argument_goes_where_the_document_says() {
    let server = Server::ok().await;
    let api = operation(
        "post",
        "/shops/{shop}/pets/{pet}",
        json!({
            "parameters": [
                {"name": "X-Trace", "in": "header", "schema": {"type": "array"}},
                {"name": "tags", "in": "query", "schema": {"type": "array"}},
                {"name": "ids", "in": "query", "style": "pipeDelimited", "schema": {"type": "array"}},
                {"name": "words", "in": "query", "style": "spaceDelimited", "explode": false, "schema": {"type": "array"}},
                {"name": "filter", "in": "query", "style": "deepObject", "schema": {"type": "object"}},
                {"name": "point", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
                {"name": "next", "in": "query", "allowReserved": true, "schema": {"type": "string"}},
                {"name": "session", "in": "cookie", "schema": {"type": "string"}},
                {"name": "shop", "in": "path", "required": true, "style": "label", "schema": {"type": "string"}},
                {"name": "pet", "in": "path", "required": true, "style": "matrix", "explode": true, "schema": {"type": "array"}}
            ],
            "requestBody": {"required": true, "content": {"application/json": {"schema": {
                "type": "object", "properties": {"name": {"type": "string"}, "age": {"type": ["integer", "null"]}}, "required": ["name"]
            }}}}
        }),
    );
    let arguments = json!({
        "shop": "a/b", "pet": [1, "2;3"], "tags": ["x y", "z&w"], "ids": [1, 2], "words": ["a", "b"],
        "filter": {"age": {"gt": 3}, "kind": "cat"}, "point": {"x": 1}, "next": "a/b?c=d&e", "X-Trace": ["p", "q"], "session": "s p",
        "name": "Tom", "age": null
    });
    assert_eq!(call(&server, &api, arguments).await.unwrap(), json!({"ok": true}));
    assert_eq!(
        server.line(),
        "POST /base/shops/.a%2Fb/pets/;pet=1;pet=2%3B3?tags=x%20y&tags=z%26w&ids=1%7C2&words=a%20b&filter[age][gt]=3&filter[kind]=cat\
         &point=%7B%22x%22%3A1%7D&next=a/b?c=d%26e"
    );
    assert_eq!(server.header("x-trace").as_deref(), Some("p,q"));
    assert_eq!(server.header("cookie").as_deref(), Some("session=s%20p"));
    assert_eq!(server.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(server.header("accept").as_deref(), Some("application/json, */*;q=0.1"));
    assert_eq!(server.body(), r#"{"name":"Tom","age":null}"#);
}

#[tokio::test]
async fn what_is_not_given_is_not_sent() {
    let server = Server::ok().await;
    let api = operation(
        "post",
        "/",
        json!({
            "parameters": [{"name": "q", "in": "query"}, {"name": "h", "in": "header"}, {"name": "c", "in": "cookie"}],
            "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {"a": {}}}}}}
        }),
    );
    call(&server, &api, json!({"q": null, "h": null})).await.unwrap();
    assert_eq!((server.line().as_str(), server.body().as_str()), ("POST /base/", ""));
    assert!(server.header("h").is_none() && server.header("cookie").is_none() && server.header("content-type").is_none());
}

#[tokio::test]
async fn two_arguments_of_one_name_are_told_apart() {
    let server = Server::ok().await;
    let parameter = |location: &str| json!({"name": "id", "in": location, "required": true, "schema": {"type": "string"}});
    let api = operation(
        "put",
        "/{id}",
        json!({
            "parameters": [parameter("cookie"), parameter("header"), parameter("query"), parameter("path")],
            "requestBody": {"required": true, "content": {"application/json": {"schema": {
                "type": "object", "properties": {"id": {"type": "string"}, "body": {"type": "string"}}
            }}}}
        }),
    );
    let tool = &api.tools()[0];
    let names: Vec<&String> = tool["inputSchema"]["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "id_query", "id_header", "id_cookie", "id_body", "body"]);
    assert_eq!(tool["inputSchema"]["required"], json!(["id", "id_query", "id_header", "id_cookie"]));
    let locations: Vec<&Value> =
        tool["inputSchema"]["properties"].as_object().unwrap().values().map(|schema| &schema["x-in"]).collect();
    assert_eq!(locations, ["path", "query", "header", "cookie", "body", "body"]);
    let arguments = json!({"id": "p", "id_query": "q", "id_header": "h", "id_cookie": "c", "id_body": "b", "body": "bb"});
    call(&server, &api, arguments).await.unwrap();
    assert_eq!(server.line(), "PUT /base/p?id=q");
    assert_eq!((server.header("id").unwrap(), server.header("cookie").unwrap()), ("h".to_owned(), "id=c".to_owned()));
    assert_eq!(server.body(), r#"{"id":"b","body":"bb"}"#);
}

#[test]
fn a_body_that_is_no_plain_object_is_one_argument() {
    for (schema, required) in [
        (json!({"type": "array"}), true),
        (json!({"oneOf": [{"type": "object"}]}), true),
        (json!({"allOf": [{"type": "object"}], "properties": {"a": {}}}), true),
        (json!({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}}), true),
        (json!({"type": "object", "properties": {}}), true),
        (json!({"type": "object", "properties": {"a": {}}, "required": ["a"]}), false),
        (json!({"type": "object", "properties": {"a": {}}, "required": ["b"]}), true),
    ] {
        let body = json!({"required": required, "content": {"application/json": {"schema": schema}}});
        let api = operation("post", "/", json!({"requestBody": body}));
        let arguments = api.operation("op").unwrap().arguments();
        assert!(
            arguments.len() == 1 && arguments[0].name == "body" && arguments[0].location == ArgumentLocation::Body,
            "{schema}"
        );
        assert_eq!(arguments[0].is_required, required);
    }
}

#[tokio::test]
async fn a_json_body_may_be_anything() {
    for (schema, value) in [
        (json!({"type": "array"}), json!([1, {"a": null}])),
        (json!(true), json!("text")),
        (json!({"type": "object"}), json!({})),
    ] {
        let server = Server::ok().await;
        let content = json!({"text/plain": {}, "application/vnd.api+json; charset=utf-8": {"schema": schema}, "application/x-www-form-urlencoded": {}});
        let api = operation("patch", "/x", json!({"requestBody": {"required": true, "content": content}}));
        call(&server, &api, json!({"body": value})).await.unwrap();
        assert_eq!(server.body(), value.to_string());
        assert_eq!(server.header("content-type").as_deref(), Some("application/vnd.api+json; charset=utf-8"));
    }
}

#[tokio::test]
async fn a_form_is_written_as_its_encoding_says() {
    let server = Server::ok().await;
    let content = json!({"application/x-www-form-urlencoded": {
        "schema": {"type": "object", "properties": {"a": {}, "list": {}, "deep": {}, "plain": {}, "csv": {}}},
        "encoding": {"deep": {"style": "deepObject", "explode": true}, "csv": {"style": "form", "explode": false}}
    }});
    let api = operation("post", "/form", json!({"requestBody": {"content": content}}));
    let arguments =
        json!({"a": "x y&z", "list": [1, 2], "deep": {"b": {"c": "d"}, "e": [1, 2]}, "plain": {"f": 1}, "csv": [1, 2]});
    call(&server, &api, arguments).await.unwrap();
    assert_eq!(server.body(), "a=x%20y%26z&list=1&list=2&deep[b][c]=d&deep[e]=1&deep[e]=2&plain=%7B%22f%22%3A1%7D&csv=1,2");
    assert_eq!(server.header("content-type").as_deref(), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn a_multipart_form_has_files() {
    let server = Server::ok().await;
    let content = json!({"multipart/form-data": {
        "schema": {"type": "object", "required": ["file"], "properties": {
            "file": {"type": "string", "format": "binary", "description": "The file."},
            "files": {"type": "array", "items": {"type": "string", "contentMediaType": "image/png"}},
            "note": {"type": "string"}, "meta": {"type": "object"}
        }},
        "encoding": {"note": {"contentType": "text/markdown"}}
    }});
    let api = operation("post", "/upload", json!({"requestBody": {"required": true, "content": content}}));
    assert_eq!(api.tools()[0]["inputSchema"]["properties"]["file"]["anyOf"][1]["required"], json!(["base64"]));
    let file = json!({"base64": "AGhpAQ==", "filename": "a\"b.bin", "mediaType": "image/x"});
    call(&server, &api, json!({"file": file, "files": ["one", {"base64": "dHdv"}], "note": "n", "meta": {"a": 1}}))
        .await
        .unwrap();
    let body = server.body();
    let boundary = server.header("content-type").unwrap().split_once("boundary=").unwrap().1.to_owned();
    assert_eq!(body.matches(&format!("--{boundary}\r\n")).count(), 5);
    for part in [
        "name=\"file\"; filename=\"a\\\"b.bin\"\r\nContent-Type: image/x\r\n\r\n\u{0}hi\u{1}\r\n",
        "name=\"files\"; filename=\"files\"\r\nContent-Type: application/octet-stream\r\n\r\none\r\n",
        "name=\"files\"; filename=\"files\"\r\nContent-Type: application/octet-stream\r\n\r\ntwo\r\n",
        "name=\"note\"\r\nContent-Type: text/markdown\r\n\r\nn\r\n",
        "name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n",
    ] {
        assert!(body.contains(part), "{part}\nis not in\n{body}");
    }
    let error = call(&server, &api, json!({"file": {"base64": "!"}})).await.unwrap_err();
    assert_eq!(error.to_string(), "the argument `file` has a `base64` that is none: encode it with padding");
}

#[tokio::test]
async fn a_raw_body_is_a_text_or_bytes() {
    for (media, value, sent, body) in [
        ("text/csv", json!("a,b"), "text/csv", "a,b"),
        ("application/xml", json!("<a/>"), "application/xml", "<a/>"),
        ("application/octet-stream", json!({"base64": "aGk="}), "application/octet-stream", "hi"),
        ("image/*", json!({"base64": "aGk=", "mediaType": "image/png"}), "image/png", "hi"),
        ("*/*", json!("x"), "application/octet-stream", "x"),
    ] {
        let server = Server::ok().await;
        let content = json!({ media: {"schema": {"type": "string", "format": "binary"}} });
        let api = operation("put", "/raw", json!({"requestBody": {"required": true, "content": content}}));
        call(&server, &api, json!({"body": value})).await.unwrap();
        assert_eq!((server.body().as_str(), server.header("content-type").as_deref()), (body, Some(sent)), "{media}");
    }
}

#[tokio::test]
async fn no_argument_leaves_its_place() {
    let server = Server::ok().await;
    let api = operation(
        "get",
        "/users/{id}/keys",
        json!({"parameters": [{"name": "id", "in": "path"}, {"name": "q", "in": "query"}, {"name": "h", "in": "header"}, {"name": "c", "in": "cookie"}]}),
    );
    for arguments in [
        json!({"id": ".."}),
        json!({"id": "."}),
        json!({"id": ""}),
        json!({"id": null}),
        json!({"id": "a\u{0}"}),
        json!({"id": "a\r\nb"}),
        json!({"id": []}),
        json!({"id": "x", "h": "a\r\nHost: evil"}),
        json!({"id": "x", "h": "a\u{0}"}),
        json!({"id": "x", "q": "a".repeat(70_000)}),
    ] {
        let error = call(&server, &api, arguments.clone()).await.unwrap_err();
        assert!(matches!(error, CallError::Argument { .. }), "{arguments}: {error}");
    }
    assert!(server.requests().is_empty());
    let arguments = json!({"id": "a/x?y#z", "q": "a&b=c#d", "c": "a; b=c"});
    call(&server, &api, arguments).await.unwrap();
    assert_eq!(server.line(), "GET /base/users/a%2Fx%3Fy%23z/keys?q=a%26b%3Dc%23d");
    assert_eq!(server.header("cookie").as_deref(), Some("c=a%3B%20b%3Dc"));
}

#[tokio::test]
async fn what_an_operation_does_not_know_and_what_is_missing_is_said() {
    let server = Server::ok().await;
    let api = operation("get", "/", json!({"parameters": [{"name": "q", "in": "query", "required": true}]}));
    let said = |arguments| async { call(&server, &api, arguments).await.unwrap_err().to_string() };
    assert_eq!(said(json!({})).await, "the argument `q` is missing: give it");
    assert_eq!(said(json!({"q": 1, "r": 2})).await, "the argument `r` is not one of this operation: leave it away");
    let caller = Caller::new(server.url.clone(), outbound(), ()).unwrap();
    let error = caller.call(&api, "other", &object(json!({}))).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no operation `other`: look at the list of tools");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_path_whose_names_nobody_declared_still_has_them() {
    let server = Server::ok().await;
    let paths = json!({"/a/{x}/{y}": {
        "parameters": [{"name": "x", "in": "path", "schema": {"type": "integer"}}, {"name": "unused", "in": "path"}],
        "get": {"operationId": "op", "parameters": [{"name": "x", "in": "path", "schema": {"type": "string"}}]}
    }});
    let api = document("3.0.3", paths, Value::Null);
    let schema = &api.tools()[0]["inputSchema"];
    assert_eq!(schema["required"], json!(["y", "x"]));
    assert_eq!(schema["properties"]["x"]["type"], "string", "the operation's own parameter wins");
    call(&server, &api, json!({"x": "1", "y": "2"})).await.unwrap();
    assert_eq!(server.line(), "GET /base/a/1/2");
}

#[tokio::test]
async fn the_operators_address_keeps_its_path_and_its_query_and_so_does_the_documents_path() {
    let server = Server::ok().await;
    let api = operation("get", "/x?beta=true", json!({"parameters": [{"name": "q", "in": "query"}]}));
    assert_eq!(api.operations()[0].path(), "/x?beta=true");
    let base = server.url.join("/v1/?api-version=2").unwrap();
    let caller = Caller::new(base, outbound(), ()).unwrap();
    caller.call(&api, "op", &object(json!({"q": "a"}))).await.unwrap();
    assert_eq!(server.line(), "GET /v1/x?api-version=2&beta=true&q=a");
    for (base, expected) in [
        ("https://10.0.0.1/", "`10.0.0.1` is a private address"),
        ("http://169.254.169.254/latest/", "`169.254.169.254` is the address of a cloud's metadata"),
        ("https://[::ffff:a9fe:a9fe]/", "`::ffff:169.254.169.254` is the address of a cloud's metadata"),
        ("http://example.com/", "`http://example.com` would be sent in the clear"),
        ("https://user:pw@example.com/", "the address of `example.com` has a user"),
        ("https://example.com/#x", "the address of the API cannot be used, it has a fragment"),
        ("mailto:a@b", "`mailto:` is no address"),
    ] {
        let error = Caller::new(base.parse().unwrap(), outbound(), ()).map(drop).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{base}: {error}");
    }
}
