import { afterEach, expect, test } from 'vitest'
import type { Questions } from '../../src/bench/messages.js'
import { BenchProcess } from '../../src/bench/process.js'

const node = process.execPath
afterEach(() => {
  process.execPath = node
})

const vitTiny: Questions['load']['ask'] = {
  device: 'cpu',
  threads: 1,
  precision: 'fp32',
  workload: { kind: 'model', model: { config: { architecture: 'vit_tiny_patch16_224' } }, settings: {} },
}

test('a process that can’t be started fails what is asked of it, and ends', async () => {
  process.execPath = '/missing/node'
  await using started = new BenchProcess('vit-tiny')
  await expect(started.ask('load', vitTiny)).rejects.toMatchObject({
    code: 'ENGINE',
    message: expect.stringMatching(/^Measuring vit-tiny: its process can't be used: .*ENOENT/),
  })
})

test('an abort is told as one, whatever was being measured', async () => {
  const caller = new AbortController()
  await using started = new BenchProcess('vit-tiny', caller.signal)
  const asked = started.ask('load', vitTiny)
  caller.abort()
  await expect(asked).rejects.toMatchObject({ code: 'ABORTED', message: expect.stringMatching(/^Stopped/) })
  await expect(started.ask('load', vitTiny)).rejects.toMatchObject({ code: 'ABORTED' })
})
