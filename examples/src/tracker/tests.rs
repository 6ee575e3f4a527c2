//! The tracker as its callers see it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{collections::BTreeSet, sync::Arc};

use rmcp::{
    ServiceError, ServiceExt,
    model::{CallToolRequestParams, ErrorCode},
};
use serde_json::{Value, json};

use super::*;

/// Users of each role in the seeded rows.
const ADMIN: &str = "ada";
const MEMBER: &str = "chen";
const VIEWER: &str = "bob";

#[track_caller]
fn answer(tracker: &Tracker, user: &str, tool: &str, arguments: Value) -> Value {
    match tracker.call(user, tool, arguments).unwrap() {
        Reply::Structured(value) => value,
        Reply::Text(text) => Value::String(text),
    }
}

#[track_caller]
fn refusal(tracker: &Tracker, user: &str, tool: &str, arguments: Value) -> TrackerError {
    tracker.call(user, tool, arguments).unwrap_err()
}

/// All items of a listing, page by page.
#[track_caller]
fn all_items(tracker: &Tracker, user: &str, tool: &str, mut arguments: Value) -> Vec<Value> {
    let mut items = Vec::new();
    arguments["limit"] = json!(100);
    loop {
        let page = answer(tracker, user, tool, arguments.clone());
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        if page["next_cursor"].is_null() {
            assert_eq!(page["total"], items.len());
            return items;
        }
        arguments["cursor"] = page["next_cursor"].clone();
    }
}

/// Arguments with which an admin can call each tool, in this order, on one tracker.
fn one_call_of_each() -> Vec<(&'static str, Value)> {
    vec![
        ("get_workspace", json!({})),
        ("get_current_user", json!({})),
        ("list_users", json!({ "active": true })),
        ("get_user", json!({ "user": "noor" })),
        ("set_user_role", json!({ "user": "noor", "role": "member" })),
        ("list_projects", json!({ "include_archived": true })),
        ("get_project", json!({ "project": "PAY" })),
        ("create_project", json!({ "key": "TOUR", "name": "Guided tours" })),
        ("transfer_project", json!({ "project": "RENT", "lead": "ines" })),
        ("list_issues", json!({ "labels": ["regression"], "updated": { "from": "2026-01-01T00:00:00Z" }, "sort": "priority" })),
        (
            "create_issue",
            json!({ "project": "TOUR", "title": "Print tour tickets", "labels": ["legal"], "estimate_hours": 2.5 }),
        ),
        ("create_issue", json!({ "project": "TOUR", "title": "Tickets for tours" })),
        ("get_issue", json!({ "issue": "TOUR-1" })),
        ("create_milestone", json!({ "project": "TOUR", "title": "First tour", "due_on": "2027-03-01" })),
        ("update_issue", json!({ "issue": "TOUR-1", "assignee": "ines", "milestone": "TOUR-M1", "state": "in_progress" })),
        ("link_issues", json!({ "issue": "TOUR-1", "relation": "blocks", "other": "TOUR-2" })),
        ("add_comment", json!({ "issue": "TOUR-1", "body": "Which printer?" })),
        ("list_comments", json!({ "issue": "TOUR-1" })),
        ("list_issue_events", json!({ "issue": "TOUR-1" })),
        ("milestone_report", json!({ "milestone": "TOUR-M1" })),
        ("export_issue_markdown", json!({ "issue": "TOUR-1" })),
        ("close_issue", json!({ "issue": "TOUR-2", "reason": "duplicate", "duplicate_of": "TOUR-1" })),
        ("reopen_issue", json!({ "issue": "TOUR-2" })),
        ("delete_issue", json!({ "issue": "TOUR-2" })),
        ("delete_comment", json!({ "comment": 1 })),
        ("list_labels", json!({})),
        ("create_label", json!({ "name": "tours" })),
        ("list_milestones", json!({ "state": "open" })),
        ("close_milestone", json!({ "milestone": "APP-M1" })),
        ("search_issues", json!({ "condition": { "any": [{ "text": "deposit refund" }, { "not": { "assignee": null } }] } })),
        ("count_issues", json!({ "group_by": "label" })),
        ("issues_by_assignee_report", json!({ "project": "APP" })),
        ("throughput_report", json!({ "from": "2026-09-01", "to": "2026-11-19", "interval": "week" })),
        ("deactivate_user", json!({ "user": "luca" })),
        ("archive_project", json!({ "project": "DATA" })),
    ]
}

