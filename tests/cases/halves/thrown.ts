const emoji = "\u{1F600}";
class Odd extends Error { name = "Odd" + emoji[1]; code = emoji[0] + "C"; }
throw new Odd("half " + emoji.slice(0, 1), { cause: new TypeError(emoji.slice(1) + emoji[0]) });
