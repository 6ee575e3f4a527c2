let deep: unknown = 1;
for (let i = 0; i < 200; i++) deep = [deep];
return deep;
