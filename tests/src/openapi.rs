//! OpenAPI documents as servers: their operations are tools of programs, called at the operator's address with the operator's header fields.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{Configuration, Discovery, Document, OpenApiServer, UpstreamHost, UpstreamOptions, Upstreams};
use isolet::{Config, Grants, Runtime, ToolCall, ToolError, ToolErrorCode, ToolHost as _, with_causes};
use serde_json::{Value, json};

use crate::http_server::{Asked, HttpServer, Part, message, status, whole};

/// What goes out in a header field, and appears nowhere else.
const CANARY: &str = "canary-4d1e77";

/// Three operations that can be called, and one that cannot.
const PETS: &str = r#"
openapi: 3.1.0
info: { title: Pets, version: "1" }
servers: [{ url: "https://elsewhere.example/" }]
paths:
  /pets:
    get:
      operationId: listPets
      summary: All pets.
      parameters: [{ name: limit, in: query, schema: { type: integer } }]
      responses: { 200: { description: Pets., content: { application/json: { schema: { type: array, items: { type: object } } } } } }
  /pets/{id}:
    get:
      operationId: getPet
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      responses: { 200: { description: A pet. } }
    delete:
      operationId: deletePet
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      responses: { 204: { description: Gone. } }
  /broken:
    get: { operationId: broken, parameters: [{ $ref: "https://elsewhere.example/p" }], responses: {} }
"#;

/// Two lists with pages: one says what comes next, the other has numbers.
const BILLING: &str = r##"
openapi: 3.1.0
info: { title: Billing, version: "1" }
paths:
  /invoices:
    get:
      operationId: listInvoices
      parameters: [{ name: limit, in: query, schema: { type: integer } }, { name: after, in: query, schema: { type: string } }]
      responses: { 200: { description: A page., content: { application/json: { schema: { $ref: "#/components/schemas/Page" } } } } }
  /issues:
    get:
      operationId: listIssues
      parameters: [{ name: per_page, in: query, schema: { type: integer } }, { name: page, in: query, schema: { type: integer } }]
      responses: { 200: { description: A page., content: { application/json: { schema: { type: array, items: { type: object } } } } } }
components:
  schemas:
    Invoice: { type: object, required: [id], properties: { id: { type: integer } } }
    Page: { type: object, required: [data], properties: { data: { type: array, items: { $ref: "#/components/schemas/Invoice" } }, next: { type: string } } }
"##;

/// A test: its name and what it does.
pub(crate) type Test = (&'static str, fn() -> Result<()>);

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("openapi::operations_are_tools_that_are_called_at_the_operators_address", || {
        block_on(operations_are_tools_that_are_called_at_the_operators_address())
    }),
    ("openapi::what_an_api_refuses_is_told_by_its_code", || block_on(what_an_api_refuses_is_told_by_its_code())),
    ("openapi::a_document_that_cannot_be_used_costs_no_other_server", || {
        block_on(a_document_that_cannot_be_used_costs_no_other_server())
    }),
    ("openapi::a_program_calls_an_api_as_any_tool", || block_on(a_program_calls_an_api_as_any_tool())),
    ("openapi::a_reply_that_is_no_object_is_checked_as_the_program_gets_it", || {
        block_on(a_reply_that_is_no_object_is_checked_as_the_program_gets_it())
    }),
    ("openapi::a_program_follows_the_pages_of_a_list", || block_on(a_program_follows_the_pages_of_a_list())),
];

