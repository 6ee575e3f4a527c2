Promise.reject(new Error("nobody looks"));
return "fine";
