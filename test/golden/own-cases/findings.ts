import { type Difference, ofTensor } from '../difference.js'

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
