/** Loads the compiled kernels and states their signatures. Addresses are byte offsets into the shared memory, lengths and strides are floats. */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

import { artifact } from './artifact.ts';

/** A byte offset into the shared memory, a multiple of 16. */
export type Address = number;

type Kernel<Arguments extends number[]> = (...values: Arguments) => void;
type N = number;

/** Parameter names and meanings are in `kernels/*.ts`; here only the arity is checked. */
export interface Kernels {
  readonly adamw: Kernel<[N, N, N, N, N, N, N, N, N, N, N, N]>;
  readonly peakRate: (rounds: number) => number;
  readonly attend: Kernel<[N, N, N, N, N, N, N, N, N, N, N, N]>;
  readonly attendBackward: Kernel<[N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N]>;
  readonly packKeys: Kernel<[N, N, N, N, N, N]>;
  readonly packValues: Kernel<[N, N, N, N, N, N, N]>;
  readonly draw: (width: number, logits: Address, inverseTemperature: number, uniform: number, logprob: Address) => number;
  readonly drawGreedy: (width: number, logits: Address, logprob: Address) => number;
  readonly score: Kernel<[N, N, N, N, N, N]>;
  readonly scoreBackward: Kernel<[N, N, N, N, N]>;
  readonly accumulateOuter: Kernel<[N, N, N, N, N, N, N, N, N, N]>;
  readonly matmul: (
    m: number,
    n: number,
    k: number,
    a: Address,
    lda: number,
    panels: Address,
    c: Address,
    ldc: number,
    add: boolean,
  ) => void;
  readonly pack: Kernel<[N, N, N, N, N, N]>;
  readonly normalise: Kernel<[N, N, N, N, N, N, N]>;
  readonly normaliseBackward: Kernel<[N, N, N, N, N, N, N, N]>;
  readonly rotate: Kernel<[N, N, N, N, N, N, N, N, N, N, N, N]>;
  readonly rotateBackward: Kernel<[N, N, N, N, N, N, N, N, N, N, N, N, N]>;
  readonly attendPaged: Kernel<[N, N, N, N, N, N, N, N, N, N, N, N, N]>;
  readonly remember: Kernel<[N, N, N, N, N, N, N, N, N, N]>;
  readonly add: Kernel<[N, N, N]>;
  readonly addRows: Kernel<[N, N, N, N, N, N]>;
  readonly blend: Kernel<[N, N, N, N, N]>;
  readonly clear: Kernel<[N, N]>;
  readonly copy: Kernel<[N, N, N]>;
  readonly gather: Kernel<[N, N, N, N, N]>;
  readonly scatterAdd: Kernel<[N, N, N, N, N]>;
  readonly squares: (n: number, x: Address) => number;
  readonly swiglu: Kernel<[N, N, N, N]>;
  readonly swigluBackward: Kernel<[N, N, N, N, N]>;
}

export interface KernelBuild {
  readonly module: WebAssembly.Module;
  readonly variant: 'relaxed' | 'plain';
}

/** Relaxed SIMD rounds as the machine likes; `deterministic` therefore takes the plain build, which rounds alike everywhere. */
export function compileKernels(deterministic: boolean): KernelBuild {
  if (!deterministic) {
    enableRelaxedSimd();
    try {
      return { module: compile('relaxed'), variant: 'relaxed' };
    } catch (fault) {
      if (!(fault instanceof WebAssembly.CompileError)) throw fault;
    }
  }
  return { module: compile('plain'), variant: 'plain' };
}

/** Node 20 hides relaxed SIMD behind a flag, which each thread's isolate accepts until its first such module. */
export function enableRelaxedSimd(): void {
  if (Number(process.versions.node.split('.')[0]) < 22) setFlagsFromString('--experimental-wasm-relaxed-simd');
}

function compile(variant: KernelBuild['variant']): WebAssembly.Module {
  const file = artifact(`./kernels/${variant}.wasm`);
  let bytes: Buffer<ArrayBuffer>;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new Error(`the embedded engine's kernels are missing (${file.pathname}): run \`npm run build\``, { cause });
  }
  return new WebAssembly.Module(bytes);
}

export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const abort = (): never => {
    throw new Error('a kernel aborted');
  };
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports as unknown as Kernels;
}
