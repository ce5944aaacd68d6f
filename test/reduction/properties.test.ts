import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import { evaluate } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { withChanges } from '../../src/models/index.js'
import { eventOutputs, followPatches, type HistoryStep } from '../../src/models/token-history.js'
import { gridOf, patchCount, prefixCount, type VitConfig } from '../../src/models/vit-config.js'
import { usualVit, vitArchitecture } from '../../src/models/vit-family.js'
import { parseReduction } from '../../src/reduction/parse-reduction.js'
import { tokenMaskJson, tokenMaskText } from '../../src/reduction/token-mask.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { expectClose } from '../support/expect-close.js'
import { outputsOf, randomModel, randomPixels } from '../support/tiny-models.js'

const drawnConfig = fc
  .record({
    rows: fc.integer({ min: 1, max: 5 }),
    columns: fc.integer({ min: 1, max: 5 }),
    depth: fc.integer({ min: 1, max: 5 }),
    kind: fc.constantFrom('plain', 'distilled', 'registers', 'no class token'),
  })
  .map(
    ({ rows, columns, depth, kind }): VitConfig =>
      usualVit({
        width: 8,
        heads: 2,
        depth,
        mlpRatio: 2,
        classes: 3,
        patchSize: 2,
        image: { height: 2 * rows, width: 2 * columns },
        distilled: kind === 'distilled',
        ...(kind === 'registers' && { registers: 3 }),
        ...(kind === 'no class token' && { classToken: false, embeddedPrefix: 0, pooling: 'mean' }),
      }),
  )

const rate = fc.integer({ min: 1, max: 10 }).map((tenths) => tenths / 10)

/** Some patches that stay, as ATF reads them. */
function drawnMask(config: VitConfig): fc.Arbitrary<string> {
  const { rows, columns } = gridOf(config)
  return fc
    .array(fc.boolean(), { minLength: rows * columns, maxLength: rows * columns })
    .filter((bits) => bits.includes(true))
    .map((objects) => tokenMaskText(tokenMaskJson({ rows, columns }, { objects })))
}

/** Of any reduction that works on a model; `drops`: whether patches may be lost. */
function drawnReduction(config: VitConfig): fc.Arbitrary<{ text: string; drops: boolean }> {
  const { classToken, distilled, depth } = config
  const looking = classToken && !distilled
  // methods that round down keep one patch at least
  const least = rate.filter((keep) => Math.floor(patchCount(config) * keep ** 3) >= 1)
  // more than half of the patches can't merge
  const merging = fc.integer({ min: 0, max: Math.min(9, Math.floor(patchCount(config) / 2)) })
  return fc.oneof(
    merging.map((r) => ({ text: `tome:${r}`, drops: false })),
    merging.map((r) => ({ text: `tome:${r},schedule=decreasing,proportional=false`, drops: false })),
    fc
      .array(merging, { minLength: 1, maxLength: depth })
      .map((r) => ({ text: `tome:${r.join('/')}`, drops: false })),
    rate.map((keep) => ({ text: `random:${keep}`, drops: true })),
    drawnMask(config).map((mask) => ({ text: `atf:${mask}`, drops: true })),
    fc
      .record({
        r: fc.oneof(merging, fc.constantFrom(0.2, 0.35, 0.5)),
        oneStep: fc.boolean(),
        bidirectional: fc.boolean(),
        proportional: fc.boolean(),
        pooling: fc.constantFrom('attention', 'size', 'sum'),
      })
      .map(({ r, oneStep, bidirectional, proportional, pooling }) => ({
        text: `mctf:${r},one-step=${oneStep},bidirectional=${bidirectional},proportional=${proportional},pooling=${pooling}`,
        drops: false,
      })),
    least.map((keep) => ({ text: `dynamic-vit:${keep}`, drops: true })),
    ...(classToken && depth > 1
      ? [
          fc
            .record({
              keep: least,
              mode: fc.constantFrom('stage', 'layer'),
              representative: fc.boolean(),
              prune: fc.boolean(),
              tradeoff: fc.constantFrom(0, 0.3, 1),
            })
            .map(({ keep, mode, representative, prune, tradeoff }) => ({
              text: `evo-vit:${keep},mode=${mode},representative=${representative},prune-cls=${prune},tradeoff=${tradeoff}`,
              drops: prune,
            })),
        ]
      : []),
    ...(looking
      ? [
          rate.map((samples) => ({ text: `ats:${samples},gather=${depth % 2 === 0}`, drops: true })),
          // some tokens of random models halt, whatever block comes
          fc.integer({ min: -2, max: 4 }).map((center) => ({
            text: `a-vit:${center},scale=3,gather=${depth % 2 === 1}`,
            drops: true,
          })),
          rate.map((keep) => ({ text: `evit:${keep}`, drops: false })),
          rate.map((keep) => ({ text: `evit:${keep},fuse=false`, drops: true })),
          rate.map((keep) => ({
            text: `top-k:${keep},blocks=${Array.from({ length: depth }, (_, i) => i).join('/')}`,
            drops: true,
          })),
        ]
      : []),
  )
}

