/** The plan of the shared memory: where everything lies, the same for every lane. Knows no kernels. */
import type { Address } from './kernels.ts';
import type { ModelShape, ParameterTable } from './shape.ts';
import { parametersOf } from './shape.ts';

/** Shards accumulate into this many gradients in turn, so that sums do not depend on how many threads share the work. */
export const ACCUMULATORS = 4;

/** Tokens in a page of the key-value cache; the kernels know it too. */
export const PAGE_TOKENS = 16;

const WASM_PAGE = 65536;

/** Byte addresses in the shared memory; identical in every lane. Regions the size of the model hold each parameter at its own offset. */
export interface Plan {
  readonly shape: ModelShape;
  readonly weights: Address;
  /** Each fused matrix in panels, as the right-hand side of x W^T. */
  readonly forwardPanels: Address;
  /** ... and of dy W. */
  readonly backwardPanels: Address;
  /** The first is the sum once a pass is over. */
  readonly gradients: readonly Address[];
  readonly firstMoment: Address;
  readonly secondMoment: Address;
  /** [maxPositions, headDim / 2] */
  readonly cos: Address;
  readonly sin: Address;
  readonly pages: { readonly start: Address; readonly count: number; readonly bytes: number };
  /** One private stretch per lane. */
  readonly lanes: readonly { readonly start: Address; readonly end: Address }[];
  readonly bytes: number;
}

export interface Budget {
  readonly lanes: number;
  readonly arenaMB: number;
  readonly cacheMB: number;
}

export function planMemory(shape: ModelShape, budget: Budget): Plan {
  const { floats } = parametersOf(shape);
  let top = WASM_PAGE;
  const take = (bytes: number): Address => {
    const start = top;
    top = Math.ceil((top + bytes) / 64) * 64;
    return start;
  };
  const model = (): Address => take(floats * 4 + 64);
  const angles = (): Address => take(shape.maxPositions * shape.headDim * 2);
  const pageBytes = shape.layers * shape.kvHeads * 2 * shape.headDim * PAGE_TOKENS * 4;
  const pageCount = Math.max(1, Math.floor((budget.cacheMB * 2 ** 20) / pageBytes));
  const plan = {
    shape,
    weights: model(),
    forwardPanels: model(),
    backwardPanels: model(),
    gradients: Array.from({ length: ACCUMULATORS }, model),
    firstMoment: model(),
    secondMoment: model(),
    cos: angles(),
    sin: angles(),
    pages: { start: take(pageCount * pageBytes), count: pageCount, bytes: pageBytes },
    lanes: Array.from({ length: budget.lanes }, () => {
      const start = take(budget.arenaMB * 2 ** 20);
      return { start, end: top };
    }),
  };
  if (top > 65536 * WASM_PAGE)
    throw new RangeError(`the embedded engine would need ${Math.ceil(top / 2 ** 20)} MB; WebAssembly addresses 4096`);
  return { ...plan, bytes: top };
}

/** The memory is reserved at once; the operating system provides a page when it is first written. */
export function allocateMemory(plan: Plan): WebAssembly.Memory {
  const pages = Math.ceil(plan.bytes / WASM_PAGE);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

export function fillAngles(plan: Plan, buffer: SharedArrayBuffer): void {
  const { maxPositions, headDim, ropeTheta } = plan.shape;
  const half = headDim / 2;
  const cos = new Float32Array(buffer, plan.cos, maxPositions * half);
  const sin = new Float32Array(buffer, plan.sin, maxPositions * half);
  for (let pair = 0; pair < half; pair++) {
    const speed = ropeTheta ** (-pair / half);
    for (let position = 0; position < maxPositions; position++) {
      cos[position * half + pair] = Math.cos(position * speed);
      sin[position * half + pair] = Math.sin(position * speed);
    }
  }
}

/** Views of a model-sized region by parameter name: no copies. */
export function viewsOf(table: ParameterTable, buffer: SharedArrayBuffer, region: Address): Map<string, Float32Array> {
  return new Map(table.list.map((p) => [p.name, new Float32Array(buffer, region + p.offset * 4, p.rows * p.cols)]));
}
