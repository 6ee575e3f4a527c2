// For a head of operations who opens the Monday meeting: what moved in the last seven days, and what needs a decision.

const { now } = await tracker.get_workspace({});
const dayMs = 24 * 60 * 60 * 1000;
const weekAgo = new Date(Date.parse(now) - 7 * dayMs).toISOString();

type Condition = Parameters<typeof tracker.count_issues>[0]["condition"];
const count = async (condition: Condition): Promise<number> =>
  (await tracker.count_issues({ condition, group_by: "project" })).total;

const { items: projects } = await tracker.list_projects({ limit: 100 });
const rows = await Promise.all(
  projects.map(async ({ key, name }) => {
    const here = { project: key };
    const [opened, closed, unfinished, urgent] = await Promise.all([
      count({ all: [here, { created_at: { from: weekAgo } }] }),
      count({ all: [here, { closed_at: { from: weekAgo } }] }),
      count({ all: [here, { not: { state: ["closed"] } }] }),
      count({ all: [here, { not: { state: ["closed"] } }, { priority_at_least: "urgent" }] }),
    ]);
    return { project: `${name} (${key})`, opened, closed, unfinished, urgent };
  }),
);

const { items: milestones } = await tracker.list_milestones({ state: "open", limit: 100 });
const reports = await Promise.all(milestones.map(({ id }) => tracker.milestone_report({ milestone: id })));
const late = reports
  .filter((report) => report.late)
  .map((report) => `${report.milestone.title} was due on ${report.milestone.due_on}: ${report.unfinished.length} left`);

const waiting = await tracker.search_issues({
  condition: { all: [{ not: { state: ["closed"] } }, { priority_at_least: "urgent" }, { assignee: null }] },
  limit: 100,
});

return {
  week: `${weekAgo.slice(0, 10)} to ${now.slice(0, 10)}`,
  projects: rows.sort((a, b) => b.unfinished - a.unfinished),
  late_milestones: late,
  urgent_without_assignee: waiting.items.map((issue) => `${issue.id} ${issue.title}`),
};
