//! console_lines_max: 3
for (let i = 0; i < 10; i++) console.log(i);
