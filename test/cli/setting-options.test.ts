import { expect, test } from 'vitest'
import { manySettingsFrom } from '../../src/cli/setting-options.js'

test('each value of each option is a run of its own', async () => {
  expect(await manySettingsFrom({})).toBeUndefined()
  expect(await manySettingsFrom({ reduce: ['evit:0.5', 'tome:8'], imageSize: ['192'] })).toEqual([
    { imageSize: 192 },
    { reduce: 'evit:0.5' },
    { reduce: 'tome:8' },
  ])
})

test('what says how the others are meant is combined with them', async () => {
  expect(await manySettingsFrom({ quota: ['equal'] })).toEqual([{ quota: 'equal' }])
  expect(
    await manySettingsFrom({ reduce: ['evit:0.5', 'evo-vit:0.5'], quota: ['proportional', 'equal'] }),
  ).toEqual([
    { reduce: 'evit:0.5', quota: 'proportional' },
    { reduce: 'evit:0.5', quota: 'equal' },
    { reduce: 'evo-vit:0.5', quota: 'proportional' },
    { reduce: 'evo-vit:0.5', quota: 'equal' },
  ])
})
