import { expect, test, vi } from 'vitest'
import { itemProgress } from '../../src/cli/progress.js'

test('what was done before counts, but not for the rate', () => {
  const notes: string[] = []
  const context = {
    signal: new AbortController().signal,
    out: async () => {},
    note: (text: string) => notes.push(text),
    interactive: false,
    exitWith: () => {},
  }
  vi.useFakeTimers({ toFake: ['performance'] })
  const progress = itemProgress(context, { total: 20, unit: 'pictures', start: 8 })
  progress.moveTo(8)
  vi.advanceTimersByTime(1000)
  expect(notes).toEqual([])
  // a better estimate of the total, before anything more is done
  progress.moveTo(8, 12)
  vi.advanceTimersByTime(500)
  progress.moveTo(10, 12)
  vi.advanceTimersByTime(500)
  progress.moveTo(12, 12)
  vi.useRealTimers()
  // the one in between came too soon after the last
  expect(notes).toEqual(['8/12 pictures, 0.0/s, – s left', '12/12 pictures, 2.0/s, 0 s left'])
})
