import { pixelsInput } from '../models/model-definition.js'
import type { OutputRow } from '../problems/problem.js'
import type { NamedTensors } from '../runtime/runtime.js'
import type { Feeds } from './feeds.js'

/** Pictures of one size as one feed. @param pictures each `[channels, height, width]` */
export function pixelFeeds(pictures: readonly Float32Array[]): Feeds {
  const [first] = pictures
  if (first && pictures.length === 1) return { batch: 1, inputs: { [pixelsInput]: first } }
  const size = first?.length ?? 0
  const values = new Float32Array(pictures.length * size)
  pictures.forEach((picture, row) => {
    values.set(picture, row * size)
  })
  return { batch: pictures.length, inputs: { [pixelsInput]: values } }
}

/** The outputs of one picture of a run. Whole numbers become floats: they are counts and indices. */
export function outputRows(outputs: NamedTensors, row: number): Readonly<Record<string, OutputRow>> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { shape, values }]) => {
      const [, ...rest] = shape
      const size = rest.reduce((a, b) => a * b, 1)
      const own = values.slice(row * size, (row + 1) * size)
      return [
        name,
        { shape: rest, values: own instanceof Float32Array ? own : Float32Array.from(own, Number) },
      ]
    }),
  )
}
