//! class: names
//! kind: good
//! like: claude
//! servers: notion
//! looks: the server's own name, in brackets: it works as a property too
//! verdict: runs
//! value: "Ada"
//! notes: none
//! calls: ["notion.API-get-user"]
//! ----
const user = await notion["API-get-user"]({ user_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000501" });
return user.name;
