return "half an emoji: \u{1F600}".slice(0, -1);
