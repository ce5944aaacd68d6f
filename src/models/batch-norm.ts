/**
 * A batch norm of a network as checkpoints hold it, and the linear map or convolution beside it. What a model computes with
 * in evaluation is the map with the norm in it, so that is all that its parameters are.
 * In both names `{x}` stands for any path, `{i}` for a number.
 */
export interface BatchNorm {
  /** With `.weight`, `.bias`, `.running_mean` and `.running_var`: `{x}.bn`. */
  readonly norm: string
  /** With `.weight`, and `.bias` if it has one: `{x}.conv`. */
  readonly map: string
  /** Whether the norm sees what the map gives, or what it gets. */
  readonly stands: 'after' | 'before'
  readonly epsilon: number
}
