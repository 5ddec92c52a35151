/** comlink has no `exports` map: its ES modules are imported by path, and these are their types. */
declare module 'comlink/dist/esm/comlink.mjs' {
  export { expose, transfer, wrap } from 'comlink';
  export type { Remote } from 'comlink';
}
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Endpoint } from 'comlink';
  import type { MessagePort, Worker } from 'node:worker_threads';
  export default function nodeEndpoint(port: MessagePort | Worker): Endpoint;
}
