//! class: values
//! kind: repaired
//! servers: notion
//! repairs: not-a-number
//! verdict: runs
//! value: {"blocked": 0, "average": null}
//! notes: none
//! calls: ["notion.API-query-data-source"]
//! ----
const { results } = await notion.API_query_data_source({ data_source_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000910" });
const open = results.filter((page) => page.properties.Status.status.name === "Blocked");
const points = open.map((page) => page.properties.Points.number);
return { blocked: open.length, average: points.length ? points.reduce((a, b) => a + b, 0) / points.length : null };
