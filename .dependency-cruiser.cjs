// The staircase of docs/architecture.md as a rule: what each layer may import, and nothing else.
// test/package/layers.test.ts proves that each kind of forbidden import fails.

/** Node's built-in modules for files and their names; a layer with them doesn't run in a browser. */
const fileSystem = ['fs', 'fs/promises', 'os', 'path', 'url']

/** layer → the layers below it that it may import, npm packages, and Node's built-in modules. */
const layers = {
  errors: { layers: [], packages: ['zod', 'fastest-levenshtein'], builtins: [] },
  graph: { layers: ['errors'], packages: ['@bufbuild/protobuf'], builtins: [] },
  nn: { layers: ['graph', 'errors'], packages: [], builtins: [] },
  models: { layers: ['nn', 'graph', 'errors'], packages: ['zod'], builtins: [] },
  reduction: { layers: ['models', 'nn', 'graph', 'errors'], packages: ['zod'], builtins: [] },
  // runtime and weights: types only, see the rule below
  training: {
    layers: ['reduction', 'models', 'nn', 'graph', 'errors', 'runtime', 'weights'],
    packages: ['zod'],
    builtins: [],
  },
  // The outside world: files, pictures, engines.
  weights: {
    layers: ['errors'],
    packages: ['zod', '@huggingface/hub'],
    builtins: [...fileSystem, 'crypto', 'timers/promises'],
  },
  image: { layers: ['errors'], packages: ['zod', 'sharp'], builtins: fileSystem },
  data: {
    layers: ['image', 'weights', 'errors'],
    packages: ['zod', 'tar', 'papaparse', 'tinyglobby'],
    builtins: [...fileSystem, 'crypto'],
  },
  runtime: {
    layers: ['graph', 'weights', 'errors'],
    packages: ['onnxruntime-common', 'onnxruntime-node', 'onnxruntime-web'],
    builtins: [...fileSystem, 'worker_threads'],
  },

  recipes: { layers: ['training', 'image', 'errors'], packages: ['zod'], builtins: [] },

  plot: { layers: ['errors'], packages: ['d3-scale', 'd3-shape'], builtins: [] },

  tasks: {
    layers: [
      'plot',
      'recipes',
      'training',
      'reduction',
      'models',
      'nn',
      'graph',
      'errors',
      'weights',
      'image',
      'data',
      'runtime',
    ],
    packages: ['zod', 'jiti'],
    builtins: [...fileSystem, 'child_process', 'crypto', 'perf_hooks', 'util', 'worker_threads'],
  },
  // weights: types only, see the rule below
  cli: {
    layers: ['tasks', 'errors', 'weights'],
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
