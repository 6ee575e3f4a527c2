// For whoever writes to customers when a release is out: release notes in Markdown for the last milestone of the rider
// app that was closed, in the order in which customers care.

const { items: milestones } = await tracker.list_milestones({ project: "APP", state: "closed", limit: 100 });
const milestone = milestones.at(-1);
if (milestone === undefined) return "No release of the rider app has been closed yet.";

const done: Awaited<ReturnType<typeof tracker.search_issues>>["items"] = [];
let cursor: string | null = null;
do {
  const page = await tracker.search_issues({ condition: { milestone: milestone.id }, limit: 100, cursor });
  done.push(...page.items.filter((issue) => issue.close_reason === "completed"));
  cursor = page.next_cursor;
} while (cursor !== null);

const rank = { urgent: 0, high: 1, medium: 2, low: 3 };
const section = (heading: string, kind: string, sentence: (title: string) => string): string[] => {
  const issues = done.filter((issue) => issue.kind === kind).sort((a, b) => rank[a.priority] - rank[b.priority]);
  if (issues.length === 0) return [];
  return [`## ${heading}`, "", ...issues.map((issue) => `* ${sentence(issue.title)} (${issue.id})`), ""];
};

const thanks = new Set(done.filter((issue) => issue.labels.includes("customer-report")).map((issue) => issue.id));
return [
  `# ${milestone.title}`,
  "",
  ...section("New", "feature", (title) => title),
  ...section("Fixed", "bug", (title) => `No longer: ${title[0].toLowerCase()}${title.slice(1)}`),
  ...section("Under the bonnet", "task", (title) => title),
  thanks.size > 0 ? `${thanks.size} of these came from customers. Thank you!` : "",
].join("\n").trim();
