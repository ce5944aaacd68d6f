import type { Bindings } from '../graph/dim.js'
import { type BlvitConfig, layerRange } from './blvit-config.js'

type Routing = Pick<BlvitConfig, 'fullLayers' | 'predictorAfter' | 'depth' | 'keepSchedule'>

/** The layers that a selection decides: those after it up to the next. Full layers process everything, whatever was chosen. */
export function layersOf({ fullLayers, predictorAfter, depth }: Routing, selection: number): number[] {
  const after = Math.max(predictorAfter[selection] ?? depth, fullLayers)
  return layerRange(after + 1, predictorAfter[selection + 1] ?? depth)
}

/** The sizes of the graph that say how many patches each selection chooses: one for all, or one each. */
export function keptNames({ predictorAfter, keepSchedule }: Routing): readonly string[] {
  return keepSchedule.length === 1 ? ['kept'] : predictorAfter.map((_, selection) => `kept.${selection}`)
}

/**
 * The share of the patches that each selection chooses: in proportion to the schedule, none above 1, and so that the routed
 * layers process the share `ratio` on average.
 */
function sharesOf(ratio: number, routing: Routing): readonly number[] {
  const { keepSchedule: weights } = routing
  if (weights.length === 1) return [ratio]
  const layers = weights.map((_, selection) => layersOf(routing, selection).length)
  const sum = (of: (selection: number) => number) => weights.reduce((all, _, i) => all + of(i), 0)
  const whole = new Set<number>()
  for (;;) {
    const isFree = (selection: number) => !whole.has(selection)
    const left = sum((i) => (layers[i] ?? 0) * (isFree(i) ? ratio : ratio - 1))
    const scale = left / sum((i) => (isFree(i) ? (layers[i] ?? 0) * (weights[i] ?? 0) : 0))
    const shares = weights.map((weight, i) => (isFree(i) ? scale * weight : 1))
    const full = shares.flatMap((share, i) => (isFree(i) && !(share < 1 - 1e-9) ? [i] : []))
    if (full.length === 0) return shares
    for (const selection of full) whole.add(selection)
  }
}

/**
 * How many of some patches each selection of a bLViT chooses, under the names of {@link keptNames}: k = ⌊r·M⌋ (spec §1), and with
 * a schedule of one number each as many as it gives that selection, one at least.
 * @param ratio r, the share of patches that the routed layers process on average, above 0 and at most 1
 */
export function keptSizes(
  ratio: number,
  { routing, patches }: { routing: Routing; patches: number },
): Bindings {
  const names = keptNames(routing)
  const shares = sharesOf(ratio, routing)
  return Object.fromEntries(
    names.map((name, i) => {
      const kept = Math.floor((shares[i] ?? 1) * patches)
      return [name, names.length === 1 ? kept : Math.max(1, kept)]
    }),
  )
}
