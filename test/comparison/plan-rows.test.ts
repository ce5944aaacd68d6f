import { expect, test } from 'vitest'
import { parseRow } from '../../src/comparison/asked-rows.js'
import { isControl, isSound, planRows, wholeOf } from '../../src/comparison/plan-rows.js'
import type { Settings } from '../../src/settings/settings.js'

const plan = async (texts: readonly string[], spread: readonly Settings[] = []) =>
  planRows(await Promise.all(texts.map(parseRow)), { spread })

const named = (rows: Awaited<ReturnType<typeof plan>>) =>
  rows.map((row) => `${row.model} ${row.setting}${isSound(row) ? '' : ' fails'}`)

test('the whole model comes first, models without settings get those that they can take, and nothing comes twice', async () => {
  const spread = [{ firstLayers: 2 }, { imageSize: 16 }, { keepRatio: 0.5 }, { reduce: 'tome:8' }]
  const rows = await plan(['vit-micro@evit:0.5', 'vit-micro', 'micro+16', 'vit-micro@evit:0.50'], spread)
  expect(named(rows)).toEqual([
    'vit-micro plain',
    'vit-micro evit:0.5',
    'vit-micro first 2 layers',
    'vit-micro image size 16',
    'vit-micro tome:8',
    'micro+16 keep ratio 0.25',
    'micro+16 image size 16, keep ratio 0.25',
    'micro+16 keep ratio 0.5',
  ])
  const sound = rows.filter(isSound)
  expect(sound.filter(isControl).map(({ model, setting }) => `${model} ${setting}`)).toEqual([
    'vit-micro first 2 layers',
    'vit-micro image size 16',
    'micro+16 image size 16, keep ratio 0.25',
  ])
  // a model that routes is compared with the plain one of its sizes
  for (const row of sound) expect(wholeOf(row, sound)).toBe(sound[0])
})

test('a row that can’t be says why, and is a row', async () => {
  const rows = await plan(['vit-micro', 'no-such@0.5', 'vit-micro@17px', 'micro+16@2layers'])
  expect(named(rows)).toEqual([
    'vit-micro plain',
    'no-such 0.5 fails',
    'vit-micro 17px fails',
    'micro+16 2layers fails',
  ])
  const complaints = rows.flatMap((row) => (isSound(row) ? [] : [row.error.message]))
  expect(complaints).toEqual([
    expect.stringMatching(/no model "no-such"/),
    expect.stringMatching(/17×17 is not a multiple of patch_size 4/),
    expect.stringMatching(/Layers of a blvit/),
  ])
})

test('a setting that no model can take is a wrong command', async () => {
  await expect(plan(['vit-micro'], [{ keepRatio: 0.5 }])).rejects.toThrow(/processes every token/)
})

test('asks no hub that it shall not ask', async () => {
  const [row] = await planRows([{ reference: 'nobody/nothing', settings: {} }], { offline: true })
  expect(row).toMatchObject({ error: { code: 'OFFLINE' } })
})