/** Runs a reduced model with random weights; `text` undefined: the plain one. */
async function run(config: VitConfig, text: string | undefined, pictures: number) {
  // with the weights of methods that have some
  const architecture = withChanges(vitArchitecture(config), { reduction: 'dynamic-vit:1' })
  const { weights } = randomModel(architecture)
  const hooks = text === undefined ? undefined : parseReduction(text).hooks(architecture)
  const model = architecture.build(hooks ? { hooks } : {})
  const outputs = { ...outputsOf(model), ...model.programs.embed, ...eventOutputs(model.history) }
  const graph = graphOf('reduced', outputs)
  const session = await (await nativeRuntime()).load(graph, weights, { threads: 1 })
  const pixels = randomPixels(architecture, { count: pictures })
  const each = pixels.values.length / pictures
  const runRows = async (from: number, to: number) => {
    const feeds = graph.inputs.map(({ leaf, shape }) => {
      const name = leaf?.name ?? ''
      const sizes = shape.map((dim) => evaluate(dim, { batch: to - from }))
      const perPicture = sizes.slice(1).reduce((a, b) => a * b, 1)
      const noise = (picture: number) => Array.from({ length: perPicture }, seededRandom(picture, name))
      const values =
        name === 'pixel_values'
          ? pixels.values.slice(from * each, to * each)
          : Float32Array.from(Array.from({ length: to - from }, (_, i) => noise(from + i)).flat())
      return [name, { dtype: 'float32' as const, shape: sizes, values }] as const
    })
    const results = await session.run(Object.fromEntries(feeds))
    return (output: string, picture: number): number[] => {
      const all = Array.from(results[output]?.values ?? [], Number)
      const length = all.length / (to - from)
      return all.slice(picture * length, (picture + 1) * length)
    }
  }
  const together = await runRows(0, pictures)
  const steps = (read: typeof together, picture: number): readonly HistoryStep[] =>
    followPatches(model.history, (output) => read(output, picture), {
      prefix: prefixCount(config),
      patches: patchCount(config),
    })
  return {
    [Symbol.asyncDispose]: () => session.dispose(),
    together,
    alone: (row: number) => runRows(row, row + 1),
    steps,
    outputs: Object.keys(outputs),
  }
}

/** Whether pictures decide how many tokens they keep. */
const isUneven = (text: string) => /^(ats|a-vit):/.test(text)

const drawn = drawnConfig.chain((config) =>
  drawnReduction(config).map((reduction) => ({ config, ...reduction })),
)

