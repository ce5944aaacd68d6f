import { BlvitError } from '../base/blvit-error.js'

/**
 * Sizes that may be known only at run time. A dimension is a number or a polynomial with integer
 * coefficients in named symbols (`batch`, `kept`), so shapes and costs can be computed, compared and
 * printed before any picture is seen.
 */
export type Dim = number | Polynomial

/** `[batch, 197, 192]`: numbers and symbolic sizes. */
export type Shape = readonly Dim[]

/** Values of the symbols, e.g. `{ batch: 1, kept: 49 }`. */
export type Bindings = Readonly<Record<string, number>>

/** A sum of terms: product of symbols → coefficient. Build with {@link symbol}, {@link plus}, {@link times}. */
export class Polynomial {
  /** Key: the symbols of the term, sorted and joined by `·`; the empty key is the constant. */
  constructor(readonly terms: ReadonlyMap<string, number>) {}

  toString(): string {
    return (
      [...this.terms]
        // by code unit, as a locale's order would print the same size differently elsewhere
        .sort(([a], [b]) => (a < b ? 1 : -1))
        .map(([symbols, factor], index) => {
          const size = Math.abs(factor)
          const text = symbols === '' ? `${size}` : size === 1 ? symbols : `${size}·${symbols}`
          if (index === 0) return factor < 0 ? `-${text}` : text
          return factor < 0 ? `-${text}` : `+${text}`
        })
        .join('')
    )
  }
}

/** A size known only at run time. */
export function symbol(name: string): Dim {
  return new Polynomial(new Map([[name, 1]]))
}

function termsOf(dim: Dim): ReadonlyMap<string, number> {
  return typeof dim === 'number' ? new Map([['', dim]]) : dim.terms
}

/** Drops zero terms; a polynomial without symbols becomes a plain number. */
function simplified(terms: Map<string, number>): Dim {
  for (const [symbols, factor] of terms) if (factor === 0) terms.delete(symbols)
  if (terms.size === 0) return 0
  const constant = terms.get('')
  return terms.size === 1 && constant !== undefined ? constant : new Polynomial(terms)
}

export function plus(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b
  const sum = new Map(termsOf(a))
  for (const [symbols, factor] of termsOf(b)) sum.set(symbols, (sum.get(symbols) ?? 0) + factor)
  return simplified(sum)
}

function scaled(dim: Polynomial, by: number): Dim {
  if (by === 0) return 0
  if (by === 1) return dim
  return new Polynomial(new Map([...dim.terms].map(([symbols, factor]) => [symbols, by * factor])))
}

export function times(a: Dim, b: Dim): Dim {
  if (typeof a === 'number') return typeof b === 'number' ? a * b : scaled(b, a)
  if (typeof b === 'number') return scaled(a, b)
  const product = new Map<string, number>()
  for (const [leftSymbols, left] of termsOf(a)) {
    for (const [rightSymbols, right] of termsOf(b)) {
      const symbols = [...leftSymbols.split('·'), ...rightSymbols.split('·')].filter(Boolean).sort().join('·')
      product.set(symbols, (product.get(symbols) ?? 0) + left * right)
    }
  }
  return simplified(product)
}

export function minus(a: Dim, b: Dim): Dim {
  return plus(a, times(-1, b))
}

export function sameDim(a: Dim, b: Dim): boolean {
  // a polynomial has symbols, see `simplified`
  if (typeof a === 'number' || typeof b === 'number') return a === b
  return (
    a.terms.size === b.terms.size &&
    [...a.terms].every(([symbols, factor]) => b.terms.get(symbols) === factor)
  )
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => sameDim(dim, b[axis] ?? Number.NaN))
}

/** True if the size is above 0 whatever its symbols are; none of them is ever negative, but each may be 0. */
export function isPositive(dim: Dim): boolean {
  const terms = termsOf(dim)
  return (terms.get('') ?? 0) > 0 && [...terms.values()].every((factor) => factor > 0)
}

/** True if the size is at least 0 whatever its symbols are. */
export function isNeverNegative(dim: Dim): boolean {
  return [...termsOf(dim).values()].every((factor) => factor >= 0)
}

/** The number of elements of a shape. */
export function elements(shape: Shape): Dim {
  return shape.reduce<Dim>(times, 1)
}

/** A size as text, e.g. `kept+1`. */
export function formatDim(dim: Dim): string {
  return dim.toString()
}

export function formatShape(shape: Shape): string {
  return `[${shape.map(String).join(', ')}]`
}

/** The size with the symbols that have a value replaced by it. */
export function substitute(dim: Dim, bindings: Bindings): Dim {
  if (typeof dim === 'number') return dim
  return [...dim.terms]
    .map(([symbols, factor]) =>
      symbols
        .split('·')
        .filter(Boolean)
        .map((name) => bindings[name] ?? symbol(name))
        .reduce<Dim>(times, factor),
    )
    .reduce<Dim>(plus, 0)
}

/** @throws BlvitError `BAD_OPTION` if a symbol has no value, naming it */
export function evaluate(dim: Dim, bindings: Bindings): number {
  if (typeof dim === 'number') return dim
  let total = 0
  for (const [symbols, factor] of dim.terms) {
    let term = factor
    for (const name of symbols.split('·').filter(Boolean)) {
      const value = bindings[name]
      if (value === undefined) {
        const message = `The size "${name}" of ${formatDim(dim)} has no value here. Give it one, as in { "${name}": 49 }.`
        throw new BlvitError('BAD_OPTION', message, { size: name })
      }
      term *= value
    }
    total += term
  }
  return total
}
