//! class: arguments
//! kind: faulty
//! like: qwen
//! servers: github
//! fault: a number in quotes: strings are not turned into numbers
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["issue_number", "number", "12"]
//! calls: []
//! repair: program
//! ----
const me = await github.search_users({ q: "mona" });
const updated = await github.update_issue({ owner: "acme", repo: "web", issue_number: "12", state: "closed" });
return { by: me.items[0].login, state: updated.state };
