import type { Lowering, Value } from '../lowering.js'

/** The numbers that ONNX's Cast knows element types by. */
const elementTypes = { float32: 1, int8: 3 } as const

/**
 * Weights are rounded to −63 … 63, 7 bits of 8: processors with AVX2 but without VNNI add two products of 8 bits in
 * 16 bits and cut off what doesn't fit, silently. So every processor computes the same numbers.
 */
const largestWeight = 63

/** A row of weights as whole numbers, each row by its own scale: `[in, out]` for the product, and scales `[out]`. */
function quantisedWeight(lowering: Lowering, weight: string): { weight: string; scale: string } {
  const largest = lowering.reduce('ReduceMax', lowering.emit('Abs', [weight]), { axes: [1], keepAxes: false })
  // a row of zeros has no scale of its own; any will do
  const positive = lowering.emit('Max', [largest, lowering.floats([1e-30])])
  const scale = lowering.emit('Div', [positive, lowering.floats([largestWeight])])
  const zeros = lowering.emit('Mul', [scale, lowering.floats([0])])
  const zeroPoint = lowering.emit('Cast', [zeros], { to: elementTypes.int8 })
  const rows = lowering.emit('QuantizeLinear', [weight, scale, zeroPoint], { axis: 0 })
  return { weight: lowering.emit('Transpose', [rows], { perm: [1, 0] }), scale }
}

function roundedRows(lowering: Lowering, x: string): NonNullable<Value['int8Rows']> {
  const [rows = '', scale = '', zeroPoint = ''] = lowering.emitMany('DynamicQuantizeLinear', [x], 3)
  return { rows, scale, zeroPoint }
}

/** The rows of a value as whole numbers by one scale, made once for all products that read them. */
function quantisedRows(lowering: Lowering, x: Value): NonNullable<Value['int8Rows']> {
  x.int8Rows ??= roundedRows(lowering, lowering.rows(x))
  return x.int8Rows
}

/** Each row divided by its largest absolute value, and these `[rows, 1]`. */
function evenedRows(lowering: Lowering, x: string): { rows: string; largest: string } {
  const found = lowering.reduce('ReduceMax', lowering.emit('Abs', [x]), { axes: [1], keepAxes: true })
  const largest = lowering.emit('Max', [found, lowering.floats([1e-30])])
  return { rows: lowering.emit('Div', [x, largest]), largest }
}

export interface Int8Options {
  /**
   * Give each token a scale of its own. A LayerNorm has made its tokens alike; between GELU and fc2 a few are many
   * times larger than the others, and one scale for all would round those away.
   */
  readonly perToken: boolean
}

/**
 * `x·Wᵀ + b` in whole numbers of 8 bits: weights by one scale a row, fixed when the session starts (the engine folds
 * everything that depends on weights alone); activations by one scale for the whole batch, at each run, shared by
 * all products that read them. Written in standard operators; ONNX Runtime fuses them to one product.
 */
export function int8Product(
  lowering: Lowering,
  x: Value,
  weight: string,
  bias: string,
  { perToken }: Int8Options,
): string {
  const quantised = quantisedWeight(lowering, weight)
  const evened = perToken ? evenedRows(lowering, lowering.rows(x)) : undefined
  const { rows, scale, zeroPoint } = evened ? roundedRows(lowering, evened.rows) : quantisedRows(lowering, x)
  const whole = lowering.emit('MatMulInteger', [rows, quantised.weight, zeroPoint])
  const product = lowering.emit('Cast', [whole], { to: elementTypes.float32 })
  const scaled = lowering.emit('Mul', [product, lowering.emit('Mul', [scale, quantised.scale])])
  return lowering.emit('Add', [evened ? lowering.emit('Mul', [scaled, evened.largest]) : scaled, bias])
}
