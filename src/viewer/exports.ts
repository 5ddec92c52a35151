/** The addresses under /api from which results are taken out of a run as files: the formats of the command line, by the same writers. Knows which format is asked of what; how one is written is record/exports/'s and standalone.ts's. */
import { type Context, Hono } from 'hono';
import { ConfigFault } from '../errors.ts';
import { csvOf } from '../record/exports/csv.ts';
import { eventFileName, figuresOf, timedFiguresOf } from '../record/exports/figures.ts';
import type { Member } from '../record/exports/member.ts';
import { openAiLine } from '../record/exports/openai.ts';
import { tfevents } from '../record/exports/tfevents.ts';
import { tokenLines } from '../record/exports/tokens.ts';
import { type Filter, filterOf } from '../record/filter.ts';
import type { Refusal } from './contract.ts';
import { downloadOf } from './download.ts';
import { membersIn } from './members.ts';
import { nextTurn } from './next-turn.ts';
import type { ViewerPorts } from './ports.ts';
import type { RunIndex } from './run-index.ts';
import type { Runs } from './runs.ts';
import { standalone } from './standalone.ts';

interface Sources {
  readonly runs: Runs;
  /** The built page, and the JSON of all charts. */
  readonly page: string;
  readonly charts: string;
  readonly ports: ViewerPorts;
}

/** What is asked for. `id`: of an episode, a group or a step; null: the whole run. */
interface Asked {
  readonly run: string;
  readonly index: RunIndex;
  readonly id: string | null;
  readonly filter: Filter;
}

interface Format {
  readonly type: string;
  /** Whether it is of some episodes; else it is of the run. */
  readonly isOfEpisodes: boolean;
  readonly fileName: (asked: Asked) => string;
  readonly pieces: (asked: Asked, sources: Sources) => AsyncIterable<string | Uint8Array>;
}

/** Written at once; more are told to come back. */
const writersLimit = 4;

const formats: Readonly<Record<string, Format>> = {
  html: {
    type: 'text/html; charset=utf-8',
    isOfEpisodes: true,
    fileName: named('html'),
    pieces: ({ run, id }, { runs, page, charts, ports }) => {
      if (id === null) throw new ConfigFault('which group or episode is to be put into a page?');
      return standalone({ dir: runs.dir, run, id, page, charts }, ports);
    },
  },
  openai: lines('openai.jsonl', (member, { ports }) => [openAiLine(member, (turn) => ports.resultText(turn))]),
  tokens: lines('tokens.jsonl', tokenLines),
  tensorboard: {
    type: 'application/octet-stream',
    isOfEpisodes: false,
    fileName: ({ index }) => eventFileName(timedFiguresOf(index.folder).start),
    pieces: async function* ({ index }) {
      const { start, steps } = timedFiguresOf(index.folder);
      yield* tfevents(start, steps);
    },
  },
  csv: {
    type: 'text/csv; charset=utf-8',
    isOfEpisodes: false,
    fileName: named('csv'),
    pieces: async function* ({ index }) {
      yield csvOf(figuresOf(index.folder));
    },
  },
};

/** `GET /runs/:run/export/:format?id&filter`. */
export function exports(sources: Sources): Hono {
  const app = new Hono();
  let writing = 0;
  app.get('/runs/:run/export/:format', async (context) => {
    const asked = await askedIn(context, sources.runs);
    if ('error' in asked) return context.json(asked satisfies Refusal, asked.at === undefined ? 404 : 400);
    const name = context.req.param('format');
    const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
    if (format === undefined) return refused(context, `no format is called so: ${Object.keys(formats).join(', ')}`, 404);
    if (asked.id !== null && !format.isOfEpisodes) return refused(context, `${name} is of a whole run`, 400);
    if (writing >= writersLimit) return refused(context, `${writing} files are being written already: try again when one is done`, 503);
    const fileName = format.fileName(asked);
    writing++;
    let body;
    try {
      // What was asked first may be refused only here: nothing of this name, still played, damaged.
      body = await downloadOf(piecesOf(format, asked, sources), sources.ports.clock, () => writing--);
    } catch (error) {
      if (error instanceof ConfigFault) return refused(context, error.message, 404);
      throw error;
    }
    return context.body(body, 200, {
      'content-type': format.type,
      'content-disposition': `attachment; filename="${fileName}"`,
    });
  });
  return app;
}

/** Only when it is iterated, so that every refusal comes from the same place. */
async function* piecesOf(format: Format, asked: Asked, sources: Sources): AsyncGenerator<string | Uint8Array> {
  yield* format.pieces(asked, sources);
}

const refused = (context: Context, error: string, status: 400 | 404 | 503): Response => context.json({ error } satisfies Refusal, status);

async function askedIn(context: Context, runs: Runs): Promise<Asked | Refusal> {
  const run = context.req.param('run') ?? '';
  const index = await runs.index(run);
  if (index === null) return { error: `there is no run ${run} in ${runs.dir}` };
  // A file must not be of half a journal.
  if (!index.isWhole) await runs.refresh(run);
  const filter = filterOf(context.req.query('filter') ?? '');
  if (filter.kind === 'mistake') return { error: filter.message, at: filter.at };
  return { run, index, id: context.req.query('id') ?? null, filter };
}

function lines(ending: string, linesOf: (member: Member, sources: Sources) => readonly string[]): Format {
  return {
    type: 'application/x-ndjson; charset=utf-8',
    isOfEpisodes: true,
    fileName: named(ending),
    pieces: async function* ({ index, id, filter }, sources) {
      for (const members of membersIn(index, { id, filter }, sources.ports)) {
        for (const member of members) yield* linesOf(member, sources);
        // Where a filter lets nothing pass, nobody waits for a piece.
        await nextTurn();
      }
    },
  };
}

/** Of letters, digits and points alone, whatever a folder is called. */
function named(ending: string): Format['fileName'] {
  return ({ run, id, filter }) =>
    [run, ...(id === null ? [] : [id]), ...(filter.expression === null ? [] : ['filtered'])]
      .map((part) => part.replaceAll(/[^\w.-]+/g, '_'))
      .join('-')
      .slice(0, 160)
      .concat('.', ending);
}
