import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { parametersOf } from '../../src/model-store/model-files.js'
import { presets, readArchitecture } from '../../src/models/index.js'
import { analyze } from '../../src/tasks/analyze/analyze.js'
import type { ExpectedParameter } from '../../src/weights/fit.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'

interface KeyGroup {
  readonly shape: readonly number[]
  readonly count: number
  readonly keys?: readonly string[]
}

interface KeyList {
  readonly entries: number
  readonly parameters_and_buffers: number
  readonly keys: Readonly<Record<string, KeyGroup | readonly KeyGroup[]>>
}

const spec = <T>(file: string) => JSON.parse(readFileSync(shared(`../spec/${file}`), 'utf8')) as T

/** Names with their numbers left out, each with its shapes and how often. */
function grouped(parameters: readonly { name: string; shape: readonly number[] }[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { name, shape } of parameters) {
    const pattern = name.replace(/\.\d+(?=\.)/g, '.*')
    groups.set(pattern, [...(groups.get(pattern) ?? []), `${shape}`])
  }
  return groups
}

const checkpoints = {
  sam_vit_b: 'sam-b',
  sam_vit_l: 'sam-l',
  sam_vit_h: 'sam-h',
  efficient_sam_vitt: 'efficient-sam-ti',
  efficient_sam_vits: 'efficient-sam-s',
  mobile_sam: 'mobile-sam',
} as const

/** Of TinyViT's own training. */
const classifier = [
  { name: 'image_encoder.norm_head.weight', shape: [320] },
  { name: 'image_encoder.norm_head.bias', shape: [320] },
  { name: 'image_encoder.head.weight', shape: [1000, 320] },
  { name: 'image_encoder.head.bias', shape: [1000] },
]

type Shaped = Pick<ExpectedParameter, 'name' | 'shape'>

/** What a checkpoint holds of a model's parameters: batch norms are in their maps here, and some of it nobody reads. */
const stored: Readonly<Record<string, (parameters: readonly Shaped[]) => readonly Shaped[]>> = {
  mobile_sam: (parameters) => {
    const isFolded = (name: string) => /\.c\.bias$/.test(name)
    const norm = ({ name, shape }: Shaped) => {
      const at = name.replace(/\.c\.bias$/, '.bn')
      return [
        ...['weight', 'bias', 'running_mean', 'running_var'].map((word) => ({
          name: `${at}.${word}`,
          shape,
        })),
        { name: `${at}.num_batches_tracked`, shape: [] },
      ]
    }
    return [
      ...parameters.flatMap((parameter) => (isFolded(parameter.name) ? norm(parameter) : [parameter])),
      ...classifier,
    ]
  },
}

describe.skipIf(!hasSharedData)(`Segment Anything as its official code has it${withoutSharedData}`, () => {
  test.each(Object.entries(checkpoints))(
    '%s: every key with its shape, no more and no fewer',
    (file, name) => {
      const list = defined(spec<Record<string, KeyList>>('sam-keys.json')[file], file)
      const own = parametersOf(defined(presets[name], name))
      const parameters = stored[file]?.(own) ?? own
      const expected = new Map<string, string[]>()
      for (const [pattern, groups] of Object.entries(list.keys)) {
        const shapes = [groups]
          .flat()
          .flatMap(({ shape, count }) => new Array<string>(count).fill(`${shape}`))
        const name = pattern.replace(/\.\d+(?=\.)/g, '.*')
        expected.set(name, [...(expected.get(name) ?? []), ...shapes])
      }
      const sorted = (groups: Map<string, string[]>) =>
        Object.fromEntries([...groups].map(([name, shapes]) => [name, [...shapes].sort()]))
      expect(sorted(grouped(parameters))).toEqual(sorted(expected))
      expect(parameters).toHaveLength(list.entries)
      const numbers = parameters.map(({ shape }) => shape.reduce((a, b) => a * b, 1))
      expect(numbers.reduce((a, b) => a + b, 0)).toBe(list.parameters_and_buffers)
    },
  )

  test.each([
    ['sam-b', 'SAM ViT-B'],
    ['sam-l', 'SAM ViT-L'],
    ['sam-h', 'SAM ViT-H'],
  ])('%s costs what Table 2 says of %s, one click included', (name, row) => {
    const { rows } = spec<{ rows: Record<string, { thop_G: number; true_G: number }> }>('sam-costs.json')
    const { multiplyAdds } = analyze(defined(presets[name], name))
    expect(multiplyAdds.thop / 1e9).toBeCloseTo(defined(rows[row], row).thop_G, 2)
  })

  // a row of zeros for the padding of each layer is computed here, and counted
  test.each([
    ['sam-b+t', 'proportional' as const, 'B+T 25% of real tokens (1024), ws14, real-token projections'],
    ['sam-h+b', 'proportional' as const, 'H+B 25% of real tokens (1024), ws14, real-token projections'],
    ['sam-b+t', 'equal' as const, 'B+T equal 49 per window (1225), ws14, real-token projections'],
    ['sam-h+b', 'equal' as const, 'H+B equal 49 per window (1225), ws14, real-token projections'],
  ])(
    '%s with a quota that is %s costs what the specification counts, within 1 of 10,000',
    (name, quota, row) => {
      const { rows } = spec<{ rows: Record<string, { thop_G: number }> }>('sam-costs.json')
      const preset = defined(presets[name], name)
      const { multiplyAdds } = analyze(preset, { quota })
      const expected = defined(rows[row], row).thop_G
      expect(Math.abs(multiplyAdds.thop / 1e9 / expected - 1)).toBeLessThan(1e-4)
    },
  )

  // the paper's windows at the edge keep as many as the others, places outside of the picture among them: 34 of 2450 tokens
  test.each([
    ['sam-b', 'evit:0.5,fuse=false', 'EViT-B 0.5 idx [3, 6, 9]'],
    ['sam-b', 'evit:0.5,fuse=false,blocks=3/7/11', 'EViT-B 0.5 idx [3, 7, 11]'],
    ['sam-b', 'evit:0.5,fuse=false,blocks=4/7/10', 'EViT-B 0.5 idx [4, 7, 10]'],
    ['sam-h', 'evit:0.5,fuse=false,blocks=10/19/28', 'EViT-H 0.5 idx [10, 19, 28]'],
    ['sam-b', 'evo-vit:0.5', 'Evo-ViT-B 4 full, 98 of 196'],
    ['sam-h', 'evo-vit:0.5,blocks=8/16/24', 'Evo-ViT-H 8 full, 98 of 196'],
  ])('%s with %s costs what the specification counts, within 1 %%', (name, reduce, row) => {
    const { rows } = spec<{ rows: Record<string, { thop_G: number }> }>('sam-costs.json')
    const { multiplyAdds } = analyze(defined(presets[name], name), { reduce, quota: 'equal' })
    const apart = multiplyAdds.thop / 1e9 / defined(rows[row], row).thop_G - 1
    expect(apart).toBeGreaterThan(-0.01)
    expect(apart).toBeLessThan(0)
  })
})

test('what a config.json says of a SAM is what it is read as', () => {
  for (const name of [...Object.values(checkpoints), 'sam-b+t', 'sam-h+b', 'sam-micro']) {
    const preset = defined(presets[name], name)
    expect(readArchitecture(preset.json).json).toEqual(preset.json)
  }
})
