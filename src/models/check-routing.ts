import { badConfig, checkShared } from './bad-config.js'

/** What of a big.LITTLE model's layers must go together; layers are counted from 1. */
export interface RoutedLayers {
  readonly depth: number
  readonly fullLayers: number
  readonly predictorAfter: readonly number[]
  readonly little: {
    readonly width: number
    readonly heads: number
    readonly layers: readonly number[]
  } | null
}

/** @throws BlvitError `BAD_CONFIG` for layers that route tokens nobody has chosen, and E-blocks beside none of those */
export function checkRouting({ depth, fullLayers, predictorAfter, little }: RoutedLayers): void {
  if (fullLayers >= depth)
    throw badConfig(`full_layers ${fullLayers} leaves none of the ${depth} layers to route`)
  const rising = predictorAfter.every((layer, i) => layer > (predictorAfter[i - 1] ?? 0))
  if (!rising || predictorAfter.some((layer) => layer >= depth)) {
    throw badConfig(`predictor_after [${predictorAfter}] must rise and stay below depth ${depth}`)
  }
  if (!predictorAfter.some((layer) => layer <= fullLayers)) {
    throw badConfig(
      `the first routed layer is ${fullLayers + 1}, but tokens are first chosen after layer ${predictorAfter[0]}: ` +
        `put a layer of at most ${fullLayers} into predictor_after`,
    )
  }
  if (!little) return
  checkShared({ 'little.embed_dim': little.width }, { 'little.num_heads': little.heads })
  const misplaced = little.layers.filter((layer) => layer <= fullLayers || layer > depth)
  if (misplaced.length > 0) {
    throw badConfig(`little.layers ${misplaced} lie outside the routed layers ${fullLayers + 1}…${depth}`)
  }
}
