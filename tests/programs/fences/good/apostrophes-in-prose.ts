//! class: fences
//! kind: good
//! like: gpt
//! servers: github
//! looks: typographic apostrophes in a comment and in a template
//! verdict: runs
//! value: "Mona’s: 12, 21"
//! notes: none
//! calls: ["github.list_issues"]
//! ----
// Mona’s issues — we don’t want the closed ones
const issues = await github.list_issues({ owner: 'acme', repo: 'web', state: 'open' });
const hers = issues.filter(i => i.user.login === 'mona');
return `Mona’s: ${hers.map(i => i.number).join(', ')}`;
