//! class: functions
//! kind: good
//! servers: github
//! verdict: runs
//! value: 0
//! notes: none
//! calls: ["github.list_issues", "github.list_issues"]
//! ----
async function* pages() {
  for (let page = 1; page <= 2; page += 1) {
    yield await github.list_issues({ owner: "acme", repo: "empty", page });
  }
}
let count = 0;
for await (const issues of pages()) count += issues.length;
return count;
