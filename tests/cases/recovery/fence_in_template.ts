const text = `# Usage

```js
await test.add({ a: 1, b: 2 });
```
`;
return text;
