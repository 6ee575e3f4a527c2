}); console.log("out"); (async () => {
