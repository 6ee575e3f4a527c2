//! class: promises
//! kind: good
//! like: gpt
//! servers: playwright
//! looks: a race that the timer wins: its value stays, whatever becomes of the call
//! verdict: runs
//! value: "timed out"
//! notes: any
//! calls: ["playwright.browser_wait_for"]
//! ----
const timeout = new Promise((resolve) => setTimeout(() => resolve("timed out"), 20));
const winner = await Promise.race([playwright.browser_wait_for({ text: "Thank you" }), timeout]);
return winner;
