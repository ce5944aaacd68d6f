import { cp, mkdir, readFile, rename, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeModelFolder } from '../../../src/model-store/node/write-model-folder.js'
import { load } from '../../../src/tasks/node/load.js'
import { openFileSource } from '../../../src/weights/node/file-source.js'
import { temporaryFolder } from '../../support/temporary-folder.js'
import { randomModel, shrunk } from '../../support/tiny-models.js'

const folder = temporaryFolder()
const model = join(folder, 'model')
const picture = { width: 20, height: 20, values: new Uint8Array(20 * 20 * 3) }

/** What may happen to a file between its opening and its use. */
const accidents: readonly (readonly [
  name: string,
  happen: (file: string) => Promise<void>,
  code: string,
  told: RegExp,
])[] = [
  ['moved', (file) => rename(file, `${file}.old`), 'NOT_FOUND', /was moved or deleted after it was opened/],
  ['cut', (file) => truncate(file, 1000), 'BAD_WEIGHTS', /was changed or replaced after it was opened/],
  [
    'replaced by one of the same size',
    async (file) => {
      const bytes = await readFile(file)
      await writeFile(file, bytes.fill(1))
      // whatever the clock's steps are
      await utimes(file, new Date(), new Date(Date.now() + 5000))
    },
    'BAD_WEIGHTS',
    /was changed or replaced after it was opened/,
  ],
]

describe.each(accidents)('a file of weights that was %s', (name, happen, code, told) => {
  beforeAll(() =>
    writeModelFolder(model, randomModel(shrunk('vit-tiny', { depth: 2 })), { card: '', overwrite: true }),
  )

  test('is not read', async () => {
    const file = join(folder, `${name}.safetensors`)
    await cp(join(model, 'model.safetensors'), file)
    const source = await openFileSource(file)
    await happen(file)
    await expect(source.read(0, 8)).rejects.toMatchObject({ code, message: expect.stringMatching(told) })
  })

  test.each(['cpu', 'wasm'] as const)(
    'is an error of the model’s first run, not the engine’s: %s',
    async (device) => {
      const copy = join(folder, `${name} ${device}`)
      await mkdir(copy)
      await cp(model, copy, { recursive: true })
      await using loaded = await load(copy, { device })
      await happen(join(copy, 'model.safetensors'))
      await expect(loaded.classify(picture)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(told),
      })
    },
  )
})

test('a model whose weights are back runs: a failed load is not kept', async () => {
  const copy = join(folder, 'back')
  await cp(model, copy, { recursive: true })
  await using loaded = await load(copy)
  const file = join(copy, 'model.safetensors')
  await rename(file, `${file}.old`)
  await expect(loaded.classify(picture)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await rename(`${file}.old`, file)
  expect((await loaded.classify(picture)).top).toHaveLength(5)
})
