//! wall_ms_max: 200
// The microtask queue never drains: only a kill from outside can end this.
for (;;) await null;
