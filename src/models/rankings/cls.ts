import { sameDim } from '../../graph/dim.js'
import { concat, slice, where } from '../../graph/ops/index.js'
import { sizeAt } from '../../graph/tensor.js'
import type { Ranking } from './ranking.js'

/** The CLS row of the last attention map that covers the token. */
export const cls: Ranking = ({ prefix, patches, clsAttention, last }) => {
  const received = slice(clsAttention(), { axis: 1, start: prefix })
  if (!last || sameDim(sizeAt(received, 1), sizeAt(patches, 1))) return received
  // Without semi-cross attention the map covers primary tokens only; the others keep their older score.
  const { kept, scores, stays } = last
  const [older, oldest] = [slice(scores, { axis: 1, end: kept }), slice(scores, { axis: 1, start: kept })]
  const primary = stays ? where(slice(stays, { axis: 1, end: kept }), received, older) : received
  return concat([primary, oldest], { axis: 1 })
}
