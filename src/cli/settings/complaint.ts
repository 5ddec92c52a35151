/** What is wrong with a config, said so that it can be put right: where it stands, what was found, what is allowed, what was meant. Knows zod's issues, not where values come from. */
import type { z } from 'zod';
import { nearest } from '../../record/nearest.ts';
import { allowedAt, nearestKey } from './manual.ts';

type Issue = z.core.$ZodIssue;

export interface Complaint {
  /** Of the key to change. */
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** One complaint per thing to change, in the order of the issues. `value` is what was judged. */
export function complaintsOf(issues: readonly Issue[], value: unknown): Complaint[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey([...issue.path, key]))
      : [{ path: issue.path, text: `${issue.path.join('.')}: ${textOf(issue, at(value, issue.path))}` }],
  );
}

function unknownKey(path: readonly PropertyKey[]): Complaint {
  const key = path.join('.');
  const meant = nearestKey(key);
  return { path, text: `unknown key "${key}"; ${meant === null ? 'config explain lists all keys' : `did you mean "${meant}"?`}` };
}

/** Issues about one value, which the schema's own words explain better than zod's. */
const ofOneValue: ReadonlySet<string> = new Set(['invalid_type', 'too_small', 'too_big', 'not_multiple_of', 'invalid_format']);

function textOf(issue: Issue, found: unknown): string {
  const allowed = allowedAt(issue.path);
  if (issue.code === 'invalid_value') {
    const meant = typeof found === 'string' ? nearest(found, issue.values.map(String)) : null;
    return `${shown(found)} is not allowed; expected ${allowed ?? issue.values.join(', ')}${meant === null ? '' : `; did you mean "${meant}"?`}`;
  }
  return ofOneValue.has(issue.code) ? `${shown(found)} is not allowed; expected ${allowed ?? issue.message}` : issue.message;
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value;
  for (const step of path) inner = (inner as { [key: PropertyKey]: unknown } | null | undefined)?.[step];
  return inner;
}
