/** The addresses under /api that tell where many episodes went: of a group, of a step, of a filtered list. Knows which episodes are meant; heat.ts adds them up. */
import { type Context, Hono } from 'hono';
import type { Refusal } from './contract.ts';
import { heatLimit, Heats } from './heat.ts';
import { Lists } from './lists.ts';
import type { ViewerPorts } from './ports.ts';
import type { RunIndex } from './run-index.ts';
import type { Runs } from './runs.ts';

interface Sources {
  readonly runs: Runs;
  readonly ports: Pick<ViewerPorts, 'clock'>;
}

export function heats({ runs, ports }: Sources): Hono {
  const app = new Hono();
  const counted = new Heats(ports.clock);
  const lists = new Lists(ports.clock);
  runs.whenForgotten((index) => {
    counted.forget(index);
    lists.forget(index);
  });
  const refused = (context: Context, refusal: Refusal, status: 400 | 404): Response => context.json(refusal, status);
  const noRun = (context: Context): Response =>
    refused(context, { error: `there is no run ${context.req.param('run')} in ${runs.dir}` }, 404);

  const ofList = async (context: Context, index: RunIndex, filter: string): Promise<Response> => {
    const asked = { filter, sort: '' };
    const all = await lists.window(index, { ...asked, offset: 0, limit: 0 });
    if ('error' in all) return refused(context, all, 400);
    const rows = await lists.window(index, { ...asked, offset: Math.max(0, all.total - heatLimit), limit: heatLimit });
    if ('error' in rows) return refused(context, rows, 400);
    const page = await counted.ofRows(index, rows.rows, rows.total);
    return context.json(rows.read === undefined ? page : { ...page, read: rows.read });
  };

  app.get('/runs/:run/groups/:group/heat', async (context) => {
    const group = context.req.param('group');
    const index = await runs.index(context.req.param('run'), group);
    if (index === null) return noRun(context);
    const page = await counted.ofGroup(index, group);
    if (page !== null) return context.json(page);
    const { read } = index;
    return refused(context, { error: `there is no group ${group} in ${context.req.param('run')}`, ...(read < 1 ? { read } : {}) }, 404);
  });
  app.get('/runs/:run/steps/:step/heat', async (context) => {
    const index = await runs.index(context.req.param('run'));
    return index === null ? noRun(context) : ofList(context, index, `step==${JSON.stringify(context.req.param('step'))}`);
  });
  app.get('/runs/:run/heat', async (context) => {
    const index = await runs.index(context.req.param('run'));
    return index === null ? noRun(context) : ofList(context, index, context.req.query('filter') ?? '');
  });
  return app;
}
