/** Who may import whom: the table of ARCHITECTURE.md as rules. test/layers.test.ts runs them and asserts how many modules were read. */
const inside = (folder) => `^src/${folder}`;

/** Folder or file → the parts of src it may import, besides itself. */
const layers = {
  'protocol/': [],
  'errors\\.ts$': [],
  'random\\.ts$': [],
  'config\\.ts$': ['protocol/', 'errors\\.ts$'],
  'learning/': ['protocol/', 'random\\.ts$'],
  'tools/': ['protocol/', 'errors\\.ts$', 'random\\.ts$'],
  'record/': ['protocol/', 'errors\\.ts$'],
  'simulation/': ['protocol/', 'tools/', 'errors\\.ts$', 'random\\.ts$'],
  'machines/': ['protocol/', 'learning/', 'errors\\.ts$'],
  'gpu/(?!engines/fake)': ['protocol/', 'learning/', 'machines/', 'record/', 'errors\\.ts$', 'random\\.ts$'],
  // The fake server has a brain that plays the simulated roles.
  'gpu/engines/fake': ['gpu/', 'protocol/', 'learning/', 'machines/', 'record/', 'simulation/', 'errors\\.ts$', 'random\\.ts$'],
  'viewer/': ['record/', 'machines/', 'protocol/', 'errors\\.ts$'],
  'actors/': [
    'protocol/',
    'learning/',
    'tools/',
    'record/',
    'simulation/',
    'machines/',
    'gpu/',
    'config\\.ts$',
    'errors\\.ts$',
    'random\\.ts$',
  ],
};

/** Package → the only files that may import it. */
const owners = {
  msgpackr: 'protocol/codec\\.ts$',
  piscina: 'actors/pool\\.ts$',
  commander: '(cli/|run\\.ts$)',
  yaml: '(cli|tools/import)/',
  comlink: 'gpu/(control\\.ts|comlink\\.d\\.ts)$',
  ajv: '(simulation|tools/import)/',
  '@modelcontextprotocol': 'tools/import/',
  '@huggingface': 'gpu/tokens/',
  xstate: '(machines|actors|gpu)/',
  openai: 'gpu/engines/vllm',
  undici: 'gpu/engines/vllm',
  '(preact|@preact|uplot)': 'viewer/page/',
  hono: 'viewer/',
  elkjs: 'viewer/',
};

module.exports = {
  /** For the test that compares the table; the rules themselves are below. */
  layers,
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(layers).map(([from, allowed]) => ({
      name: `layer ${from}`,
      severity: 'error',
      from: { path: inside(from) },
      to: { path: '^src/', pathNot: [from, ...allowed].map(inside) },
    })),
    ...Object.entries(owners).map(([name, files]) => ({
      name: `only ${files} imports ${name}`,
      severity: 'error',
      from: { path: '^src/', pathNot: inside(files) },
      to: { path: `node_modules/${name}/` },
    })),
    {
      name: 'machines, protocol and learning stay loadable in a browser',
      severity: 'error',
      from: { path: '^src/(machines|learning|protocol)/', pathNot: '^src/protocol/codec\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'procedural and lm never meet',
      severity: 'error',
      from: { path: inside('simulation/procedural/') },
      to: { path: inside('simulation/lm/') },
    },
    {
      name: 'lm and procedural never meet',
      severity: 'error',
      from: { path: inside('simulation/lm/') },
      to: { path: inside('simulation/procedural/') },
    },
    { name: 'nothing imports run.ts', severity: 'error', from: { path: '^src/' }, to: { path: inside('run\\.ts$') } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Its parser reads no JSX: test/viewer-page-imports.test.ts holds the page to the table.
    exclude: { path: '^src/gpu/engines/embedded/kernels/|\\.tsx$' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'], extensions: ['.ts', '.js'] },
  },
};
