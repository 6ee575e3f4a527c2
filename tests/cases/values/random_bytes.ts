const random = (target: unknown) => { try { return crypto.getRandomValues(target as Uint8Array) === target } catch (error) { return `${error.name}: ${error.message}` } };
return [random(new Uint8Array(4)), random(new Uint32Array(2)), random([0, 0]), random(4), random(undefined), random({ length: 2 }), random(new Uint8Array(65_537))];
