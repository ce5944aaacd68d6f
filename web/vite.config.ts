import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'
import { offlinePage, serviceWorkerFile } from './offline-page.js'
import { shippedModels } from './shipped-models.js'

const inRepository = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/**
 * ONNX Runtime starts its threads with its own file. It mentions `require`, for which the bundler would have it import a
 * helper from the file of the engine's worker, and that would run in each thread too.
 */
const ownFileOfThreads: Plugin = {
  name: 'own-file-of-threads',
  transform: (code, id) => (/onnxruntime-web.dist.[^/]+\.mjs/.test(id) ? `var require;${code}` : undefined),
}

/** The development server puts styles into the page itself, which the page's policy forbids everywhere else. */
const stylesInDevelopment: Plugin = {
  name: 'styles-in-development',
  apply: 'serve',
  transformIndexHtml: (html) => html.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"),
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // addresses relative to the page: it works in any folder of any host
  base: './',
  plugins: [shippedModels(inRepository('assets/models')), offlinePage(), stylesInDevelopment],
  resolve: {
    alias: [
      { find: 'blvit/web', replacement: inRepository('src/web.ts') },
      // the build without WebGPU, which has one of its own: half as large
      { find: /^onnxruntime-web$/, replacement: 'onnxruntime-web/wasm' },
    ],
  },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  worker: {
    format: 'es',
    plugins: () => [shippedModels(inRepository('assets/models')), ownFileOfThreads],
  },
  server: { headers: isolated },
  preview: { headers: isolated },
  build: {
    outDir: inRepository('build/web'),
    emptyOutDir: true,
    target: 'es2022',
    // the policy of the page allows no data: addresses but for pictures
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      input: {
        index: inRepository('web/index.html'),
        'service-worker': inRepository('web/src/service-worker.ts'),
      },
      output: {
        entryFileNames: ({ name }) =>
          name === 'service-worker' ? serviceWorkerFile : 'assets/[name]-[hash].js',
      },
    },
  },
})
