//! `isolet check`: whether a deployment's file can be right, without starting anything.

use std::process::ExitCode;

use crate::command_line::CheckCommand;
use crate::deployment::{Deployment, fault_of};
use crate::fault::Fault;
use crate::terminal;

/// Reads the file and says what it has in it.
pub(crate) fn check(command: &CheckCommand) -> Result<ExitCode, Fault> {
    let deployment = Deployment::read(&command.config).map_err(|mistakes| fault_of(&mistakes))?;
    deployment.servers.warnings().for_each(|warning| terminal::say(&warning.to_string()));
    let (servers, users, keys) = (deployment.servers.servers().count(), deployment.users.len(), deployment.keys.len());
    let address = deployment.address;
    let issuers = match deployment.issuers.len() {
        0 => String::new(),
        1 => ", 1 issuer".to_owned(),
        count => format!(", {count} issuers"),
    };
    let proxy = match &deployment.proxy {
        None => String::new(),
        Some(proxy) => format!(", users whom a proxy names in `{}`", proxy.trusted.user_header()),
    };
    let text = format!(
        "{}: {servers} {}, {users} {}, {keys} {}{issuers}{proxy}, to be served at {address}\n",
        command.config.display(),
        if servers == 1 { "server" } else { "servers" },
        if users == 1 { "user" } else { "users" },
        if keys == 1 { "key" } else { "keys" },
    );
    terminal::print(&text).map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}
