// For a support lead who suspects that customers report the same bug twice: pairs of bugs of one project whose titles
// share most of their words, likeliest first. Compares every pair, which no one would do by hand.

const bugs = [];
let cursor: string | null = null;
do {
  const page = await tracker.list_issues({ kind: "bug", sort: "created", direction: "ascending", limit: 100, cursor });
  bugs.push(...page.items);
  cursor = page.next_cursor;
} while (cursor !== null);

const wordsOf = (title: string): Set<string> =>
  new Set(title.toLowerCase().split(/[^\p{L}\p{N}-]+/u).filter((word) => word.length > 2));

// A word that half of all titles have tells little; one that two titles have tells much.
const frequency = new Map<string, number>();
const entries = bugs.map((issue) => ({ issue, words: wordsOf(issue.title) }));
for (const { words } of entries) {
  for (const word of words) frequency.set(word, (frequency.get(word) ?? 0) + 1);
}
const weight = (words: Iterable<string>): number => {
  let sum = 0;
  for (const word of words) sum += Math.log(1 + bugs.length / (frequency.get(word) ?? 1));
  return sum;
};

const pairs: { likeness: number; first: string; second: string; known: boolean }[] = [];
for (let i = 0; i < entries.length; i++) {
  for (let j = i + 1; j < entries.length; j++) {
    const [a, b] = [entries[i], entries[j]];
    if (a.issue.project !== b.issue.project) continue;
    const shared = [...a.words].filter((word) => b.words.has(word));
    const likeness = weight(shared) / weight(new Set([...a.words, ...b.words]));
    if (likeness < 0.8) continue;
    const known = b.issue.links.some((link) => link.relation === "duplicates" && link.issue === a.issue.id);
    pairs.push({
      likeness: Math.round(likeness * 100) / 100,
      first: `${a.issue.id} [${a.issue.state}] ${a.issue.title}`,
      second: `${b.issue.id} [${b.issue.state}] ${b.issue.title}`,
      known,
    });
  }
}
pairs.sort((a, b) => b.likeness - a.likeness);
return {
  bugs_compared: bugs.length,
  already_linked: pairs.filter((pair) => pair.known).length,
  new_pairs: pairs.filter((pair) => !pair.known).map(({ known, ...pair }) => pair),
};
