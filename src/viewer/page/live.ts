/** What the server sends of its own accord: a stream of events, taken up where it broke off. Knows no page; whoever listens asks for what changed. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { RunCard } from '../contract.ts';
import { enclosed } from './enclosed.ts';
import { EventReader, type StreamEvent } from './stream.ts';

/** `live`: events come as they happen. `lost`: the stream broke and is being taken up again. `still`: nothing is listened to. */
export type LiveState = 'live' | 'connecting' | 'lost' | 'still';

export const liveState = signal<LiveState>('still');

/** How the run stands that is listened to, as the stream said last; null where that is all runs, or was not said yet. */
export const liveRun = signal<RunCard['state'] | null>(null);

type Listener = (event: StreamEvent) => void;

const firstWaitMs = 500;
const longestWaitMs = 15_000;
/** The server sends something, a comment at least, more often than this; else the connection is dead. */
const silenceMs = 45_000;

class Stream {
  readonly #path: string;
  readonly #ofRun: boolean;
  readonly #listeners = new Set<Listener>();
  readonly #reader = new EventReader();
  #controller: AbortController | null = null;
  #waitMs = firstWaitMs;

  constructor(path: string) {
    this.#path = path;
    this.#ofRun = path.includes('?run=');
    document.addEventListener('visibilitychange', this.#visible);
    this.#visible();
  }

  listen(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /** True where nobody listens any more: the stream is closed. */
  leave(listener: Listener): boolean {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return false;
    document.removeEventListener('visibilitychange', this.#visible);
    this.#stop();
    liveState.value = 'still';
    liveRun.value = null;
    return true;
  }

  /** A browser has six connections to a server: a hidden page gives its one back, and catches up when it is shown. */
  #visible = (): void => {
    if (document.hidden) this.#stop();
    else if (this.#controller === null) void this.#follow();
  };

  #stop(): void {
    this.#controller?.abort();
    this.#controller = null;
  }

  async #follow(): Promise<void> {
    const controller = new AbortController();
    this.#controller = controller;
    liveState.value = 'connecting';
    while (!controller.signal.aborted) {
      const refused = await this.#connection(controller.signal).catch(() => false);
      if (controller.signal.aborted) return;
      if (refused) {
        liveState.value = 'still';
        return;
      }
      liveState.value = 'lost';
      await new Promise((resolve) => setTimeout(resolve, this.#reader.retryMs ?? this.#waitMs));
      this.#waitMs = Math.min(longestWaitMs, this.#waitMs * 2);
    }
  }

  /** True where there is nothing to listen to: asking again would not help. */
  async #connection(cancel: AbortSignal): Promise<boolean> {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), silenceMs);
    try {
      const { lastId } = this.#reader;
      const response = await fetch(this.#path, {
        headers: { accept: 'text/event-stream', ...(lastId === null ? {} : { 'last-event-id': lastId }) },
        signal: AbortSignal.any([cancel, silence.signal]),
      });
      if (!response.ok || response.body === null) return response.status === 404 || response.status === 403;
      this.#waitMs = firstWaitMs;
      liveState.value = 'live';
      const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await pieces.read();
        if (done) return false;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silenceMs);
        for (const event of this.#reader.read(value)) {
          if (this.#ofRun && event.kind === 'run') liveRun.value = (JSON.parse(event.data) as { readonly card: RunCard }).card.state;
          for (const listener of this.#listeners) listener(event);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

const streams = new Map<string, Stream>();

/** Hears the live events of a run, or of all runs (null), while the component is shown. */
export function useLive(run: string | null, listener: Listener): void {
  useEffect(() => {
    if (enclosed !== null) return undefined;
    const path = run === null ? '/api/live' : `/api/live?run=${encodeURIComponent(run)}`;
    const stream = streams.get(path) ?? new Stream(path);
    streams.set(path, stream);
    stream.listen(listener);
    return () => {
      if (stream.leave(listener)) streams.delete(path);
    };
  }, [run, listener]);
}

/** Calls at most once in so many milliseconds, the last call never lost. */
export function throttled(ms: number | (() => number), call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  return () => {
    if (timer !== undefined) return;
    const wait = Math.max(0, last + (typeof ms === 'number' ? ms : ms()) - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      last = performance.now();
      call();
    }, wait);
  };
}
