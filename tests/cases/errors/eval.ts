return [typeof eval, (() => { try { return eval("1") } catch (e) { return e.name } })(), (() => { try { return new Function("return 1")() } catch (e) { return e.name } })()];
