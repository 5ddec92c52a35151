// A program behind the sidecar's wire, without Python: `echo` answers its arguments, the other verbs end badly in every way there is.
import { Packr } from 'msgpackr/pack';

const packr = new Packr({ useRecords: false, int64AsType: 'number' });
let held = Buffer.alloc(0);

const write = (value) => {
  const body = packr.pack(value);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length);
  process.stdout.write(Buffer.concat([head, body]));
};

const verbs = {
  echo: (id, args) => write({ id, ok: args }),
  fail: (id, kind) => write({ id, fault: { kind, message: 'no such thing' } }),
  hang: () => undefined,
  spin: () => {
    for (;;);
  },
  die: () => {
    process.stderr.write('a last word\n', () => process.exit(3));
  },
  lack: () => {
    process.stderr.write('a first word\nthis host lacks a limb\n', () => process.exit(78));
  },
  print: () => process.stdout.write('Loading weights: 100%\n'),
  stranger: (id) => write({ id: id + 1000, ok: null }),
  shapeless: (id) => write({ id, answer: 1 }),
};

process.stdin.on('data', (chunk) => {
  held = Buffer.concat([held, chunk]);
  while (held.length >= 4 && held.length >= 4 + held.readUInt32LE()) {
    const length = held.readUInt32LE();
    const { id, verb, args } = packr.unpack(held.subarray(4, 4 + length));
    held = held.subarray(4 + length);
    verbs[verb](id, args);
  }
});
process.stdin.on('end', () => process.exit(0));
