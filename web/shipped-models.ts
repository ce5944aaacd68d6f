import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const name = 'virtual:shipped-models'
const resolved = `\0${name}`

/** Changes when a model does: pages keep its files by their address for good. */
function versionOf(folder: string): string {
  const hash = createHash('sha256')
  for (const file of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, file)))
  return hash.digest('hex').slice(0, 8)
}

/**
 * Puts folders of models beside the page, and tells it where they are.
 * @param folder holds a folder for each model
 */
export function shippedModels(folder: string): Plugin {
  const models = readdirSync(folder)
  const placeOf = new Map(
    models.map((model) => [model, `models/${model}-${versionOf(join(folder, model))}/`]),
  )
  const filesOf = (model: string) =>
    readdirSync(join(folder, model)).filter((file) => /\.(json|safetensors)$/.test(file))
  let isBuild = false
  return {
    name: 'shipped-models',
    configResolved(config) {
      isBuild = config.command === 'build'
    },
    resolveId: (id) => (id === name ? resolved : undefined),
    load(id) {
      if (id !== resolved) return undefined
      // the worker's file lies among the assets, one folder below the page
      const base = isBuild ? '../' : '/'
      const addresses = Object.fromEntries(models.map((model) => [model, `${base}${placeOf.get(model)}`]))
      return `export default ${JSON.stringify(addresses)}`
    },
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        for (const [model, place] of placeOf) {
          const address = `/${place}`
          if (!request.url?.startsWith(address)) continue
          const file = request.url.slice(address.length)
          if (filesOf(model).includes(file)) return createReadStream(join(folder, model, file)).pipe(response)
          response.statusCode = 404
          return response.end()
        }
        return next()
      })
    },
    generateBundle() {
      // workers are bundled apart, by the same plugins
      if (this.environment.config.isWorker) return
      for (const [model, place] of placeOf) {
        for (const file of filesOf(model)) {
          this.emitFile({
            type: 'asset',
            fileName: `${place}${file}`,
            source: readFileSync(join(folder, model, file)),
          })
        }
      }
    },
  }
}