async fn operations_are_tools_that_are_called_at_the_operators_address() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = HttpServer::start(|asked| match asked.header("x-key") {
        Some(CANARY) => message(200, &json!([{"name": "Ada"}])),
        _ => status(401),
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server, folder.path(), &["*Pet*"])?;
    let discovery = host.discover().await?;
    ensure!(names(&discovery) == ["deletePet", "getPet", "listPets"], "{discovery:?}");
    let [left_out] = discovery.left_out.as_slice() else { anyhow::bail!("{discovery:?}") };
    ensure!(left_out.to_string().starts_with("`GET /broken` of `pets` is left out: "), "{left_out}");
    let reply = host.call(call("listPets", json!({"limit": 2}))).await?;
    ensure!(reply.as_json() == r#"[{"name":"Ada"}]"#, "{}", reply.as_json());
    ensure!(server.asked().iter().map(Asked::target).collect::<Vec<_>>() == ["/mcp/pets?limit=2"], "{:?}", server.asked());

    let some = self::host(&upstreams, &server, folder.path(), &["list*"])?;
    ensure!(names(&some.discover().await?) == ["listPets"]);
    let refused = some.call(call("getPet", json!({"id": 1}))).await.err().context("it is not taken")?;
    ensure!(refused.code == ToolErrorCode::UnknownTool, "{refused:?}");
    ensure!(server.asked().len() == 1 && !format!("{some:?}").contains(CANARY));
    Ok(())
}

async fn what_an_api_refuses_is_told_by_its_code() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = HttpServer::start(|asked| match asked.target().rsplit('/').next() {
        Some("401") => whole(401, &[], format!("no {}", asked.header("x-key").unwrap_or_default()).as_bytes()),
        Some("429") => whole(429, &[("retry-after", "7")], b"slow down"),
        Some("404") => message(404, &json!({"title": "no such pet"})),
        Some("1") => whole(200, &[("content-type", "application/json")], b"{"),
        Some("2") => vec![Part::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec())],
        _ => vec![Part::Hang],
    })
    .await?;
    let mut options = UpstreamOptions::default();
    options.call_max = Duration::from_millis(300);
    let upstreams = Upstreams::new(options);
    let host = host(&upstreams, &server, folder.path(), &[])?;
    let refused = async |id: Value| -> Result<ToolError> {
        host.call(call("getPet", json!({"id": id}))).await.err().context("it is refused")
    };
    for (id, code, words) in [
        (401, ToolErrorCode::Unauthorised, "no [configured value]"),
        (429, ToolErrorCode::RateLimited, "again after 7 s"),
        (404, ToolErrorCode::ToolFailed, "no such pet"),
        (1, ToolErrorCode::InvalidReply, "cannot be read"),
        (2, ToolErrorCode::Unavailable, "broke off"),
        (3, ToolErrorCode::TimedOut, "did not answer within 300ms"),
    ] {
        let error = refused(json!(id)).await?;
        ensure!(error.code == code && error.message.contains(words), "{id}: {error:?}");
        ensure!(!error.message.contains(CANARY), "{error:?}");
    }
    let error = host.call(call("getPet", json!({}))).await.err().context("it is refused")?;
    ensure!(error.code == ToolErrorCode::InvalidArguments, "{error:?}");
    Ok(())
}

async fn a_document_that_cannot_be_used_costs_no_other_server() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server =
        HttpServer::start(|asked| if asked.target() == "/mcp" { whole(200, &[], PETS.as_bytes()) } else { status(404) })
            .await?;
    let bad = folder.path().join("bad.yaml");
    std::fs::write(&bad, "swagger: '2.0'")?;
    let api = |document| OpenApiServer::new(document, server.url().unwrap_or_else(|_| unreachable!("it is an address")));
    let configuration = Configuration::default()
        .with("bad", api(Document::File(bad)))
        .with("away", api(Document::File(folder.path().join("away.yaml"))))
        .with("private", api(Document::Url("https://10.1.2.3/openapi.json".parse()?)))
        .with("good", api(Document::Url(server.url()?)));
    let discovery = Upstreams::new(UpstreamOptions::default()).host(&configuration, "ada").discover().await?;
    ensure!(names(&discovery).len() == 3, "{discovery:?}");
    let failures: Vec<String> = discovery.failures.iter().map(|failure| with_causes(&**failure)).collect();
    let expected =
        ["cannot read the document", "the document of server `bad` cannot be used: ", "server `private` cannot be reached"];
    ensure!(
        failures.len() == 3 && failures.iter().zip(expected).all(|(said, expected)| said.starts_with(expected)),
        "{failures:?}"
    );
    Ok(())
}

async fn a_program_calls_an_api_as_any_tool() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = HttpServer::start(|_| message(200, &json!([{"name": "Ada"}, {"name": "Bob"}]))).await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server, folder.path(), &[])?;
    let scope = host.discover().await?.catalog.scope(&Grants::new().allow("*"))?;
    let runtime = Runtime::new(Config::default())?;
    let outcome =
        runtime.session(scope, host).run("return (await pets.listPets({ limit: 2 })).map(pet => pet.name).join()").await?;
    ensure!(matches!(&outcome.end, isolet::End::Returned(value) if value == "Ada,Bob"), "{:?}", outcome.end);
    Ok(())
}

