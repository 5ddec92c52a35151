/** What a page may have done: one thing at a time, by whoever started the viewer. Who may ask is guard.ts's; this checks what is asked. */
import { Hono } from 'hono';
import { z } from 'zod';
import { TroupeFault } from '../errors.ts';
import type { ForkRequest, Refusal } from './contract.ts';
import type { ViewerPorts } from './ports.ts';

const Asked = z.strictObject({
  run: z.string().min(1).max(200),
  episode: z.string().min(1).max(200),
  turn: z.int().min(0),
  seed: z.int().min(0).optional(),
  version: z.int().min(0).optional(),
});

export function actions({ fork }: Pick<ViewerPorts, 'fork'>): Hono {
  const app = new Hono();
  let isBusy = false;
  app.post('/fork', async (context) => {
    if (fork === undefined)
      return context.json({ error: 'this viewer shows and does nothing: start it with the view command' } satisfies Refusal, 501);
    const read = Asked.safeParse(await context.req.json().catch(() => null));
    if (!read.success)
      return context.json(
        { error: `not a fork: ${read.error.issues[0]?.path.join('.')}: ${read.error.issues[0]?.message}` } satisfies Refusal,
        400,
      );
    if (isBusy) return context.json({ error: 'another fork is being played: wait for it to end' } satisfies Refusal, 409);
    isBusy = true;
    try {
      return context.json(await fork(read.data as ForkRequest));
    } catch (error) {
      if (!(error instanceof TroupeFault)) throw error;
      return context.json({ error: error.message } satisfies Refusal, 422);
    } finally {
      isBusy = false;
    }
  });
  return app;
}
