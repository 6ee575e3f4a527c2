//! class: fences
//! kind: good
//! like: gemini
//! servers: github
//! looks: fences in comments
//! verdict: runs
//! value: {"bug": 2, "feature": 1, "urgent": 1}
//! notes: none
//! calls: ["github.list_issues"]
//! ----
/**
 * Counts the open issues by label. Example:
 *
 * ```ts
 * { bug: 2, feature: 1 }
 * ```
 */
// ```
const counts: Record<string, number> = {};
for (const issue of await github.list_issues({ owner: "acme", repo: "web" })) {
  for (const label of issue.labels) counts[label.name] = (counts[label.name] ?? 0) + 1;
}
return counts;