/// Its schema, as FastMCP's, is that of an object around it.
async fn a_reply_that_is_no_object_is_checked_as_the_program_gets_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = HttpServer::start(|asked| match asked.target() {
        "/mcp/pets?limit=1" => message(200, &json!([{"name": "Ada"}])),
        "/mcp/pets?limit=2" => message(200, &json!([{"name": "Ada"}, 7])),
        _ => message(200, &json!({"name": "Ada"})),
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server, folder.path(), &[])?;
    let scope = host.discover().await?.catalog.scope(&Grants::new().allow("*"))?;
    let session = Runtime::new(Config::default())?.session(scope, host);
    for (limit, expected) in [(1, ""), (2, "/1: expected object, came"), (3, "/: expected array, came")] {
        let outcome = session.run(&format!("return await pets.listPets({{ limit: {limit} }})")).await?;
        ensure!(matches!(outcome.end, isolet::End::Returned(_)), "{}", outcome.end);
        let warnings = &outcome.calls[0].warnings;
        ensure!(warnings.len() == usize::from(!expected.is_empty()), "{limit}: {warnings:?}");
        ensure!(warnings.iter().all(|warning| warning.starts_with(expected)), "{limit}: {warnings:?}");
    }
    Ok(())
}

/// The programs of the page on OpenAPI, as they stand there.
async fn a_program_follows_the_pages_of_a_list() -> Result<()> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.md"))?;
    let programs: Vec<&str> = page.split("```ts\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [by_what_comes_next, by_number] = programs.as_slice() else { anyhow::bail!("two programs: {programs:?}") };
    let server = HttpServer::start(|asked| {
        let invoice = |id: u8| json!({"id": id});
        message(
            200,
            &match asked.target() {
                "/mcp/invoices?limit=2" => json!({"data": [invoice(1), invoice(2)], "next": "b"}),
                "/mcp/invoices?limit=2&after=b" => json!({"data": [invoice(3), invoice(4)], "next": "c"}),
                "/mcp/invoices?limit=2&after=c" => json!({"data": [invoice(5)]}),
                "/mcp/issues?per_page=2&page=1" => json!([{}, {}]),
                "/mcp/issues?per_page=2&page=2" => json!([{}]),
                other => json!({"unexpected": other}),
            },
        )
    })
    .await?;
    let folder = tempfile::tempdir()?;
    let document = folder.path().join("billing.yaml");
    std::fs::write(&document, BILLING)?;
    let configuration = Configuration::default().with("billing", OpenApiServer::new(Document::File(document), server.url()?));
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration, "ada");
    let scope = host.discover().await?.catalog.scope(&Grants::new().allow("*"))?;
    let session = Runtime::new(Config::default())?.session(scope, host);
    for (program, expected) in [(by_what_comes_next, json!([1, 2, 3, 4, 5])), (by_number, json!(3))] {
        let outcome = session.run(program).await?;
        ensure!(matches!(&outcome.end, isolet::End::Returned(value) if *value == expected), "{program}: {}", outcome.end);
        ensure!(outcome.calls.iter().all(|call| call.warnings.is_empty()), "{:?}", outcome.calls);
    }
    ensure!(server.asked().len() == 5, "{:?}", server.asked());
    Ok(())
}

/// The API with [`PETS`] as its document, in `folder`, with a key.
fn host(upstreams: &Upstreams, server: &HttpServer, folder: &Path, tools: &[&str]) -> Result<UpstreamHost> {
    let document = folder.join("pets.yaml");
    std::fs::write(&document, PETS)?;
    let mut api = OpenApiServer::new(Document::File(document), server.url()?).with_header("X-Key", CANARY);
    api.tools = tools.iter().map(|&pattern| pattern.to_owned()).collect();
    Ok(upstreams.host(&Configuration::default().with("pets", api), "ada"))
}

fn names(discovery: &Discovery) -> Vec<String> {
    let mut names: Vec<_> = discovery.catalog.tools().map(|tool| tool.name().to_owned()).collect();
    names.sort();
    names
}

fn call(tool: &str, arguments: Value) -> ToolCall {
    let Value::Object(arguments) = arguments else { unreachable!("arguments are an object") };
    ToolCall::new("pets", tool, format!("pets.{tool}"), arguments, 1)
}

fn block_on<T>(test: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Runtime::new()?.block_on(test)
}
