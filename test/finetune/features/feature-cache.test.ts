import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { FeatureCache } from '../../../src/finetune/features/feature-cache.js'
import { temporaryFolder } from '../../support/temporary-folder.js'

const folder = temporaryFolder()
const files = join(folder, 'blvit', 'features')
beforeEach(() => {
  vi.stubEnv('XDG_CACHE_HOME', folder)
})

const hash = (digit: string) => digit.repeat(64)
const vector = Float32Array.of(1.5, -2, 3e-8)

async function pathOf(key: string): Promise<string> {
  const before = new Set(await readdir(files).catch(() => []))
  await using cache = await FeatureCache.open(key, { inputs: 3 })
  await cache.add(hash('a'), vector)
  await cache.add(hash('b'), Float32Array.of(4, 5, 6))
  const name = (await readdir(files)).find((file) => !before.has(file)) ?? ''
  return join(files, name)
}

test('vectors are there again to the bit, under the key of their model alone', async () => {
  await pathOf('model')
  await using again = await FeatureCache.open('model', { inputs: 3 })
  expect(again.get(hash('a'))).toEqual(vector)
  expect(again.get(hash('c'))).toBeUndefined()
  await using other = await FeatureCache.open('another model', { inputs: 3 })
  expect(other.get(hash('a'))).toBeUndefined()
})

test('a record that a kill has cut off is made again, those before it are kept', async () => {
  const path = await pathOf('killed')
  const whole = await readFile(path)
  await writeFile(path, whole.subarray(0, whole.length - 5))
  {
    await using cache = await FeatureCache.open('killed', { inputs: 3 })
    expect(cache.get(hash('a'))).toEqual(vector)
    expect(cache.get(hash('b'))).toBeUndefined()
    await cache.add(hash('b'), Float32Array.of(4, 5, 6))
  }
  expect((await readFile(path)).equals(whole)).toBe(true)
})

test('what is no record is never read as one', async () => {
  const path = await pathOf('damaged')
  await appendFile(path, Buffer.alloc(52, 7))
  await using cache = await FeatureCache.open('damaged', { inputs: 3 })
  expect(cache.get('07'.repeat(32))).toBeUndefined()
  expect(cache.get(hash('a'))).toEqual(vector)
})
