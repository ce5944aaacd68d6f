/** Prompts in pixels of a model's frame, flat and row-major; all of them have equally many points. */
export interface FramePrompts {
  /** How many; each is answered with masks of its own. */
  readonly count: number
  /** (x, y), where a pixel's corner is its number: the graph adds the half to its centre. `[count, points, 2]` */
  readonly points?: Float32Array | undefined
  /** 1: inside, 0: outside, −1: no point, to fill up a row. `[count, points]` */
  readonly labels?: Float32Array | undefined
  /** (x0, y0, x1, y1), one a prompt. `[count, 4]` */
  readonly boxes?: Float32Array | undefined
  /** Logits of masks from an earlier answer. `[count, rows, columns]` */
  readonly masks?: Float32Array | undefined
}

/** What a decoder answers, before masks are brought to the picture's size. */
export interface LowResMasks {
  readonly count: number
  /** Masks a prompt. */
  readonly masks: number
  readonly rows: number
  readonly columns: number
  /** Above 0: inside. `[count, masks, rows, columns]` */
  readonly logits: Float32Array
  /** `[count, masks]` */
  readonly iouPredictions: Float32Array
}
