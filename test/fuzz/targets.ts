import { join } from 'node:path'
import { decodeImage, nodeDecoder } from '../../src/image/node/decode.js'
import { preparePicture } from '../../src/image/prepare.js'
import { defaultPreprocessing } from '../../src/image/preprocessing-config.js'
import { findConfiguration } from '../../src/model-store/node/find-configuration.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import { tokenMaskJson } from '../../src/reduction/token-mask.js'
import { analyze } from '../../src/tasks/analyze/analyze.js'
import { load } from '../../src/tasks/node/load.js'
import { readSettings } from '../../src/tasks/node/read-settings.js'
import { cifarTarget, csvTarget, tarTarget } from './data-sets.js'
import { hostileHub, hostileNames } from './hostile-hub.js'
import { mutateBytes } from './mutate-bytes.js'
import { chunkedFormats, mutateChunks } from './mutate-chunks.js'
import { mutateJson } from './mutate-json.js'
import { mutateSafetensors } from './mutate-safetensors.js'
import type { Random } from './random.js'
import { type Files, seedBitmaps, seedModels, seedPictures } from './seed-files.js'
import { promptsTarget, segmenterConfigTarget, torchTarget } from './segmenting.js'

/** Input that a stranger might give, and what a user does with it. */
interface FuzzCase {
  readonly files: Files
  /** Resolves where blvit took the input; rejects where it refused it. */
  readonly run: (folder: string) => Promise<void>
  /** The only place under the case's folder where files may appear. */
  readonly mayWrite?: string
}

/** A kind of input; each case is made of a seed file and a random change. */
export interface FuzzTarget {
  readonly name: string
  readonly make: (random: Random) => FuzzCase
}

type Mutate = (bytes: Uint8Array, random: Random) => Uint8Array

const asText = (bytes: Uint8Array) => Buffer.from(bytes).toString()

function pictureTarget(name: string, seeds: readonly Uint8Array[], mutate: Mutate): FuzzTarget {
  return {
    name,
    make: (random) => {
      const exact = random.chance(0.5)
      return {
        files: new Map([['picture', mutate(random.pick(seeds), random)]]),
        run: async (folder) => {
          const path = join(folder, 'picture')
          await (exact
            ? decodeImage(path)
            : preparePicture(
                path,
                { ...defaultPreprocessing, height: 8, width: 8 },
                { decoder: nodeDecoder },
              ))
        },
      }
    },
  }
}

/** Where a bitmap's headers say how large it is, how its pixels are stored and where; what they could say. */
const bitmapFields = [10, 14, 18, 22, 28, 30, 46]
const bitmapNumbers = [0, 1, 2, 3, 8, 12, 40, 54, 124, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 60_000, 10_000]

const mutateBitmap: Mutate = (bytes, random) => {
  if (random.chance(0.4)) return mutateBytes(bytes, random)
  const changed = Buffer.from(bytes)
  for (let left = 1 + random.integer(2); left > 0; left--) {
    changed.writeUInt32LE(random.pick(bitmapNumbers), random.pick(bitmapFields))
  }
  return changed
}

const chunkedPicture = (format: keyof typeof chunkedFormats, endings: readonly string[]) =>
  pictureTarget(format, seedPictures(endings), (bytes, random) =>
    random.chance(0.5) ? mutateBytes(bytes, random) : mutateChunks(bytes, chunkedFormats[format], random),
  )

/** Opens a model's folder and runs the model. */
export async function useModel(folder: string): Promise<void> {
  await openModel(folder)
  await using model = await load(folder, { device: 'cpu', threads: 1 })
  await model.classify({ width: 9, height: 7, values: new Uint8Array(9 * 7 * 3).fill(100) })
}

/** Changes one file of a sound model folder and then uses the model as far as it goes. */
function modelTarget(name: string, changes: (file: string) => boolean, mutate: Mutate): FuzzTarget {
  const models = seedModels().filter((files) => [...files.keys()].some(changes))
  return {
    name,
    make: (random) => {
      const files = new Map(random.pick(models))
      const file = random.pick([...files.keys()].filter(changes))
      files.set(file, mutate(files.get(file) as Uint8Array, random))
      return {
        files,
        run: useModel,
      }
    },
  }
}

const mutateText: Mutate = (bytes, random) => Buffer.from(mutateJson(asText(bytes), random), 'latin1')

/** A mask that `--reduce` names, for the model of its grid. */
const maskTarget: FuzzTarget = {
  name: 'token mask',
  make: (random) => {
    const attentionReceived = Array.from({ length: 65 }, (_, token) => (token === 0 ? 0.36 : 0.01))
    const bits = Array.from({ length: 64 }, () => random.chance(0.5))
    const mask = tokenMaskJson(
      { rows: 8, columns: 8 },
      {
        static: bits,
        objects: random.chance(0.5) ? bits : undefined,
        calibration: {
          ...{ model: 'micro', fingerprint: '0', image: { height: 32, width: 32 }, pictures: 1, seed: 0 },
          ...{ threshold: 'patches', prefixTokens: 1, attentionReceived },
        },
      },
    )
    const run = async (folder: string) => {
      const settings = await readSettings({ reduce: `atf:${join(folder, 'mask.json')}` })
      analyze(await findConfiguration('vit-micro'), settings)
    }
    return { files: new Map([['mask.json', mutateText(Buffer.from(JSON.stringify(mask)), random)]]), run }
  },
}

/** Every kind of input. Adding one is a line here. */
export const targets: readonly FuzzTarget[] = [
  chunkedPicture('jpeg', ['.jpg']),
  chunkedPicture('png', ['.png']),
  chunkedPicture('webp', ['.webp']),
  pictureTarget('gif, tiff, avif', seedPictures(['.gif', '.tif', '.avif']), mutateBytes),
  pictureTarget('bmp', seedBitmaps(), mutateBitmap),
  modelTarget('safetensors', (file) => file.endsWith('.safetensors'), mutateSafetensors),
  modelTarget('index.json', (file) => file.endsWith('.index.json'), mutateText),
  modelTarget('config.json', (file) => file === 'config.json', mutateText),
  modelTarget('preprocessor_config.json', (file) => file === 'preprocessor_config.json', mutateText),
  hostileNames,
  hostileHub,
  tarTarget,
  cifarTarget,
  csvTarget,
  maskTarget,
  segmenterConfigTarget,
  torchTarget,
  promptsTarget,
]
