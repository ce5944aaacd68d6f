import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../../src/weights/node/checkpoint.js'
import { writeSafetensors } from '../../../src/weights/node/write-safetensors.js'
import { readFloats } from '../../../src/weights/read-floats.js'
import { storedFrom } from '../../../src/weights/stored-from.js'
import type { ByteSource, StoredTensor } from '../../../src/weights/stored-tensor.js'
import { scratchFolder } from '../scratch-folder.js'
import { thrownBy } from '../thrown-by.js'

const values = Float32Array.of(1, -2.5, 0.1, 1e-8, 65_504, -0)
const tensors = (): [string, StoredTensor][] => [
  ['half', storedFrom(values, [2, 3], 'F16')],
  ['brain', storedFrom(values, [6], 'BF16')],
  ['full', storedFrom(values, [3, 2])],
]

test('a conversion on the way gives what storing in that dtype gives', async () => {
  const path = join(await scratchFolder(), 'model.safetensors')
  for (const dtype of ['F32', 'F16', 'BF16'] as const) {
    await writeSafetensors(path, tensors(), { dtype })
    const { tensors: read } = await openCheckpoint(path)
    for (const [name, tensor] of tensors()) {
      const back = read.get(name)
      expect(back?.dtype).toBe(dtype)
      expect(back && (await readFloats(back))).toEqual(
        await readFloats(storedFrom(await readFloats(tensor), tensor.shape, dtype)),
      )
    }
  }
})

test('a file may replace the one that its tensors come from', async () => {
  const path = join(await scratchFolder(), 'model.safetensors')
  await writeSafetensors(path, tensors(), { metadata: { step: '7' } })
  const before = await readFile(path)
  const opened = await openCheckpoint(path)
  await writeSafetensors(path, opened.tensors, { metadata: opened.metadata })
  expect(await readFile(path)).toEqual(before)
})

test('a failing tensor leaves the old file and no temporary one', async () => {
  const folder = await scratchFolder()
  const path = join(folder, 'model.safetensors')
  await writeFile(path, 'old')
  const broken: ByteSource = {
    name: 'broken disk',
    sizeBytes: 8,
    read: () => Promise.reject(new Error('input/output error')),
  }
  const tensor: StoredTensor = {
    dtype: 'F32',
    shape: [2],
    segments: [{ source: broken, offset: 0, sizeBytes: 8 }],
  }
  const error = await thrownBy(writeSafetensors(path, [['a', tensor]]), 'WRITE_FAILED')
  expect(error.message).toContain(path)
  expect(error.message).toContain('input/output error')
  expect(await readdir(folder)).toEqual(['model.safetensors'])
  expect(await readFile(path, 'utf8')).toBe('old')
})

test('a folder that is missing or in the way is named', async () => {
  const folder = await scratchFolder()
  const absent = join(folder, 'absent', 'model.safetensors')
  expect((await thrownBy(writeSafetensors(absent, tensors()), 'WRITE_FAILED')).message).toContain('ENOENT')
  await mkdir(join(folder, 'taken', 'inside'), { recursive: true })
  await thrownBy(writeSafetensors(join(folder, 'taken'), tensors()), 'WRITE_FAILED')
  expect(await readdir(folder)).toEqual(['taken'])
})

test('an abort leaves nothing behind', async () => {
  const folder = await scratchFolder()
  const controller = new AbortController()
  const onProgress = () => controller.abort()
  const path = join(folder, 'model.safetensors')
  await thrownBy(writeSafetensors(path, tensors(), { signal: controller.signal, onProgress }), 'ABORTED')
  expect(await readdir(folder)).toEqual([])
})

test('progress ends at the total', async () => {
  const path = join(await scratchFolder(), 'model.safetensors')
  const seen: { writtenBytes: number; totalBytes: number }[] = []
  await writeSafetensors(path, tensors(), { onProgress: (progress) => seen.push(progress) })
  const size = (await readFile(path)).byteLength
  expect(seen.at(-1)).toEqual({ writtenBytes: size, totalBytes: size })
})

test('segments that do not fill the shape are refused', async () => {
  const path = join(await scratchFolder(), 'model.safetensors')
  const tensor = { ...storedFrom(values, [6]), shape: [7] }
  await thrownBy(writeSafetensors(path, [['a', tensor]]), 'BAD_WEIGHTS')
  expect(() => storedFrom(values, [7])).toThrow(/needs 7 values, but 6/)
  expect(() => storedFrom(new Uint8Array(3), [2], 'F16')).toThrow(/needs 4 bytes, but 3/)
})

test('300 MB are written with far less memory', { timeout: 120_000 }, async () => {
  const path = join(await scratchFolder(), 'model.safetensors')
  const zeros: ByteSource = {
    name: 'zeros',
    sizeBytes: 300e6,
    read: async (_, sizeBytes) => new Uint8Array(sizeBytes),
  }
  const tensor: StoredTensor = {
    dtype: 'F16',
    shape: [150e6],
    segments: [{ source: zeros, offset: 0, sizeBytes: 300e6 }],
  }
  let peak = 0
  const before = process.memoryUsage().arrayBuffers
  const onProgress = () => {
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
  }
  await writeSafetensors(path, [['a', tensor]], { dtype: 'BF16', onProgress })
  // a few chunks of 4 and 8 MiB wait for the collector; the tensor would be 300 MB, its floats 600
  expect(peak).toBeLessThan(200e6)
})

const python = '/usr/bin/python3'
const hasNumpy = (() => {
  try {
    execFileSync(python, ['-c', 'import numpy'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

test.skipIf(!hasNumpy)(
  `numpy reads what we wrote${hasNumpy ? '' : ' (skipped: no python3 with numpy)'}`,
  async () => {
    const path = join(await scratchFolder(), 'model.safetensors')
    await writeSafetensors(path, tensors(), { metadata: { format: 'pt' } })
    const script = `
import json, struct, sys, numpy as np
raw = open(sys.argv[1], 'rb').read()
n, = struct.unpack('<Q', raw[:8]); assert n % 8 == 0
header = json.loads(raw[8:8 + n]); data = raw[8 + n:]; out = {}
for name, t in header.items():
    if name == '__metadata__': assert t == {'format': 'pt'}; continue
    b = data[slice(*t['data_offsets'])]
    a = np.frombuffer(b, {'F32': '<f4', 'F16': '<f2', 'BF16': '<u2'}[t['dtype']])
    if t['dtype'] == 'BF16': a = (a.astype('<u4') << 16).view('<f4')
    out[name] = [t['shape'], a.astype('f8').tolist()]
print(json.dumps(out))`
    const read = JSON.parse(execFileSync(python, ['-c', script, path], { encoding: 'utf8' })) as object
    const expected = await Promise.all(
      tensors().map(
        async ([name, tensor]) => [name, [tensor.shape, [...(await readFloats(tensor))]]] as const,
      ),
    )
    expect(read).toEqual(Object.fromEntries(expected))
  },
)
