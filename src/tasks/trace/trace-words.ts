import { defined } from '../../base/assert.js'
import type { TokenEvent } from '../../models/token-history.js'
import { type Fate, fates } from './draw-panel.js'
import {
  littlePatches,
  type PathWords,
  partition,
  patchesOf,
  type Trace,
  type TracedStep,
} from './traced-steps.js'

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

/**
 * `after layer 4: 196 → 138 tokens`, `before layer 1: …`; where a path is chosen `after layer 1 → layers 2–4`.
 * @param options `before`: the step that the tokens are compared with; by default the beginning, where each patch is one
 */
export function stepTitle(
  trace: Pick<Trace, 'grid' | 'steps'>,
  index: number,
  { before }: { before?: number | undefined } = {},
): string {
  const step = defined(trace.steps[index], 'a step')
  const { afterLayer, tokens, big, layers = [] } = step
  const title = afterLayer === 0 ? 'before layer 1' : `after layer ${afterLayer}`
  const tokensBefore = (before === undefined ? undefined : trace.steps[before]?.tokens) ?? patchesOf(trace)
  const change = tokenChange(tokensBefore, tokens)
  if (!big) return `${title}: ${change}`
  const about =
    layers.length === 0
      ? 'chosen anew before use'
      : `layer${layers.length > 1 ? 's' : ''} ${layerList(layers)}`
  return `${title} → ${about}${tokens === tokensBefore ? '' : `: ${change}`}`
}

/**
 * What the panel shows, all steps so far together: `patches: 49 kept, 147 summed up in 2 tokens`,
 * `49 of 196 patches (25 %) take the big path`; where a layer decides more, `49 of 196 patches, MLP skipped`
 */
export function stepCount(trace: Pick<Trace, 'grid' | 'paths'>, step: TracedStep): string {
  const patches = patchesOf(trace)
  const { kept, merged, fused, dropped } = partition(step)
  const share = step.big && `${step.big.length} of ${patches} patches`
  const route =
    step.big &&
    (step.decided
      ? [share, ...step.decided].join(', ')
      : `${share} (${percent(step.big.length / patches)}) ${onBigPath(trace)}`)
  const joined = (groups: readonly (readonly number[])[], how: string) =>
    groups.length === 0
      ? []
      : [`${groups.flat().length} ${how} ${groups.length} token${groups.length === 1 ? '' : 's'}`]
  const fates = [
    ...joined(merged, 'merged into'),
    ...joined(fused, 'summed up in'),
    ...(dropped.length > 0 ? [`${dropped.length} dropped`] : []),
  ]
  const counts = fates.length === 0 ? [] : [`patches: ${[`${kept.length} kept`, ...fates].join(', ')}`]
  const all = [...(route ? [route] : []), ...counts]
  return all.length === 0 ? `all ${counted(patches)} kept` : all.join('; ')
}

function counted(patches: number): string {
  return `${patches} patch${patches === 1 ? '' : 'es'}`
}

function tokenChange(before: number, after: number): string {
  return before === after ? `${after} tokens as before` : `${before} → ${after} tokens`
}

/** `196 → 68 tokens`; undefined where their number stays. */
export function wholeChange(trace: Pick<Trace, 'grid' | 'steps'>): string | undefined {
  const last = trace.steps.at(-1)?.tokens ?? patchesOf(trace)
  return last === patchesOf(trace) ? undefined : tokenChange(patchesOf(trace), last)
}

/** What patches on the big path do. */
function onBigPath({ paths }: Pick<Trace, 'paths'>): string {
  return paths?.does ?? 'take the big path'
}

