/** What a page may have done: one thing at a time, by whoever started the viewer. Who may ask is guard.ts's; this checks what is asked. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ForkRequest, Refusal } from './contract.ts';
import type { Forks } from './forks.ts';

const Asked = z.strictObject({
  run: z.string().min(1).max(200),
  episode: z.string().regex(/^\w[\w.-]{0,199}$/),
  turn: z.int().min(0),
  seed: z.int().min(0).optional(),
  version: z.int().min(0).optional(),
  set: z.array(z.string().min(1).max(200)).max(40).optional(),
});

/** `forks`: null where nothing can be played. */
export function actions(forks: Forks | null): Hono {
  const app = new Hono();
  app.post('/fork', async (context) => {
    if (forks === null)
      return context.json({ error: 'this viewer shows and does nothing: start it with the view command' } satisfies Refusal, 501);
    const read = Asked.safeParse(await context.req.json().catch(() => null));
    if (!read.success)
      return context.json(
        { error: `not a fork: ${read.error.issues[0]?.path.join('.')}: ${read.error.issues[0]?.message}` } satisfies Refusal,
        400,
      );
    const { playing } = forks;
    if (playing !== null)
      return context.json(
        {
          error: `another fork is being played, of ${playing.request.episode} in ${playing.request.run}: wait for it to end, or cancel it`,
        } satisfies Refusal,
        429,
      );
    return context.json(forks.start(read.data as ForkRequest), 202);
  });
  app.delete('/fork/:id', (context) => {
    const id = context.req.param('id');
    if (forks?.cancel(Number(id)) !== true)
      return context.json({ error: `no fork with the number ${id} is being played` } satisfies Refusal, 404);
    return context.json(forks.list());
  });
  return app;
}
