//! class: envelopes
//! kind: faulty
//! servers: github
//! fault: the envelope is taken off where the call is made
//! verdict: fails
//! provable: no
//! calls: ["github.list_issues"]
//! repair: program
//! ----
return (await github.list_issues({ owner: "acme", repo: "web" })).data.length;
