/** The codec: what travels comes back equal, and bytes nobody packed never do more than throw. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frameLimit, pack, unpack, wellFormed, WireError, wireVersion } from '../src/protocol/codec.ts';
import { Frame } from '../src/protocol/frame.ts';
import { RolloutGroup } from '../src/protocol/group.ts';
import { ChatReply, ChatRequest, InferenceFault, TokenReply, TokenRequest } from '../src/protocol/inference.ts';
import { Task } from '../src/protocol/task.ts';
import { arbitraryOf } from './support/schema-values.ts';

const messages = { TokenRequest, TokenReply, ChatRequest, ChatReply, InferenceFault, Task, RolloutGroup, Frame };

/** Everything JSON can say that the wire can carry, and typed arrays, nested. */
const wireValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ unit: 'grapheme' }),
    fc.double({ noNaN: true }).map((x) => (x === 0 ? 0 : x)),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.int32Array(),
    fc.float32Array({ noNaN: true }),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).value;

describe('every message', () => {
  test.each(Object.entries(messages))('%s comes back equal and still valid', (_name, schema) => {
    fc.assert(
      fc.property(arbitraryOf(schema), (message) => {
        const returned = unpack(pack(message, { checked: true }));
        expect(returned).toEqual(message);
        schema.parse(returned);
      }),
      { numRuns: 60 },
    );
  });
});

describe('pack', () => {
  test('any wire value comes back equal, typed arrays included, however nested', () => {
    fc.assert(
      fc.property(wireValue, (value) => {
        expect(unpack(pack(value, { checked: true }))).toEqual(value);
      }),
    );
  });

  test('non-finite numbers come back as they were', () => {
    expect(unpack(pack([Infinity, -Infinity, NaN]))).toEqual([Infinity, -Infinity, NaN]);
  });

  test('the bytes own their buffer, exactly as long as needed', () => {
    const bytes = pack({ a: 1 });
    expect(bytes.byteOffset).toBe(0);
    expect(bytes.buffer.byteLength).toBe(bytes.length);
    expect(bytes[0]).toBe(wireVersion);
  });

  test('transferring one message leaves its neighbours whole', () => {
    const first = pack({ text: 'first' });
    const second = pack({ text: 'second' });
    structuredClone(first, { transfer: [first.buffer] });
    expect(first.length).toBe(0);
    expect(unpack(second)).toEqual({ text: 'second' });
  });

  test.each<[string, unknown]>([
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set([1])],
    ['a Date', new Date(0)],
    [
      'a class instance',
      new (class Point {
        x = 1;
      })(),
    ],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a bigint', 1n],
    ['-0', -0],
    ['a lone surrogate', 'a\ud800b'],
    ['a lone surrogate in a key', { '\udc00': 1 }],
    ['a key __proto__', JSON.parse('{"__proto__": 1}')],
  ])('refuses %s in checked mode, naming where it is', (_name, value) => {
    expect(() => pack({ deep: [value] }, { checked: true })).toThrow(/\$\.deep\[0\]/);
  });

  test('refuses a frame above the limit', () => {
    expect(() => pack(new Uint8Array(frameLimit))).toThrow(/limit/);
    expect(pack(new Uint8Array(frameLimit - 16)).length).toBeLessThanOrEqual(frameLimit);
  });

  test('refuses a cycle with a WireError and packs on afterwards', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => pack(cycle, { checked: true })).toThrow(WireError);
    expect(unpack(pack([1]))).toEqual([1]);
  });

  test('a well-formed text comes back equal, whatever the model wrote', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }), (text) => {
        const sent = wellFormed(text);
        expect(unpack(pack(sent, { checked: true }))).toBe(sent);
        expect(sent.length).toBe(text.length);
      }),
    );
  });
});

describe('unpack', () => {
  test('arbitrary bytes give a value or a WireError, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, versioned) => {
        readable(versioned ? Uint8Array.of(wireVersion, ...bytes) : bytes);
      }),
      { numRuns: 3000 },
    );
  });

  test('a frame with flipped, cut or added bytes gives a value or a WireError, and the next frame is read as ever', () => {
    const sound = { id: 'a', ids: new Int32Array([1, 2, 3]), nested: [{ x: 1.5 }, 'text', null] };
    const frame = pack(sound);
    fc.assert(
      fc.property(
        fc.nat(frame.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(frame.length),
        fc.uint8Array({ maxLength: 9 }),
        (at, flip, cut, extra) => {
          const mutated = frame.slice();
          mutated[at] = (mutated[at] as number) ^ flip;
          readable(mutated);
          readable(frame.slice(0, cut));
          readable(Uint8Array.of(...frame, ...extra));
          expect(unpack(frame)).toEqual(sound);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('five bytes that announce four gigabytes are refused without taking the memory', () => {
    const before = process.memoryUsage().rss;
    for (const code of [0xc6, 0xc9, 0xdb, 0xdd, 0xdf])
      expect(readable(Uint8Array.of(wireVersion, code, 255, 255, 255, 255))).toBe('refused');
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  test('100,000 nested arrays are refused', () => {
    expect(readable(Uint8Array.of(wireVersion, ...new Uint8Array(100_000).fill(0x91)))).toBe('refused');
  });

  test('hostile keys leave Object.prototype alone', () => {
    unpack(pack(JSON.parse('{"__proto__": {"admin": true}, "constructor": {"prototype": {"admin": true}}}')));
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('refuses another version and an empty frame, saying which it reads', () => {
    expect(() => unpack(Uint8Array.of(9, 0xc0))).toThrow(/version 9.*version 1/);
    expect(() => unpack(new Uint8Array(0))).toThrow(/version missing/);
  });

  test('what it returns shares no memory with the frame', () => {
    const frame = pack({ bytes: new Uint8Array([1, 2, 3]) });
    const { bytes } = unpack(frame) as { bytes: Uint8Array };
    frame.fill(0);
    expect([...bytes]).toEqual([1, 2, 3]);
  });
});

function readable(bytes: Uint8Array): 'read' | 'refused' {
  try {
    unpack(bytes);
    return 'read';
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return 'refused';
  }
}
