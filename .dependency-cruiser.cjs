// The staircase of docs/architecture.md as a rule: what each layer may import, and nothing else.
// test/package/layers.test.ts proves that each kind of forbidden import fails.

const { builtinModules: nodeModules } = require('node:module')

/** Whatever Node brings with it. */
const builtin = `^(node:.*|${nodeModules.join('|')})$`

/** Node's built-in modules for files and their names. */
const fileSystem = ['fs', 'fs/promises', 'os', 'path', 'url']

/**
 * layer → the layers below it that it may import, npm packages, and in `node` what its `node` folders may besides.
 * A layer without `builtins` runs in a browser, but for its `node` folders; one with them is for Node as a whole.
 */
const pure = ['graph', 'base']
const layers = {
  base: { layers: [], packages: ['zod', 'fastest-levenshtein'] },
  graph: { layers: ['base'], packages: ['@bufbuild/protobuf'] },
  nn: { layers: pure, packages: [] },
  models: { layers: ['nn', ...pure], packages: ['zod'] },
  reduction: { layers: ['models', 'nn', ...pure], packages: ['zod'] },
  settings: { layers: ['reduction', 'models', ...pure], packages: ['zod'] },
  problems: { layers: ['models', ...pure], packages: [] },
  // runtime and weights: types only, see the rule below
  training: {
    layers: ['problems', 'settings', 'reduction', 'models', 'nn', ...pure, 'runtime', 'weights'],
    packages: ['zod'],
  },
  // The outside world: files, pictures, engines.
  files: { layers: ['base'], packages: ['zod'], builtins: [...fileSystem, 'crypto'] },
  threads: { layers: ['base'], packages: [], builtins: ['worker_threads', 'child_process', 'url'] },
  weights: {
    layers: ['base'],
    packages: ['zod'],
    node: {
      layers: ['files'],
      packages: ['@huggingface/hub'],
      builtins: [...fileSystem, 'crypto', 'timers/promises'],
    },
  },
  image: {
    layers: ['base'],
    packages: ['zod'],
    node: { layers: ['files'], packages: ['sharp'], builtins: [...fileSystem, 'module'] },
  },
  segmentation: { layers: ['image', 'base'], packages: ['zod'] },
  data: {
    layers: ['segmentation', 'image', 'weights', 'files', 'base'],
    packages: ['zod', 'tar', 'papaparse', 'tinyglobby'],
    builtins: [...fileSystem, 'crypto'],
  },
  batches: { layers: ['data', 'segmentation', 'image', 'threads', 'base'], packages: [], builtins: [...fileSystem, 'worker_threads'] },
  runtime: {
    layers: ['weights', ...pure],
    packages: ['onnxruntime-common', 'onnxruntime-web'],
    node: { layers: ['threads'], packages: ['onnxruntime-node'], builtins: [...fileSystem, 'worker_threads', 'inspector'] },
  },
  'model-store': {
    layers: ['weights', 'image', 'settings', 'models', ...pure],
    packages: ['zod'],
    node: { layers: ['files'], builtins: fileSystem },
  },
  // A model in an engine: what a task asks.
  engine: {
    layers: ['runtime', 'weights', 'settings', 'problems', 'models', ...pure],
    packages: [],
  },
  recipes: { layers: ['training', 'settings', 'image', 'base'], packages: ['zod'] },
  stages: {
    layers: [
      'recipes', 'engine', 'model-store', 'training', 'runtime', 'weights', 'settings', 'models', ...pure,
    ],
    packages: [],
  },
  drawing: {
    layers: ['image', 'base'],
    packages: ['d3-scale', 'd3-shape', 'opentype.js'],
    node: { builtins: [...fileSystem, 'module'] },
  },
  tasks: {
    layers: [
      'stages', 'recipes', 'drawing', 'engine', 'model-store', 'runtime', 'segmentation', 'image', 'weights',
      'training', 'problems', 'settings', 'reduction', 'models', ...pure,
    ],
    packages: ['zod'],
    node: { layers: ['data', 'files'], builtins: [...fileSystem, 'crypto', 'util'] },
  },
  trainer: {
    layers: [
      'tasks', 'stages', 'engine', 'nn', 'recipes', 'drawing', 'model-store', 'runtime', 'batches', 'data', 'image', 'weights', 'files',
      'training', 'problems', 'settings', 'models', ...pure,
    ],
    packages: ['zod', 'jiti'],
    builtins: [...fileSystem, 'crypto', 'worker_threads'],
  },
  finetune: {
    layers: [
      'trainer', 'tasks', 'recipes', 'training', 'drawing', 'model-store', 'runtime', 'data', 'image', 'weights', 'files',
      'problems', 'settings', 'models', ...pure,
    ],
    packages: [],
    builtins: [...fileSystem, 'crypto'],
  },
  bench: {
    layers: [
      'trainer', 'tasks', 'recipes', 'training', 'engine', 'drawing', 'model-store', 'runtime', 'batches', 'data',
      'image', 'weights', 'files', 'threads', 'problems', 'settings', 'models', ...pure,
    ],
    packages: ['zod', 'd3-array'],
    builtins: [...fileSystem, 'child_process', 'perf_hooks', 'util'],
  },
  comparison: {
    layers: [
      'bench', 'tasks', 'drawing', 'data', 'image', 'files', 'problems', 'settings', 'models', ...pure,
    ],
    packages: ['zod', 'd3-array'],
    builtins: [...fileSystem, 'crypto', 'events', 'util'],
  },
  experiments: {
    layers: [
      'comparison', 'bench', 'trainer', 'tasks', 'recipes', 'model-store', 'runtime', 'data', 'segmentation', 'image', 'weights', 'files',
      'threads', 'reduction', 'settings', 'models', ...pure,
    ],
    packages: ['zod', 'd3-array'],
    builtins: [...fileSystem, 'crypto', 'util'],
  },
  // weights: types only, see the rule below
  cli: {
    layers: ['experiments', 'comparison', 'bench', 'finetune', 'trainer', 'tasks', 'drawing', 'data', 'files', 'model-store', 'settings', 'problems', 'base', 'weights'],
    packages: ['commander', 'cli-progress', 'cli-table3'],
    builtins: fileSystem,
  },
}

