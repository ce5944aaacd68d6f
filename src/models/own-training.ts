import type { Tensor } from '../graph/tensor.js'

/** What a method gives to learn from beside the model's answers; its hooks make it while a model is trained. */
export interface OwnTraining {
  /** What shall become small, by the names that recipes weight it with: DynamicViT's `ratio`. Each `[1]` */
  readonly losses?: Readonly<Record<string, Tensor>>
  /** Class scores of further heads, which learn the labels as the logits do. Each `[batch, classes]` */
  readonly answers?: readonly Tensor[]
  /** Of models that keep all patches while they learn: 1 for those that a run would keep, else 0. `[batch, patches]` */
  readonly kept?: Tensor
}

/** Both, as far as they say different things. */
export function withOwnTraining(before: OwnTraining | undefined, more: OwnTraining): OwnTraining {
  return {
    ...before,
    ...more,
    losses: { ...before?.losses, ...more.losses },
    answers: [...(before?.answers ?? []), ...(more.answers ?? [])],
  }
}
