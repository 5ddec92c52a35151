/** An MCP server as a child process: newline-delimited JSON over its pipes, bounded, and ended with everything it started. Knows bytes and processes, not what is said. */
import { type ChildProcess, spawn } from 'node:child_process';
import { type JSONRPCMessage, ReadBuffer, serializeMessage, type Transport } from '@modelcontextprotocol/client';
import { getDefaultEnvironment } from '@modelcontextprotocol/client/stdio';

/** Calls `fire` once after `ms`; the returned function takes it back. The machine's clock in life, a simulated one in tests. */
export type After = (ms: number, fire: () => void) => () => void;

/** Milliseconds a server has to end after its input has, and again after it was asked to. */
const grace = 2000;
const longestMessage = 10 * 1024 * 1024;
/** Of its stderr, the last of it: what it says when it cannot start. */
const keptWords = 2000;

/** No shell, and of our environment only what a program needs to be found: keys and tokens are not handed on. */
export class ChildTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];
  readonly #command: readonly [string, ...string[]];
  readonly #after: After;
  readonly #incoming = new ReadBuffer({ maxBufferSize: longestMessage });
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #words = '';

  constructor(command: readonly [string, ...string[]], after: After) {
    this.#command = command;
    this.#after = after;
  }

  /** The end of what the server said on stderr. */
  get words(): string {
    return this.#words;
  }

  start(): Promise<void> {
    const [file, ...args] = this.#command;
    // In a group of its own, so that what it starts (npx starts the server) ends with it.
    const child = spawn(file, args, { env: getDefaultEnvironment(), stdio: 'pipe', detached: process.platform !== 'win32' });
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    child.once('close', () => this.onclose?.());
    child.stdin.on('error', (error) => this.onerror?.(error));
    child.stdout.on('data', (bytes: Buffer) => this.#read(bytes));
    child.stderr.on('data', (bytes: Buffer) => {
      this.#words = (this.#words + bytes.toString('utf8')).slice(-keptWords);
    });
    return new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  }

  #read(bytes: Buffer): void {
    try {
      this.#incoming.append(bytes);
      for (let message = this.#incoming.readMessage(); message !== null; message = this.#incoming.readMessage()) this.onmessage?.(message);
    } catch (error) {
      // What is no message cannot be answered; the pipe is not to be trusted any further.
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
      this.#signal('SIGKILL');
    }
  }

  send(message: JSONRPCMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const input = this.#child?.stdin;
      if (input === undefined || input === null || !input.writable) reject(new Error('the server has ended'));
      else input.write(serializeMessage(message), (error) => (error == null ? resolve() : reject(error)));
    });
  }

  /** Its input ends, then it is asked to end, then it is ended. Whatever it left behind in its group is ended too. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    child.stdin?.end();
    const asked = this.#after(grace, () => this.#signal('SIGTERM', child));
    const killed = this.#after(grace * 2, () => this.#signal('SIGKILL', child));
    await this.#ended;
    asked();
    killed();
    this.#signal('SIGKILL', child);
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.destroy();
    this.#incoming.clear();
  }

  #signal(signal: NodeJS.Signals, child = this.#child): void {
    const pid = child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, signal);
    } catch {
      // Nobody is left.
    }
  }
}
