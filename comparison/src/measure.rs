//! How a comparison is made: what is in the context, each task on each face, each start.

use isolet::ToolHost;

use crate::circumstances::Circumstances;
use crate::comparison::Comparison;
use crate::setting::Setting;
use crate::task::TaskCost;
use crate::{context, start_up};

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
    let circumstances = Circumstances::now(&setting);
    let context = context::measure(&setting).await?;
    let mut tasks = Vec::new();
    for task in &setting.tasks {
        (setting.progress)(&format!("task `{}`", task.name));
        tasks.push(TaskCost::measure(&setting, task).await?);
    }
    let start_up = start_up::measure(&setting).await?;
    Ok(Comparison { circumstances, tools: setting.scope.tools().len(), context, tasks, start_up })
}
