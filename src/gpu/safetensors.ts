/**
 * The safetensors file format: named tensors in one flat file. Knows no model and no file system; bytes in, bytes out.
 * Format: u64 header length, JSON header, tensor data without holes (huggingface/safetensors README). A header is hostile until checked.
 */

export interface Tensor {
  /** Dimensions, outermost first; [out, in] for matrices. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The reference reader's own bound. */
const MAX_HEADER = 100_000_000;
const BYTES = { F32: 4, BF16: 2 } as const;
type DType = keyof typeof BYTES;

/** Tensors as one file, sorted by name as transformers sorts them. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Uint8Array {
  const names = [...tensors.keys()].sort();
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let size = 0;
  for (const name of names) {
    const { shape, data } = tensors.get(name) as Tensor;
    if (name === '__metadata__') throw new TypeError('a tensor cannot be named __metadata__');
    if (elements(shape) !== data.length) throw new TypeError(`${name}: ${data.length} values for shape [${shape.join(', ')}]`);
    entries.push([name, { dtype: 'F32', shape, data_offsets: [size, size + data.length * 4] }]);
    size += data.length * 4;
  }
  // Padded with blanks so that the data starts on a multiple of 8.
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + length + size).fill(0x20, 8, 8 + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(text, 8);
  let at = 8 + length;
  for (const name of names) {
    const { data } = tensors.get(name) as Tensor;
    const view = new DataView(file.buffer, at);
    for (let i = 0; i < data.length; i++) view.setFloat32(i * 4, data[i] as number, true);
    at += data.length * 4;
  }
  return file;
}

/** Reads F32 and BF16 tensors as f32. Throws TypeError on anything a sound file would not hold. */
export function decodeSafetensors(file: Uint8Array): Map<string, Tensor> {
  if (file.length < 8) throw new TypeError(`${file.length} bytes are no safetensors file`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER || Number(length) > file.length - 8) throw new TypeError(`header of ${length} bytes in a file of ${file.length}`);
  const start = 8 + Number(length);
  const header = parseHeader(file.subarray(8, start));
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => readEntry(name, entry))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  const tensors = new Map<string, Tensor>();
  let expected = 0;
  for (const { name, dtype, shape, begin, end } of entries) {
    // Neither overlap nor hole: every byte belongs to exactly one tensor.
    if (begin !== expected) throw new TypeError(`${name}: starts at byte ${begin}, the tensor before it ends at ${expected}`);
    if (end > file.length - start) throw new TypeError(`${name}: ends at byte ${end} of ${file.length - start}`);
    tensors.set(name, { shape, data: readValues(view, start + begin, elements(shape), dtype) });
    expected = end;
  }
  if (expected !== file.length - start) throw new TypeError(`${file.length - start - expected} bytes belong to no tensor`);
  return tensors;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (!isRecord(header)) throw new TypeError('the header is no object');
  return header;
}

function readEntry(name: string, entry: unknown): { name: string; dtype: DType; shape: readonly number[]; begin: number; end: number } {
  if (!isRecord(entry)) throw new TypeError(`${name}: no object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F32' && dtype !== 'BF16') throw new TypeError(`${name}: dtype ${JSON.stringify(dtype)}; F32 and BF16 are read`);
  if (!isCounts(shape) || shape.length > 8) throw new TypeError(`${name}: bad shape`);
  if (!isCounts(offsets) || offsets.length !== 2) throw new TypeError(`${name}: bad data_offsets`);
  const [begin, end] = offsets as [number, number];
  if (end - begin !== elements(shape) * BYTES[dtype])
    throw new TypeError(`${name}: ${end - begin} bytes for ${dtype} [${shape.join(', ')}]`);
  return { name, dtype, shape, begin, end };
}

function readValues(view: DataView, at: number, count: number, dtype: DType): Float32Array {
  const data = new Float32Array(count);
  if (dtype === 'F32') {
    for (let i = 0; i < count; i++) data[i] = view.getFloat32(at + i * 4, true);
    return data;
  }
  // A bf16 is the upper half of an f32.
  const bits = new Uint32Array(data.buffer);
  for (let i = 0; i < count; i++) bits[i] = view.getUint16(at + i * 2, true) << 16;
  return data;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);

function elements(shape: readonly number[]): number {
  return shape.reduce((count, dimension) => {
    if (!Number.isSafeInteger(count * dimension)) throw new TypeError(`shape [${shape.join(', ')}] is too large`);
    return count * dimension;
  }, 1);
}