/** What holds before the first step: `layers 1–3: all 196 patches`; without a layer before it only their number. */
export function fullLayersLine(trace: Pick<Trace, 'grid' | 'steps' | 'paths'>): string {
  const all = patchesOf(trace)
  const [first] = trace.steps
  if (!first) return `${all} patches, a token each`
  const routed = trace.steps.flatMap(({ big, layers }) => (big ? (layers ?? []) : []))
  const last = first.big ? Math.min(...routed) - 1 : first.afterLayer - 1
  if (!Number.isFinite(last) || last <= 0) return counted(all)
  const layers = Array.from({ length: last }, (_, i) => i + 1)
  const path = first.big ? ` ${onBigPath(trace)}` : ''
  return `layer${last > 1 ? 's' : ''} ${layerList(layers)}: all ${counted(all)}${path}`
}

/** What became of patches in any of the steps. */
function seenFates(steps: readonly TracedStep[]): Fate[] {
  const seen = new Set<Fate>()
  for (const step of steps) {
    const { kept, merged, fused, dropped } = partition(step)
    const little = littlePatches(step)
    if (step.big ? step.big.length > 0 : kept.length > 0) seen.add('bright')
    if (merged.length > 0) seen.add('merged')
    if (little.length > 0) seen.add('dim')
    if (fused.length > 0) seen.add('fused')
    if (dropped.length > 0) seen.add('dropped')
  }
  return fates.filter((fate) => seen.has(fate))
}

/** How to read the picture, in one sentence. */
export function explanation({ steps, paths }: Pick<Trace, 'steps' | 'paths'>): string {
  const seen = seenFates(steps)
  const gone = seen.includes('fused') || seen.includes('dropped')
  if (steps.some(({ decided }) => decided))
    return 'Each layer decides anew which patches it works on: the bright ones.'
  if (seen.includes('dim')) return `The model chooses patches; only the bright ones ${onBigPath({ paths })}.`
  if (seen.includes('merged')) {
    const rest = gone ? ', and lets others go' : ''
    return `The model joins patches that look alike to it${rest}: fewer tokens, less work.`
  }
  if (seen.includes('fused'))
    return 'The model lets patches go; later layers work on the bright ones and a sum of the rest.'
  if (gone) return 'The model drops patches; later layers work on the bright ones only.'
  return 'Every layer works on all patches.'
}

/**
 * What each look means, for those that occur.
 * @param options `numbered`: whether groups carry their numbers too. Default true
 */
export function legend(
  { steps, paths }: Pick<Trace, 'steps' | 'paths'>,
  { numbered = true }: { readonly numbered?: boolean } = {},
): { fate: Fate; text: string }[] {
  const words: Record<Fate, string> = {
    bright: paths ? `bright: ${paths.big}` : 'bright: a token each',
    merged: `one ${numbered ? 'number, ' : ''}colour and outline: merged into one token`,
    dim: `dim: ${paths?.little ?? 'the little path'}`,
    fused: `dotted, one ${numbered ? 'number' : 'colour'}: let go, summed up in one token`,
    dropped: 'striped: dropped',
  }
  return seenFates(steps).map((fate) => ({ fate, text: words[fate] }))
}

/** `25 %`, `12.5 %` */
export function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`
}

/** Says what a model does with chosen patches and with the others; undefined for one that has no paths. */
export function pathWords(history: readonly TokenEvent[]): PathWords | undefined {
  const routes = history.filter((event) => event.kind === 'route')
  if (history.some(({ kind }) => kind === 'decide'))
    return { big: 'the layer works on them', little: 'the layer leaves them as they are' }
  if (routes.length === 0) return undefined
  const little = routes.flatMap((route) => route.little)
  if (little.length === 0) {
    const [waiting] = routes.flatMap((route) => route.waiting ?? [])
    return waiting === undefined
      ? { big: 'big block', little: 'skipped, they pass unchanged' }
      : { big: 'the blocks work on them', little: `they ${waiting}`, does: 'are worked on' }
  }
  if (routes.every(({ layers }) => layers.every((layer) => little.includes(layer))))
    return { big: 'big P-block + little E-block', little: 'little E-block only' }
  const where = `in layers ${layerList(little)}`
  return {
    big: `big P-block + little E-block (${where})`,
    little: `little E-block only (${where}), else unchanged`,
  }
}
