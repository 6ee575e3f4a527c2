const start = Date.now();
await new Promise((done) => setTimeout(done, 20));
const moved = Date.now() - start;
for (let i = 0; i < 1e5; i++);
return [moved >= 20, Date.now() - start === moved];
