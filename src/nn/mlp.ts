import { gelu } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { linear, widthOf } from './linear.js'

/** The feed-forward half of a block: `name.fc1`, GELU, `name.fc2`. @param x `[batch, tokens, width]` */
export function mlp(name: string, x: Tensor, { hidden }: { hidden: number }): Tensor {
  return scope(name, () => linear('fc2', gelu(linear('fc1', x, { out: hidden })), { out: widthOf(x) }))
}
