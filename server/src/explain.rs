//! `isolet explain`: what a user sees, and which line decided.
//!
//! Who decides is asked of the same code that decides: the scope of one rule alone says which tools it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;
use isolet::mcp::Upstreams;
use isolet::{Catalog, Grants, Scope, ScopedTool};
use isolet_identity::Asking;

use crate::command_line::ExplainCommand;
use crate::credentials;
use crate::deployment::{Deployment, Rule, User, What, fault_of, nearest};
use crate::fault::Fault;
use crate::serve;
use crate::terminal;

/// A tool by the names that its server and it give themselves.
type Address = String;

/// Prints what the user sees of one tool, or of all.
pub(crate) async fn explain(command: ExplainCommand) -> Result<ExitCode, Fault> {
    let deployment = Deployment::read(&command.config).map_err(|mistakes| fault_of(&mistakes))?;
    let Some(user) = deployment.users.get(&command.user) else {
        let hint = nearest(&command.user, deployment.users.keys().map(String::as_str));
        return Err(Fault::usage(anyhow!("there is no user `{}`: {hint}", command.user)));
    };
    // What the user has authorized is used, and nobody is asked: a link of this process would lead nowhere.
    let asking = Asking::Command("isolet serve".to_owned());
    let upstreams =
        Upstreams::asking(deployment.upstream.clone(), credentials::known_of_deployment(&deployment, asking).await?);
    let discovered = serve::discovered(&deployment, &upstreams, &command.user).await;
    upstreams.close().await;
    let discovered = discovered?;
    // What stands for tools is none.
    let catalog = discovered.catalog.clone().asking(Vec::<String>::new());
    let explained = Explained::of(&catalog, user).map_err(Fault::usage)?;
    let is_asked_for = |server: &&String| command.tool.as_ref().is_none_or(|tool| tool.starts_with(&format!("{server}.")));
    let asking: Vec<&String> = discovered.asking.iter().filter(is_asked_for).collect();
    let mut text = head(&deployment, &command.user, user);
    match &command.tool {
        Some(tool) => match explained.find(tool) {
            Some(address) => text.push_str(&explained.text_of(address, &deployment.path, user)),
            None if !asking.is_empty() => {}
            None => {
                let hint = nearest(tool, explained.tools.keys().map(String::as_str));
                return Err(Fault::usage(anyhow!("there is no tool `{tool}`: {hint}")));
            }
        },
        None => {
            let all = explained.tools.keys();
            let (seen, hidden): (Vec<_>, Vec<_>) = all.partition(|address| explained.tools[*address].path.is_some());
            for address in seen.into_iter().chain(hidden) {
                text.push_str(&explained.text_of(address, &deployment.path, user));
            }
        }
    }
    for server in deployment.servers.servers().map(|(name, _)| name).filter(|name| user.grants().denies_server(name)) {
        text.push_str(&format!("{server}.*\n  not seen: the server is denied as a whole, and not started\n"));
    }
    for server in asking {
        text.push_str(&format!("{server}.*\n  not known: the user has not authorized this server yet\n"));
    }
    terminal::print(&text).map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}

/// Who the user is, and what their runs may take.
fn head(deployment: &Deployment, name: &str, user: &User) -> String {
    let roles = if user.roles.is_empty() { "no roles".to_owned() } else { format!("roles {}", user.roles.join(", ")) };
    let mut text = format!("{name}: {roles}\n");
    for (limit, line) in &user.limits_said {
        text.push_str(&format!("  {limit}, {}:{line}\n", deployment.path.display()));
    }
    text
}

/// What was decided about each tool.
struct Explained {
    tools: BTreeMap<Address, Facts>,
}

/// What was decided about one tool: the places of rules.
#[derive(Default)]
struct Facts {
    /// What programs call it, if the user sees it.
    path: Option<String>,
    /// What they would call it without any rule.
    plain_path: String,
    rules: Vec<usize>,
}

