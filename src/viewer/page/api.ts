/** Asks the server for JSON: with a deadline, with retries where the network failed, and holding the last answer while a newer one comes. Knows no page. */
import { type Signal, signal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Refusal } from '../contract.ts';
import { type Enclosed, enclosed } from './enclosed.ts';

/** Why there is no answer, for people. */
export interface Trouble {
  /** HTTP status; 0 = the server cannot be reached. */
  readonly status: number;
  readonly message: string;
  /** Of a filter that cannot be read: where. */
  readonly at?: number;
  /** It may come with the rest of a journal, of which this share was read. */
  readonly read?: number;
}

export interface Answer<T> {
  readonly value: T | undefined;
  readonly trouble: Trouble | null;
  readonly loading: boolean;
}

const deadlineMs = 20_000;
const retryAfterMs = [250, 1000, 3000];
/** Between two questions for what a journal has not told yet that is still being read; and how many. */
const readAgainMs = 700;
const readAgain = 300;
/** Answers held at most; the ones longest unused go first. */
const held = 120;

class RequestFailure extends Error {
  override name = 'RequestFailure';
  readonly trouble: Trouble;
  constructor(trouble: Trouble) {
    super(trouble.message);
    this.trouble = trouble;
  }
}

/** One request; rejects with a failure that carries a Trouble, or with an AbortError. */
export async function ask<T>(path: string, { signal: cancel, ...init }: RequestInit = {}): Promise<T> {
  if (enclosed !== null) return answerIn(enclosed, path) as T;
  const deadline = AbortSignal.timeout(deadlineMs);
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      headers: { accept: 'application/json', ...(init.headers as Record<string, string> | undefined) },
      signal: cancel == null ? deadline : AbortSignal.any([cancel, deadline]),
    });
    if (response.ok) return (await response.json()) as T;
  } catch (cause) {
    if (cancel?.aborted === true) throw cause;
    const message = deadline.aborted
      ? `No answer within ${deadlineMs / 1000} s.`
      : 'The viewer’s server cannot be reached. Is `troupe view` still running?';
    throw new RequestFailure({ status: 0, message });
  }
  throw new RequestFailure(await refusalOf(response));
}

function answerIn({ title, answers, refusals }: Enclosed, path: string): unknown {
  if (Object.hasOwn(answers, path)) return answers[path];
  const message = Object.hasOwn(refusals, path) ? refusals[path] : null;
  throw new RequestFailure({ status: 404, message: message ?? `This file holds ${title} alone.` });
}

/** The words of a refusal: the server's, where it sent some. */
async function refusalOf(response: Response): Promise<Trouble> {
  const { status } = response;
  const text = (await response.text().catch(() => '')).slice(0, 2000);
  try {
    const { error, at, read } = JSON.parse(text) as Partial<Refusal>;
    if (typeof error === 'string')
      return { status, message: error, ...(typeof at === 'number' ? { at } : {}), ...(typeof read === 'number' ? { read } : {}) };
  } catch {
    // Not JSON: its text will do.
  }
  return { status, message: text === '' ? `The server answered ${status} ${response.statusText}.` : text };
}

export const troubleOf = (error: unknown): Trouble =>
  error instanceof RequestFailure ? error.trouble : { status: 0, message: error instanceof Error ? error.message : String(error) };

class Held {
  readonly answer: Signal<Answer<unknown>> = signal({ value: undefined, trouble: null, loading: true });
  readonly #path: string;
  #users = 0;
  #running: AbortController | null = null;
  /** Asked for again while a request was running. */
  #again = false;

  constructor(path: string) {
    this.#path = path;
  }

  get idle(): boolean {
    return this.#users === 0;
  }

  /** Begins to use it: asks, unless somebody already does. Returns what ends the use. */
  use(): () => void {
    this.#users++;
    this.refresh();
    return () => {
      this.#users--;
      if (this.#users === 0) this.#running?.abort();
    };
  }

  refresh(): void {
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    void this.#run();
  }

  async #run(): Promise<void> {
    const controller = new AbortController();
    this.#running = controller;
    const before = this.answer.peek();
    if (before.value === undefined) this.answer.value = { ...before, loading: true };
    const next = await this.#attempts(controller.signal);
    this.#running = null;
    if (next !== null) {
      const { value } = this.answer.peek();
      this.answer.value =
        'value' in next ? { value: next.value, trouble: null, loading: false } : { value, trouble: next.trouble, loading: false };
    }
    if (this.#again && this.#users > 0) {
      this.#again = false;
      void this.#run();
    }
  }

  /** Null where it was given up because nobody uses it any more. */
  async #attempts(cancel: AbortSignal): Promise<{ readonly value: unknown } | { readonly trouble: Trouble } | null> {
    for (let attempt = 0; ; attempt++) {
      try {
        return { value: await ask<unknown>(this.#path, { signal: cancel }) };
      } catch (error) {
        if (cancel.aborted) return null;
        const trouble = troubleOf(error);
        const isRead = trouble.read !== undefined && attempt < readAgain;
        const wait = isRead ? readAgainMs : retryAfterMs[attempt];
        if (wait === undefined || (!isRead && trouble.status !== 0 && trouble.status < 500)) return { trouble };
        await new Promise((resolve) => setTimeout(resolve, wait));
        if (cancel.aborted) return null;
      }
    }
  }
}

const answers = new Map<string, Held>();

function heldOf(path: string): Held {
  const found = answers.get(path) ?? new Held(path);
  // Last in the map = last used.
  answers.delete(path);
  answers.set(path, found);
  for (const [key, other] of answers) {
    if (answers.size <= held) break;
    if (other.idle) answers.delete(key);
  }
  return found;
}

/** Asks again for every answer in use or held whose path starts so; an answer nobody uses is dropped. */
export function refresh(prefix: string): void {
  for (const [path, other] of answers) {
    if (!path.startsWith(prefix)) continue;
    if (other.idle) answers.delete(path);
    else other.refresh();
  }
}

/** The answer to a path while the component is shown: the held one at once, a fresh one when it comes. Null asks nothing. */
export function useAnswer<T>(path: string | null): Answer<T> & { readonly again: () => void } {
  const now = useMemo(() => (path === null ? null : heldOf(path)), [path]);
  useEffect(() => now?.use(), [now]);
  const answer = (now?.answer.value ?? none) as Answer<T>;
  return { ...answer, again: () => now?.refresh() };
}

/** The answers to several paths, in their order: each is asked for once, when it is first among them. */
export function useAnswers<T>(paths: readonly string[]): readonly Answer<T>[] {
  const uses = useRef(new Map<string, () => void>());
  useEffect(() => {
    const before = uses.current;
    const now = new Map(paths.map((path) => [path, before.get(path) ?? heldOf(path).use()]));
    for (const [path, end] of before) if (!now.has(path)) end();
    uses.current = now;
  }, [paths]);
  useEffect(
    () => () => {
      for (const end of uses.current.values()) end();
    },
    [],
  );
  return paths.map((path) => heldOf(path).answer.value as Answer<T>);
}

const none: Answer<unknown> = { value: undefined, trouble: null, loading: false };
