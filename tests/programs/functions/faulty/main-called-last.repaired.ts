//! class: functions
//! kind: repaired
//! servers: notion
//! repairs: main-called-last
//! verdict: runs
//! value: ["Ada <ada@acme.example>"]
//! notes: none
//! calls: ["notion.API-get-users"]
//! ----
async function main() {
  const users = await notion.API_get_users({});
  const people = users.results.filter((user) => user.type === "person");
  return people.map((user) => `${user.name} <${user.person.email}>`);
}

return await main();
