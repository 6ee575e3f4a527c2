//! class: names
//! kind: repaired
//! servers: notion
//! repairs: hyphens-as-operators
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["notion.API-get-users"]
//! ----
const users = await notion.API_get_users({});
return users.results.length;