#[test]
fn every_answer_conforms_to_the_output_schema() {
    let tracker = Tracker::new();
    let mut called = BTreeSet::new();
    for (name, arguments) in one_call_of_each() {
        let definition = find(name).unwrap().definition();
        match (tracker.call(ADMIN, name, arguments).unwrap(), definition.get("outputSchema")) {
            (Reply::Structured(value), Some(schema)) => {
                let validator = jsonschema::draft202012::new(schema).unwrap();
                let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{name}: {errors:?}");
            }
            (Reply::Text(text), None) => assert!(!text.is_empty()),
            (reply, schema) => panic!("{name} answered {reply:?} but has the output schema {schema:?}"),
        }
        called.insert(name);
    }
    let all: BTreeSet<_> = TOOLS.iter().map(|tool| tool.name).collect();
    assert_eq!(called, all);
}

#[test]
fn every_seeded_row_conforms_to_the_output_schema() {
    let tracker = Tracker::new();
    for (tool, arguments, least) in [
        ("search_issues", json!({ "condition": { "all": [] }, "limit": 100 }), 300),
        ("list_users", json!({ "limit": 100 }), 14),
        ("list_milestones", json!({ "limit": 100 }), 18),
    ] {
        let schema = find(tool).unwrap().definition()["outputSchema"].clone();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let mut page = answer(&tracker, ADMIN, tool, arguments.clone());
        assert!(validator.is_valid(&page), "{tool}");
        page["items"] = Value::Array(all_items(&tracker, ADMIN, tool, arguments));
        assert!(validator.is_valid(&page), "{tool}");
        assert!(page["items"].as_array().unwrap().len() >= least, "{tool}");
    }
}

#[test]
fn definitions_say_what_a_model_needs_to_know() {
    for definition in Tracker::definitions() {
        let name = definition["name"].as_str().unwrap();
        assert!(definition["description"].as_str().unwrap().len() > 15, "{name}");
        assert_eq!(definition["inputSchema"]["type"], "object", "{name}");
        assert_eq!(definition["inputSchema"]["additionalProperties"], false, "{name}");
        jsonschema::draft202012::new(&definition["inputSchema"]).unwrap();
        let tool = find(name).unwrap();
        let reads = definition["annotations"]["readOnlyHint"] == true;
        assert_eq!(reads, tool.needs == Role::Viewer, "{name}: viewers read and nothing else");
    }
}

#[test]
fn definitions_use_no_format_that_json_schema_does_not_know() {
    let mut formats = BTreeSet::new();
    for definition in Tracker::definitions() {
        collect_formats(&definition, &mut formats);
    }
    assert_eq!(formats, BTreeSet::from(["date".to_owned(), "date-time".to_owned()]));
}

fn collect_formats(schema: &Value, formats: &mut BTreeSet<String>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| collect_formats(item, formats)),
        Value::Object(fields) => {
            formats.extend(fields.get("format").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect_formats(field, formats));
        }
        _ => {}
    }
}

#[test]
fn a_role_may_call_what_it_needs_and_nothing_above() {
    for (user, role) in [(VIEWER, Role::Viewer), (MEMBER, Role::Member), (ADMIN, Role::Admin)] {
        for tool in TOOLS.iter() {
            // No tool but the listing ones accepts an unknown field, so an allowed call ends at its arguments.
            let error = refusal(&Tracker::new(), user, tool.name, json!({ "no_such_field": 1 }));
            let expected = if role >= tool.needs { "invalid_arguments" } else { "forbidden" };
            assert_eq!(error.code(), expected, "{user} {}", tool.name);
        }
    }
}

