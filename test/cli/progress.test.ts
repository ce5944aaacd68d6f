import { expect, test } from 'vitest'
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
  const progress = itemProgress(context, { total: 20, unit: 'pictures', start: 8 })
  progress.moveTo(8)
  expect(notes).toEqual([])
  // a better estimate of the total, before anything more is done
  progress.moveTo(8, 12)
  progress.moveTo(12, 12)
  expect(notes).toEqual([
    '8/12 pictures, 0.0/s, – s left',
    expect.stringMatching(/^12\/12 pictures, [\d.]+\/s, 0 s left$/),
  ])
})
