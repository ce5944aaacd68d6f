import { sigmoid } from '../graph/ops/index.js'
import type { Tensor } from '../graph/tensor.js'
import type { TokenState } from '../models/block-loop.js'
import type { DecideEvent } from '../models/token-history.js'

/** What a block decides, of each of several things. */
export interface Decision {
  /** Before the sigmoid and without noise. `[batch, things]` */
  readonly logits: Tensor
  /** 1: yes, 0: no. `[batch, things]` */
  readonly taken: Tensor
}

/** What a block decides for each picture; undefined: everything is taken there. */
export interface BlockDecisions {
  /** Whether attention and MLP run. `[batch, 2]` */
  readonly layers?: Decision | undefined
  /** `[batch, heads]` */
  readonly heads?: Decision | undefined
  /** `taken` of all tokens, always 1 for those before the patches. `[batch, tokens]` */
  readonly tokens?: Decision | undefined
}

/** Where a block's decisions stand beside the tokens. */
function asideName(layer: number, about: keyof BlockDecisions, what: keyof Decision): string {
  return `ada_vit.${layer}.${about}.${what}`
}

/** What is decided about. */
export const decisionKinds = ['layers', 'heads', 'tokens'] as const

/** The tokens with what a layer, counted from 1, decided about them. */
export function withDecisions(state: TokenState, layer: number, decisions: BlockDecisions): TokenState {
  const more = decisionKinds.flatMap((about) => {
    const { logits, taken } = decisions[about] ?? {}
    if (!logits || !taken) return []
    return [
      [asideName(layer, about, 'logits'), logits],
      [asideName(layer, about, 'taken'), taken],
    ] as const
  })
  return { ...state, aside: { ...state.aside, ...Object.fromEntries(more) } }
}

/** What was decided in a layer, counted from 1, of a model on its way. */
export function decidedIn({ aside }: Pick<TokenState, 'aside'>, layer: number): BlockDecisions {
  const of = (about: keyof BlockDecisions): Decision | undefined => {
    const [logits, taken] = [
      aside?.[asideName(layer, about, 'logits')],
      aside?.[asideName(layer, about, 'taken')],
    ]
    return logits && taken ? { logits, taken } : undefined
  }
  return { layers: of('layers'), heads: of('heads'), tokens: of('tokens') }
}

/** All decisions of a model, in the order of its blocks. */
export function allDecisions({ aside }: Pick<TokenState, 'aside'>, depth: number): readonly BlockDecisions[] {
  return Array.from({ length: depth }, (_, block) => decidedIn({ ...(aside && { aside }) }, block + 1))
}

const halves = ['attention', 'MLP'] as const

/**
 * What a trace tells of a block's decisions.
 * @param block `layer`: counted from 1. `taken`: 1 for patches that it works on. `[batch, patches]`
 */
export function decisionEvent(
  { layers, heads, tokens }: BlockDecisions,
  { layer, taken }: { layer: number; taken: Tensor },
): DecideEvent {
  return {
    kind: 'decide',
    layer: layer - 1,
    about: layer,
    tensors: {
      scores: tokens ? sigmoid(tokens.logits) : taken,
      taken,
      ...(layers && { layers: layers.taken }),
      ...(heads && { heads: heads.taken }),
    },
    words: ({ layers: run = [], heads: all = [] }) => {
      const on = all.filter((is) => is > 0).length
      return [
        ...halves.flatMap((half, i) => (run[i] === 0 ? [`${half} skipped`] : [])),
        ...(on < all.length ? [`${on} of ${all.length} heads`] : []),
      ]
    },
  }
}
