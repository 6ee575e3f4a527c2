// For an engineering manager before the planning meeting: who has too much, who has room, and which issues could move.
// Moves issues only to people who have closed something in the same project before.

const report = await tracker.issues_by_assignee_report({});
const { items: users } = await tracker.list_users({ active: true, limit: 100 });
const able = new Set(users.filter((user) => user.role !== "viewer").map((user) => user.handle));

const load = new Map<string, number>();
for (const handle of able) load.set(handle, 0);
for (const row of report.rows) {
  if (row.assignee !== null && able.has(row.assignee)) load.set(row.assignee, row.open + row.in_progress);
}
// People who carry nothing at all do other work than issues.
for (const [handle, issues] of load) if (issues === 0) load.delete(handle);
const mean = [...load.values()].reduce((sum, issues) => sum + issues, 0) / load.size;

const experienced = new Map<string, Set<string>>();
const { items: projects } = await tracker.list_projects({ limit: 100 });
await Promise.all(
  projects.map(async ({ key }) => {
    const closed = { all: [{ project: key }, { state: ["closed" as const] }] };
    const { groups } = await tracker.count_issues({ condition: closed, group_by: "assignee" });
    experienced.set(key, new Set(groups.filter((group) => group.value !== null).map((group) => group.value as string)));
  }),
);

const moves: string[] = [];
const overloaded = [...load.keys()].filter((handle) => (load.get(handle) ?? 0) > mean * 1.25);
for (const handle of overloaded) {
  // What is only planned is easier to hand over than what somebody has begun.
  const { items } = await tracker.list_issues({ assignee: handle, state: "open", sort: "updated", direction: "ascending", limit: 100 });
  for (const issue of items) {
    if ((load.get(handle) ?? 0) <= mean * 1.1) break;
    const candidates = [...(experienced.get(issue.project) ?? [])].filter((other) => (load.get(other) ?? Infinity) < mean);
    const taker = candidates.sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0))[0];
    if (taker === undefined) continue;
    load.set(handle, (load.get(handle) ?? 0) - 1);
    load.set(taker, (load.get(taker) ?? 0) + 1);
    moves.push(`${issue.id} from ${handle} to ${taker}: ${issue.title}`);
  }
}

return {
  mean_issues: Math.round(mean * 10) / 10,
  unassigned: report.rows.find((row) => row.assignee === null)?.open ?? 0,
  overloaded,
  moves,
  load_after: Object.fromEntries([...load].sort((a, b) => b[1] - a[1])),
};