#[test]
fn a_refused_call_changes_nothing() {
    let tracker = Tracker::new();
    let before = answer(&tracker, ADMIN, "get_issue", json!({ "issue": "PAY-3" }));
    refusal(&tracker, VIEWER, "delete_issue", json!({ "issue": "PAY-3" }));
    refusal(&tracker, MEMBER, "delete_issue", json!({ "issue": "PAY-3" }));
    refusal(&tracker, MEMBER, "update_issue", json!({ "issue": "PAY-3", "title": "x", "assignee": "nobody-here" }));
    refusal(&tracker, MEMBER, "update_issue", json!({ "issue": "PAY-3", "title": "x", "milestone": "APP-M1" }));
    assert_eq!(answer(&tracker, ADMIN, "get_issue", json!({ "issue": "PAY-3" })), before);
}

#[test]
fn a_new_role_counts_from_the_next_call() {
    let tracker = Tracker::new();
    let comment = json!({ "issue": "PAY-3", "body": "Hello" });
    assert_eq!(refusal(&tracker, VIEWER, "add_comment", comment.clone()).code(), "forbidden");
    answer(&tracker, ADMIN, "set_user_role", json!({ "user": VIEWER, "role": "member" }));
    assert_eq!(answer(&tracker, VIEWER, "add_comment", comment)["author"], VIEWER);
}

#[test]
fn members_delete_only_their_own_comments() {
    let tracker = Tracker::new();
    let id = answer(&tracker, MEMBER, "add_comment", json!({ "issue": "PAY-3", "body": "Hello" }))["id"].clone();
    let error = refusal(&tracker, "hana", "delete_comment", json!({ "comment": id }));
    assert_eq!(error.to_string(), "`hana` is a member and may not delete a comment of `chen`: ask an admin");
    answer(&tracker, MEMBER, "delete_comment", json!({ "comment": id }));
    assert_eq!(refusal(&tracker, ADMIN, "delete_comment", json!({ "comment": id })).code(), "not_found");
}

#[test]
fn viewers_cannot_tell_a_restricted_project_from_none() {
    let tracker = Tracker::new();
    assert_eq!(answer(&tracker, MEMBER, "get_project", json!({ "project": "SEC" }))["project"]["visibility"], "restricted");
    for (tool, hidden, absent) in [
        ("get_project", json!({ "project": "SEC" }), json!({ "project": "NONE" })),
        ("list_issues", json!({ "project": "SEC" }), json!({ "project": "NONE" })),
        ("get_issue", json!({ "issue": "SEC-1" }), json!({ "issue": "NONE-1" })),
        ("list_comments", json!({ "issue": "SEC-1" }), json!({ "issue": "NONE-1" })),
        ("list_issue_events", json!({ "issue": "SEC-1" }), json!({ "issue": "NONE-1" })),
        ("export_issue_markdown", json!({ "issue": "SEC-1" }), json!({ "issue": "NONE-1" })),
        ("milestone_report", json!({ "milestone": "SEC-M1" }), json!({ "milestone": "NONE-M1" })),
        ("issues_by_assignee_report", json!({ "project": "SEC" }), json!({ "project": "NONE" })),
    ] {
        let (hidden, absent) = (refusal(&tracker, VIEWER, tool, hidden), refusal(&tracker, VIEWER, tool, absent));
        assert_eq!(hidden.to_string().replace("SEC", "NONE"), absent.to_string(), "{tool}");
    }
    let text = all_items(&tracker, VIEWER, "search_issues", json!({ "condition": { "all": [] } }));
    assert!(text.iter().all(|issue| issue["project"] != "SEC"));
    for listing in ["list_projects", "list_milestones"] {
        assert!(!json!(all_items(&tracker, VIEWER, listing, json!({}))).to_string().contains("SEC"), "{listing}");
        assert!(json!(all_items(&tracker, MEMBER, listing, json!({}))).to_string().contains("SEC"), "{listing}");
    }
}

/// The ids that a condition finds, and that `issue` meets it as `expected` says for all of them and for no other.
#[track_caller]
fn check_condition(condition: Value, expected: impl Fn(&Value) -> bool) {
    let tracker = Tracker::new();
    let everything = all_items(&tracker, ADMIN, "search_issues", json!({ "condition": { "all": [] } }));
    let found = all_items(&tracker, ADMIN, "search_issues", json!({ "condition": condition }));
    let wanted: Vec<&Value> = everything.iter().filter(|issue| expected(issue)).collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), wanted);
    assert!(!found.is_empty() && found.len() < everything.len(), "this condition shows nothing");
}

