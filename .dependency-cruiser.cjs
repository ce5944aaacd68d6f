// The staircase of docs/architecture.md as a rule: what each layer may import, and nothing else.
// test/package/layers.test.ts proves that each kind of forbidden import fails.

/** Node's built-in modules for files and their names; a layer with them doesn't run in a browser. */
const fileSystem = ['fs', 'fs/promises', 'os', 'path', 'url']

/** layer → the layers below it that it may import, npm packages, and Node's built-in modules. */
const pure = ['graph', 'base']
const layers = {
  base: { layers: [], packages: ['zod', 'fastest-levenshtein', 'd3-array'], builtins: [] },
  graph: { layers: ['base'], packages: ['@bufbuild/protobuf'], builtins: [] },
  nn: { layers: pure, packages: [], builtins: [] },
  models: { layers: ['nn', ...pure], packages: ['zod'], builtins: [] },
  reduction: { layers: ['models', 'nn', ...pure], packages: ['zod'], builtins: [] },
  settings: { layers: ['reduction', 'models', ...pure], packages: ['zod'], builtins: [] },
  problems: { layers: ['models', ...pure], packages: [], builtins: [] },
  // runtime and weights: types only, see the rule below
  training: {
    layers: ['settings', 'reduction', 'models', 'nn', ...pure, 'runtime', 'weights'],
    packages: ['zod'],
    builtins: [],
  },
  // The outside world: files, pictures, engines.
  files: { layers: ['base'], packages: [], builtins: [...fileSystem, 'crypto'] },
  weights: {
    layers: ['files', 'base'],
    packages: ['zod', '@huggingface/hub'],
    builtins: [...fileSystem, 'crypto', 'timers/promises'],
  },
  image: { layers: ['files', 'base'], packages: ['zod', 'sharp'], builtins: fileSystem },
  data: {
    layers: ['image', 'weights', 'files', 'base'],
    packages: ['zod', 'tar', 'papaparse', 'tinyglobby'],
    builtins: [...fileSystem, 'crypto'],
  },
  batches: { layers: ['data', 'image', 'base'], packages: [], builtins: [...fileSystem, 'worker_threads'] },
  runtime: {
    layers: ['weights', ...pure],
    packages: ['onnxruntime-common', 'onnxruntime-node', 'onnxruntime-web'],
    builtins: [...fileSystem, 'worker_threads'],
  },
  'model-store': {
    layers: ['files', 'weights', 'image', 'models', ...pure],
    packages: ['zod'],
    builtins: [...fileSystem, 'crypto', 'util'],
  },
  // A model in an engine: what a task asks.
  engine: {
    layers: ['runtime', 'weights', 'settings', 'problems', 'models', ...pure],
    packages: [],
    builtins: [],
  },
  recipes: { layers: ['training', 'image', 'base'], packages: ['zod'], builtins: [] },
  drawing: { layers: ['files', 'image', 'base'], packages: ['d3-scale', 'd3-shape'], builtins: fileSystem },
  tasks: {
    layers: [
      'drawing', 'engine', 'model-store', 'runtime', 'batches', 'data', 'image', 'weights', 'files',
      'problems', 'settings', 'reduction', 'models', ...pure,
    ],
    packages: ['zod'],
    builtins: [...fileSystem, 'crypto', 'util'],
  },
  trainer: {
    layers: [
      'tasks', 'engine', 'nn', 'recipes', 'drawing', 'model-store', 'runtime', 'batches', 'data', 'image', 'weights', 'files',
      'training', 'problems', 'settings', 'models', ...pure,
    ],
    packages: ['zod', 'jiti'],
    builtins: [...fileSystem, 'crypto', 'worker_threads'],
  },
  bench: {
    layers: [
      'trainer', 'tasks', 'recipes', 'training', 'engine', 'drawing', 'model-store', 'runtime', 'batches', 'data',
      'image', 'weights', 'files', 'problems', 'settings', 'models', ...pure,
    ],
    packages: ['zod'],
    builtins: [...fileSystem, 'child_process', 'perf_hooks', 'util'],
  },
  // weights: types only, see the rule below
  cli: {
    layers: ['bench', 'trainer', 'tasks', 'drawing', 'data', 'files', 'model-store', 'settings', 'problems', 'base', 'weights'],
    packages: ['commander', 'cli-progress', 'cli-table3'],
    builtins: fileSystem,
  },
}

const names = Object.keys(layers)

const layerRules = names.map((name) => {
  const { layers: below, packages, builtins } = layers[name]
  return {
    name: `${name}-imports`,
    comment: `${name} may import ${[...below, ...packages, ...builtins].join(', ') || 'nothing'}`,
    severity: 'error',
    from: { path: `^src/${name}/` },
    to: {
      pathNot: [
        `^src/(${[name, ...below].join('|')})/`,
        ...(packages.length > 0 ? [`(^|/)node_modules/(${packages.join('|')})/`] : []),
        ...(builtins.length > 0 ? [`^(node:)?(${builtins.join('|')})$`] : []),
      ],
    },
  }
})

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'no-unknown-layer',
      comment: 'A new folder under src needs a row in the table above.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: [`^src/(${names.join('|')})/`, '^src/index\\.ts$'] },
    },
    {
      name: 'no-unknown-layer-importing',
      comment: 'A new folder under src needs a row in the table above.',
      severity: 'error',
      from: { path: '^src/', pathNot: [`^src/(${names.join('|')})/`, '^src/index\\.ts$'] },
      to: {},
    },
    {
      name: 'index-imports',
      comment: 'The public face shows the library; the command line is another face of it.',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { pathNot: `^src/(${names.filter((name) => name !== 'cli').join('|')})/` },
    },
    {
      name: 'nothing-imports-the-faces',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/(index|cli/main)\\.ts$' },
    },
    {
      name: 'cli-takes-only-types-of-weights',
      comment: 'Commands call tasks; from weights they may name what a task reports, e.g. download progress.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^src/weights/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'training-takes-only-types-of-the-outside-world',
      comment: 'Training is handed an engine and weights; it opens none, so it runs in a browser.',
      severity: 'error',
      from: { path: '^src/training/' },
      to: { path: '^src/(runtime|weights)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'optional-packages-load-late',
      comment: 'onnxruntime-node may be missing: a static import would break the fallback to WebAssembly.',
      severity: 'error',
      from: {},
      to: { path: '(^|/)node_modules/onnxruntime-(node|web)/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      comment: 'Cycles of types alone are allowed: they are gone before anything runs.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-package',
      comment: 'Packages must stand in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-package',
      comment: "People who install blvit don't get devDependencies.",
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-optional'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      mainFields: ['module', 'main', 'types'],
    },
  },
}
