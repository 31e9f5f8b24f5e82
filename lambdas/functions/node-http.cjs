/**
 * `node:http` as bundles see it (see `lib/function/bundle.ts`). An ES module that imports `node:http` itself makes
 * Node read every export of it, and one of them, `WebSocket`, loads the whole of undici: 15 to 30 ms of a start.
 */
module.exports = process.getBuiltinModule('node:http');
