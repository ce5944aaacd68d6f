/**
 * What every op means, in float64 and in the plainest loops there are: index in, number out. Nothing here
 * shares code with src/graph, so an op and its reference don't err together.
 */
export interface Numbers {
  readonly shape: readonly number[]
  /** Row-major. */
  readonly values: readonly number[]
}

type Index = readonly number[]

/** The tensor whose element at an index is `element(index)`. */
export function generate(shape: readonly number[], element: (index: Index) => number): Numbers {
  const count = shape.reduce((a, b) => a * b, 1)
  const values = Array.from({ length: count }, (_, flat) => {
    let rest = flat
    const index = shape.map(() => 0)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1
      index[axis] = rest % size
      rest = Math.floor(rest / size)
    }
    return element(index)
  })
  return { shape, values }
}

export function at({ shape, values }: Numbers, index: Index): number {
  const value = values[shape.reduce((flat, size, axis) => flat * size + (index[axis] ?? 0), 0)]
  if (value === undefined) throw new Error(`no element [${index}] in [${shape}]`)
  return value
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

function sum(count: number, term: (i: number) => number): number {
  return range(count).reduce((total, i) => total + term(i), 0)
}

/** erf as the series 2/√π·e^(−x²)·Σ 2ⁿx^(2n+1)/(1·3·…·(2n+1)), whose terms all have one sign: nothing cancels. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x) // 1 − erf(6) is 2e-17
  let term = x
  let total = x
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    total += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total
}

export function gelu(x: Numbers): Numbers {
  return generate(x.shape, (i) => (at(x, i) * (1 + erf(at(x, i) / Math.SQRT2))) / 2)
}

export function scaleShift(x: Numbers, scale: number, shift: number): Numbers {
  return generate(x.shape, (i) => scale * at(x, i) + shift)
}

/** Element by element; axes are matched from the last, sizes of 1 are repeated. */
export function elementwise(a: Numbers, b: Numbers, apply: (a: number, b: number) => number): Numbers {
  const rank = Math.max(a.shape.length, b.shape.length)
  const sizeOf = (x: Numbers, axis: number) => x.shape[axis - rank + x.shape.length] ?? 1
  const shape = range(rank).map((axis) => (sizeOf(a, axis) === 1 ? sizeOf(b, axis) : sizeOf(a, axis)))
  const own = (x: Numbers, index: Index) =>
    at(
      x,
      index.slice(rank - x.shape.length).map((i, axis) => (x.shape[axis] === 1 ? 0 : i)),
    )
  return generate(shape, (index) => apply(own(a, index), own(b, index)))
}

export function softmax(x: Numbers): Numbers {
  const width = x.shape.at(-1) ?? 1
  return generate(x.shape, (index) => {
    const e = (i: number) => Math.exp(at(x, [...index.slice(0, -1), i]))
    return e(index.at(-1) ?? 0) / sum(width, e)
  })
}

export function layerNorm(x: Numbers, weight: Numbers, bias: Numbers, epsilon: number): Numbers {
  const width = x.shape.at(-1) ?? 1
  return generate(x.shape, (index) => {
    const row = (i: number) => at(x, [...index.slice(0, -1), i])
    const mean = sum(width, row) / width
    const variance = sum(width, (i) => (row(i) - mean) ** 2) / width
    const channel = index.slice(-1)
    return (
      ((row(channel[0] ?? 0) - mean) / Math.sqrt(variance + epsilon)) * at(weight, channel) +
      at(bias, channel)
    )
  })
}

export function linear(x: Numbers, weight: Numbers, bias: Numbers): Numbers {
  const [outWidth = 0, inWidth = 0] = weight.shape
  return generate([...x.shape.slice(0, -1), outWidth], (index) => {
    const out = index.at(-1) ?? 0
    return sum(inWidth, (i) => at(x, [...index.slice(0, -1), i]) * at(weight, [out, i])) + at(bias, [out])
  })
}

/** softmax(scale·q·kᵀ + bias): `[batch, heads, queries, keys]` */
export function attentionMap(
  queries: Numbers,
  keys: Numbers,
  heads: number,
  { scale, bias }: { scale?: number; bias?: Numbers } = {},
): Numbers {
  const [batch = 0, queryCount = 0, width = 0] = queries.shape
  const headWidth = width / heads
  const factor = scale ?? 1 / Math.sqrt(headWidth)
  const shape = [batch, heads, queryCount, keys.shape[1] ?? 0]
  const scores = generate(shape, (index) => {
    const [b = 0, h = 0, q = 0, k = 0] = index
    const product = (c: number) =>
      at(queries, [b, q, h * headWidth + c]) * at(keys, [b, k, h * headWidth + c])
    const added = bias
      ? at(
          bias,
          index.slice(4 - bias.shape.length).map((i, axis) => (bias.shape[axis] === 1 ? 0 : i)),
        )
      : 0
    return sum(headWidth, product) * factor + added
  })
  return softmax(scores)
}

/** What a map makes of values: `[batch, queries, width]` */
export function mixed(map: Numbers, values: Numbers): Numbers {
  const [batch = 0, heads = 0, queries = 0] = map.shape
  const [, keyCount = 0, width = 0] = values.shape
  return generate([batch, queries, width], ([b = 0, q = 0, c = 0]) => {
    const head = Math.floor(c / (width / heads))
    return sum(keyCount, (k) => at(map, [b, head, q, k]) * at(values, [b, k, c]))
  })
}

export function attention(queries: Numbers, keys: Numbers, values: Numbers, heads: number): Numbers {
  return mixed(attentionMap(queries, keys, heads), values)
}

export function queryAttention(query: Numbers, keys: Numbers, heads: number): Numbers {
  const weights = attentionMap(query, keys, heads)
  return generate(
    keys.shape.slice(0, 2),
    ([b = 0, k = 0]) => sum(heads, (h) => at(weights, [b, h, 0, k])) / heads,
  )
}

export function convolution(x: Numbers, weight: Numbers, bias: Numbers, stride: number): Numbers {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape
  const [outChannels = 0, , kernelHeight = 0, kernelWidth = 0] = weight.shape
  const rows = Math.floor((height - kernelHeight) / stride) + 1
  const columns = Math.floor((width - kernelWidth) / stride) + 1
  return generate([batch, outChannels, rows, columns], ([b = 0, o = 0, row = 0, column = 0]) => {
    const tap = (c: number, y: number, z: number) =>
      at(x, [b, c, row * stride + y, column * stride + z]) * at(weight, [o, c, y, z])
    return (
      at(bias, [o]) + sum(channels, (c) => sum(kernelHeight, (y) => sum(kernelWidth, (z) => tap(c, y, z))))
    )
  })
}

export function mapToTokens(map: Numbers): Numbers {
  const [batch = 0, width = 0, rows = 0, columns = 0] = map.shape
  return generate([batch, rows * columns, width], ([b = 0, token = 0, c = 0]) =>
    at(map, [b, c, Math.floor(token / columns), token % columns]),
  )
}

export function slice(x: Numbers, axis: number, start: number, end: number): Numbers {
  const shape = x.shape.map((size, i) => (i === axis ? end - start : size))
  return generate(shape, (index) =>
    at(
      x,
      index.map((i, j) => (j === axis ? i + start : i)),
    ),
  )
}

export function concat(parts: readonly Numbers[], axis: number): Numbers {
  const sizes = parts.map((part) => part.shape[axis] ?? 0)
  const total = sum(sizes.length, (i) => sizes[i] ?? 0)
  const shape = (parts[0]?.shape ?? []).map((size, i) => (i === axis ? total : size))
  return generate(shape, (index) => {
    let position = index[axis] ?? 0
    for (const [i, part] of parts.entries()) {
      const size = sizes[i] ?? 0
      if (position < size) return at(part, index.with(axis, position))
      position -= size
    }
    throw new Error('beyond the last part')
  })
}

export function expand(x: Numbers, shape: readonly number[]): Numbers {
  return generate(shape, (index) =>
    at(
      x,
      index.map((i, axis) => (x.shape[axis] === 1 ? 0 : i)),
    ),
  )
}

export function padStart(x: Numbers, count: number): Numbers {
  const shape = x.shape.with(1, (x.shape[1] ?? 0) + count)
  return generate(shape, (index) => {
    const position = (index[1] ?? 0) - count
    return position < 0 ? 0 : at(x, index.with(1, position))
  })
}

export function argsort(scores: Numbers): Numbers {
  const [, tokens = 0] = scores.shape
  return generate(scores.shape, ([b = 0, position = 0]) => {
    // Array.prototype.sort keeps equal elements in their order
    const order = range(tokens).sort((i, j) => at(scores, [b, j]) - at(scores, [b, i]))
    return order[position] ?? -1
  })
}

export function inverseOrder(order: Numbers): Numbers {
  const [, tokens = 0] = order.shape
  return generate(order.shape, ([b = 0, token = 0]) =>
    range(tokens).findIndex((position) => at(order, [b, position]) === token),
  )
}

export function gather(x: Numbers, indices: Numbers): Numbers {
  return generate([...indices.shape, ...x.shape.slice(2)], ([b = 0, i = 0, ...rest]) =>
    at(x, [b, at(indices, [b, i]), ...rest]),
  )
}
