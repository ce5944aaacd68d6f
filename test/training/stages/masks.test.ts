import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.js'
import { evaluate } from '../../../src/graph/dim.js'
import { gradients } from '../../../src/graph/gradients.js'
import { graphOf, reachable } from '../../../src/graph/graph.js'
import { input } from '../../../src/graph/ops/index.js'
import { maskLosses } from '../../../src/training/objectives/index.js'
import { masksStage } from '../../../src/training/stages/masks.js'
import { count, evaluateTensors, evaluatorOf, type Values } from '../../support/evaluate.js'
import { expectClose } from '../../support/expect-close.js'
import { hasSharedData, shared, withoutSharedData } from '../../support/shared-data.js'
import { shrunk } from '../../support/tiny-models.js'
import { tinySam } from '../../support/tiny-sam.js'

const sizes = { batch: 2, points: 3 }

const routing = {
  full_layers: 1,
  predictor_after: [1, 2],
  keep_ratio: 0.4,
  little: { embed_dim: 4, num_heads: 2, layers: [2, 3] },
}

/** Parameters whose slope is measured at once: each measurement is two runs of everything behind them. */
const together = 8

const loss = { focal: 20, dice: 1, overlap: 1, features: 2.5, featureError: 0.5 }

/** Numbers for everything that a loss is made of; masks and what is ambiguous are zeros and ones. */
function leavesOf(tensors: Parameters<typeof reachable>[0]): Record<string, Values> {
  const random = seededRandom(11)
  const leaves: Record<string, Values> = {}
  for (const { leaf, shape } of reachable(tensors)) {
    if (!leaf || leaves[leaf.name]) continue
    const now = shape.map((dim) => evaluate(dim, sizes))
    const drawn = () => {
      const number = 2 * random() - 1
      if (leaf.name === 'mask_targets' || leaf.name === 'ambiguous') return Number(number > 0)
      if (leaf.name === 'point_labels') return Math.floor(2 * (number + 1)) - 1 + 0
      return leaf.name === 'point_coords' ? 10 * (number + 1) : number
    }
    leaves[leaf.name] = { shape: now, data: Float64Array.from({ length: count(now) }, drawn) }
  }
  return leaves
}

describe('gradients of masks and embeddings agree with central differences in float64', () => {
  test.each([
    ['windows, relative positions and a layer that sees all', {}],
    ['P-blocks of chosen tokens in windows, and E-blocks', { routing }],
  ])('through %s', (_, changes) => {
    const student = tinySam(changes)
    const stage = masksStage.schema.parse({ objective: 'masks', loss, prompts: 1 })
    const made = masksStage.build({ student, teacher: tinySam() }, stage)
    expect(Object.keys(made.reports)).toEqual(['masks', 'overlap', 'features', 'feature_error', 'iou'])
    const { nodes } = graphOf('masks', { loss: made.loss })
    const learning = nodes.filter(
      ({ leaf }) => leaf?.kind === 'parameter' && leaf.learns && !leaf.name.startsWith('teacher.'),
    )
    // tables of relative positions and, in a routed one, of E-blocks too
    const names = learning.map(({ leaf }) => leaf?.name ?? '')
    expect(names).toContain('image_encoder.blocks.2.attn.rel_pos_h')
    expect(names.includes('image_encoder.blocks.2.little.attn.rel_pos_w')).toBe('routing' in changes)
    const leaves = leavesOf([made.loss])
    const found = evaluateTensors(gradients(made.loss, learning), leaves, sizes)
    const lossWith = evaluatorOf([made.loss], leaves, sizes)
    const random = seededRandom(3)
    let changed = 0
    // one random direction sees every element of some parameters at once
    for (let from = 0; from < learning.length; from += together) {
      const moved = learning.slice(from, from + together).map(({ leaf }, at) => {
        const [start, gradient] = [leaves[leaf?.name ?? ''], found[from + at]]
        if (!leaf || !start || !gradient) throw new Error('no numbers')
        return { name: leaf.name, start, gradient, direction: start.data.map(() => 2 * random() - 1) }
      })
      const step = 1e-6
      const [above, below] = [step, -step].map((h) => {
        const numbers = moved.map(({ name, start, direction }) => {
          const data = start.data.map((value, j) => value + h * (direction[j] ?? 0))
          return [name, { ...start, data }] as const
        })
        return lossWith(Object.fromEntries(numbers))[0]?.data[0] ?? Number.NaN
      })
      const slope = ((above ?? Number.NaN) - (below ?? Number.NaN)) / (2 * step)
      const expected = moved.reduce(
        (sum, { gradient, direction }) =>
          gradient.data.reduce((own, value, j) => own + value * (direction[j] ?? 0), sum),
        0,
      )
      expectClose([expected], [slope], { rtol: 1e-5, atol: 1e-7 })
      changed += moved.filter(({ gradient }) => gradient.data.some((value) => Math.abs(value) > 1e-7)).length
    }
    // all but the biases that softmax doesn't see
    expect(changed).toBeGreaterThan(learning.length * 0.8)
  })
})

