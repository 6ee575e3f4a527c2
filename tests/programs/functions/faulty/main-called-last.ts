//! class: functions
//! kind: faulty
//! like: gpt
//! servers: notion
//! fault: `main()` as the last statement, neither awaited nor returned
//! verdict: noted
//! provable: no
//! value: ["Ada <ada@acme.example>"]
//! notes: ["return|value|expression"]
//! calls: ["notion.API-get-users"]
//! repair: unneeded
//! ----
async function main() {
  const users = await notion.API_get_users({});
  const people = users.results.filter((user) => user.type === "person");
  return people.map((user) => `${user.name} <${user.person.email}>`);
}

main();
