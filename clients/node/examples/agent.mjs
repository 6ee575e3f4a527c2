/** An agent of Vercel's AI SDK that writes programs, which run in Isolet: `node agent.mjs`. Its model is scripted; pass a real one as `model`. */
import * as ai from "ai";
import { MockLanguageModelV3 } from "ai/test";
import { Runtime, runCodeTool, tool } from "isolet";

const price = tool({
  name: "price",
  description: "The price of so many of an article, in euros.",
  inputSchema: { type: "object", properties: { article: { enum: ["tea", "milk"] }, count: { type: "integer" } }, required: ["article"] },
  call: ({ article, count = 1 }) => ({ tea: 4.5, milk: 1.25 })[article] * count,
});

/** Writes a program first, and then says what it has got. */
const model = new MockLanguageModelV3({
  doGenerate: async ({ prompt }) => {
    const { role, content } = prompt.at(-1);
    const program = "const all = await Promise.all([app.price({ article: 'tea' }), app.price({ article: 'milk', count: 4 })]); return all[0] + all[1]";
    const said =
      role === "tool"
        ? { type: "text", text: `It is ${JSON.parse(content[0].output.value).value} euros.` }
        : { type: "tool-call", toolCallId: "1", toolName: "run_code", input: JSON.stringify({ program }) };
    const reason = role === "tool" ? "stop" : "tool-calls";
    return { content: [said], finishReason: { unified: reason, raw: reason }, usage: { inputTokens: {}, outputTokens: {} }, warnings: [] };
  },
});

const runtime = await Runtime.start();
const tools = { run_code: await runCodeTool(ai, runtime.scope({ tools: [price] })) };
const { text } = await ai.generateText({ model, tools, stopWhen: ai.stepCountIs(3), prompt: "What do a tea and four milk cost?" });
console.log(text);
await runtime.close();
