import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineConfig, type Plugin } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.js'

/** Threads and child processes of the sources under test are the built ones: Node runs no TypeScript in them. */
const builtThreads: Plugin = {
  name: 'built-threads',
  transform(code, id) {
    const file = /[/]src[/](.*[/])?[^/]*\.ts$/.exec(id)
    if (!file) return undefined
    const folder = pathToFileURL(resolve(import.meta.dirname, 'dist/modules', file[1] ?? '.'))
    return code.replaceAll(
      /new URL\(["'](\.[^"']*\.js)["'],\s*import\.meta\.url\)/g,
      (_, path) => `new URL(${JSON.stringify(`${folder}/${path}`)})`,
    )
  },
}

/** Rooms that start no thread and no process: most of the tests in little of the time, for daily work. */
const quickRooms = [
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
  ],
  ...['problems', 'recipes', 'reduction', 'settings', 'weights'],
].map((room) => `test/${room}/**/*.test.ts`)
const quickFiles = [
  'adamw',
  'bundles',
  'learning-rate',
  'objectives',
  'parameter-groups',
  'settings-plan',
].map((name) => `test/training/${name}.test.ts`)
const quick = [...quickRooms, ...quickFiles]
/** In these rooms, but each as long as a whole room. */
const patient = [
  ...['graph/op-gradients', 'graph/webgpu-provider', 'model-store/convert', 'models/blvit-gradients'],
  // and this one runs the command line
  'reduction/webgpu',
].map((name) => `test/${name}.test.ts`)

/** Longer than those, but they change nothing in their process either: modules are read once for all. */
const together = [
  ...['training/**/*', 'tasks/analyze/*', 'bench/report', 'bench/spread', 'bench/training/cases'],
  ...['tasks/trace/draw-*', 'tasks/trace/trace-*', 'tasks/trace/token-groups'],
  ...['runtime/device', 'runtime/engine-error', 'runtime/feeds'],
].map((name) => `test/${name}.test.ts`)

export default defineConfig({
  plugins: [builtThreads],
  test: {
    reporters: ['default', './test/support/closing-line.ts'],
    // tests of operators open sessions of ONNX Runtime themselves
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // both cores of a small machine; vitest would leave one to itself
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: quick,
          exclude: patient,
          // to start a process and read all modules for each file takes longer than most of these files
          pool: 'threads',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: together,
          exclude: quickFiles,
          isolate: false,
          globalSetup: ['test/support/build-once.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'patient', include: patient, globalSetup: ['test/support/build-once.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          // a new room is here until it stands above
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...quick, ...together],
          globalSetup: ['test/support/build-once.ts'],
        },
      },
    ],
  },
})
