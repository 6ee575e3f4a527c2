// For a product owner with half an hour to tidy up: issues that nobody has touched for ninety days, with what to do
// about each. Nothing is changed; the answer is a list to go through.

const { now } = await tracker.get_workspace({});
const dayMs = 24 * 60 * 60 * 1000;
const restingDays = (time: string): number => Math.floor((Date.parse(now) - Date.parse(time)) / dayMs);

const condition = {
  all: [
    { not: { state: ["closed" as const] } },
    { updated_at: { before: new Date(Date.parse(now) - 90 * dayMs).toISOString() } },
  ],
};
const stale: Awaited<ReturnType<typeof tracker.search_issues>>["items"] = [];
let cursor: string | null = null;
do {
  const page = await tracker.search_issues({ condition, limit: 100, cursor });
  stale.push(...page.items);
  cursor = page.next_cursor;
} while (cursor !== null);

const gone = new Set<string>();
const { items: former } = await tracker.list_users({ active: false, limit: 100 });
for (const user of former) gone.add(user.handle);

type Advice = "ask the assignee" | "find a new assignee" | "decide: do it or drop it" | "close as not planned";
const advise = (issue: (typeof stale)[number]): Advice => {
  if (issue.assignee !== null && gone.has(issue.assignee)) return "find a new assignee";
  if (issue.state === "in_progress") return "ask the assignee";
  if (issue.priority === "high" || issue.priority === "urgent") return "decide: do it or drop it";
  return issue.comment_count === 0 || issue.priority === "low" ? "close as not planned" : "decide: do it or drop it";
};

const byAdvice: Record<string, string[]> = {};
for (const issue of stale.sort((a, b) => a.updated_at.localeCompare(b.updated_at))) {
  const who = issue.assignee ?? "nobody";
  (byAdvice[advise(issue)] ??= []).push(`${issue.id} (${restingDays(issue.updated_at)} days, ${who}): ${issue.title}`);
}
return { stale: stale.length, ...byAdvice };
