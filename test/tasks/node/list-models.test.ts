import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { shippedFolder } from '../../../src/model-store/node/shipped-models.js'
import { presets } from '../../../src/models/index.js'
import { listModels } from '../../../src/tasks/node/list-models.js'

let cacheFolder: string

beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'blvit-list-models-'))
})
afterEach(() => rm(cacheFolder, { recursive: true }))

const commit = 'a'.repeat(40)

async function cache(id: string, write: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(cacheFolder, `models--${id.replace('/', '--')}`)
  await mkdir(join(folder, 'refs'), { recursive: true })
  await mkdir(join(folder, 'snapshots', commit), { recursive: true })
  await writeFile(join(folder, 'refs', 'main'), commit)
  await write(join(folder, 'snapshots', commit))
}

test('what ships is listed with its configuration and size', async () => {
  const { shipped, cached } = await listModels({ cacheFolder })
  expect(cached).toEqual([])
  expect(shipped).toContainEqual({
    name: 'vit-tiny',
    architecture: 'vit-tiny',
    parameters: 5_717_416,
    folder: shippedFolder('vit-tiny'),
    sizeBytes: expect.any(Number),
  })
})

test('every preset is listed with the cost at its own keep ratio', async () => {
  const list = await listModels({ cacheFolder })
  expect(list.presets.map(({ name }) => name)).toEqual(Object.keys(presets))
  const find = (wanted: string) => list.presets.find(({ name }) => name === wanted)
  expect(find('b+t')).toMatchObject({ family: 'blvit', setting: 'keep ratio 0.25', parameters: 99_616_600 })
  expect(find('b+t')?.multiplyAdds.thop).toBe(9_891_422_208)
  expect(find('vit-base')).toHaveProperty('setting', 'plain')
})

test('a downloaded model is listed with its revision', async () => {
  await cache('somebody/tiny', async (folder) => {
    for (const file of ['config.json', 'model.safetensors']) {
      await symlink(join(shippedFolder('vit-tiny'), file), join(folder, file))
    }
  })
  const { cached, shipped } = await listModels({ cacheFolder })
  expect(cached).toEqual([
    {
      name: 'somebody/tiny',
      revision: 'main',
      architecture: 'vit-tiny',
      parameters: 5_717_416,
      folder: join(cacheFolder, 'models--somebody--tiny', 'snapshots', commit),
      sizeBytes: shipped.find(({ name }) => name === 'vit-tiny')?.sizeBytes,
    },
  ])
})

test("a downloaded model that isn't blvit's is listed with the reason", async () => {
  await cache('somebody/bert', async (folder) => {
    await writeFile(join(folder, 'config.json'), '{ "model_type": "bert" }')
    await symlink(join(shippedFolder('vit-tiny'), 'model.safetensors'), join(folder, 'model.safetensors'))
  })
  const { cached } = await listModels({ cacheFolder })
  expect(cached).toEqual([
    expect.objectContaining({ name: 'somebody/bert', problem: expect.stringContaining('"bert"') }),
  ])
  expect(cached[0]).not.toHaveProperty('architecture')
})
