//! The README's program: Isolet in an application. It prints the names of the Markdown files where it is started.
#![expect(clippy::print_stdout, reason = "an example shows what it got")]

use isolet::{Catalog, Config, Grants, Runtime, ToolCall, ToolError, ToolHost, ToolReply};

struct Files {
    folder: std::path::PathBuf, // one user's; a credential of theirs would be here too
}

impl ToolHost for Files {
    async fn call(&self, _: ToolCall) -> Result<ToolReply, ToolError> {
        let entries = std::fs::read_dir(&self.folder).map_err(|error| ToolError::failed(error.to_string()))?;
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        Ok(ToolReply::from(serde_json::Value::from_iter(names)))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    isolet::init(); // first line: a process that was started to be a guest becomes one here
    tokio::runtime::Runtime::new()?.block_on(async {
        let runtime = Runtime::new(Config::default())?; // once per process
        let list = serde_json::json!({ "name": "list", "inputSchema": { "type": "object" } });
        let catalog = Catalog::load([("files", vec![list])])?; // once per deployment
        let scope = catalog.scope(&Grants::new().allow("files.*").deny("files.delete_*"))?; // per request
        let session = runtime.session(scope, Files { folder: std::env::current_dir()? });
        let outcome = session.run("return (await files.list()).filter((name) => name.endsWith('.md')).sort()").await?;
        println!("{}", outcome.end);
        Ok(())
    })
}
