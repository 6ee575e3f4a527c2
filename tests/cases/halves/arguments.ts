const half = "\u{1F600}"[0];
const answer = await test.echo({ value: { text: half + "a", [half]: 1, list: ["\udc00", "\u{1F600}"] } });
return answer;
