//! How a comparison is made: each start, what is in the context, each task in both modes.

use isolet::ToolHost;

use crate::comparison::Comparison;
use crate::setting::Setting;
use crate::{context, start_up, task};

impl Comparison {
    /// Measures. Takes some seconds, and as long again as the servers need to start and the tasks to run.
    ///
    /// # Errors
    ///
    /// When there are no tools, or a guest process cannot be started here at all. A server that does not start and a program that
    /// does not return are no errors: their entries say so.
    pub async fn make<Host: ToolHost>(setting: Setting<Host>) -> anyhow::Result<Self> {
        anyhow::ensure!(!setting.scope.tools().is_empty(), "there are no tools to compare: allow some, or mend the servers");
        // In a task, as a backend's handlers are: a future that `block_on` drives is woken through one thread more.
        tokio::spawn(measure(setting)).await?
    }
}

async fn measure<Host: ToolHost>(setting: Setting<Host>) -> anyhow::Result<Comparison> {
    let start_up = start_up::measure(&setting).await?;
    let context = context::measure(&setting).await?;
    let mut tasks = Vec::new();
    for task in &setting.tasks {
        (setting.progress)(&format!("task `{}`", task.name));
        tasks.push(task::measure(&setting, task).await?);
    }
    Ok(Comparison { tools: setting.scope.tools().len(), start_up, context, tasks })
}
