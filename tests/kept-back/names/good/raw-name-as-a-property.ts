//! class: names
//! kind: good
//! servers: notion
//! verdict: runs
//! value: "Ada"
//! notes: none
//! calls: ["notion.API-get-users"]
//! ----
const users = await notion["API-get-users"]({});
return users.results[0].name;
