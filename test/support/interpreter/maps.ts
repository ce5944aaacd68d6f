/** What ops mean that go over maps `[batch, channels, rows, columns]`. */
import type { Dim } from '../../../src/graph/dim.js'
import { type Attributes, count, type Evaluate, forEachIndex, one, size, type Values } from './arrays.js'

type Shape = readonly number[]

/** Of a convolution: each output element, the input element and the tap of the kernel that meet in a product. */
function forEachTap(
  { x, weight, output }: { x: Shape; weight: Shape; output: Shape },
  attributes: Attributes,
  visit: (output: number, input: number, tap: number) => void,
): void {
  const [stride, padding, dilation, groups] = ['stride', 'padding', 'dilation', 'groups'].map(
    (name) => attributes[name] as number,
  ) as [number, number, number, number]
  const [, channels = 0, height = 0, width = 0] = x
  const [out = 0, own = 0, kernelHeight = 0, kernelWidth = 0] = weight
  forEachIndex(output, ([b = 0, o = 0, row = 0, column = 0], place) => {
    const first = Math.floor(o / (out / groups)) * own
    forEachIndex([own, kernelHeight, kernelWidth], ([c = 0, y = 0, z = 0], tap) => {
      const [inRow, inColumn] = [
        row * stride + y * dilation - padding,
        column * stride + z * dilation - padding,
      ]
      if (inRow < 0 || inRow >= height || inColumn < 0 || inColumn >= width) return
      const input = ((b * channels + first + c) * height + inRow) * width + inColumn
      visit(place, input, o * own * kernelHeight * kernelWidth + tap)
    })
  })
}

const sizeAlong = (length: number, kernel: number, { stride, padding, dilation }: Attributes) =>
  Math.floor(
    (length + 2 * (padding as number) - (dilation as number) * (kernel - 1) - 1) / (stride as number),
  ) + 1

function withBias(shape: Shape, bias: Values | undefined): Values {
  const positions = count(shape.slice(2))
  const data = new Float64Array(count(shape))
  return { shape, data: data.map((_, i) => bias?.data[Math.floor(i / positions) % (shape[1] ?? 1)] ?? 0) }
}

const convolution: Evaluate = (inputs, attributes) => {
  const [x, weight] = [one(inputs), one(inputs, 1)]
  const [batch = 0, , height = 0, width = 0] = x.shape
  const [out = 0, , kernelHeight = 0, kernelWidth = 0] = weight.shape
  const shape = [
    batch,
    out,
    sizeAlong(height, kernelHeight, attributes),
    sizeAlong(width, kernelWidth, attributes),
  ]
  const result = withBias(shape, inputs[2])
  forEachTap({ x: x.shape, weight: weight.shape, output: shape }, attributes, (output, input, tap) => {
    result.data[output] = (result.data[output] ?? 0) + (x.data[input] ?? 0) * (weight.data[tap] ?? 0)
  })
  return result
}

/** Spreads the numbers of an output over the input that it came from. */
function spread(from: Values, weight: Values, into: Values, attributes: Attributes): Values {
  forEachTap(
    { x: into.shape, weight: weight.shape, output: from.shape },
    attributes,
    (output, input, tap) => {
      into.data[input] = (into.data[input] ?? 0) + (from.data[output] ?? 0) * (weight.data[tap] ?? 0)
    },
  )
  return into
}

const convolutionWeightGradient: Evaluate = (inputs, attributes) => {
  const [gradient, x] = [one(inputs), one(inputs, 1)]
  const shape = attributes.shape as number[]
  const data = new Float64Array(count(shape))
  forEachTap({ x: x.shape, weight: shape, output: gradient.shape }, attributes, (output, input, tap) => {
    data[tap] = (data[tap] ?? 0) + (gradient.data[output] ?? 0) * (x.data[input] ?? 0)
  })
  return { shape, data }
}

/** The share of each pixel beside a place that lies so far behind one: Lagrange's line, or Keys' cubics with a = −3/4. */
const shares = {
  bilinear: (t: number) => [1 - t, t],
  bicubic: (t: number) => [
    (-3 * t + 6 * t ** 2 - 3 * t ** 3) / 4,
    (4 - 9 * t ** 2 + 5 * t ** 3) / 4,
    (3 * t + 6 * t ** 2 - 5 * t ** 3) / 4,
    (-3 * t ** 2 + 3 * t ** 3) / 4,
  ],
}

