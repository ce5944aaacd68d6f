/** What a model answers to prompts, before it is brought to the picture's size. */
export interface LowResMasks {
  /** prompts */
  readonly count: number
  /** masks a prompt */
  readonly masks: number
  readonly rows: number
  readonly columns: number
  /** above 0 where a pixel is meant. `[count, masks, rows, columns]` */
  readonly logits: Float32Array
  /** How well the model thinks that each mask overlaps the object, about 0 … 1. `[count, masks]` */
  readonly iouPredictions: Float32Array
}

/** One mask of several. */
export interface LowResMask {
  /** Number of its prompt. */
  readonly prompt: number
  /** `[rows, columns]`, a view */
  readonly logits: Float32Array
  readonly predictedIou: number
}

/** All masks of an answer, those of the first prompt first. */
export function eachMask({ count, masks, rows, columns, logits, iouPredictions }: LowResMasks): LowResMask[] {
  const size = rows * columns
  return Array.from({ length: count * masks }, (_, at) => ({
    prompt: Math.floor(at / masks),
    logits: logits.subarray(at * size, (at + 1) * size),
    predictedIou: iouPredictions[at] ?? Number.NaN,
  }))
}
