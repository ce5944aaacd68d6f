import { describe, expect, test } from 'vitest'
import { presets } from '../../src/models/index.js'
import { ladderOf, resolveSettings } from '../../src/settings/resolve.js'

const routed = presets['micro+16'] ?? expect.fail('no preset')
const plain = presets['vit-micro'] ?? expect.fail('no preset')

describe('what a search for a speed goes through', () => {
  test('keep ratios that keep 1, 2, … all patches', () => {
    const kept = ladderOf(routed).map((settings) => resolveSettings(routed, settings).sizes.kept)
    expect(kept).toEqual(Array.from({ length: 64 }, (_, i) => i + 1))
  })

  test('a reduction with another number and the same switches', () => {
    const steps = ladderOf(plain, { reduce: 'evit:0.7,fuse=false' })
    expect([steps[0], steps[49], steps.at(-1)]).toEqual([
      { reduce: 'evit:0.01,fuse=false' },
      { reduce: 'evit:0.5,fuse=false' },
      { reduce: 'evit:1,fuse=false' },
    ])
    const merges = ladderOf(plain, { reduce: 'tome:8' })
    expect([merges[0], merges.at(-1)]).toEqual([{ reduce: 'tome:32' }, { reduce: 'tome:1' }])
  })

  test('every step is possible', () => {
    for (const given of ['top-k:0.5', 'random:0.5', 'tome:8,schedule=decreasing'])
      for (const settings of ladderOf(plain, { reduce: given }))
        expect(resolveSettings(plain, settings).buildKey).not.toBe('')
  })

  test.each([[{}], [{ reduce: 'evit:0.9/0.7/0.5' }], [{ reduce: 'none' }], [{ keepRatio: 1 }]])(
    'nothing for a plain model in %j',
    (given) => {
      expect(ladderOf(plain, given)).toEqual([])
    },
  )
})
