// Bytes and base64 take a few times what the text does.
const text = "\u20ac\u{1F600}ab".repeat(300_000);
const ascii = "x".repeat(3_500_000);
return [new TextDecoder().decode(new TextEncoder().encode(text)) === text, atob(btoa(ascii)) === ascii, atob(" YWI=\n".repeat(1)), btoa("")];
