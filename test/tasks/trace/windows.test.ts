import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { defined } from '../../../src/base/assert.js'
import { writeModelFolder } from '../../../src/model-store/node/write-model-folder.js'
import { presets, withChanges } from '../../../src/models/index.js'
import { load } from '../../../src/tasks/node/load.js'
import { tracePng } from '../../../src/tasks/trace/node/trace-png.js'
import { traceJson } from '../../../src/tasks/trace/trace-json.js'
import { temporaryFolder } from '../../support/temporary-folder.js'
import { randomModel } from '../../support/tiny-models.js'

const folder = temporaryFolder()
const micro = defined(presets['sam-micro'], 'sam-micro')
const photo = fileURLToPath(new URL('../../../examples/kite.jpg', import.meta.url))

beforeAll(async () => {
  const routing = {
    ...{ full_layers: 1, predictor_after: [1, 3], keep_ratio: 0.25 },
    little: { embed_dim: 24, num_heads: 2, layers: [2, 3] },
  }
  await writeModelFolder(join(folder, 'sam'), randomModel(micro), { card: '' })
  await writeModelFolder(join(folder, 'routed'), randomModel(withChanges(micro, { routing })), { card: '' })
})

/** How many of some patches each window of 3 × 3 in the grid of 8 × 8 has, row by row. */
function byWindow(patches: readonly number[]): number[] {
  const counts = new Array<number>(9).fill(0)
  for (const patch of patches) {
    const window = 3 * Math.floor(Math.floor(patch / 8) / 3) + Math.floor((patch % 8) / 3)
    counts[window] = (counts[window] ?? 0) + 1
  }
  return counts
}

test.each([
  ['sam', { reduce: 'evit:0.5,blocks=1/2,fuse=false' }, [5, 5, 3, 5, 5, 3, 3, 3, 2]],
  ['sam', { reduce: 'evo-vit:0.5' }, [4, 4, 3, 4, 4, 3, 3, 3, 2]],
  ['routed', {}, [2, 2, 2, 2, 2, 2, 2, 2, 1]],
] as const)('%s at %j: the choice of every window is drawn in its place', async (name, settings, counts) => {
  await using model = await load(join(folder, name))
  const traced = await model.trace(photo, settings)
  const [first] = traced.steps
  const { big, patchToken } = defined(first, 'a step')
  const chosen = big ?? patchToken.flatMap((token, patch) => (token >= 0 ? [patch] : []))
  expect(byWindow(chosen)).toEqual(counts)
  expect(traced.picture).toMatchObject({ width: 128, height: 128 })
  expect(traceJson(traced, { model, picture: photo }).steps.length).toBe(traced.steps.length)
  const png = await tracePng(traced, { model: name, picture: 'kite.jpg' })
  expect(png.byteLength).toBeGreaterThan(10_000)
})
