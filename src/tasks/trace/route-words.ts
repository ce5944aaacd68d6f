import type { Architecture } from '../../models/architecture.js'
import type { Trace, TracedSelection } from './trace.js'

/** What the two kinds of patches go through. */
export interface RouteLegend {
  readonly bright: string
  readonly dim: string
}

/** The little block as config.json tells it; other families have no such key. */
interface LittleJson {
  readonly layers?: readonly number[]
}

/** Says what a model does with chosen patches and with the others. */
export function routeLegend(
  { json }: Pick<Architecture, 'json'>,
  { selections }: Pick<Trace, 'selections'>,
): RouteLegend {
  const little = json.little as LittleJson | null | undefined
  if (!little) return { bright: 'big block', dim: 'skipped, they pass unchanged' }
  const routed = selections.flatMap(({ layers }) => layers)
  const everywhere = routed.every((layer) => little.layers?.includes(layer) ?? true)
  if (everywhere || !little.layers)
    return { bright: 'big P-block + little E-block', dim: 'little E-block only' }
  const where = `in layers ${layerList(little.layers)}`
  return {
    bright: `big P-block + little E-block (${where})`,
    dim: `little E-block only (${where}), else unchanged`,
  }
}

/** `2–4`, `10, 12, … 32`, `3, 5, 9`. */
export function layerList(layers: readonly number[]): string {
  const [first, second] = layers
  const last = layers.at(-1)
  if (first === undefined || second === undefined || last === undefined) return layers.join()
  const step = second - first
  const even = layers.every((layer, i) => layer === first + i * step)
  if (even && step === 1) return `${first}–${last}`
  return even && layers.length > 3 ? `${first}, ${second}, … ${last}` : layers.join(', ')
}

/** `after layer 1 → layers 2–4` */
export function selectionTitle({ afterLayer, layers }: TracedSelection): string {
  if (layers.length === 0) return `after layer ${afterLayer} → chosen anew before use`
  return `after layer ${afterLayer} → layer${layers.length > 1 ? 's' : ''} ${layerList(layers)}`
}

/** `layer 1: all 196 patches take the big path`; without layers before the first choice only their number. */
export function fullLayersLine({ grid, selections }: Pick<Trace, 'grid' | 'selections'>): string {
  const patches = grid.rows * grid.columns
  const firstRouted = Math.min(...selections.flatMap(({ layers }) => layers))
  const before = Number.isFinite(firstRouted) ? firstRouted - 1 : 0
  if (before === 0) return `${patches} patches`
  const layers = Array.from({ length: before }, (_, i) => i + 1)
  return `layer${before > 1 ? 's' : ''} ${layerList(layers)}: all ${patches} patches take the big path`
}

/** `49 of 196 patches (25 %) take the big path` */
export function selectionCount({ primary }: TracedSelection, { grid }: Pick<Trace, 'grid'>): string {
  const patches = grid.rows * grid.columns
  return `${primary.length} of ${patches} patches (${percent(primary.length / patches)}) take the big path`
}

/** `25 %`, `12.5 %` */
export function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`
}
