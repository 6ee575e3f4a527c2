// A listener that adds listeners is no loop.
const controller = new AbortController();
let heard = 0;
const listen = () => { heard++; controller.signal.addEventListener("abort", listen) };
listen();
controller.abort();
return heard;
