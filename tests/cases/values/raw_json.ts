const far = JSON.rawJSON("1e999");
const answer = await test.echo({ value: [far, JSON.rawJSON("-1E+400")] });
const long = JSON.rawJSON("9".repeat(400));
return { far, long, near: JSON.rawJSON("1e308"), digits: JSON.rawJSON("12345678901234567890"), text: JSON.stringify([far]), is: JSON.isRawJSON(far), answer, most: Number.MAX_VALUE, least: Number.MIN_VALUE };
