Here's the program:

```ts
const words: string[] = [];
await test.echo({ value: 1 }); throw new Error("no " + words.length);
```
