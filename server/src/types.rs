//! `isolet types`: the TypeScript that a model would see.

use std::process::ExitCode;

use isolet::TokenBudget;

use crate::command_line::TypesCommand;
use crate::fault::Fault;
use crate::servers::Servers;
use crate::terminal;

/// Prints the declarations.
pub(crate) async fn types(command: TypesCommand) -> Result<ExitCode, Fault> {
    let servers = Servers::open(Some(&command.config), &command.servers).await?;
    let text = match command.budget {
        None => servers.scope.typescript().to_owned(),
        Some(tokens) => servers.scope.types(TokenBudget::new(tokens)).text,
    };
    servers.close().await;
    terminal::print(&format!("{}\n", text.trim_end())).map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}