/** The pixels that one is made of. */
function mixture(i: number, [from, to]: readonly [number, number], interpolation: keyof typeof shares) {
  const centre = (i + 0.5) * (from / to) - 0.5
  const place = interpolation === 'bilinear' ? Math.min(Math.max(centre, 0), from - 1) : centre
  const all = shares[interpolation](place - Math.floor(place))
  return all.map((share, tap) => ({
    pixel: Math.min(Math.max(Math.floor(place) + 1 - all.length / 2 + tap, 0), from - 1),
    share,
  }))
}

/** Each pixel of the resized map as a mixture of those of the other. */
function forEachMixture(
  [batch = 0, channels = 0, rows = 0, columns = 0]: Shape,
  [height, width]: readonly [number, number],
  interpolation: keyof typeof shares,
  visit: (to: number, from: number, share: number) => void,
): void {
  forEachIndex([batch, channels, height, width], ([b = 0, c = 0, i = 0, j = 0], to) => {
    for (const y of mixture(i, [rows, height], interpolation)) {
      for (const x of mixture(j, [columns, width], interpolation)) {
        visit(to, ((b * channels + c) * rows + y.pixel) * columns + x.pixel, y.share * x.share)
      }
    }
  })
}

const resize: Evaluate = (inputs, attributes) => {
  const interpolation = attributes.interpolation as keyof typeof shares
  const x = one(inputs)
  const shape = [...x.shape.slice(0, 2), attributes.height as number, attributes.width as number]
  const data = new Float64Array(count(shape))
  const add = (to: number, from: number, share: number) => {
    data[to] = (data[to] ?? 0) + share * (x.data[from] ?? 0)
  }
  const [, , rows = 0, columns = 0] = x.shape
  if (attributes.backward)
    forEachMixture(shape, [rows, columns], interpolation, (to, from, share) => add(from, to, share))
  else forEachMixture(x.shape, [shape[2] ?? 0, shape[3] ?? 0], interpolation, add)
  return { shape, data }
}

/** Each number of a window, and the pixel of the map that it is; padding has none. */
function forEachWindowPixel(
  [batch = 0, channels = 0, height = 0, width = 0]: Shape,
  attributes: Attributes,
  visit: (windowNumber: number, pixel: number) => void,
): { readonly windows: Shape } {
  const { kernel, stride, padding } = attributes as { kernel: number; stride: number; padding: number }
  const [rows, columns] = [height, width].map(
    (side) => Math.floor((side + 2 * padding - kernel) / stride) + 1,
  ) as [number, number]
  const windows = [batch, rows * columns, channels * kernel * kernel]
  forEachIndex(
    [batch, rows, columns, channels, kernel, kernel],
    ([b = 0, row = 0, column = 0, c = 0, y = 0, x = 0], place) => {
      const [atRow, atColumn] = [row * stride - padding + y, column * stride - padding + x]
      if (atRow < 0 || atRow >= height || atColumn < 0 || atColumn >= width) return
      visit(place, ((b * channels + c) * height + atRow) * width + atColumn)
    },
  )
  return { windows }
}

const unfold: Evaluate = (inputs, attributes) => {
  const map = one(inputs)
  const data: number[] = []
  const { windows } = forEachWindowPixel(map.shape, attributes, (place, pixel) => {
    data[place] = map.data[pixel] ?? Number.NaN
  })
  return { shape: windows, data: Float64Array.from({ length: count(windows) }, (_, i) => data[i] ?? 0) }
}

const fold: Evaluate = (inputs, attributes, sizes) => {
  const windows = one(inputs)
  const shape = (attributes.shape as Dim[]).map((dim) => size(dim, sizes))
  const data = new Float64Array(count(shape))
  forEachWindowPixel(shape, attributes, (place, pixel) => {
    data[pixel] = (data[pixel] ?? 0) + (windows.data[place] ?? Number.NaN)
  })
  return { shape, data }
}

export const mapOps: Readonly<Record<string, Evaluate>> = {
  Convolution: convolution,
  ConvolutionInputGradient: (inputs, attributes, sizes) => {
    const shape = (attributes.shape as Dim[]).map((dim) => size(dim, sizes))
    return spread(one(inputs), one(inputs, 1), { shape, data: new Float64Array(count(shape)) }, attributes)
  },
  ConvolutionWeightGradient: convolutionWeightGradient,
  Fold: fold,
  Resize: resize,
  Unfold: unfold,
}
