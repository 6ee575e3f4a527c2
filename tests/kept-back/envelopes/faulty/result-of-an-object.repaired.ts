//! class: envelopes
//! kind: repaired
//! servers: notion
//! repairs: result-of-an-object
//! verdict: runs
//! value: "Sync bot"
//! notes: none
//! calls: ["notion.API-get-self"]
//! ----
const response = await notion.API_get_self({});
return response.name;
