/** Bytes that a browser saves: written piece by piece as they are taken, ended when nobody takes them any more. Knows no format. */
import { nextTurn } from './next-turn.ts';
import type { ViewerClock } from './ports.ts';

type Piece = string | Uint8Array;

/** A browser that asks for nothing for so long has gone. */
const idleMs = 60_000;
/** Small pieces are sent together. */
const chunkBytes = 64 * 1024;

/**
 * The body of an answer. The first piece is made before there is a body, so that where there is nothing to send the refusal is an answer of its own; `ended` is called once, however it ends.
 * Between two chunks everybody else has a turn.
 */
export async function downloadOf(pieces: AsyncIterable<Piece>, clock: ViewerClock, ended: () => void): Promise<ReadableStream<Uint8Array>> {
  const source = gathered(pieces);
  let first: IteratorResult<Uint8Array, void> | null = await source.next().catch((error: unknown) => {
    ended();
    throw error;
  });
  let recall = (): void => undefined;
  let isOver = false;
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    recall();
    ended();
  };
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => watch(controller),
      pull: async (controller) => {
        recall();
        try {
          const next = first ?? (await source.next());
          first = null;
          if (next.done === true) {
            controller.close();
            finish();
            return;
          }
          controller.enqueue(next.value);
          watch(controller);
        } catch (error) {
          finish();
          controller.error(error);
        }
        await nextTurn();
      },
      cancel: async () => {
        finish();
        await source.return();
      },
    },
    { highWaterMark: 1 },
  );

  function watch(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (isOver) return;
    recall = clock.after(idleMs, () => {
      finish();
      controller.error(new Error(`nobody took the file for ${idleMs / 1000} s`));
      void source.return();
    });
  }
}

async function* gathered(pieces: AsyncIterable<Piece>): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    const encoded = typeof piece === 'string' ? encoder.encode(piece) : piece;
    held.push(encoded);
    bytes += encoded.length;
    if (bytes < chunkBytes) continue;
    yield Buffer.concat(held);
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(held);
}
