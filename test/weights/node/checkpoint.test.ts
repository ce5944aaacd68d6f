import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../../src/weights/node/checkpoint.js'
import { writeSafetensors } from '../../../src/weights/node/write-safetensors.js'
import { readFloats } from '../../../src/weights/read-floats.js'
import { storedFrom } from '../../../src/weights/stored-from.js'
import { hasSharedData, shared, withoutSharedData } from '../../support/shared-data.js'
import { scratchFolder } from '../scratch-folder.js'
import { thrownBy } from '../thrown-by.js'

const indexName = 'model.safetensors.index.json'

async function shardedFolder(weightMap?: Record<string, string>): Promise<string> {
  const folder = await scratchFolder()
  await writeSafetensors(join(folder, 'one.safetensors'), [['a', storedFrom(Float32Array.of(1), [1])]])
  await writeSafetensors(join(folder, 'two.safetensors'), [['b', storedFrom(Float32Array.of(2), [1], 'F16')]])
  const map = weightMap ?? { a: 'one.safetensors', b: 'two.safetensors' }
  await writeFile(join(folder, indexName), JSON.stringify({ metadata: { total_size: 6 }, weight_map: map }))
  return folder
}

test.skipIf(!hasSharedData)(`real weights open${withoutSharedData}`, async () => {
  const { tensors, description } = await openCheckpoint(shared('weights/deit_tiny_patch16_224'))
  expect(tensors.size).toBe(152)
  expect(description).toMatch(/model\.safetensors: 152 tensors, F16, 11\.4 MB$/)
  expect(tensors.get('blocks.11.attn.qkv.weight')).toMatchObject({ dtype: 'F16', shape: [576, 192] })
  expect(tensors.get('pos_embed')?.shape).toEqual([1, 197, 192])
})

test('a sharded checkpoint opens as one, by its folder or its index', async () => {
  const folder = await shardedFolder()
  for (const path of [folder, join(folder, indexName)]) {
    const { tensors, description } = await openCheckpoint(path)
    expect([...tensors.keys()]).toEqual(['a', 'b'])
    const b = tensors.get('b')
    expect(b && [...(await readFloats(b))]).toEqual([2])
    expect(description).toContain('2 tensors, F16+F32')
  }
})

test('missing shards are all named', async () => {
  const folder = await shardedFolder()
  await rm(join(folder, 'one.safetensors'))
  await rm(join(folder, 'two.safetensors'))
  const { message } = await thrownBy(openCheckpoint(folder), 'BAD_WEIGHTS')
  expect(message).toContain('2 are missing: one.safetensors, two.safetensors')
})

test('a tensor that its shard lacks is named', async () => {
  const folder = await shardedFolder({ a: 'one.safetensors', c: 'two.safetensors' })
  expect((await thrownBy(openCheckpoint(folder), 'BAD_WEIGHTS')).message).toContain(
    'places "c" in two.safetensors',
  )
})

test.each([
  '../x.safetensors',
  '/etc/x.safetensors',
  'a/../../x.safetensors',
  'C:\\x.safetensors',
  '..\\x.safetensors',
  'x.bin',
  '',
])('an index may not name %j', async (shard) => {
  const folder = await shardedFolder({ a: shard })
  expect((await thrownBy(openCheckpoint(folder), 'BAD_WEIGHTS')).message).toContain('inside its folder')
})

test.each(['no json', '[]', '{}', '{"weight_map": {"a": 3}}', '{"weight_map": {}}'])(
  'the index %j is refused',
  async (text) => {
    const folder = await shardedFolder()
    await writeFile(join(folder, indexName), text)
    expect((await thrownBy(openCheckpoint(folder), 'BAD_WEIGHTS')).message).toContain(indexName)
  },
)

test('a folder may hold one safetensors file of any name, not two', async () => {
  const folder = await shardedFolder()
  await rm(join(folder, indexName))
  expect((await thrownBy(openCheckpoint(folder), 'BAD_WEIGHTS')).message).toContain(
    'several weights files: one.safetensors, two.safetensors',
  )
  await rm(join(folder, 'two.safetensors'))
  expect((await openCheckpoint(folder)).tensors.size).toBe(1)
  await copyFile(join(folder, 'one.safetensors'), join(folder, 'model.safetensors'))
  expect((await openCheckpoint(folder)).description).toContain('model.safetensors')
})

test('a folder without weights says what it has; a file of torch.save is opened as one', async () => {
  const folder = await scratchFolder()
  expect((await thrownBy(openCheckpoint(folder), 'BAD_WEIGHTS')).message).toContain('it is empty')
  await writeFile(join(folder, 'config.json'), '{}')
  expect((await thrownBy(openCheckpoint(folder), 'BAD_WEIGHTS')).message).toContain('it holds config.json.')
  await writeFile(join(folder, 'pytorch_model.bin'), '')
  expect((await thrownBy(openCheckpoint(folder), 'BAD_WEIGHTS')).message).toContain('it is cut')
  await copyFile(join(import.meta.dirname, '../fixtures/torch/small.pth'), join(folder, 'pytorch_model.bin'))
  expect((await openCheckpoint(folder)).tensors.size).toBe(3)
})

test('a path that is not there suggests its neighbour', async () => {
  const folder = await scratchFolder()
  await mkdir(join(folder, 'deit-tiny'))
  const { message } = await thrownBy(openCheckpoint(join(folder, 'deit-tny')), 'NOT_FOUND')
  expect(message).toContain('Did you mean "deit-tiny"?')
})
