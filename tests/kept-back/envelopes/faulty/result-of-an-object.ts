//! class: envelopes
//! kind: faulty
//! servers: notion
//! fault: `.result` of a value that has none
//! verdict: fails
//! provable: no
//! at: [2]
//! calls: ["notion.API-get-self"]
//! repair: program
//! ----
const response = await notion.API_get_self({});
return response.result.name;
