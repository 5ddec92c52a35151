import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../src/gpu/safetensors.ts';

/** A file with this header and that many bytes of data. */
function file(header: unknown, data: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}
const f32 = (from: number, to: number, shape = [(to - from) / 4]): object => ({ dtype: 'F32', shape, data_offsets: [from, to] });

describe('safetensors', () => {
  test('what is written is read back, bit for bit', () => {
    const tensor = fc.float32Array({ maxLength: 20 }).map((data): Tensor => ({ shape: [data.length], data }));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.string(), tensor), { selector: ([name]) => name }), (entries) => {
        const tensors = new Map(entries.filter(([name]) => name !== '__metadata__'));
        const read = decodeSafetensors(encodeSafetensors(tensors));
        expect([...read.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [name, { data }] of tensors)
          expect(new Uint8Array(read.get(name)?.data.buffer as ArrayBuffer)).toEqual(new Uint8Array(data.slice().buffer));
      }),
    );
  });

  test('tensor data starts on a multiple of eight bytes', () => {
    const bytes = encodeSafetensors(new Map([['a', { shape: [1], data: Float32Array.of(1) }]]));
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  test('a bf16 tensor is read as the f32 it abbreviates', () => {
    const bytes = file({ w: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } }, 4);
    new DataView(bytes.buffer).setUint16(bytes.length - 4, 0x3fc0, true);
    new DataView(bytes.buffer).setUint16(bytes.length - 2, 0xc000, true);
    expect([...(decodeSafetensors(bytes).get('w')?.data ?? [])]).toEqual([1.5, -2]);
  });

  test.each([
    ['an empty file', new Uint8Array(0)],
    ['a header longer than the file', file({}, 0).subarray(0, 9)],
    ['a header that is no JSON', file('{"a"', 0)],
    ['a header that is a list', file([], 0)],
    ['bytes that are no UTF-8', file('\u0000', 0).with(8, 0xff)],
    ['an unread dtype', file({ w: { dtype: 'F64', shape: [1], data_offsets: [0, 8] } }, 8)],
    ['offsets beyond the data', file({ w: f32(0, 8) }, 4)],
    ['overlapping tensors', file({ a: f32(0, 8), b: f32(4, 12) }, 12)],
    ['a hole between tensors', file({ a: f32(0, 4), b: f32(8, 12) }, 12)],
    ['data that no tensor owns', file({ a: f32(0, 4) }, 8)],
    ['a shape that disagrees with its bytes', file({ a: f32(0, 8, [3]) }, 8)],
    ['a negative dimension', file({ a: f32(0, 4, [-1, -1]) }, 4)],
    ['a shape whose product is no safe integer', file({ a: f32(0, 0, [2 ** 40, 2 ** 40, 0]) }, 0)],
    ['a backward range', file({ a: { dtype: 'F32', shape: [0], data_offsets: [4, 0] } }, 4)],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeSafetensors(bytes)).toThrow();
  });

  test('a name like __proto__ is only a name', () => {
    const header = '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expect([...decodeSafetensors(file(header, 4)).keys()]).toEqual(['__proto__']);
  });

  test('a tensor whose shape is not its length is not written', () => {
    expect(() => encodeSafetensors(new Map([['a', { shape: [2, 2], data: new Float32Array(3) }]]))).toThrow('3 values for shape [2, 2]');
  });
});