describe('any reduction of any ViT', () => {
  test('kept, merged, fused and dropped are a partition of the patches; each picture is for itself', () =>
    fc.assert(
      fc.asyncProperty(drawn, async ({ config, text, drops }) => {
        const pictures = 3
        await using model = await run(config, text, pictures)
        const { together, alone, steps, outputs } = model
        for (let picture = 0; picture < pictures; picture++) {
          const history = steps(together, picture)
          for (const { tokens, patchToken, fused } of history) {
            expect(patchToken).toHaveLength(patchCount(config))
            const alive = new Set(patchToken.filter((token) => token >= 0))
            // nothing but patches makes tokens, and every token is made of some
            expect([...alive].sort((a, b) => a - b)).toEqual(Array.from({ length: tokens }, (_, i) => i))
            if (!drops) expect(patchToken).not.toContain(-1)
            for (const token of fused) expect(alive).toContain(token)
          }
          const last = history.at(-1)
          const sizes = together('token_sizes', picture).slice(prefixCount(config))
          sizes.forEach((size, token) => {
            expect(last?.patchToken.filter((own) => own === token)).toHaveLength(size)
          })
          const row = await alone(picture)
          expect(steps(row, 0)).toEqual(history)
          // a batch fills up pictures that keep fewer tokens than others
          for (const output of isUneven(text) ? ['logits'] : outputs) {
            // float32, other blockings of the same sums
            expectClose(row(output, 0), together(output, picture), { rtol: 1e-4, atol: 1e-5 })
          }
        }
      }),
      { numRuns: 40 },
    ))

  test.each(['ats:1', 'ats:0.7', 'a-vit:0.5,scale=4'])(
    '%s: pictures of one batch keep different numbers, each as if it were alone',
    async (text) => {
      const config = usualVit({
        ...{ width: 8, heads: 2, depth: 6, classes: 3, patchSize: 2 },
        image: { height: 12, width: 10 },
      })
      const pictures = 4
      await using model = await run(config, text, pictures)
      const { together, alone, steps } = model
      const all = Array.from({ length: pictures }, (_, picture) => steps(together, picture))
      const counts = all.map((history) => history.map(({ tokens }) => tokens))
      expect(new Set(counts.map((row) => row.join())).size).toBeGreaterThan(1)
      for (const [picture, history] of all.entries()) {
        const row = await alone(picture)
        expect(steps(row, 0)).toEqual(history)
        expectClose(row('logits', 0), together('logits', picture), { rtol: 1e-4, atol: 1e-5 })
        // behind the tokens of a picture stand those that fill it up, which nobody reads
        const features = row('features', 0)
        expectClose(features, together('features', picture).slice(0, features.length), {
          ...{ rtol: 1e-4, atol: 1e-5 },
        })
        const sizes = together('token_sizes', picture)
        const isFilling = sizes.filter((size) => size === 0)
        expect(sizes.length - isFilling.length).toBe(sizes.length === 0 ? 0 : features.length / 8)
      }
    },
  )

  test.each(['a-vit:0.5,scale=4'])(
    '%s gives the same whether halted tokens are gone or masked',
    async (text) => {
      const config = usualVit({
        ...{ width: 8, heads: 2, depth: 6, classes: 3, patchSize: 2 },
        image: { height: 12, width: 10 },
      })
      await using gone = await run(config, text, 3)
      await using masked = await run(config, `${text},gather=false`, 3)
      for (const picture of [0, 1, 2]) {
        expect(gone.steps(gone.together, picture)).toEqual(masked.steps(masked.together, picture))
        for (const output of ['logits', 'features']) {
          expectClose(gone.together(output, picture), masked.together(output, picture), {
            rtol: 1e-4,
            atol: 1e-5,
          })
        }
      }
    },
  )

  test('random chooses for each picture by itself', async () => {
    const config = usualVit({
      width: 8,
      heads: 2,
      depth: 1,
      classes: 3,
      patchSize: 2,
      image: { height: 12, width: 12 },
    })
    await using model = await run(config, 'random:0.5', 2)
    const { together, steps } = model
    const [first, second] = [0, 1].map((picture) =>
      steps(together, picture)
        .at(-1)
        ?.patchToken.map((token) => token >= 0),
    )
    expect(first?.filter(Boolean)).toHaveLength(18)
    expect(first).not.toEqual(second)
  })
})

