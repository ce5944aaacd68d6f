import type { Pixels } from '../../src/image/pixels.js'
import type { Trace, TracedStep } from '../../src/tasks/trace/traced-steps.js'

export const patchSize = 8
export const grid = { rows: 3, columns: 4 }
const patches = grid.rows * grid.columns

/** Every patch a token of its own. */
export const untouched = Array.from({ length: patches }, (_, patch) => patch)

export function plainPicture(value: number): Pixels {
  const [height, width] = [grid.rows * patchSize, grid.columns * patchSize]
  return { height, width, values: new Uint8Array(3 * height * width).fill(value) }
}

/** A trace of a grey picture of 3 × 4 patches. */
export function traceOf(steps: readonly TracedStep[], more: Partial<Trace> = {}): Trace {
  return {
    ...{ grid, patchSize, setting: 'some:0.5', steps, picture: plainPicture(200) },
    top: [{ index: 0, label: 'bird', probability: 0.5 }],
    ...more,
  }
}

/** Steps of a model with two paths: the given patches take the big one, step by step, each for two layers. */
export function routes(...selections: (readonly number[])[]): TracedStep[] {
  return selections.map((big, i) => ({
    afterLayer: 2 * i + 1,
    tokens: patches,
    patchToken: untouched,
    big,
    layers: [2 * i + 2, 2 * i + 3],
    scores: untouched.map(() => 1 / patches),
  }))
}

/** As ToMe does it: 0 and 1 join 4; 2 joins 7. */
export const merging: TracedStep = {
  afterLayer: 1,
  tokens: 9,
  patchToken: [4, 4, 7, 3, 4, 5, 6, 7, 8, 9, 10, 11],
}

/** As EViT does it: 6 patches stay, the others are summed up in token 99. */
export const fusing: TracedStep = {
  afterLayer: 4,
  tokens: 7,
  patchToken: untouched.map((patch) => (patch % 2 === 0 ? patch : 99)),
  fused: [99],
}

/** 6 patches stay, the others are gone. */
export const dropping: TracedStep = {
  afterLayer: 4,
  tokens: 6,
  patchToken: untouched.map((patch) => (patch % 2 === 0 ? patch : -1)),
}
