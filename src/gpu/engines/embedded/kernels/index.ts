/** What the wasm file exports: f32 SIMD kernels over raw addresses in an imported shared memory. No allocation, no knowledge of a model. */
export { adamw, peakRate } from './adamw';
export { attend, attendBackward, packKeys, packValues } from './attention';
export { draw, drawGreedy, score, scoreBackward } from './logits';
export { accumulateOuter, matmul, pack } from './matmul';
export { normalise, normaliseBackward, rotate, rotateBackward } from './normalise';
export { attendPaged, mix32, remember, scorePages } from './paged';
export { add, addRows, blend, clear, copy, gather, scatterAdd, squares } from './rows';
export { swiglu, swigluBackward } from './swiglu';
