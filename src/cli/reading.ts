/** A transcript as text for a terminal: everything somebody else wrote is made printable first. */
import type { Transcript, TranscriptLine } from '../record/projections/transcript.ts';
import { printable, printableLine } from './printable.ts';
import type { Style, Terminal } from './terminal.ts';

const colours = { system: 'dim', user: 'cyan', agent: 'green', tool: 'yellow' } as const satisfies Record<TranscriptLine['who'], Style>;
const marks = { text: '', thought: 'thinks ', call: 'calls ', malformed: 'tries to call ', result: '' } as const satisfies Record<
  TranscriptLine['kind'],
  string
>;

export function readingOf(transcript: Transcript, { paint }: Pick<Terminal, 'paint'>): string {
  const { task } = transcript;
  const head = [
    paint('bold', printableLine(transcript.episode)),
    `D ${task.difficulty}, ${task.branch}, ${task.split}; persona: ${printableLine(task.persona)}`,
    `wants: ${printableLine(task.intent)}`,
    `tools: ${transcript.tools.map(printableLine).join('  ')}`,
    `expected: ${transcript.expected.length === 0 ? 'no call' : transcript.expected.map(printableLine).join('  ')}`,
  ];
  const said = transcript.lines.map(({ who, kind, text }) => {
    const first = `${paint(colours[who], who.padEnd(6))} ${paint('dim', marks[kind])}`;
    return (
      first +
      printable(text)
        .split('\n')
        .join(`\n${' '.repeat(7)}`)
    );
  });
  const judged = [
    ...transcript.gates.map(({ name, passed, detail }) =>
      `${passed ? paint('green', '✓') : paint('red', '✗')} gate ${printableLine(name)} ${printableLine(detail)}`.trimEnd(),
    ),
    ...transcript.criteria.map(({ name, required, met, evidence }) =>
      `${met ? paint('green', '✓') : paint('red', '✗')} ${name}${required ? '' : ' (not required)'} ${printableLine(evidence)}`.trimEnd(),
    ),
  ];
  const reward = transcript.reward === null ? 'none (unscored)' : `${transcript.reward > 0 ? '+' : ''}${transcript.reward}`;
  const end = [
    `outcome ${transcript.outcome}${transcript.reason === '' ? '' : `: ${printableLine(transcript.reason)}`}`,
    `reward ${reward}`,
    `tokens ${transcript.promptTokens} read, ${transcript.sampledTokens} sampled by version ${transcript.version ?? '–'}; attempt ${transcript.attempt}`,
  ];
  return [...head, '', ...said, '', ...judged, ...end].join('\n');
}
