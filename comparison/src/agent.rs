//! A scripted agent on one face of a session. It knows what the face has told it and nothing else: before it calls a tool it asks for what it was not
//! told, where it is asked for. What it asks, writes and reads is counted.

use std::collections::BTreeMap;

use isolet::Session;
use isolet::mcp::Mode;
use serde_json::{Map, Value};

use crate::client::{Answer, Client};
use crate::context::definitions;
use crate::knowledge::{Knowledge, Known};
use crate::need::Need;
use crate::repair::repaired;
use crate::side::Side;

/// How often a program is mended by what its message says.
const REPAIRS_MAX: usize = 2;
/// How often the agent searches for what it has not found.
const SEARCHES_MAX: usize = 4;

/// An agent, connected.
pub(crate) struct Agent {
    client: Client,
    offered: Vec<String>,
    knowledge: Knowledge,
    pub(crate) side: Side,
}

impl Agent {
    /// Connects with a face, and reads its definitions.
    pub(crate) async fn open(session: &Session, mode: Mode) -> anyhow::Result<Self> {
        let client = Client::open(session, mode).await?;
        let side = Side::begin(definitions(&client).await?);
        let tools = client.list().await?;
        let mut knowledge = Knowledge::default();
        for tool in &tools {
            knowledge.read(tool.description.as_deref().unwrap_or_default());
        }
        let offered = tools.iter().map(|tool| tool.name.to_string()).collect();
        Ok(Self { client, offered, knowledge, side })
    }

    /// Asks until all that `needs` say is known, or nothing is left to ask. `questions`: what the task says of itself.
    pub(crate) async fn learn(&mut self, needs: &[Need], questions: &[String]) -> anyhow::Result<()> {
        let mut asked: Vec<String> = Vec::new();
        while self.offers("search_tools") && asked.len() < SEARCHES_MAX {
            let query =
                needs.iter().find_map(|need| self.queries(need, questions).into_iter().find(|query| !asked.contains(query)));
            let Some(query) = query else { break };
            self.side.retries += usize::from(!asked.is_empty());
            self.ask("search_tools", "query", query.as_str()).await?;
            asked.push(query);
        }
        let named = |need: &&Need| self.knowledge.of(need) == Known::Name;
        let named: Vec<&str> = needs.iter().filter(named).map(|need| need.path.as_str()).collect();
        if self.offers("get_types") && !named.is_empty() {
            self.ask("get_types", "tools", named).await?;
        }
        Ok(())
    }

    /// Runs the program; mends it by what the message says, if it does not return. Gives the last message if none returned.
    pub(crate) async fn run(&mut self, program: &str) -> anyhow::Result<Option<String>> {
        let mut program = program.to_owned();
        for repair in 0..=REPAIRS_MAX {
            let ran = self.call("run_code", object("code", program.as_str())).await?;
            if !ran.is_error {
                return Ok(None);
            }
            match repaired(&program, &ran.text).filter(|_| repair < REPAIRS_MAX) {
                Some(mended) => program = mended,
                None => return Ok(Some(ran.text)),
            }
            self.side.retries += 1;
        }
        Ok(None)
    }

    /// Calls a tool of the face.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Map<String, Value>) -> anyhow::Result<Answer> {
        let answer = self.client.call(tool, arguments).await?;
        self.side.add(&answer);
        Ok(answer)
    }

    /// Ends the connection, and gives what it cost.
    pub(crate) async fn close(self) -> anyhow::Result<Side> {
        self.client.close().await?;
        Ok(self.side)
    }

    /// What to search for where more has to be known than is: the words of the task, and at last those that the tool is called by. A name that is known
    /// finds its tool, and with `get_types` needs no search.
    fn queries(&self, need: &Need, questions: &[String]) -> Vec<String> {
        let own_words = need.path.rsplit('.').next().unwrap_or_default().replace('_', " ");
        match self.knowledge.of(need) {
            Known::Everything => Vec::new(),
            Known::Name if self.offers("get_types") => Vec::new(),
            Known::Name => vec![own_words],
            Known::Nothing => questions.iter().cloned().chain([own_words]).collect(),
        }
    }

    async fn ask(&mut self, tool: &str, name: &str, question: impl Into<Value>) -> anyhow::Result<()> {
        let answer = self.call(tool, object(name, question)).await?;
        self.side.lookups += 1;
        self.knowledge.read(&answer.text);
        Ok(())
    }

    fn offers(&self, tool: &str) -> bool {
        self.offered.iter().any(|offered| offered == tool)
    }
}

/// What the calls of a task need, each tool once.
pub(crate) fn needs_of(calls: impl IntoIterator<Item = Need>) -> Vec<Need> {
    let mut needs: BTreeMap<String, Need> = BTreeMap::new();
    for call in calls {
        match needs.get_mut(&call.path) {
            Some(need) => need.merge(call),
            None => drop(needs.insert(call.path.clone(), call)),
        }
    }
    needs.into_values().collect()
}

pub(crate) fn object(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}
