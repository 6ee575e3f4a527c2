```typescript
const { sum } = await test.add({ a: 1, b: 2 });
return sum;
```
