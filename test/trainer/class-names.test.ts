import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { assumedLabels } from '../../src/model-store/labels.js'
import { withNamesOfData } from '../../src/trainer/class-names.js'
import { writeColour } from '../support/coloured-pictures.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

const folder = temporaryFolder()
const [named, numbered] = [join(folder, 'named'), join(folder, 'numbered')]

beforeAll(async () => {
  for (const label of ['cat', 'airplane', 'dog']) await writeColour(join(named, label, '0.png'), 'red', 0)
  for (const label of ['0', '1', '2']) await writeColour(join(numbered, label, '0.png'), 'red', 0)
})

function modelOf(labels: readonly string[]) {
  return { ...randomModel(shrunk('vit-micro', { num_classes: labels.length })), labels }
}

test('classes that nobody has named get the names that the data has for as many', async () => {
  const { labels } = assumedLabels(3, 'a test')
  expect((await withNamesOfData(modelOf(labels), [named])).labels).toEqual(['airplane', 'cat', 'dog'])
})

test('names that a model has stay, and so do numbers where the data has no names or another number of classes', async () => {
  const own = modelOf(['dog', 'cat', 'airplane'])
  expect(await withNamesOfData(own, [named])).toBe(own)
  const three = modelOf(assumedLabels(3, 'a test').labels)
  expect(await withNamesOfData(three, [numbered])).toBe(three)
  const four = modelOf(assumedLabels(4, 'a test').labels)
  expect(await withNamesOfData(four, [named])).toBe(four)
})
