import type { Architecture } from '../../models/architecture.js'
import { layerList } from './trace-words.js'
import type { PathWords, TracedStep } from './traced-steps.js'

/** The little block as config.json tells it; other families have no such key. */
interface LittleJson {
  readonly layers?: readonly number[]
}

/** Says what a model does with chosen patches and with the others. */
export function pathWords(
  { json }: Pick<Architecture, 'json'>,
  steps: readonly Pick<TracedStep, 'layers'>[],
): PathWords {
  const little = json.little as LittleJson | null | undefined
  if (!little) return { big: 'big block', little: 'skipped, they pass unchanged' }
  const routed = steps.flatMap(({ layers = [] }) => layers)
  const everywhere = routed.every((layer) => little.layers?.includes(layer) ?? true)
  if (everywhere || !little.layers)
    return { big: 'big P-block + little E-block', little: 'little E-block only' }
  const where = `in layers ${layerList(little.layers)}`
  return {
    big: `big P-block + little E-block (${where})`,
    little: `little E-block only (${where}), else unchanged`,
  }
}
