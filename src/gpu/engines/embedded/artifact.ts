/** Where build outputs lie, whether this code runs from `dist` or, in tests, from the TypeScript sources. */

/** A path relative to this folder, as `npm run build` left it in `dist`. */
export function artifact(path: string): URL {
  const here = import.meta.url;
  const at = here.lastIndexOf('/src/gpu/');
  const base = here.endsWith('.ts') && at >= 0 ? `${here.slice(0, at)}/dist/gpu/${here.slice(at + '/src/gpu/'.length)}` : here;
  return new URL(path, base);
}
