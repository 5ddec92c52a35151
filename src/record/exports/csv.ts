/** Figures by step as one table of comma-separated values (RFC 4180): a column a name, empty where a step has none. Knows numbers only. */
import type { StepScalars } from './scalars.ts';

/** The whole text: as many lines as steps, and the head. */
export function csvOf(steps: readonly StepScalars[]): string {
  const names = [...new Set(steps.flatMap(({ scalars }) => [...scalars.keys()]))];
  const lines = steps.map(({ step, scalars }) => [step, ...names.map((name) => scalars.get(name) ?? '')].join(','));
  return [['step', ...names].map(field).join(','), ...lines].map((line) => `${line}\r\n`).join('');
}

/** Names come from the record, and a fate may be called anything. */
const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
