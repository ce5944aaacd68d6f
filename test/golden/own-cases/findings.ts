import type { Golden } from '../../support/golden.js'
import { type Difference, ofTensor } from '../difference.js'
import type { Fed } from './run-tensors.js'

/** What a comparison of a case's own found. */
export class Findings {
  readonly differences: Difference[] = []
  readonly wrong: string[] = []
  compared = 0

  /** Values that must be equal. */
  equal(where: string, actual: unknown, expected: unknown): void {
    this.compared++
    if (JSON.stringify(actual) !== JSON.stringify(expected)) this.wrong.push(where)
  }

  /** Numbers within `tolerance · max(1, the largest)`. */
  close(where: string, actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
    if (actual.length !== expected.length) {
      this.wrong.push(`${where}: ${actual.length} numbers, not ${expected.length}`)
      return
    }
    this.differences.push(ofTensor(where, Array.from(actual), Array.from(expected), tolerance))
  }
}

/** Compares a case that no method builds. @param folder of golden.json */
export type OwnCase = (folder: string) => Promise<Findings>

/** What the graph of a case is fed with. */
export function fed(golden: Golden, name: string, shape = golden.shape(name)): Fed {
  return { shape, values: golden.isInteger(name) ? golden.integers(name) : golden.floats(name) }
}

/** Compares tensors with the results of the same names; every result must be among them. */
export function compareAll(
  found: Findings,
  golden: Golden,
  ours: Readonly<Record<string, ArrayLike<number>>>,
  tolerance: number,
): void {
  for (const name of golden.names('out/')) {
    const values = ours[name.slice('out/'.length)]
    if (values) found.close(name, values, golden.floats(name), tolerance)
    else found.wrong.push(`nothing of ours stands beside ${name}`)
  }
}