describe.skipIf(!hasSharedData)(`losses of masks${withoutSharedData}`, () => {
  const golden = JSON.parse(readFileSync(shared('golden/sam/losses.json'), 'utf8')) as {
    logits: number[][][]
    targets: number[][][]
    combined_20_1: number[]
    iou: number[]
  }
  const flat = (maps: number[][][]) => maps.map((rows) => rows.flat())
  const pixels = golden.logits[0]?.flat().length ?? 0
  const [rows, columns] = [golden.logits[0]?.length ?? 0, golden.logits[0]?.[0]?.length ?? 0]
  const values = (data: readonly number[], shape: readonly number[]): Values => ({
    shape,
    data: Float64Array.from(data),
  })

  // the three golden masks stand for the single one and two others, and the truth is the second's
  test.each([
    ['the least wrong of several masks learns where a prompt is ambiguous', 1, 1],
    ['the single one learns where it is not', 0, 0],
  ])('%s', (_, ambiguous, learns) => {
    const logits = input('logits', [1, 3, rows, columns])
    const { masks, iou } = maskLosses(
      {
        logits,
        overlapPredictions: input('predicted', [1, 3]),
        targets: input('targets', [1, pixels]),
        ambiguous: input('ambiguous', [1]),
      },
      { focal: 20, dice: 1 },
    )
    const leaves = {
      logits: values(flat(golden.logits).flat(), [1, 3, rows, columns]),
      predicted: values([0.5, 0.5, 0.5], [1, 3]),
      targets: values(flat(golden.targets)[1] ?? [], [1, pixels]),
      ambiguous: values([ambiguous], [1]),
    }
    const [loss, overlap, gradient] = evaluateTensors([masks, iou, ...gradients(masks, [logits])], leaves)
    if (learns === 1) {
      expectClose(loss?.data ?? [], [golden.combined_20_1[1] ?? Number.NaN], { rtol: 1e-6 })
      expectClose(overlap?.data ?? [], [golden.iou[1] ?? Number.NaN], { rtol: 1e-6 })
    }
    const learning = [0, 1, 2].filter((mask) =>
      gradient?.data.slice(mask * pixels, (mask + 1) * pixels).some((slope) => slope !== 0),
    )
    expect(learning).toEqual([learns])
  })
})

describe('a stage of masks', () => {
  test('is refused for what has no masks, and without a loss', () => {
    const stage = (loss: object) => masksStage.schema.parse({ objective: 'masks', loss })
    expect(() =>
      masksStage.build({ student: shrunk('vit-tiny'), teacher: undefined }, stage({ focal: 1 })),
    ).toThrow(/is for models that cut out things .*: a vit has no masks/)
    expect(() => masksStage.build({ student: tinySam(), teacher: undefined }, stage({}))).toThrow(
      /needs a loss: give focal, dice, overlap, features, featureError a weight/,
    )
    const wider = tinySam({ embed_dim: 16 })
    expect(() => masksStage.build({ student: tinySam(), teacher: wider }, stage({ features: 1 }))).toThrow(
      /The teacher doesn't fit the student: it has embedding 16 × 5 × 5, not 8 × 5 × 5/,
    )
  })

  test('asks for no objects where it learns from embeddings alone', () => {
    const stage = masksStage.schema.parse({ objective: 'masks', loss: { featureError: 1 } })
    const { loss } = masksStage.build({ student: tinySam(), teacher: tinySam() }, stage)
    const { inputs } = graphOf('masks', { loss })
    expect(inputs.map(({ leaf }) => leaf?.name)).toEqual(['pixel_values'])
  })
})
