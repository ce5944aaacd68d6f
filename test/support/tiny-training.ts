import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defined } from '../../src/base/assert.js'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import type { Architecture } from '../../src/models/architecture.js'
import { presets, withChanges } from '../../src/models/index.js'
import { randomModel } from './tiny-models.js'

/** vit-micro with a quarter of its patches and a layer less: a step of it takes milliseconds. */
const tinyVit: Architecture = withChanges(defined(presets['vit-micro'], 'vit-micro'), {
  image_size: 16,
  depth: 3,
})

/** The names of the classes of {@link writeTinyVit}; pictures stand in folders of the first two. */
const labels = ['0', '1', ...'abcdefgh']

/** Writes a folder of that model with random weights. */
export async function writeTinyVit(
  folder: string,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await writeModelFolder(folder, { ...randomModel(withChanges(tinyVit, changes)), labels }, { card: '' })
}

/** The configuration that that model is distilled into, as a file beside the models. @returns its path */
export async function writeTinyRouted(folder: string): Promise<string> {
  const micro = defined(presets['micro+16'], 'micro+16')
  const little = { ...(micro.json.little as object), layers: [2, 3] }
  const { json } = withChanges(micro, { image_size: 16, depth: 3, predictor_after: [1, 2], little })
  const path = join(folder, 'routed.json')
  await writeFile(path, JSON.stringify(json))
  return path
}
