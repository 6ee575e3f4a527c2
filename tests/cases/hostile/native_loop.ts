//! cpu_ms_max: 200
[].indexOf.call({ length: 2 ** 53 - 1 }, 1);
