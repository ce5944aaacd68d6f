import { availableParallelism } from 'node:os'
import { dirname, relative, resolve } from 'node:path'
import { defineConfig, type Plugin } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.js'

const at = (...path: string[]) => resolve(import.meta.dirname, ...path)

/**
 * What is tested are the built modules: threads and child processes need them anyway, as Node runs no TypeScript, and each process
 * reads them in a fifth of the time that it takes to compile the sources again.
 */
const builtSources: Plugin = {
  name: 'built-sources',
  enforce: 'pre',
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith('.')) return undefined
    const inside = relative(at('src'), resolve(dirname(importer), source))
    if (inside.startsWith('..')) return undefined
    return at('dist/modules', inside)
  },
}

const files = (names: readonly string[]) => names.map((name) => `test/${name}.test.ts`)

/** In the rooms of the quick ones, but each as long as a whole room; reduction/webgpu runs the command line. */
const patient = ['op-gradients', 'webgpu-provider', 'convert', 'blvit-gradients', 'webgpu']

/** Rooms that start no thread and no process: most of the tests in little of the time, for daily work. */
const quick = files([
  ...[
    'base',
    'comparison',
    'data',
    'drawing',
    'engine',
    'files',
    'graph',
    'image',
    'model-store',
    'models',
    'nn',
  ]
    .concat(['problems', 'recipes', 'reduction', 'settings', 'weights'])
    .map((room) => `${room}/**/!(${patient.join('|')})`),
  ...['adamw', 'bundles', 'learning-rate', 'objectives', 'parameter-groups', 'settings-plan'].map(
    (name) => `training/${name}`,
  ),
])

/** Each has a process of its own: these count its threads or its memory, or load another engine into it. */
const alone = [
  ...files(['fuzz/*', 'interop/chromium', 'interop/transformers-js', 'runtime/node/engine-thread']),
  ...files(['tasks/many-pictures', 'tasks/model', 'trainer/train']),
]

export default defineConfig({
  plugins: [builtSources],
  test: {
    reporters: ['default', './test/support/closing-line.ts'],
    // tests of operators open sessions of ONNX Runtime themselves
    env: { ORT_DISABLE_TELEMETRY: '1' },
    globalSetup: ['test/support/build-once.ts'],
    // Node itself reads what is built
    server: { deps: { external: [/[/]dist[/]modules[/]/] } },
    setupFiles: ['test/support/own-environment.ts'],
    // one more than can run at once: a file often waits, for a process, a page or the end of a thread
    maxWorkers: availableParallelism() + 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { sequencer: LongestFirst },
    // A process that serves one file after the other reads modules once: for each file anew that takes longer than most
    // of the files.
    projects: [
      {
        extends: true,
        test: { name: 'quick', include: quick, pool: 'threads', isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...quick, ...alone],
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone },
      },
    ],
  },
})
