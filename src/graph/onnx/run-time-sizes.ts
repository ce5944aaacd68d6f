import { BlvitError } from '../../base/blvit-error.js'
import { type Bindings, type Dim, formatDim, type Polynomial, type Shape, substitute } from '../dim.js'
import type { Lowering } from '../lowering.js'

/**
 * The sizes of a graph that only a run tells, as ONNX computes them: each symbol from the input or the op that defines
 * it, each polynomial and each shape once, in the place where it is first asked for.
 */
export class RunTimeSizes {
  private readonly sources = new Map<string, () => string>()
  private readonly computed = new Map<string, string>()

  /** @param lowering of the graph that is being written @param fixed sizes that every run has */
  constructor(
    private readonly lowering: Pick<Lowering, 'emit' | 'integers'> & { readonly scope: string },
    private readonly fixed: Bindings,
  ) {}

  has(symbol: string): boolean {
    return this.sources.has(symbol)
  }

  /** @param source makes an int64 vector of one element, the symbol's value */
  define(symbol: string, source: () => string): void {
    this.sources.set(symbol, source)
  }

  /** A shape with the numbers of the sizes that are fixed. */
  decided(shape: Shape): Shape {
    return shape.map((dim) => substitute(dim, this.fixed))
  }

  size(symbolic: Dim): string {
    const dim = substitute(symbolic, this.fixed)
    if (typeof dim === 'number') return this.lowering.integers([dim])
    return this.once(`size ${formatDim(dim)}`, () => this.polynomial(dim))
  }

  shape(symbolic: Shape): string {
    const shape = this.decided(symbolic)
    const sizes = shape.filter((dim): dim is number => typeof dim === 'number')
    if (sizes.length === shape.length) return this.lowering.integers(sizes)
    return this.once(`shape ${shape.map(formatDim).join(',')}`, () =>
      this.lowering.emit(
        'Concat',
        shape.map((dim) => this.size(dim)),
        { axis: 0 },
      ),
    )
  }

  private polynomial(dim: Polynomial): string {
    const terms = [...dim.terms].map(([symbols, factor]) => {
      const factors = symbols
        .split('·')
        .filter(Boolean)
        .map((name) => this.symbol(name))
      if (factor !== 1 || factors.length === 0) factors.unshift(this.lowering.integers([factor]))
      return factors.reduce((a, b) => this.lowering.emit('Mul', [a, b]))
    })
    return terms.reduce((a, b) => this.lowering.emit('Add', [a, b]))
  }

  private symbol(name: string): string {
    const { scope } = this.lowering
    const source = this.sources.get(name)
    if (source) return this.once(`symbol ${name}`, source)
    throw new BlvitError(
      'SHAPE_MISMATCH',
      `A shape in ${scope || 'the graph'} needs the size "${name}", which no input and no op of the graph tells. ` +
        "Name its input among the graph's sizes, or fix its value.",
      { size: name, scope },
    )
  }

  private once(key: string, make: () => string): string {
    const found = this.computed.get(key) ?? make()
    this.computed.set(key, found)
    return found
  }
}