test.each([
  [
    'evo-vit:0.5',
    [
      [3, 4],
      [5, 6],
    ],
  ],
  ['evo-vit:0.3,blocks=1/2/5,representative=true', [[2], [3, 4, 5], [6]]],
  ['evo-vit:0.5,mode=layer', [[3], [4], [5], [6]]],
])('%s chooses the patches with the highest scores, and all are there at the end', async (text, layers) => {
  const config = usualVit({
    width: 8,
    heads: 2,
    depth: 6,
    classes: 3,
    patchSize: 2,
    image: { height: 8, width: 10 },
  })
  await using model = await run(config, text, 2)
  const { together, steps } = model
  const kept = Math.floor(20 * Number(/[\d.]+/.exec(text)?.[0]))
  for (const picture of [0, 1]) {
    const history = steps(together, picture)
    expect(history.map(({ route }) => route?.layers)).toEqual(layers)
    for (const { tokens, patchToken, route } of history) {
      expect(tokens).toBe(20)
      expect(patchToken).toEqual(Array.from({ length: 20 }, (_, patch) => patch))
      const { chosen = [], scores = [] } = route ?? {}
      const [inside, outside] = [true, false].map((isChosen) =>
        scores.filter((_, patch) => chosen.includes(patch) === isChosen),
      )
      expect(inside).toHaveLength(kept)
      expect(Math.min(...(inside ?? []))).toBeGreaterThanOrEqual(Math.max(...(outside ?? [])))
    }
  }
})

test.each([
  'dynamic-vit:1',
  'evo-vit:1',
  'evo-vit:1,mode=layer,representative=true,prune-cls=true',
  'evit:1',
  'evit:1,fuse=false',
  'tome:0',
  'mctf:0',
  'top-k:1',
  'random:1',
  'a-vit:1000',
])('%s reduces nothing and equals the plain model', async (text) => {
  const config = usualVit({
    width: 8,
    heads: 2,
    depth: 4,
    classes: 3,
    patchSize: 2,
    image: { height: 6, width: 8 },
  })
  await using plain = await run(config, undefined, 2)
  await using reduced = await run(config, text, 2)
  for (const output of ['logits', 'features']) {
    for (const picture of [0, 1]) {
      expectClose(reduced.together(output, picture), plain.together(output, picture), { atol: 1e-5 })
    }
  }
})

test.each([
  // the counts of the papers at 196 patches, EViT's with its fused token
  ['evit:0.5', [99, 51, 27]],
  ['evit:0.5,fuse=false', [98, 49, 25]],
  ['evit:0.6', [119, 73, 45]],
  ['evit:0.7', [139, 99, 71]],
  ['evit:0.7,fuse=false', [138, 97, 68]],
  ['top-k:0.5', [98, 49, 25]],
  ['dynamic-vit:0.7', [137, 96, 67]],
  ['evo-vit:0.5', [0, 0]],
  ['evo-vit:0.5,prune-cls=true', [0, 0, 98]],
  ['tome:13', Array.from({ length: 12 }, (_, i) => 196 - 13 * (i + 1))],
  // tokens with the class token: the last blocks would leave fewer than ten
  ['mctf:16', [180, 164, 148, 132, 116, 100, 84, 68, 52, 36, 20]],
  ['mctf:0.35,blocks=3/6/9', [128, 84, 55]],
  ['tome:8,schedule=decreasing', [180, 166, 153, 142, 132, 124, 117, 112, 108, 106, 105]],
])('%s leaves so many tokens of 196 patches', (text, expected) => {
  const config = usualVit({
    width: 8,
    heads: 2,
    depth: 12,
    classes: 3,
    patchSize: 2,
    image: { height: 28, width: 28 },
  })
  const architecture = withChanges(vitArchitecture(config), { reduction: 'dynamic-vit:1' })
  const { history } = architecture.build({ hooks: parseReduction(text).hooks(architecture) })
  const counts = history.map((event) => (event.kind === 'reduce' ? Number(event.tokensAfter) - 1 : 0))
  expect(counts).toEqual(expected)
})
