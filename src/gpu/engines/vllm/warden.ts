/**
 * Entry of the small process that stands between Troupe and a server it started: it ends the server's whole process group when its own stdin closes, that is when
 * Troupe ends in whatever way; at once when it is told to. Knows a command line and nothing of what runs. `node warden.js <grace ms> <command> <word>…`
 */
import { spawn } from 'node:child_process';

const [grace = '10000', command = '', ...words] = process.argv.slice(2);

// In our group, which we lead: who started us can end all of it even where we are killed. Its output goes straight to them. Its stdin is ours to hold: one that listens
// for its end does not outlive us either.
const server = spawn(command, words, { stdio: ['pipe', 'inherit', 'inherit'] });
server.stdin.on('error', () => undefined);
let ending = false;

/** To the server, to all its children, and to ourselves. */
const signal = (name: 'SIGTERM' | 'SIGKILL'): boolean => process.kill(-process.pid, name);

function end(): void {
  if (ending) return;
  ending = true;
  if (server.pid === undefined) process.exit(127);
  signal('SIGTERM');
  // oxlint-disable-next-line no-restricted-globals -- a process of its own, without a clock to be given
  setTimeout(() => signal('SIGKILL'), Number(grace));
}

server.on('error', (error) => {
  process.stderr.write(`${command}: ${error.message}\n`);
  process.stdin.destroy();
});
server.on('exit', (code, by) => {
  // What it left behind would go on holding the accelerator: who started us ends it when we have told how the server ended; if they are gone, we do.
  if (ending) signal('SIGKILL');
  process.exit(code ?? (by === null ? 1 : 128));
});
// A word on it: whatever runs answers nobody, and a request to end would be one more question.
process.stdin.once('data', () => {
  ending = true;
  signal('SIGKILL');
});
process.stdin.on('end', end).on('close', end).on('error', end).resume();
// Ctrl-C reaches the whole terminal; Troupe decides when its server ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', end);
process.on('SIGHUP', end);
