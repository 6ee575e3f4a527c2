// For a colleague in the first week: what the projects are, whom to ask, and small issues to start with.

const [me, { items: projects }, { items: users }] = await Promise.all([
  tracker.get_current_user({}),
  tracker.list_projects({ limit: 100 }),
  tracker.list_users({ active: true, limit: 100 }),
]);
const nameOf = new Map(users.map((user) => [user.handle, user.name]));

const starters = await tracker.search_issues({
  condition: { all: [{ state: ["open"] }, { label: "good-first-issue" }, { not: { priority_at_least: "urgent" } }] },
  limit: 100,
});

const digest = await Promise.all(
  projects.map(async (project) => {
    const condition = { all: [{ project: project.key }, { state: ["closed" as const] }] };
    const [summary, { groups }] = await Promise.all([
      tracker.get_project({ project: project.key }),
      tracker.count_issues({ condition, group_by: "assignee" }),
    ]);
    const experts = groups.filter((group) => group.value !== null && nameOf.has(group.value)).slice(0, 2);
    return {
      project: `${project.name} (${project.key}): ${project.description}`,
      lead: nameOf.get(project.lead) ?? `${project.lead} has left; ask an admin`,
      unfinished: summary.issues.open + summary.issues.in_progress,
      closed_most: experts.map((group) => `${nameOf.get(group.value as string)} (${group.issues})`),
      start_with: starters.items.filter((issue) => issue.project === project.key).map((issue) => `${issue.id} ${issue.title}`),
    };
  }),
);
return { welcome: me.name, you_are: me.role, projects: digest };
