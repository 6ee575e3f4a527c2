//! Labels, which all projects share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::Nothing;
use crate::tracker::{
    error::TrackerError,
    role::{Caller, Role},
    row::Label,
    store::Store,
    tool::{About, Effect, Tool},
};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::structured(
            About {
                name: "list_labels",
                title: "List labels",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "All labels, with how many of the issues that you may see carry each.",
            },
            list_labels,
        ),
        Tool::structured(
            About {
                name: "create_label",
                title: "Create a label",
                needs: Role::Member,
                effect: Effect::Adds,
                description: "Adds a label that issues of every project can carry.",
            },
            create_label,
        ),
    ]
}

#[derive(Debug, Serialize, JsonSchema)]
struct LabelUse {
    label: Label,
    issues: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Labels {
    labels: Vec<LabelUse>,
}

fn list_labels(store: &mut Store, caller: &Caller, _: Nothing) -> Result<Labels, TrackerError> {
    let labels = store
        .labels
        .values()
        .map(|label| LabelUse {
            label: label.clone(),
            issues: store.visible_issues(caller).filter(|issue| issue.labels.contains(&label.name)).count(),
        })
        .collect();
    Ok(Labels { labels })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateLabel {
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]{0,39}$"))]
    name: String,
    #[schemars(length(max = 200))]
    description: Option<String>,
    /// Default: grey.
    #[schemars(regex(pattern = r"^#[0-9a-f]{6}$"))]
    color: Option<String>,
}

fn create_label(store: &mut Store, _: &Caller, arguments: CreateLabel) -> Result<Label, TrackerError> {
    let CreateLabel { name, description, color } = arguments;
    if store.labels.contains_key(&name) {
        return Err(TrackerError::conflict(format!("label `{name}` exists already: use it as it is")));
    }
    let label = Label {
        name: name.clone(),
        description: description.unwrap_or_default(),
        color: color.unwrap_or_else(|| "#8a8f98".to_owned()),
    };
    store.labels.insert(name, label.clone());
    Ok(label)
}
