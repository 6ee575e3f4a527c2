```ts
}); console.log("out"); (async () => {
```
