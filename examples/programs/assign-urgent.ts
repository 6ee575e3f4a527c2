// For whoever is on call: every urgent issue that nobody works on goes to the lead of its project, with a comment that
// says why. Needs the right to write; what the tracker refuses is listed.

const { items: urgent } = await tracker.search_issues({
  condition: { all: [{ state: ["open"] }, { priority_at_least: "urgent" }, { assignee: null }] },
  limit: 100,
});
const { items: projects } = await tracker.list_projects({ limit: 100 });
const leads = new Map(projects.map((project) => [project.key, project.lead]));

const assigned: string[] = [];
const refused: { issue: string; to: string; why: string }[] = [];
for (const issue of urgent) {
  const to = leads.get(issue.project) ?? "";
  try {
    await tracker.update_issue({ issue: issue.id, assignee: to });
    await tracker.add_comment({ issue: issue.id, body: `Urgent and without an assignee: @${to}, please take it or pass it on.` });
    assigned.push(`${issue.id} to ${to}: ${issue.title}`);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    refused.push({ issue: issue.id, to, why: error.message });
  }
}
console.log(`${urgent.length} urgent issues had no assignee`);
return { assigned, refused };
