//! An application that lets a model's program ask what time it is in the cities of its user.

use isolet::{Catalog, CatalogError, ToolCall, ToolError, ToolHost, ToolReply};
use serde_json::json;

/// The tools of all users.
///
/// # Errors
///
/// None, as long as the definition below is one.
pub fn catalog() -> Result<Catalog, CatalogError> {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    Catalog::load([("clock", vec![json!({ "name": "hour", "inputSchema": schema })])])
}

/// The clocks of one user.
pub struct Clocks {
    /// Each city, and the hour that its clock shows.
    pub hours: Vec<(&'static str, u32)>,
}

impl ToolHost for Clocks {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        let city = call.arguments.as_map().get("city").and_then(serde_json::Value::as_str).unwrap_or_default();
        let hour = self.hours.iter().find(|(known, _)| *known == city);
        hour.map(|(_, hour)| json!(hour).into()).ok_or_else(|| ToolError::failed(format!("there is no clock in `{city}`")))
    }
}
