import type { FloatType, Precision } from './lowering.js'
import type { Tensor } from './tensor.js'

/** One number for each token, or a parameter: small beside tokens, which have `width` numbers each. */
function isSmall({ leaf, shape }: Tensor): boolean {
  return leaf?.kind === 'parameter' || shape.length <= 2 || shape.at(-1) === 1
}

/**
 * Token indices and the scores that they come from, back to the tokens themselves. Scores that differ in float32
 * are often equal in float16, softmax over 196 patches gives each about 0.005, and then the lower index would win;
 * indices themselves are exact in float16 up to 2,048 only, where an engine has them as floats.
 */
function rankingTensors(nodes: readonly Tensor[]): ReadonlySet<Tensor> {
  const ranking = new Set<Tensor>()
  for (const tensor of nodes.toReversed()) {
    if (tensor.dtype === 'int64') ranking.add(tensor)
    if (!ranking.has(tensor)) continue
    for (const input of tensor.inputs) if (isSmall(input)) ranking.add(input)
  }
  return ranking
}

/**
 * Decides for each tensor of a graph what it is computed in: everything in float32; or with `fp16` everything in
 * float16 but what ranks tokens.
 * @param nodes inputs before their users
 */
export function floatTypes(nodes: readonly Tensor[], precision: Precision): (tensor: Tensor) => FloatType {
  if (precision !== 'fp16') return () => 'float32'
  const ranking = rankingTensors(nodes)
  return (tensor) => (ranking.has(tensor) ? 'float32' : 'float16')
}
