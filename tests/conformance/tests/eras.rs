//! The fixture behind a client of either era: what it will be as the server behind a gateway.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(deprecated, reason = "sampling and roots are on their way out of the protocol, and still in both requirement sets")]

use std::process::Stdio;
use std::time::Duration;

use isolet_conformance::fixture::Fixture;
use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult,
    ElicitRequestParams, ElicitResult, ElicitationAction, ErrorCode, ErrorData, Implementation, ListRootsResult,
    ProtocolVersion, ReadResourceRequestParams, ResourceUpdatedNotificationParam, Root, SamplingMessage, ServerNotification,
    SubscribeRequestParams, SubscriptionFilter,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RequestContext, RunningService, ServiceError,
};
use rmcp::{ClientHandler, RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// Longer than anything here takes on the slowest machine.
const LONG: Duration = Duration::from_secs(60);

const WATCHED: &str = "test://watched-resource";

/// A client that answers whatever it is asked, if it says so, and notes what it is told.
struct Client {
    answers: bool,
    told: UnboundedSender<String>,
}

type Connected = RunningService<RoleClient, Client>;

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let all = ClientCapabilities::builder().enable_elicitation().enable_sampling().enable_roots().enable_tasks().build();
        let capabilities = if self.answers { all } else { ClientCapabilities::default() };
        ClientConfig::new(capabilities, Implementation::new("test", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { requested_schema, .. } = request else {
            return Err(ErrorData::invalid_params("a form was expected", None));
        };
        let fields = requested_schema.properties.keys().map(|field| (field.clone(), json!(format!("my {field}"))));
        let content = Value::Object(fields.collect());
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(content))
    }

    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        Ok(CreateMessageResult::new(SamplingMessage::assistant_text("the model's words"), "model".to_owned()))
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![Root::new("file:///here")]))
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        let _ = self.told.send("tools".to_owned());
    }

    async fn on_prompt_list_changed(&self, _: NotificationContext<RoleClient>) {
        let _ = self.told.send("prompts".to_owned());
    }

    async fn on_resource_updated(&self, params: ResourceUpdatedNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.told.send(params.uri);
    }
}

fn session() -> ClientLifecycleMode {
    ClientLifecycleMode::Initialize
}

fn stateless() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
}

/// A client of a server at the other end of the streams.
async fn client(
    streams: (impl AsyncRead + Send + Unpin + 'static, impl AsyncWrite + Send + Unpin + 'static),
    era: ClientLifecycleMode,
    answers: bool,
) -> (Connected, UnboundedReceiver<String>) {
    let (told, heard) = unbounded_channel();
    let client = timeout(LONG, Client { answers, told }.serve_with_lifecycle(streams, era)).await.unwrap().unwrap();
    (client, heard)
}

/// A client of the fixture in this process.
async fn connected(fixture: &Fixture, era: ClientLifecycleMode, answers: bool) -> (Connected, UnboundedReceiver<String>) {
    let (here, there) = tokio::io::duplex(64 << 10);
    let server = fixture.connection();
    tokio::spawn(async move { server.serve(there).await?.waiting().await.map_err(anyhow::Error::from) });
    client(tokio::io::split(here), era, answers).await
}

/// Calls a tool, through all the rounds that it takes.
async fn called(client: &Connected, tool: &'static str, arguments: Value) -> Result<String, ServiceError> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let result = timeout(LONG, client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments))).await.unwrap()?;
    assert_eq!(result.is_error, Some(false), "{tool}");
    Ok(result.content.first().unwrap().as_text().unwrap().text.clone())
}

/// The tools that ask, and what they make of the answers.
fn asking_tools() -> [(&'static str, Value, &'static str); 10] {
    let none = || json!({});
    [
        ("test_sampling", json!({ "prompt": "?" }), "LLM response: the model's words"),
        (
            "test_elicitation",
            json!({ "message": "?" }),
            r#"User response: action=accept, content={"email":"my email","username":"my username"}"#,
        ),
        ("test_input_required_result_elicitation", none(), "Hello, my name!"),
        ("test_streaming_elicitation", none(), "Hello, my name!"),
        ("test_input_required_result_sampling", none(), "the model's words"),
        ("test_input_required_result_list_roots", none(), "Roots: file:///here"),
        ("test_input_required_result_multiple_inputs", none(), "the model's words my name, in file:///here"),
        ("test_input_required_result_multi_round", none(), "my name likes my color"),
        ("test_input_required_result_capabilities", none(), "Asked for: user_name, greeting, client_roots"),
        ("test_missing_capability", none(), "The client declared sampling."),
    ]
}

