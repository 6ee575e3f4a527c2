//! This binary as a client under test of the conformance suite, for its scenarios about signing in (`tests/conformance/CLIENT.md`):
//!
//!   conformance client -- THIS_BINARY --conformance-client

use std::time::Duration;

use anyhow::{Context as _, Result};
use isolet::mcp::{
    Configuration, EntryCredentials, HttpServer, IdentityProvider, OAuthGrant, OAuthSettings, Secret, UpstreamError,
    UpstreamHost, UpstreamOptions, Upstreams, Url,
};
use isolet::{Principal, ToolCall, ToolErrorCode, ToolHost as _};
use isolet_identity::{MemoryStore, OAuth, OAuthOptions, Target};
use serde_json::{Map, Value};

use crate::authorization_server::agree;

/// The first argument; the address of the server follows.
pub(crate) const ARGUMENT: &str = "--conformance-client";

/// The suite kills its shell after 30 s.
const TIME_MAX: Duration = Duration::from_secs(25);

/// How often a user agrees before he gives up.
const SIGN_INS_MAX: usize = 3;

const SERVER: &str = "suite";

/// Plays the client.
pub(crate) fn play(arguments: &[String]) -> Result<()> {
    let url = Url::parse(arguments.first().context("the address of the server is missing")?)?;
    let context: Value = match std::env::var("MCP_CONFORMANCE_CONTEXT") {
        Ok(context) => serde_json::from_str(&context)?,
        Err(_) => Value::Null,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(TIME_MAX, Client::new(url, &context)?.play()).await? })
}

/// Who vouches for the user.
fn identity_provider(context: &Value) -> Result<IdentityProvider> {
    let said = |name: &str| context[name].as_str().with_context(|| format!("the context has no `{name}`"));
    Ok(IdentityProvider::new(said("idp_issuer")?, Url::parse(said("idp_token_endpoint")?)?, said("idp_client_id")?))
}

struct Client {
    url: Url,
    settings: OAuthSettings,
    oauth: OAuth,
    host: UpstreamHost,
    sign_ins: usize,
}

impl Client {
    fn new(url: Url, context: &Value) -> Result<Self> {
        let mut settings = OAuthSettings::default();
        settings.client_metadata_url = Some(Url::parse("https://conformance-test.local/client-metadata.json")?);
        settings.client_id = context["client_id"].as_str().map(str::to_owned);
        settings.client_secret = context["client_secret"].as_str().map(Secret::new).transpose()?;
        let options = OAuthOptions::default();
        if let Some(id_token) = context["idp_id_token"].as_str() {
            settings.grant = OAuthGrant::EnterpriseManaged;
            settings.identity_provider = Some(identity_provider(context)?);
            options.subjects.hold(&Principal::new("user").key(), &Secret::new(id_token)?, None);
        }
        let oauth = OAuth::new(MemoryStore::new(), options)?;
        let server = HttpServer::new(url.clone()).with_credentials(EntryCredentials::default().with_oauth(settings.clone()));
        let upstreams = Upstreams::asking(UpstreamOptions::default(), oauth.clone());
        let host = upstreams.host(&Configuration::default().with(SERVER, server), "user");
        Ok(Self { url, settings, oauth, host, sign_ins: 0 })
    }

    /// Lists, and calls what is listed; signs in where that is asked for.
    async fn play(mut self) -> Result<()> {
        loop {
            let discovery = self.host.discover().await?;
            match discovery.failures.first().map(|failure| &**failure) {
                Some(UpstreamError::AuthorizationRequired { .. }) => self.sign_in().await?,
                Some(failure) => anyhow::bail!("{}", isolet::with_causes(failure)),
                None => break,
            }
        }
        while let Err(error) = self.host.call(ToolCall::new(SERVER, "test-tool", "suite.test_tool", Map::new(), 1)).await {
            anyhow::ensure!(error.code == ToolErrorCode::AuthorizationRequired, "{error}");
            self.sign_in().await?;
        }
        Ok(())
    }

    /// The user agrees at once; nothing is at the address that he is sent to.
    async fn sign_in(&mut self) -> Result<()> {
        self.sign_ins += 1;
        anyhow::ensure!(self.sign_ins <= SIGN_INS_MAX, "it asks for ever");
        let (user, callback) = (Principal::new("user"), Url::parse("http://localhost:3000/callback")?);
        let target = Target { server: SERVER, url: &self.url, settings: &self.settings };
        let consent = self.oauth.begin(&user, target, &callback).await?;
        let back = agree(&consent.link).await?;
        self.oauth.complete(&user, &back).await?;
        Ok(())
    }
}
