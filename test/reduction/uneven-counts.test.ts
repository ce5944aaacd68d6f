import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BlvitError } from '../../src/base/blvit-error.js'
import { seededRandom } from '../../src/base/random.js'
import { symbol } from '../../src/graph/dim.js'
import { gradients } from '../../src/graph/gradients.js'
import { graphOf } from '../../src/graph/graph.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import { input } from '../../src/graph/ops/index.js'
import { nodeDecoder } from '../../src/image/node/decode.js'
import { trainingHooks } from '../../src/models/block-loop.js'
import { outputOf } from '../../src/models/model-definition.js'
import { usualVit, vitArchitecture } from '../../src/models/vit-family.js'
import { features } from '../../src/problems/features.js'
import { parseReduction } from '../../src/reduction/parse-reduction.js'
import { keepMarked } from '../../src/reduction/uneven-counts.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import { Model } from '../../src/tasks/model.js'
import { crossEntropy } from '../../src/training/objectives/cross-entropy.js'
import { count, evaluateTensors, type Values } from '../support/evaluate.js'
import { expectClose } from '../support/expect-close.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

const vit = vitArchitecture(
  usualVit({
    ...{ width: 6, heads: 2, depth: 3, mlpRatio: 2, classes: 3, patchSize: 2 },
    image: { height: 6, width: 8 },
  }),
)

describe('tokens that stay', () => {
  const marks = fc
    .record({ batch: fc.integer({ min: 1, max: 4 }), tokens: fc.integer({ min: 1, max: 9 }) })
    .chain(({ batch, tokens }) =>
      fc.array(fc.array(fc.constantFrom(0, 1), { minLength: tokens, maxLength: tokens }), {
        ...{ minLength: batch, maxLength: batch },
      }),
    )

  test('come in front, in order, and no row behind those of the picture that keeps most', () =>
    fc.assert(
      fc.property(marks, fc.boolean(), (rows, gathered) => {
        const [batch, tokens] = [rows.length, rows[0]?.length ?? 0]
        const kept = keepMarked(input('stays', [batch, tokens]), { size: 'kept', gathered })
        const stays = { shape: [batch, tokens], data: Float64Array.from(rows.flat()) }
        const [order, mask] = evaluateTensors([kept.order, kept.mask], { stays })
        const counts = rows.map((row) => row.filter(Boolean).length)
        const longest = gathered ? Math.max(1, ...counts) : tokens
        expect(order?.shape).toEqual([batch, longest])
        for (const [picture, row] of rows.entries()) {
          const own = (x: Values | undefined) =>
            [...(x?.data ?? [])].slice(picture * longest).slice(0, longest)
          const marked = row.flatMap((mark, token) => (mark ? [token] : []))
          expect(own(order).slice(0, marked.length)).toEqual(marked)
          expect(own(mask)).toEqual(Array.from({ length: longest }, (_, i) => Number(i < marked.length)))
        }
      }),
    ))
})

describe('a model whose pictures decide', () => {
  const pictures = ['kite', 'fly', 'yurt'].map(
    (name) => new URL(`../../examples/${name}.jpg`, import.meta.url).pathname,
  )

  test('gives the features of a batch without rows that fill up, each as if it were alone', async () => {
    const files = randomModel(shrunk('vit-tiny', { rows: 8, columns: 8 }))
    const chosen = await chooseRuntime('cpu')
    await using model = new Model('tiny', files, chosen, { decoder: nodeDecoder, parallel: 1 })
    const options = { reduce: 'ats:0.6' }
    const together = await model.answer(features, pictures, options)
    const rows = together.map(({ answer }) => answer.shape[0])
    expect(new Set(rows).size).toBeGreaterThan(1)
    for (const [i, picture] of pictures.entries()) {
      const [alone] = await model.answer(features, picture, options)
      expect(alone?.answer.shape).toEqual(together[i]?.answer.shape)
      expectClose(alone?.answer.values ?? [], together[i]?.answer.values ?? [], { rtol: 1e-4, atol: 1e-4 })
    }
  })

  test.each(['ats:1', 'a-vit:0'])('%s is no model for WebGPU, but with masks it is', (text) => {
    const written = (reduction: string) => {
      const model = vit.build({ hooks: parseReduction(reduction).hooks(vit) })
      const graph = graphOf('vit', { logits: outputOf(model, 'classify', 'logits') })
      return toOnnx(graph, { target: 'webgpu', storageOf: () => 'fed' })
    }
    const refused = expect.objectContaining<Partial<BlvitError>>({ code: 'UNSUPPORTED' })
    expect(() => written(text)).toThrow(refused)
    expect(written(`${text},gather=false`)).toBeInstanceOf(Uint8Array)
  })
})

test.each(['ats:1', 'a-vit:1,scale=2'])('%s learns: gradients agree with central differences', (text) => {
  const hooks = trainingHooks(parseReduction(text).hooks(vit))
  const model = vit.build({ hooks })
  const logits = outputOf(model, 'classify', 'logits')
  const loss = crossEntropy(logits, input('targets', [symbol('batch'), 3]))
  const graph = graphOf('loss', { loss })
  const random = seededRandom(3)
  const leaves: Record<string, Values> = {}
  for (const { leaf, shape } of graph.nodes) {
    if (!leaf) continue
    const now = shape.map((dim) => (typeof dim === 'number' ? dim : 2))
    leaves[leaf.name] = {
      shape: now,
      data: Float64Array.from({ length: count(now) }, () => 2 * random() - 1),
    }
  }
  const lossAt = (name: string, data: Float64Array) => {
    const moved = { ...leaves, [name]: { shape: leaves[name]?.shape ?? [], data } }
    return evaluateTensors([loss], moved, { batch: 2 })[0]?.data[0] ?? Number.NaN
  }
  const learned = [
    'patch_embed.proj.weight',
    'blocks.0.attn.qkv.weight',
    'blocks.2.mlp.fc2.weight',
    'norm.weight',
  ]
  const parameters = graph.nodes.filter(({ leaf }) => leaf && learned.includes(leaf.name))
  const values = evaluateTensors(gradients(loss, parameters), leaves, { batch: 2 })
  expect(parameters.length).toBeGreaterThanOrEqual(learned.length)
  parameters.forEach(({ leaf }, i) => {
    const start = leaves[leaf?.name ?? '']?.data ?? new Float64Array()
    const direction = start.map(() => 2 * random() - 1)
    const step = 1e-7
    const at = (h: number) =>
      lossAt(
        leaf?.name ?? '',
        start.map((value, j) => value + h * (direction[j] ?? 0)),
      )
    const slope = (at(step) - at(-step)) / (2 * step)
    const expected =
      values[i]?.data.reduce((sum, value, j) => sum + value * (direction[j] ?? 0), 0) ?? Number.NaN
    expectClose([expected], [slope], { rtol: 1e-4, atol: 1e-7 })
  })
})
