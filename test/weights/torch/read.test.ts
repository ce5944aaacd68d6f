import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { defined } from '../../../src/base/assert.js'
import { bytesSource } from '../../../src/weights/byte-source.js'
import { openCheckpoint } from '../../../src/weights/node/checkpoint.js'
import { readFloats } from '../../../src/weights/read-floats.js'
import { readTorch } from '../../../src/weights/torch/read.js'
import { thrownBy } from '../thrown-by.js'

/** Written by Python's own pickle and zipfile: see make.py there. */
const fixture = (name: string) => join(import.meta.dirname, '../fixtures/torch', name)

describe('a file of torch.save', () => {
  test.each(['small.pth', 'wrapped.pth'])('%s gives its tensors where they are in the file', async (name) => {
    const { tensors, integers, description } = await openCheckpoint(fixture(name))
    const floats = async (tensor: string) => [...(await readFloats(defined(tensors.get(tensor), tensor)))]
    expect(await floats('a.weight')).toEqual([0, 1, 2, 3, 4, 5])
    // the second half of the same storage
    expect(await floats('b.weight')).toEqual([6, 7, 8, 9, 10, 11])
    expect(await floats('half')).toEqual([0.5, -2])
    expect(tensors.get('a.weight')).toMatchObject({ dtype: 'F32', shape: [2, 3] })
    expect([...integers.keys()]).toEqual(['norm.num_batches_tracked'])
    expect(tensors.get('a.weight')?.segments[0]?.source.path).toBe(fixture(name))
    expect(description).toContain('3 tensors, F16+F32')
  })

  test('with code in it is refused by its name, and nothing runs', async () => {
    const { message } = await thrownBy(openCheckpoint(fixture('code.pth')), 'BAD_WEIGHTS')
    expect(message).toContain('posix.system')
    expect(message).toContain('executes nothing')
    expect(existsSync('/tmp/blvit-was-here')).toBe(false)
  })

  test.each([
    ['object.pth', 'types.SimpleNamespace'],
    ['transposed.pth', 'a is stored in another order'],
    ['double.pth', 'a is stored as DoubleStorage'],
    ['beyond.pth', 'a [5,5] needs 100 bytes, but its storage has 48'],
    ['cut.pth', 'is not a zip file, or it is cut'],
  ])('%s is refused: %s', async (name, expected) => {
    expect((await thrownBy(openCheckpoint(fixture(name)), 'BAD_WEIGHTS')).message).toContain(expected)
  })

  test('cut anywhere is refused, whatever is left of it', async () => {
    const whole = await readFile(fixture('small.pth'))
    for (let length = 0; length < whole.length; length += 13) {
      await thrownBy(readTorch(bytesSource(whole.subarray(0, length))), 'BAD_WEIGHTS')
    }
  })

  test('with any byte changed is read or refused, never misread into a crash', async () => {
    const whole = await readFile(fixture('small.pth'))
    for (let at = 0; at < whole.length; at += 3) {
      const changed = Uint8Array.from(whole)
      changed[at] = (defined(whole[at], 'a byte') + 77) % 256
      const outcome = await readTorch(bytesSource(changed)).catch((thrown: unknown) => thrown)
      if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'BAD_WEIGHTS' })
    }
  })
})