#[test]
fn conditions_find_exactly_what_meets_them() {
    check_condition(json!({ "state": ["open", "in_progress"] }), |issue| issue["state"] != "closed");
    check_condition(json!({ "assignee": null }), |issue| issue["assignee"].is_null());
    check_condition(json!({ "priority_at_least": "high" }), |issue| ["high", "urgent"].iter().any(|p| issue["priority"] == *p));
    check_condition(json!({ "text": "REFUND deposit" }), |issue| {
        let text = format!("{} {}", issue["title"], issue["body"]).to_lowercase();
        text.contains("refund") && text.contains("deposit")
    });
    check_condition(json!({ "closed_at": { "from": "2026-06-01T00:00:00Z", "before": "2026-07-01T00:00:00Z" } }), |issue| {
        issue["closed_at"].as_str().is_some_and(|time| time.starts_with("2026-06"))
    });
    check_condition(
        json!({ "all": [{ "not": { "project": "APP" } }, { "any": [{ "label": "legal" }, { "label": "waiting" }] }] }),
        |issue| {
            let labels = issue["labels"].as_array().unwrap();
            issue["project"] != "APP" && (labels.contains(&json!("legal")) || labels.contains(&json!("waiting")))
        },
    );
}

#[test]
fn a_condition_may_be_eight_deep_and_no_deeper() {
    let nested = |levels: usize| (1..levels).fold(json!({ "kind": "bug" }), |inner, _| json!({ "not": inner }));
    let tracker = Tracker::new();
    answer(&tracker, ADMIN, "search_issues", json!({ "condition": nested(8) }));
    let error = refusal(&tracker, ADMIN, "search_issues", json!({ "condition": nested(9) }));
    assert_eq!(
        error.to_string(),
        "invalid arguments for `search_issues`: `condition` is 9 deep: 8 is the limit, put it more flatly"
    );
}

#[test]
fn fields_of_a_listing_all_have_to_match_and_it_is_sorted() {
    let tracker = Tracker::new();
    let arguments =
        json!({ "project": "APP", "state": "open", "assignee": "none", "sort": "created", "direction": "ascending" });
    let items = all_items(&tracker, ADMIN, "list_issues", arguments);
    assert!(items.len() > 2);
    assert!(items.iter().all(|i| i["project"] == "APP" && i["state"] == "open" && i["assignee"].is_null()));
    assert!(items.is_sorted_by_key(|issue| issue["created_at"].as_str().unwrap()));
}

