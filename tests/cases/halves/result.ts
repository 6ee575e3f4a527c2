const half = "\u{1F600}"[0];
return { half, [half + "key"]: [half + half, "\udfff\ud800"], whole: "\u{1F600}", text: "\\ud83d", json: JSON.stringify(half), raw: JSON.rawJSON('"\\ud83d\\ude00 \\uD83D"') };
