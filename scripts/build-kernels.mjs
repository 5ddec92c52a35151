// Compiles the AssemblyScript kernels twice from the same sources: with relaxed fused multiply-add, and without.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = 'src/gpu/engines/embedded/kernels/index.ts';
const output = join(root, 'dist/gpu/engines/embedded/kernels');

const asc = await import('assemblyscript/asc').catch((cause) => {
  console.error('build-kernels: assemblyscript is not installed; run `npm install` with development dependencies.');
  console.error(String(cause));
  process.exit(1);
});

mkdirSync(output, { recursive: true });
const common = ['simd', 'threads', 'bulk-memory'];
const variants = { relaxed: [...common, 'relaxed-simd'], plain: common };
for (const [name, features] of Object.entries(variants)) {
  let binary;
  const { error, stderr } = await asc.main(
    [
      source,
      '--baseDir',
      root,
      '--outFile',
      'kernels.wasm',
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--sharedMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      '65536',
      ...features.flatMap((feature) => ['--enable', feature]),
    ],
    {
      writeFile: (file, contents) => {
        if (file.endsWith('.wasm')) binary = contents;
      },
    },
  );
  if (error || !binary) {
    // oxlint-disable-next-line typescript/no-base-to-string -- a memory stream of asc's, whose toString is its content
    console.error(`build-kernels: ${name}.wasm failed.\n${stderr.toString()}${error?.message ?? ''}`);
    process.exit(1);
  }
  writeFileSync(join(output, `${name}.wasm`), binary);
}
