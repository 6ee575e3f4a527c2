//! class: values
//! kind: faulty
//! like: gpt
//! servers: notion
//! fault: the average of nothing: JSON has no `NaN`
//! verdict: noted
//! provable: no
//! value: {"blocked": 0, "average": null}
//! notes: ["NaN"]
//! calls: ["notion.API-query-data-source"]
//! repair: unneeded
//! ----
const { results } = await notion.API_query_data_source({ data_source_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000910" });
const open = results.filter((page) => page.properties.Status.status.name === "Blocked");
const points = open.map((page) => page.properties.Points.number);
return { blocked: open.length, average: points.reduce((a, b) => a + b, 0) / points.length };