const names = Object.keys(layers)

const modules = (packages = []) => (packages.length > 0 ? [`(^|/)node_modules/(${packages.join('|')})/`] : [])
const builtinModules = (builtins = []) => (builtins.length > 0 ? [`^(node:)?(${builtins.join('|')})$`] : [])

const layerRules = names.flatMap((name) => {
  const { layers: below, packages, builtins, node = {} } = layers[name]
  const rooms = [name, ...below].join('|')
  const pure = {
    name: `${name}-imports`,
    comment: `${name} may import ${[...below, ...packages, ...(builtins ?? [])].join(', ') || 'nothing'}`,
    severity: 'error',
    from: { path: `^src/${name}/`, pathNot: '/node/' },
    to: {
      pathNot: [
        `^src/(${rooms})/`,
        ...modules(packages),
        ...builtinModules(builtins),
      ],
    },
  }
  const nodeRooms = [name, ...below, ...(node.layers ?? [])].join('|')
  const forNode = {
    name: `${name}-node-imports`,
    comment: `${name}/node may also import ${[node.layers, node.packages, node.builtins].flat().filter(Boolean).join(', ') || 'nothing'}`,
    severity: 'error',
    from: { path: `^src/${name}/.*\\bnode/` },
    to: {
      pathNot: [
        `^src/(${nodeRooms})/`,
        ...modules([...packages, ...(node.packages ?? [])]),
        ...builtinModules([...(builtins ?? []), ...(node.builtins ?? [])]),
      ],
    },
  }
  return [pure, forNode]
})

const browserLayers = names.filter((name) => layers[name].builtins === undefined)

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'browsers-have-no-node',
      comment: 'What needs Node stands in node folders, and nothing that runs in a browser imports it, not even types.',
      severity: 'error',
      from: { path: `^src/(${browserLayers.join('|')})/`, pathNot: '/node/' },
      to: { path: '^src/.*/node/' },
    },
    {
      name: 'no-unknown-layer',
      comment: 'A new folder under src needs a row in the table above.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: [`^src/(${names.join('|')})/`, '^src/(index|web)\\.ts$'] },
    },
    {
      name: 'no-unknown-layer-importing',
      comment: 'A new folder under src needs a row in the table above.',
      severity: 'error',
      from: { path: '^src/', pathNot: [`^src/(${names.join('|')})/`, '^src/(index|web)\\.ts$'] },
      to: {},
    },
    {
      name: 'index-imports',
      comment: 'The public face shows the library; the command line is another face of it.',
      severity: 'error',
      from: { path: '^src/(index|web)\\.ts$' },
      to: { pathNot: `^src/(${names.filter((name) => name !== 'cli').join('|')})/` },
    },
    {
      name: 'web-runs-in-a-browser',
      comment: 'Nothing of Node is reached from the web face, by whatever way.',
      severity: 'error',
      from: { path: '^src/web\\.ts$' },
      to: { path: ['^src/.*/node/', '(^|/)node_modules/(sharp|onnxruntime-node)/', builtin], reachable: true },
    },
    {
      name: 'nothing-imports-the-faces',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/(index|web|cli/main)\\.ts$' },
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
      name: 'settings-are-read-at-once',
      comment: 'The command line reads every setting before it starts the engine: graphs and methods are handed to them.',
      severity: 'error',
      from: { path: '^src/settings/', pathNot: '^src/settings/resolve' },
      to: { pathNot: '^src/(settings/(?!resolve)|base/blvit-error)', dependencyTypesNot: ['type-only'] },
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
      comment: 'Cycles of types count too: neither file can be understood, or moved, without the other.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-folder-cycles',
      comment: 'Two folders that need each other are one. A folder and those inside it are one anyway.',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
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
