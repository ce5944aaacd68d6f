import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chooseRuntime } from '../../../src/runtime/node/choose.js'
import type { Runtime } from '../../../src/runtime/runtime.js'
import { unscaled } from '../../../src/training/head/head.js'
import { HeadSession } from '../../../src/training/head/head-session.js'
import { type LabelledFeatures, scaled, scaleOf } from '../../../src/training/head/labelled-features.js'
import { expectClose } from '../../support/expect-close.js'

interface Golden {
  readonly values: readonly (readonly number[])[]
  readonly labels: readonly number[]
  readonly several: readonly (readonly number[])[]
  readonly fits: readonly {
    readonly penalty: number
    readonly balanced: boolean
    readonly weight: readonly (readonly number[])[]
    readonly bias: readonly number[]
  }[]
  readonly sigmoid: readonly { readonly weight: readonly number[]; readonly bias: number }[]
}

const path = new URL('../../fixtures/finetune/scikit-learn.json', import.meta.url)
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden
const features: LabelledFeatures = {
  count: golden.values.length,
  inputs: 5,
  values: Float32Array.from(golden.values.flat()),
  labels: golden.labels.map((label) => [label]),
}
const counts = [30, 20, 10]

let runtime: Runtime
const sessions: HeadSession[] = []
beforeAll(async () => {
  runtime = (await chooseRuntime('auto', { thread: 'caller' })).runtime
})
afterAll(async () => {
  for (const session of sessions) await session[Symbol.asyncDispose]()
})

async function open(classes: number, scores: 'softmax' | 'sigmoid'): Promise<HeadSession> {
  const session = await HeadSession.open(runtime, { inputs: 5, classes, scores }, { threads: 1 })
  sessions.push(session)
  return session
}

/** A bias that all classes share changes nothing: scikit-learn leaves another one than we do. */
function centred(bias: readonly number[]): number[] {
  const mean = bias.reduce((a, b) => a + b, 0) / bias.length
  return bias.map((value) => value - mean)
}

// the loss in float32 tells no weights apart that differ by less
const tolerance = { rtol: 2e-2, atol: 4e-3 }

describe('a head is what scikit-learn fits', () => {
  test.each(golden.fits.map((fit) => [fit.penalty, fit.balanced, fit] as const))(
    'softmax, penalty %d, balanced %s',
    async (penalty, balanced, { weight, bias }) => {
      const session = await open(3, 'softmax')
      const classWeights = balanced ? counts.map((count) => 60 / (3 * count)) : undefined
      const head = await session.fit(features, { penalty, classWeights })
      expectClose(Float32Array.from(head.weight), Float32Array.from(weight.flat()), tolerance)
      expectClose(Float32Array.from(centred([...head.bias])), Float32Array.from(centred(bias)), tolerance)
    },
  )

  test('sigmoid, each class for itself', async () => {
    const session = await open(2, 'sigmoid')
    const head = await session.fit({ ...features, labels: golden.several }, { penalty: 0.03 })
    const weight = golden.sigmoid.flatMap((each) => each.weight)
    expectClose(Float32Array.from(head.weight), Float32Array.from(weight), tolerance)
    const bias = golden.sigmoid.map((each) => each.bias)
    expectClose(Float32Array.from(head.bias), Float32Array.from(bias), tolerance)
  })
})

test('a head of scaled features, unscaled, gives the same scores of features as they are', async () => {
  const session = await open(3, 'softmax')
  const scale = scaleOf(features)
  const inScale = scaled(features, scale)
  const head = await session.fit(inScale, { penalty: 0.1 })
  const scores: Float32Array[] = []
  for await (const { values } of session.logits(head, inScale)) scores.push(values)
  for await (const { values } of session.logits(unscaled(head, scale), features)) scores.push(values)
  const [ofScaled, ofOwn] = scores
  expectClose(ofOwn ?? new Float32Array(), ofScaled ?? new Float32Array(1), { rtol: 1e-4, atol: 1e-5 })
})

test('a fit that is aborted says so', async () => {
  const session = await open(3, 'softmax')
  const fit = session.fit(features, { penalty: 0.1, signal: AbortSignal.abort() })
  await expect(fit).rejects.toMatchObject({ code: 'ABORTED' })
})
