import { describe, expect, test } from 'vitest'
import { checkParallel, manyPictures, picturesPerLaneRun, planLanes } from '../../src/engine/lane-plan.js'
import { presets } from '../../src/models/index.js'
import type { LaneSource } from '../../src/runtime/runtime.js'
import { resolveSettings } from '../../src/settings/resolve.js'

const machine = (processors: number, gigabytes: number): LaneSource => ({
  processors,
  freeBytes: () => gigabytes * 1e9,
  open: () => Promise.reject(new Error('not opened here')),
})
const tiny = 23e6
const base = 346e6

describe('lanes for many pictures', () => {
  test('one a processor where memory allows, fewer with more threads where it doesn’t', () => {
    const auto = (source: LaneSource, weightBytes: number) =>
      planLanes(source, { parallel: 'auto', weightBytes })
    expect(auto(machine(16, 64), tiny)).toEqual({ lanes: 16, threads: 1 })
    expect(auto(machine(16, 64), base)).toEqual({ lanes: 16, threads: 1 })
    expect(auto(machine(16, 4), tiny)).toEqual({ lanes: 16, threads: 1 })
    expect(auto(machine(16, 4), base)).toEqual({ lanes: 4, threads: 4 })
    expect(auto(machine(16, 0.1), base)).toEqual({ lanes: 1, threads: 16 })
  })

  test('--threads is what all lanes have together, --parallel how many there are', () => {
    const source = machine(16, 64)
    const weightBytes = tiny
    expect(planLanes(source, { parallel: 'auto', threads: 6, weightBytes })).toEqual({ lanes: 6, threads: 1 })
    expect(planLanes(source, { parallel: 3, threads: 6, weightBytes })).toEqual({ lanes: 3, threads: 2 })
    expect(planLanes(source, { parallel: 4, weightBytes })).toEqual({ lanes: 4, threads: 4 })
    expect(planLanes(machine(2, 64), { parallel: 4, weightBytes })).toEqual({ lanes: 4, threads: 1 })
  })

  test('pay for large models only when there are more pictures', () => {
    expect(manyPictures(tiny)).toBeLessThan(manyPictures(base))
  })

  test('are refused where there can’t be any', () => {
    const where = 'ONNX Runtime WebAssembly'
    const refused = (parallel: number | 'auto', threads?: number, source?: LaneSource) => () =>
      checkParallel(parallel, { threads, source, where })
    expect(refused('auto')).not.toThrow()
    expect(refused(1)).not.toThrow()
    expect(refused(4)).toThrow(/WebAssembly runs one thing at a time/)
    expect(refused(4, 2, machine(8, 8))).toThrow(/at least as many threads/)
    expect(refused(4, 4, machine(8, 8))).not.toThrow()
    for (const parallel of [0, 1.5, Number.NaN, 5000])
      expect(refused(parallel, undefined, machine(8, 8))).toThrow(/whole number/)
  })
})

test('a lane takes more pictures at once where blocks have few tokens, one where a picture has many', () => {
  const [vit, blvit] = [presets['vit-tiny'], presets['t+48']]
  if (!vit || !blvit) throw new Error('no presets')
  expect(picturesPerLaneRun(resolveSettings(vit))).toBe(2)
  expect(picturesPerLaneRun(resolveSettings(vit, { reduce: 'tome:8' }))).toBe(4)
  expect(picturesPerLaneRun(resolveSettings(blvit, { keepRatio: 0.375 }))).toBe(4)
  const large = { ...vit, grid: { rows: 24, columns: 24 } }
  expect(picturesPerLaneRun(resolveSettings(large))).toBe(1)
})
