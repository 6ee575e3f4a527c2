//! buffer_bytes_max: 8388608
const whole = new ArrayBuffer(8 * 1024 * 1024);
try {
  new ArrayBuffer(4096);
} catch (error) {
  return [whole.byteLength, error.name];
}
