/** What can be taken out of what is shown, in which formats, from which address. Knows routes; the server writes the files. */
import { type Export, exportCommandOf, type Told } from '../command.ts';
import { type Route, to, withQuery } from '../router.ts';

export interface Offer {
  readonly format: string;
  readonly title: string;
  /** What it is good for. */
  readonly what: string;
  /** Where a browser gets the file. */
  readonly href: string;
  /** What writes the same in a terminal. */
  readonly command: string;
}

interface Format {
  readonly title: string;
  readonly what: string;
  /** Of the file that the command is told to write; '' where it names its own. */
  readonly ending: string;
  readonly of: readonly ('run' | 'group' | 'episode')[];
  /** One line an episode or trace: a filter says of which. */
  readonly isFiltered: boolean;
}

const formats: Readonly<Record<string, Format>> = {
  html: {
    title: 'One web page',
    what: 'opens anywhere without a server and without a network: to send to somebody',
    ending: '',
    of: ['group', 'episode'],
    isFiltered: false,
  },
  openai: {
    title: 'OpenAI messages (JSONL)',
    what: 'a line an episode: messages, tool calls and tools, as the API takes them; reward and outcome as metadata',
    ending: 'openai.jsonl',
    of: ['run', 'group', 'episode'],
    isFiltered: true,
  },
  tokens: {
    title: 'Tokens for training (JSONL)',
    what: 'a line a trace: token ids, log-probs, loss mask, policy versions, reward and advantage, exact to the bit',
    ending: 'tokens.jsonl',
    of: ['run', 'group', 'episode'],
    isFiltered: true,
  },
  tensorboard: {
    title: 'TensorBoard events',
    what: 'every figure of every step, at the time it was committed: put the file into a folder for tensorboard --logdir',
    ending: '',
    of: ['run'],
    isFiltered: false,
  },
  csv: { title: 'Figures (CSV)', what: 'a row a step, a column a figure', ending: 'csv', of: ['run'], isFiltered: false },
};

/** What an export of this view is of; null where there is nothing to take. */
export function subjectOf(
  route: Route,
): { readonly kind: 'run' | 'group' | 'episode'; readonly run: string; readonly id: string | null } | null {
  switch (route.page) {
    case 'run':
      return { kind: 'run', run: route.run, id: null };
    case 'group':
      return { kind: 'group', run: route.run, id: route.group };
    case 'episode':
      return { kind: 'episode', run: route.run, id: route.episode };
    case 'runs':
    case 'compare':
    case 'charts':
    case 'absent':
      return null;
    default:
      return route satisfies never;
  }
}

/** The formats of a view, the likeliest first. */
export function offersOf(route: Route, told: Told): Offer[] {
  const subject = subjectOf(route);
  if (subject === null) return [];
  const { kind, run, id } = subject;
  return Object.entries(formats).flatMap(([format, { title, what, ending, of, isFiltered }]) => {
    if (!of.includes(kind)) return [];
    const asked: Export = { format, run, id, ending };
    const filter = isFiltered ? told.filter : '';
    return [
      {
        format,
        title,
        what,
        href: withQuery(`/api${to.run(run)}/export/${format}`, { id, filter }),
        command: exportCommandOf(asked, { ...told, filter }),
      },
    ];
  });
}
