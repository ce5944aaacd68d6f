/**
 * One line of a name map. `{i}` stands for a number, `{p}` for a parameter's last word (weight, bias), `{x}` for any path.
 * Several names on the other side: the parameter is theirs stacked along the first axis.
 */
export interface NameRule {
  /** The parameter here; names are timm's where timm has one. */
  readonly ours: string
  readonly theirs: string | readonly string[]
  /** Axes of the parameter here, where they store it without its leading axes of size 1. */
  readonly rank?: number
  /** The parameter is the weight of a convolution, which they may store as a matrix where its kernel is one pixel. */
  readonly kernelAxes?: true
}

/** How another library names the parameters of the same network. */
export interface NameMap {
  /** Stable name of the dialect, e.g. `huggingface`. */
  readonly dialect: string
  /** True if these names are of this dialect. */
  readonly detect: (names: readonly string[]) => boolean
  readonly rules: readonly NameRule[]
  /** What may stand before the names of the rules. */
  readonly prefixes: readonly string[]
  /** Tensors that no network here has a use for, after the prefix is taken off. */
  readonly ignored: RegExp
}
