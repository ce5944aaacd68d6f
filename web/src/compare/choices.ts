import type { Method } from '../worker/engine.js'
import type { Asked } from '../worker/models.js'

/** A way to run a model, and what it is called. */
export interface Choice {
  readonly id: string
  readonly title: string
  readonly about: string
  /** What it is set to where nothing is typed; undefined: there is nothing to set. */
  readonly value?: string | undefined
  /** What the value is, for its label. */
  readonly valueName?: string | undefined
  readonly ask: (value: string) => Asked
}

/** What doesn't come from a method: the models of this page as they are, and the plainest way to save work. */
const own: readonly Choice[] = [
  {
    id: 'big-little',
    title: 'big.LITTLE ViT (blvit-tiny)',
    about: 'Chosen patches take big blocks, all of them little ones.',
    value: '0.5',
    valueName: 'Keep ratio',
    ask: (value) => ({ model: 'blvit-tiny', settings: { keepRatio: Number(value) } }),
  },
  {
    id: 'plain',
    title: 'plain ViT (vit-tiny)',
    about: 'Every layer works on all patches.',
    ask: () => ({ model: 'vit-tiny', settings: {} }),
  },
  {
    id: 'smaller',
    title: 'plain ViT, smaller picture',
    about: 'Fewer patches: what every method has to beat.',
    value: '176',
    valueName: 'Side in pixels, a multiple of 16',
    ask: (value) => ({ model: 'vit-tiny', settings: { imageSize: Number(value) } }),
  },
]

function ofMethod({ name, about, example }: Method): Choice {
  return {
    id: `reduce ${name}`,
    title: `ViT with ${name}`,
    about,
    value: example,
    valueName: 'As --reduce takes it',
    ask: (value) => ({ model: 'vit-tiny', settings: { reduce: value } }),
  }
}

export function choicesOf(methods: readonly Method[]): readonly Choice[] {
  return [...own, ...methods.map(ofMethod)]
}