#[test]
fn pages_of_all_issues_give_each_once() {
    let tracker = Tracker::new();
    let items = all_items(&tracker, ADMIN, "list_issues", json!({}));
    let ids: BTreeSet<&str> = items.iter().map(|issue| issue["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), items.len());
    assert_eq!(answer(&tracker, ADMIN, "get_workspace", json!({}))["issues"], items.len());
}

#[test]
fn a_cursor_serves_neither_other_arguments_nor_other_users() {
    let tracker = Tracker::new();
    let cursor = answer(&tracker, ADMIN, "list_issues", json!({ "state": "open" }))["next_cursor"].clone();
    answer(&tracker, ADMIN, "list_issues", json!({ "cursor": cursor, "state": "open", "limit": 5 }));
    let other_arguments = json!({ "cursor": cursor, "state": "closed" });
    assert_eq!(refusal(&tracker, ADMIN, "list_issues", other_arguments).code(), "invalid_arguments");
    let other_user = json!({ "cursor": cursor, "state": "open" });
    assert_eq!(refusal(&tracker, MEMBER, "list_issues", other_user).code(), "invalid_arguments");
}

#[track_caller]
fn check_refusal(tool: &str, arguments: Value, expected: &str) {
    assert_eq!(refusal(&Tracker::new(), ADMIN, tool, arguments).to_string(), expected);
}

#[test]
fn refusals_name_the_way_out() {
    check_refusal("close_isue", json!({}), "unknown tool `close_isue`: `tools/list` names all tools");
    check_refusal(
        "get_issue",
        json!({ "issue": "PAY-9999" }),
        "no issue `PAY-9999`: `search_issues` finds the issues that you may see",
    );
    check_refusal("get_issue", json!({}), "invalid arguments for `get_issue`: missing field `issue`");
    check_refusal(
        "get_issue",
        json!({ "issue": "pay 9" }),
        "invalid arguments for `get_issue`: `pay 9` is not an issue id: write it like `PAY-12`",
    );
    check_refusal(
        "list_issues",
        json!({ "state": "opened" }),
        "invalid arguments for `list_issues`: unknown variant `opened`, expected one of `open`, `in_progress`, `closed`",
    );
    check_refusal(
        "list_issues",
        json!({ "limit": 101 }),
        "invalid arguments for `list_issues`: at `/limit`: 101 is greater than the maximum of 100",
    );
    check_refusal(
        "close_issue",
        json!({ "issue": "PAY-1", "reason": "duplicate" }),
        "invalid arguments for `close_issue`: `duplicate_of` belongs to reason `duplicate`: give both or neither",
    );
    check_refusal(
        "create_issue",
        json!({ "project": "PAY", "title": "x", "assignee": "mara" }),
        "`mara` has left: choose an active user",
    );
    check_refusal(
        "throughput_report",
        json!({ "from": "2026-02-01", "to": "2026-01-01", "interval": "week" }),
        "invalid arguments for `throughput_report`: `to` 2026-01-01 lies before `from` 2026-02-01: exchange them",
    );
}

#[test]
fn an_archived_project_is_read_but_not_written() {
    let tracker = Tracker::new();
    answer(&tracker, ADMIN, "archive_project", json!({ "project": "DATA" }));
    answer(&tracker, ADMIN, "get_issue", json!({ "issue": "DATA-1" }));
    for (tool, arguments) in [
        ("create_issue", json!({ "project": "DATA", "title": "x" })),
        ("add_comment", json!({ "issue": "DATA-1", "body": "x" })),
        ("delete_issue", json!({ "issue": "DATA-1" })),
        ("create_milestone", json!({ "project": "DATA", "title": "x", "due_on": "2027-01-01" })),
    ] {
        assert_eq!(refusal(&tracker, ADMIN, tool, arguments).to_string(), "project `DATA` is archived and accepts no changes");
    }
}

#[test]
fn null_clears_a_field_and_absence_keeps_it() {
    let tracker = Tracker::new();
    let set = json!({ "issue": "PAY-3", "assignee": "goran", "estimate_hours": 3.5 });
    answer(&tracker, MEMBER, "update_issue", set);
    let issue = answer(&tracker, MEMBER, "update_issue", json!({ "issue": "PAY-3", "assignee": null }));
    assert_eq!((&issue["assignee"], &issue["estimate_hours"]), (&Value::Null, &json!(3.5)));
}

#[test]
fn a_deleted_issue_leaves_nothing_behind() {
    let tracker = Tracker::new();
    answer(&tracker, MEMBER, "link_issues", json!({ "issue": "PAY-3", "relation": "blocks", "other": "PAY-4" }));
    answer(&tracker, ADMIN, "delete_issue", json!({ "issue": "PAY-3" }));
    let other = answer(&tracker, ADMIN, "get_issue", json!({ "issue": "PAY-4" }));
    assert!(other["links"].as_array().unwrap().iter().all(|link| link["issue"] != "PAY-3"));
    assert_eq!(refusal(&tracker, ADMIN, "list_comments", json!({ "issue": "PAY-3" })).code(), "not_found");
    let count = answer(&tracker, ADMIN, "list_issues", json!({ "project": "PAY" }))["total"].as_u64().unwrap();
    let next = answer(&tracker, MEMBER, "create_issue", json!({ "project": "PAY", "title": "x" }));
    assert_eq!(next["id"], format!("PAY-{}", count + 2));
}

#[test]
fn reports_agree_with_the_issues_they_sum_up() {
    let tracker = Tracker::new();
    let condition = json!({ "not": { "state": ["closed"] } });
    let unfinished = answer(&tracker, VIEWER, "count_issues", json!({ "condition": condition, "group_by": "assignee" }));
    let report = answer(&tracker, VIEWER, "issues_by_assignee_report", json!({}));
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), unfinished["groups"].as_array().unwrap().len());
    let sum: u64 = rows.iter().map(|row| row["open"].as_u64().unwrap() + row["in_progress"].as_u64().unwrap()).sum();
    assert_eq!(unfinished["total"], sum);

    let arguments = json!({ "from": "2025-01-01", "to": "2026-11-20", "interval": "month" });
    let throughput = answer(&tracker, VIEWER, "throughput_report", arguments);
    assert_eq!(throughput["opened"], answer(&tracker, VIEWER, "get_workspace", json!({}))["issues"]);
}

