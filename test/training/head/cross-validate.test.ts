import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawNormal } from '../../../src/base/distributions.js'
import { seededRandom } from '../../../src/base/random.js'
import { chooseRuntime } from '../../../src/runtime/node/choose.js'
import { crossValidate } from '../../../src/training/head/cross-validate.js'
import { stratifiedFolds } from '../../../src/training/head/folds.js'
import { HeadSession } from '../../../src/training/head/head-session.js'

const inputs = 40
const count = 150
const classes = 3
let session: HeadSession
beforeAll(async () => {
  const { runtime } = await chooseRuntime('auto', { thread: 'caller' })
  session = await HeadSession.open(runtime, { inputs, classes, scores: 'softmax' }, { threads: 1 })
})
afterAll(async () => {
  await session[Symbol.asyncDispose]()
})

/** Vectors of classes that lie `apart` from each other along one axis each. */
function features(apart: number) {
  const random = seededRandom(5)
  const labels = Array.from({ length: count }, (_, row) => [row % classes])
  const values = Float32Array.from({ length: count * inputs }, (_, at) => {
    const label = labels[Math.floor(at / inputs)]?.[0]
    return drawNormal(random) + (at % inputs === label ? apart : 0)
  })
  return { count, inputs, values, labels }
}

async function validated(apart: number) {
  const data = features(apart)
  const groups = data.labels.map((_, row) => row)
  const folds = stratifiedFolds(data.labels, groups, { folds: 5, random: seededRandom(1) })
  const { penalty, scores } = await crossValidate(session, data, { classes, scores: 'softmax', folds })
  const right = data.labels.filter(([label], row) => {
    const own = scores.subarray(row * classes, (row + 1) * classes)
    return own.indexOf(Math.max(...own)) === label
  })
  return { penalty, share: right.length / count }
}

describe('cross-validation', () => {
  test('finds no skill where labels have nothing to do with vectors, though a head could learn them by heart', async () => {
    const { share, penalty } = await validated(0)
    expect(share).toBeLessThan(0.45)
    expect(penalty).toBe(3)
  })

  test('finds it where there is some, with a weaker penalty', async () => {
    const { share, penalty } = await validated(4)
    expect(share).toBeGreaterThan(0.95)
    expect(penalty).toBeLessThan(1)
  })
})
