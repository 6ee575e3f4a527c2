One:

```ts
return (await test.add({ a: 1, b: 2 })).sum;
```

Two:

```ts
return (await test.add({ a: 3, b: 4 })).sum;
```
