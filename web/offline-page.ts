import { createHash } from 'node:crypto'
import type { Plugin } from 'vite'

/** Where a service worker must lie: beside the page that it is for. */
export const serviceWorkerFile = 'service-worker.js'

/** Tells the service worker which files the page is made of: all that are no engine and no model. */
export function offlinePage(): Plugin {
  return {
    name: 'offline-page',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const worker = bundle[serviceWorkerFile]
        if (worker?.type !== 'chunk') return
        const names = Object.keys(bundle).filter(
          (name) => name !== serviceWorkerFile && !/^models\/|\.wasm$|\/ort\.[^/]*\.js$/.test(name),
        )
        const version = createHash('sha256')
        for (const name of names.sort()) {
          const file = bundle[name]
          version.update(name).update((file?.type === 'chunk' ? file.code : file?.source) ?? '')
        }
        // the page itself is kept under the address of its folder
        const files = names.map((name) => (name === 'index.html' ? './' : name))
        worker.code = worker.code
          .replaceAll('pageFiles', JSON.stringify(files))
          .replaceAll('pageVersion', JSON.stringify(version.digest('hex').slice(0, 12)))
      },
    },
  }
}
