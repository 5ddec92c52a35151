/** A token batch as the sidecar reads it: samples behind each other in flat arrays. Knows neither models nor micro-batches. */
import type { TokenBatch, TokenSample } from '../../../learning/batch.ts';

/** A typed array for a program of another language: its element type by name, its bytes little-endian. */
export interface ForeignArray {
  readonly dtype: 'float32' | 'int32' | 'uint8';
  readonly data: Uint8Array;
}

export interface ForeignBatch {
  /** One per position of all samples. */
  readonly ids: ForeignArray;
  readonly sampled: ForeignArray;
  readonly logprobs: ForeignArray;
  readonly proximal: ForeignArray | null;
  /** One per sample. */
  readonly lengths: ForeignArray;
  readonly advantages: ForeignArray;
  readonly denominator: number;
}

/** Throws RangeError where some samples have proximal log-probs and others have none. */
export function foreignBatch({ samples, denominator }: TokenBatch): ForeignBatch {
  const positions = samples.reduce((sum, sample) => sum + sample.ids.length, 0);
  const floats = (of: (sample: TokenSample) => Float32Array): ForeignArray =>
    foreign('float32', joined(new Float32Array(positions), samples.map(of)));
  return {
    ids: foreign(
      'int32',
      joined(
        new Int32Array(positions),
        samples.map((sample) => sample.ids),
      ),
    ),
    sampled: foreign(
      'uint8',
      joined(
        new Uint8Array(positions),
        samples.map((sample) => sample.sampled),
      ),
    ),
    logprobs: floats((sample) => sample.logprobs),
    proximal: samples.some((sample) => sample.proximal !== undefined) ? floats(proximalOf) : null,
    lengths: foreign(
      'int32',
      Int32Array.from(samples, (sample) => sample.ids.length),
    ),
    advantages: foreign(
      'float32',
      Float32Array.from(samples, (sample) => sample.advantage),
    ),
    denominator,
  };
}

function proximalOf(sample: TokenSample): Float32Array {
  if (sample.proximal === undefined) throw new RangeError('some samples have proximal log-probs and others have none');
  return sample.proximal;
}

function joined<T extends Int32Array | Uint8Array | Float32Array>(into: T, lists: readonly T[]): T {
  let at = 0;
  for (const list of lists) {
    into.set(list, at);
    at += list.length;
  }
  return into;
}

const foreign = (dtype: ForeignArray['dtype'], array: Int32Array | Uint8Array | Float32Array): ForeignArray => ({
  dtype,
  data: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
});
