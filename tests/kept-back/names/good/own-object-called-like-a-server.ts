//! class: names
//! kind: good
//! servers: github
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
async function load(github: { list: () => Promise<unknown[]> }) {
  return (await github.list()).length;
}
return await load({ list: () => github.list_issues({ owner: "acme", repo: "web" }) });