#[tokio::test]
async fn both_eras_are_spoken_over_stdio() {
    for (era, version) in [(session(), ProtocolVersion::V_2025_11_25), (stateless(), ProtocolVersion::V_2026_07_28)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_conformance-fixture"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let streams = (process.stdout.take().unwrap(), process.stdin.take().unwrap());
        let (client, _heard) = client(streams, era, true).await;
        assert_eq!(client.peer_info().unwrap().protocol_version, version);
        let text = called(&client, "test_simple_text", json!({})).await.unwrap();
        assert_eq!(text, "This is a simple text response for testing.");
        client.cancel().await.unwrap();
        assert!(timeout(LONG, process.wait()).await.unwrap().unwrap().success(), "it ends with its client");
    }
}

#[tokio::test]
async fn a_tool_that_asks_is_answered_in_both_eras() {
    let fixture = Fixture::new().unwrap();
    for era in [session(), stateless()] {
        let (client, _heard) = connected(&fixture, era, true).await;
        for (tool, arguments, expected) in asking_tools() {
            assert_eq!(called(&client, tool, arguments).await.unwrap(), expected, "{tool}");
        }
    }
}

#[tokio::test]
async fn nothing_is_asked_of_a_client_that_does_not_say_that_it_answers() {
    let fixture = Fixture::new().unwrap();
    for era in [session(), stateless()] {
        let (client, _heard) = connected(&fixture, era, false).await;
        for (tool, arguments, _) in asking_tools().into_iter().filter(|(tool, ..)| !tool.ends_with("_capabilities")) {
            let error = called(&client, tool, arguments).await.unwrap_err();
            let ServiceError::McpError(error) = error else { panic!("{tool}: {error}") };
            assert_eq!(error.code, ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY, "{tool}");
        }
        assert_eq!(called(&client, "test_input_required_result_capabilities", json!({})).await.unwrap(), "Asked for: ");
    }
}

#[tokio::test]
async fn a_session_is_told_of_changes_and_of_resources_that_it_watches() {
    let fixture = Fixture::new().unwrap();
    let (client, mut heard) = connected(&fixture, session(), false).await;
    let (other, _heard) = connected(&fixture, session(), false).await;
    let tools = async || client.list_all_tools().await.unwrap().len();
    let before = tools().await;
    called(&other, "test_trigger_tool_change", json!({})).await.unwrap();
    assert_eq!(timeout(LONG, heard.recv()).await.unwrap().unwrap(), "tools");
    assert_eq!(tools().await, before + 1);
    // Not watched: the change of the prompts is the next that is heard of.
    called(&other, "test_trigger_resource_change", json!({})).await.unwrap();
    called(&other, "test_trigger_prompt_change", json!({})).await.unwrap();
    assert_eq!(timeout(LONG, heard.recv()).await.unwrap().unwrap(), "prompts");
    client.subscribe(SubscribeRequestParams::new(WATCHED)).await.unwrap();
    called(&other, "test_trigger_resource_change", json!({})).await.unwrap();
    assert_eq!(timeout(LONG, heard.recv()).await.unwrap().unwrap(), WATCHED);
    let read = client.read_resource(ReadResourceRequestParams::new(WATCHED)).await.unwrap();
    assert!(serde_json::to_string(&read).unwrap().contains("changed 2 times"));
}

#[tokio::test]
async fn a_stream_is_told_what_it_listens_to() {
    let fixture = Fixture::new().unwrap();
    let (client, _heard) = connected(&fixture, stateless(), false).await;
    let filter = SubscriptionFilter::builder().prompts_list_changed().resource_subscription(WATCHED).build();
    let mut stream = timeout(LONG, client.listen(filter)).await.unwrap().unwrap();
    for tool in ["test_trigger_tool_change", "test_trigger_resource_change", "test_trigger_prompt_change"] {
        called(&client, tool, json!({})).await.unwrap();
    }
    let mut next = async || timeout(LONG, stream.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(next().await, ServerNotification::ResourceUpdatedNotification(told) if told.params.uri == WATCHED));
    assert!(matches!(next().await, ServerNotification::PromptListChangedNotification(_)));
}
