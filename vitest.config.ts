import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineConfig, type Plugin } from 'vitest/config'

/** Threads and child processes of the sources under test are the built ones: Node runs no TypeScript in them. */
const builtThreads: Plugin = {
  name: 'built-threads',
  transform(code, id) {
    const file = /[/]src[/](.*[/])?[^/]*\.ts$/.exec(id)
    if (!file) return undefined
    const folder = pathToFileURL(resolve(import.meta.dirname, 'dist', file[1] ?? '.'))
    return code.replaceAll(
      /new URL\(["'](\.[^"']*\.js)["'],\s*import\.meta\.url\)/g,
      (_, path) => `new URL(${JSON.stringify(`${folder}/${path}`)})`,
    )
  },
}

export default defineConfig({
  plugins: [builtThreads],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build-once.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    // tests of operators open sessions of ONNX Runtime themselves
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // both cores of a small machine; vitest would leave one to itself
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
