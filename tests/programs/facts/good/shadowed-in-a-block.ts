//! class: facts
//! kind: good
//! like: claude
//! servers: notion
//! looks: a variable in a block with the namespace's name and other methods, called by position
//! verdict: runs
//! value: ["Write the release notes: 3", "Book the venue: 1", "Order stickers: 0"]
//! notes: none
//! calls: ["notion.API-post-search"]
//! ----
const pages = await notion.API_post_search({ query: "" });
const summary = [];
for (const page of pages.results) {
  const notion = { name: () => page.properties.Name.title[0].plain_text, points: (fallback) => page.properties.Points.number ?? fallback };
  summary.push(`${notion.name()}: ${notion.points(0)}`);
}
return summary;