impl Explained {
    fn of(catalog: &Catalog, user: &User) -> Result<Self, isolet::ScopeError> {
        let everything = catalog.scope(&Grants::new().allow("*"))?;
        let mut tools: BTreeMap<Address, Facts> = everything
            .tools()
            .iter()
            .map(|tool| (address(tool), Facts { plain_path: tool.path().to_owned(), ..Facts::default() }))
            .collect();
        for tool in catalog.scope(&user.grants())?.tools() {
            if let Some(facts) = tools.get_mut(&address(tool)) {
                facts.path = Some(tool.path().to_owned());
            }
        }
        let renames = || {
            let renames = user.rules.iter().filter(|rule| matches!(rule.what, What::Rename { .. }));
            renames.fold(Grants::new(), |grants, rule| rule.applied_to(grants))
        };
        for (place, rule) in user.rules.iter().enumerate() {
            let concerned = concerned(catalog, &everything, rule, renames())?;
            for address in concerned {
                if let Some(facts) = tools.get_mut(&address) {
                    facts.rules.push(place);
                }
            }
        }
        Ok(Self { tools })
    }

    /// The tool that somebody calls `name`.
    fn find(&self, name: &str) -> Option<&Address> {
        let is_it = |facts: &Facts| facts.path.as_deref() == Some(name) || facts.plain_path == name;
        let by_path = self.tools.iter().find(|(_, facts)| is_it(facts)).map(|(address, _)| address);
        self.tools.get_key_value(name).map(|(address, _)| address).or(by_path)
    }

    fn text_of(&self, address: &Address, file: &Path, user: &User) -> String {
        let Some(facts) = self.tools.get(address) else { return String::new() };
        let name = facts.path.as_deref().unwrap_or(&facts.plain_path);
        let mut text = name.to_owned();
        if name != address {
            text.push_str(&format!("  ({address})"));
        }
        text.push_str(if facts.path.is_some() { "\n  seen\n" } else { "\n  not seen\n" });
        if facts.rules.is_empty() {
            text.push_str("  no line allows it\n");
        }
        for rule in facts.rules.iter().filter_map(|place| user.rules.get(*place)) {
            text.push_str(&format!("  {rule}{}\n", place_of(rule, file)));
        }
        text
    }
}

/// The tools that a rule is about.
fn concerned(
    catalog: &Catalog,
    everything: &Scope,
    rule: &Rule,
    renames: Grants,
) -> Result<BTreeSet<Address>, isolet::ScopeError> {
    let addresses = |scope: &Scope| scope.tools().iter().map(address).collect::<BTreeSet<_>>();
    let all = || addresses(everything);
    let alone = |grants: Grants| catalog.scope(&rule.applied_to(grants));
    Ok(match &rule.what {
        What::Allow(_) => addresses(&alone(renames)?),
        // A deny matches the new names too.
        What::Deny(_) => &all() - &addresses(&alone(renames.allow("*"))?),
        What::ReadOnly(_) => {
            alone(Grants::new().allow("*"))?.tools().iter().filter(|tool| tool.is_trusted_read_only()).map(address).collect()
        }
        What::Rename { .. } => {
            // Of those that have another path because another tool has their name, none is the one that was meant.
            let renamed = alone(Grants::new().allow("*"))?;
            let has_it = |tool: &&ScopedTool| {
                let What::Rename { name, .. } = &rule.what else { return false };
                tool.identifier() == name && everything.find(tool.path()).is_none_or(|other| address(other) != address(tool))
            };
            renamed.tools().iter().filter(has_it).map(address).collect()
        }
        What::Describe { text, .. } => {
            let described = alone(Grants::new().allow("*"))?;
            described.tools().iter().filter(|tool| tool.description() == Some(text)).map(address).collect()
        }
        What::Pin { argument, .. } => {
            alone(Grants::new().allow("*"))?.tools().iter().filter(|tool| tool.is_pinned(argument)).map(address).collect()
        }
    })
}

fn address(tool: &ScopedTool) -> Address {
    format!("{}.{}", tool.server(), tool.name())
}

/// Where a rule stands.
fn place_of(rule: &Rule, file: &Path) -> String {
    let line = rule.line.map_or_else(|| ", no file says otherwise".to_owned(), |line| format!(", {}:{line}", file.display()));
    rule.role.as_ref().map_or_else(|| line.clone(), |role| format!("{line}, role {role}"))
}
