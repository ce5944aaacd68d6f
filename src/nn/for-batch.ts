import type { Dim } from '../graph/dim.js'
import { expand, table } from '../graph/ops/index.js'
import type { Tensor } from '../graph/tensor.js'

/** Numbers that are known when the graph is built, the same for each picture. int64 `[batch, count]` */
export function forBatch(batch: Dim, numbers: readonly number[]): Tensor {
  return expand(table(numbers, [1, numbers.length], { dtype: 'int64' }), [batch, numbers.length])
}
