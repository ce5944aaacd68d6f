import { type Initialiser, truncatedNormal, zeros } from '../graph/initialiser.js'
import { constant, linear as linearOp, parameter, slice } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'

/** The width of a tensor's last axis, which a linear map needs to know as a number. */
export function widthOf(x: Tensor): number {
  const width = sizeAt(x, -1)
  if (typeof width !== 'number') throw new Error(`blvit bug: symbolic width ${width}`)
  return width
}

export interface LinearOptions {
  readonly out: number
  /** Of the weight; default: truncated normal. */
  readonly initialiser?: Initialiser
  /** Of the bias; default: zeros. */
  readonly biasInitialiser?: Initialiser
  /** Default true. */
  readonly bias?: boolean
}

/** A bias that learns, or none. @returns `[out]` */
function biasOf(out: number, bias: boolean, initialiser: Initialiser = zeros): Tensor {
  return bias ? parameter('bias', [out], initialiser) : constant(0, [out])
}

/** A linear map of the scope that it is called in: parameters `weight [out, in]` and `bias [out]`. */
export function linearMap(
  x: Tensor,
  { out, initialiser = truncatedNormal, biasInitialiser, bias = true }: LinearOptions,
): Tensor {
  const weight = parameter('weight', [out, widthOf(x)], initialiser)
  return linearOp(x, weight, biasOf(out, bias, biasInitialiser))
}

/**
 * A linear map, parameters `name.weight [out, in]` and `name.bias [out]`.
 * @param x `[..., in]` @returns `[..., out]`
 */
export function linear(name: string, x: Tensor, options: LinearOptions): Tensor {
  return scope(name, () => linearMap(x, options))
}

/**
 * Linear maps of equal size whose weights are packed row-wise in one parameter (timm's `qkv`), each applied
 * to its own input: semi-cross attention takes queries of fewer tokens than keys and values.
 * @param inputs one tensor `[..., in]` for each map, in the order of packing
 * @returns one `[..., out]` for each
 */
export function packedLinear<Part extends string>(
  name: string,
  inputs: Readonly<Record<Part, Tensor>>,
  {
    width,
    out,
    bias: hasBias = true,
    rowsOf = (whole) => whole,
  }: {
    width: number
    out: number
    bias?: boolean
    /** Of each map's weight and bias, the rows that it is done with. Default: all. */
    rowsOf?: (whole: Tensor) => Tensor
  },
): Record<Part, Tensor> {
  const maps = Object.entries<Tensor>(inputs)
  const weight = scope(name, () => parameter('weight', [maps.length * out, width], truncatedNormal))
  const bias = scope(name, () => biasOf(maps.length * out, hasBias))
  const outputs = maps.map(([part, x], index) => {
    const rows = { axis: 0, start: index * out, end: (index + 1) * out }
    return [
      part,
      scope(part, () => linearOp(x, rowsOf(slice(weight, rows)), rowsOf(slice(bias, rows)))),
    ] as const
  })
  return Object.fromEntries(outputs) as Record<Part, Tensor>
}
