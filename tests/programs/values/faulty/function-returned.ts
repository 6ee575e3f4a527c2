//! class: values
//! kind: faulty
//! like: qwen
//! servers: github
//! fault: returns the function instead of its value
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["returned nothing", "function"]
//! calls: []
//! repair: program
//! ----
const countOpen = async () => {
  const issues = await github.list_issues({ owner: "acme", repo: "web", state: "open" });
  return issues.length;
};
return countOpen;
