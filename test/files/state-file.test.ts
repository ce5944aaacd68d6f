import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readState, StateFile } from '../../src/files/state-file.js'
import { pictureOutcomeSchema } from '../../src/tasks/node/evaluate/picture-outcome.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const kind = {
  ...{ name: 'evaluation', command: 'blvit eval', outcome: pictureOutcomeSchema },
  report: z.object({ pictures: z.int() }),
}
const identity = { model: 'a'.repeat(64), batch: '8' }
const batch = (name: string) => [{ name, label: 1, answers: [{ predicted: 1, probability: 1 / 3, rank: 1 }] }]

async function namesIn(path: string, then: readonly string[] = []): Promise<string[]> {
  await using state = await StateFile.open(path, identity, kind)
  for (const name of then) await state.append(batch(name))
  return state.outcomes.map(({ name }) => name)
}

describe('the state of an evaluation', () => {
  const folder = temporaryFolder()
  let count = 0
  const newPath = () => join(folder, `${count++}.state`)

  test('gives back what was appended, numbers to the last bit', async () => {
    const path = newPath()
    expect(await namesIn(path, ['a', 'b'])).toEqual([])
    expect(await namesIn(path, ['c'])).toEqual(['a', 'b'])
    await using state = await StateFile.open(path, identity, kind)
    expect(state.outcomes).toEqual([...batch('a'), ...batch('b'), ...batch('c')])
  })

  test('cut at any byte, it is the batches that are whole, and goes on from there', async () => {
    const whole = newPath()
    await namesIn(whole, ['a', 'b', 'c'])
    const bytes = readFileSync(whole)
    const firstLine = bytes.indexOf(0x0a) + 1
    for (let sizeBytes = firstLine; sizeBytes < bytes.length; sizeBytes += 7) {
      const path = newPath()
      writeFileSync(path, bytes.subarray(0, sizeBytes))
      const done = await namesIn(path, ['next'])
      expect(['a', 'b', 'c'].slice(0, done.length)).toEqual(done)
      expect(await namesIn(path)).toEqual([...done, 'next'])
    }
  })

  test('of two processes at the same run the slower one stops, and no answer is lost or double', async () => {
    const path = newPath()
    await namesIn(path, ['a'])
    await using first = await StateFile.open(path, identity, kind)
    await using second = await StateFile.open(path, identity, kind)
    await first.append(batch('b'))
    await expect(second.append(batch('b'))).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringMatching(/another process is at the same evaluation/),
    })
    await first.append(batch('c'))
    expect(await namesIn(path)).toEqual(['a', 'b', 'c'])
  })

  test('a damaged line and what follows it is done again', async () => {
    const path = newPath()
    await namesIn(path, ['a', 'b', 'c'])
    writeFileSync(path, readFileSync(path, 'utf8').replace('"b"', '"x"'))
    expect(await namesIn(path)).toEqual(['a'])
  })

  test('an ended one says its report to who reads it, and goes on without it', async () => {
    const path = newPath()
    {
      await using state = await StateFile.open(path, identity, kind)
      await state.append(batch('a'))
      expect(await readState(path, kind)).toMatchObject({ outcomes: batch('a'), report: undefined })
      await state.end({ pictures: 1 })
    }
    expect(await readState(path, kind)).toEqual({
      path,
      identity,
      outcomes: batch('a'),
      report: { pictures: 1 },
    })
    expect(await namesIn(path, ['b'])).toEqual(['a'])
    expect(await readState(path, kind)).toMatchObject({
      outcomes: [...batch('a'), ...batch('b')],
      report: undefined,
    })
    expect(await readState(path, { ...kind, name: 'embedding' })).toBeUndefined()
    await expect(readState(newPath(), kind)).rejects.toThrow(/There is no file/)
  })

  test('of another evaluation: names what differs and leaves the file as it is', async () => {
    const path = newPath()
    await namesIn(path, ['a'])
    const before = readFileSync(path)
    const other = { model: 'b'.repeat(64), batch: '4' }
    await expect(StateFile.open(path, other, kind)).rejects.toThrow(
      /state of another evaluation:\n {2}model: fingerprint aaaaaaaaaaaa… there, fingerprint bbbbbbbbbbbb… now\n {2}batch: 8 there, 4 now\n/,
    )
    expect(readFileSync(path)).toEqual(before)
  })

  test.each([
    ['a picture', Buffer.from('ffd8ffe000104a46', 'hex')],
    ['a text', Buffer.from('file,label\na.jpg,1\n')],
  ])('%s is no state and is left as it is', async (_, content) => {
    const path = newPath()
    writeFileSync(path, content)
    await expect(StateFile.open(path, identity, kind)).rejects.toThrow(/is no state file of "blvit eval"/)
    expect(readFileSync(path)).toEqual(content)
  })

  test('an empty file becomes one; a folder and a missing folder are refused', async () => {
    const path = newPath()
    appendFileSync(path, '')
    truncateSync(path, 0)
    expect(await namesIn(path, ['a'])).toEqual([])
    expect(await namesIn(path)).toEqual(['a'])
    await expect(StateFile.open(folder, identity, kind)).rejects.toThrow(/is a folder/)
    await expect(StateFile.open(join(folder, 'none/x'), identity, kind)).rejects.toThrow(/doesn't exist/)
  })
})
