//! class: values
//! kind: good
//! like: gpt
//! servers: notion
//! looks: `NaN` and `Infinity` that are used and do not get into the value
//! verdict: runs
//! value: {"average": 2, "best": 3}
//! notes: none
//! calls: ["notion.API-post-search"]
//! ----
const { results } = await notion.API_post_search({ query: "" });
const points = results.map((page) => page.properties.Points.number).filter(Number.isFinite);
const average = points.reduce((a, b) => a + b, 0) / points.length;
const best = Math.max(-Infinity, ...points);
return { average: Number.isNaN(average) ? null : average, best };