#[test]
fn equal_trackers_answer_equally() {
    let (one, two) = (Tracker::new(), Tracker::new());
    for (name, arguments) in one_call_of_each() {
        assert_eq!(one.call(ADMIN, name, arguments.clone()).unwrap(), two.call(ADMIN, name, arguments).unwrap(), "{name}");
    }
}

#[test]
fn seeded_rows_keep_the_rules_that_the_tools_keep() {
    let tracker = Tracker::new();
    for issue in all_items(&tracker, ADMIN, "search_issues", json!({ "condition": { "all": [] } })) {
        let closed = issue["state"] == "closed";
        assert_eq!(closed, !issue["closed_at"].is_null(), "{issue}");
        assert_eq!(closed, !issue["close_reason"].is_null(), "{issue}");
        let duplicates = issue["links"].as_array().unwrap().iter().any(|link| link["relation"] == "duplicates");
        assert_eq!(duplicates, issue["close_reason"] == "duplicate", "{issue}");
        assert!(issue["created_at"].as_str() <= issue["updated_at"].as_str(), "{issue}");
        let comments = all_items(&tracker, ADMIN, "list_comments", json!({ "issue": issue["id"] }));
        assert_eq!(issue["comment_count"], comments.len(), "{issue}");
    }
    for milestone in all_items(&tracker, ADMIN, "list_milestones", json!({ "state": "closed" })) {
        let report = answer(&tracker, ADMIN, "milestone_report", json!({ "milestone": milestone["id"] }));
        assert_eq!(report["unfinished"], json!([]), "{milestone}");
    }
}

#[tokio::test]
async fn the_mcp_face_answers_as_the_tracker_does() {
    let tracker = Arc::new(Tracker::new());
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = tokio::spawn(TrackerServer::new(tracker.clone(), VIEWER).unwrap().serve(theirs));
    let client = ().serve(ours).await.unwrap();
    let _server = server.await.unwrap().unwrap();

    let names: Vec<_> = client.list_all_tools().await.unwrap().into_iter().map(|tool| tool.name).collect();
    assert_eq!(names, TOOLS.iter().map(|tool| tool.name).collect::<Vec<_>>());

    let request =
        |tool, arguments: Value| CallToolRequestParams::new(tool).with_arguments(arguments.as_object().unwrap().clone());
    let page = client.call_tool(request("list_issues", json!({ "limit": 2 }))).await.unwrap();
    assert_eq!(page.structured_content, Some(answer(&tracker, VIEWER, "list_issues", json!({ "limit": 2 }))));

    let refused = client.call_tool(request("delete_issue", json!({ "issue": "PAY-1" }))).await.unwrap();
    assert_eq!(refused.is_error, Some(true));
    let expected = refusal(&tracker, VIEWER, "delete_issue", json!({ "issue": "PAY-1" })).to_string();
    assert_eq!(refused.content[0].as_text().unwrap().text, expected);

    let unknown = client.call_tool(request("delete_everything", json!({}))).await.unwrap_err();
    let ServiceError::McpError(error) = unknown else { panic!("{unknown}") };
    assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
}

#[test]
fn the_mcp_face_refuses_a_user_that_nobody_knows() {
    let error = TrackerServer::new(Arc::new(Tracker::new()), "zed").unwrap_err();
    assert_eq!(error.to_string(), "no user `zed`: `list_users` lists all users");
}
