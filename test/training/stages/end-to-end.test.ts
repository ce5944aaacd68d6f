import { describe, expect, test } from 'vitest'
import { defined } from '../../../src/base/assert.js'
import { presets } from '../../../src/models/index.js'
import { endToEndStage } from '../../../src/training/stages/end-to-end.js'

const stage = (keys: object) =>
  endToEndStage.schema.parse({ objective: 'end to end', loss: { labels: 1 }, ...keys })
const student = (name: string) => defined(presets[name], name)

describe('stochastic depth', () => {
  test.each(['efficientvit-m5', 'mobilevit-xs'])('is refused for a network without branches: %s', (name) => {
    const architecture = student(name)
    const build = (rate: number) =>
      endToEndStage.build({ student: architecture, teacher: undefined }, stage({ stochasticDepth: rate }))
    expect(() => build(0.1)).toThrow(
      `stochasticDepth is 0.1, but the student (${architecture.family}) has no branches that could be left out. Set it to 0.`,
    )
    expect(build(0).loss.shape).toEqual([1])
  })

  test('leaves out branches of a ViT', () => {
    const built = endToEndStage.build(
      { student: student('vit-micro'), teacher: undefined },
      stage({ stochasticDepth: 0.1 }),
    )
    expect(built.loss.shape).toEqual([1])
  })
})
