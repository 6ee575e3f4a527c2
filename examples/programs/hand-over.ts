// For an admin after somebody has left: projects that people who left still lead go to the active person who closed
// most of their issues, and issues still in their hands are listed. Needs the right to transfer projects.

const { items: former } = await tracker.list_users({ active: false, limit: 100 });
const { items: active } = await tracker.list_users({ active: true, limit: 100 });
const canLead = new Set(active.filter((user) => user.role !== "viewer").map((user) => user.handle));
const gone = new Set(former.map((user) => user.handle));

const { items: projects } = await tracker.list_projects({ limit: 100 });
const transfers: string[] = [];
for (const project of projects.filter((project) => gone.has(project.lead))) {
  const { groups } = await tracker.count_issues({
    condition: { all: [{ project: project.key }, { state: ["closed"] }] },
    group_by: "assignee",
  });
  const heir = groups.find((group) => group.value !== null && canLead.has(group.value))?.value;
  if (heir === undefined || heir === null) {
    transfers.push(`${project.key}: nobody who is still here has closed an issue of it`);
    continue;
  }
  const moved = await tracker.transfer_project({ project: project.key, lead: heir });
  transfers.push(`${project.key}: from ${project.lead} to ${moved.lead}`);
}

const inTheirHands = await Promise.all(
  former.map(async ({ handle }) => {
    const condition = { all: [{ assignee: handle }, { not: { state: ["closed" as const] } }] };
    const { items } = await tracker.search_issues({ condition, limit: 100 });
    return items.map((issue) => `${issue.id} (${handle}): ${issue.title}`);
  }),
);
return { left: [...gone], transfers, unfinished_issues_of_people_who_left: inTheirHands.flat() };
