//! class: promises
//! kind: faulty
//! like: llama
//! servers: github
//! fault: `await` is missing: the member of a promise is `undefined`
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["not awaited|await", "github.list_pull_requests", "returned nothing"]
//! calls: ["github.list_pull_requests"]
//! repair: program
//! ----
const pulls = github.list_pull_requests({ owner: "acme", repo: "web", state: "open" });
return pulls.length;
