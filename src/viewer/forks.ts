/** Forks that pages asked for: one is played at a time, and what became of the last few is remembered. Knows how they stand; how one is played is the port's. */
import type { ForkRequest, ForkState } from './contract.ts';
import type { ForkPort, ViewerClock } from './ports.ts';

/** Remembered. */
const limit = 16;

interface Fork {
  readonly id: number;
  readonly request: ForkRequest;
  readonly since: number;
  readonly abort: AbortController;
  state: ForkState['state'];
  run: string | null;
  said: string;
  until: number | null;
  over: Promise<void>;
}

export class Forks {
  readonly #port: Pick<ForkPort, 'play'>;
  readonly #clock: ViewerClock;
  /** Newest first. */
  readonly #forks: Fork[] = [];
  #last = 0;

  constructor(port: Pick<ForkPort, 'play'>, clock: ViewerClock) {
    this.#port = port;
    this.#clock = clock;
  }

  list(): ForkState[] {
    return this.#forks.map((fork) => this.#stateOf(fork));
  }

  get playing(): ForkState | null {
    const fork = this.#forks.find(({ state }) => state === 'playing');
    return fork === undefined ? null : this.#stateOf(fork);
  }

  /** Only while none is played. */
  start(request: ForkRequest): ForkState {
    const fork: Fork = {
      id: ++this.#last,
      request,
      since: this.#clock.now(),
      abort: new AbortController(),
      state: 'playing',
      run: null,
      said: '',
      until: null,
      over: Promise.resolve(),
    };
    this.#forks.unshift(fork);
    this.#forks.splice(limit);
    fork.over = this.#play(fork);
    return this.#stateOf(fork);
  }

  /** False where none of this number is being played. */
  cancel(id: number): boolean {
    const fork = this.#forks.find((one) => one.id === id && one.state === 'playing');
    fork?.abort.abort();
    return fork !== undefined;
  }

  /** Resolves when nothing is played any more. */
  async close(): Promise<void> {
    for (const { abort } of this.#forks) abort.abort();
    await Promise.all(this.#forks.map(({ over }) => over));
  }

  /** Never rejects: what went wrong is how it ended. */
  async #play(fork: Fork): Promise<void> {
    try {
      await this.#port.play(fork.request, {
        signal: fork.abort.signal,
        begun: (run) => void (fork.run = run),
        said: (text) => void (fork.said = text),
      });
      fork.state = 'done';
    } catch (error) {
      fork.state = fork.abort.signal.aborted ? 'cancelled' : 'failed';
      fork.said = error instanceof Error ? error.message : String(error);
    }
    fork.until = this.#clock.now();
  }

  #stateOf({ id, request, state, run, said, since, until }: Fork): ForkState {
    return { id, request, state, run, said, ms: Math.round((until ?? this.#clock.now()) - since) };
  }
}
