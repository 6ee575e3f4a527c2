//! class: expressions
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: prints its answer and returns nothing: the lines come back, and the outcome says that there is no value
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["returned nothing"]
//! console: ["1 of 2 pull requests are drafts"]
//! calls: ["github.list_pull_requests"]
//! repair: unneeded
//! ----
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web" });
const drafts = pulls.filter((pull) => pull.draft);
console.log(`${drafts.length} of ${pulls.length} pull requests are drafts`);
