//! class: facts
//! kind: good
//! like: gemini
//! servers: github
//! looks: wrong calls and missing globals in a function that is not called
//! verdict: runs
//! value: "Login fails on Safari"
//! notes: any
//! calls: ["github.list_issues"]
//! ----
const onEmpty = async () => {
  await github.create_issue({ title: "Nothing to do" } as any);
  process.exit(0);
};
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if (!issues.length) await onEmpty();
return issues[0].title;
