import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defined } from '../../src/base/assert.js'
import { nodeDecoder } from '../../src/image/node/decode.js'
import { initialise } from '../../src/model-store/initialise.js'
import { findConfiguration } from '../../src/model-store/node/find-configuration.js'
import { presets } from '../../src/models/index.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import type { Prompt } from '../../src/segmentation/prompts.js'
import { analyze } from '../../src/tasks/analyze/analyze.js'
import { openPicture, readMask } from '../../src/tasks/node/segment/segment-file.js'
import { MaskEngine } from '../../src/tasks/segment/mask-engine.js'
import { Segmenter } from '../../src/tasks/segment/segmenter.js'
import { openCheckpoint } from '../../src/weights/node/checkpoint.js'
import { writeNpy } from '../../src/weights/npy.js'
import { join as joinBytes, mutateBytes } from './mutate-bytes.js'
import { mutateJson } from './mutate-json.js'
import type { Random } from './random.js'
import { seedPictures } from './seed-files.js'
import type { FuzzTarget } from './targets.js'

const micro = defined(presets['sam-micro'], 'sam-micro')

let loading: Promise<Segmenter> | undefined

/** One small SAM for all cases: what is hostile here is what it is asked. */
function segmenter(): Promise<Segmenter> {
  loading ??= nativeRuntime().then((runtime) => {
    const engine = new MaskEngine(initialise(micro), { runtime, reason: 'fuzzing' }, { threads: 1 })
    return new Segmenter('sam-micro', engine, nodeDecoder)
  })
  return loading
}

/** Where prompts lie that no hand clicks. */
const strangeNumbers = [0, -0, -1, 0.5, 9, 1e9, -1e9, 1e38, 1e308, Number.NaN, Number.POSITIVE_INFINITY]

function numberOf(random: Random): number {
  return random.chance(0.5) ? random.integer(30) : random.pick(strangeNumbers)
}

function promptOf(random: Random): Prompt {
  const point = () => ({
    ...{ x: numberOf(random), y: numberOf(random) },
    ...(random.chance(0.3) && { label: random.pick([0, 1, 2, -1, Number.NaN]) as 0 | 1 }),
  })
  const points = Array.from({ length: random.integer(4) }, point)
  const box = [numberOf(random), numberOf(random), numberOf(random), numberOf(random)] as const
  return { ...(random.chance(0.7) && { points }), ...(random.chance(0.4) && { box }) }
}

/** A .npy file, changed with regard for the text in its header or without. */
function mutateNpy(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.chance(0.5)) return mutateBytes(bytes, random)
  const text = 10
  const end = text + new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true)
  const header = mutateBytes(bytes.slice(text, end), random)
  const start = bytes.slice(0, text)
  // most often the length that the text has now
  if (random.chance(0.8)) new DataView(start.buffer).setUint16(8, header.length, true)
  return joinBytes(start, header, bytes.slice(end))
}

/** What `blvit segment` reads beside its model: an embedding, a mask, and points and boxes from the command line. */
export const promptsTarget: FuzzTarget = {
  name: 'embedding, mask, prompts',
  make: (random) => {
    const [width, rows, columns] = defined(micro.facts.masks, 'masks').embedding
    const values = Float32Array.from(
      { length: width * rows * columns },
      (_, at) => ((at * 37) % 101) / 50 - 1,
    )
    const shape = [...(random.chance(0.5) ? [1] : []), width, rows, columns]
    const embedding = writeNpy({ shape, values })
    const picture = random.pick(seedPictures(['.png', '.jpg']))
    const files = new Map([
      ['embedding.npy', random.chance(0.6) ? mutateNpy(embedding, random) : embedding],
      ['mask', random.chance(0.3) ? mutateBytes(picture, random) : picture],
      ['picture', picture],
    ])
    const withMask = random.chance(0.5)
    const multimask = random.chance(0.5)
    const prompt = promptOf(random)
    const run = async (folder: string) => {
      const [photo, mask] = [join(folder, 'picture'), join(folder, 'mask')]
      const options = random.chance(0.8) ? { embedding: join(folder, 'embedding.npy') } : {}
      const { encoded } = await openPicture(await segmenter(), photo, options)
      await encoded.predict(withMask ? { ...prompt, mask: await readMask(mask) } : prompt, { multimask })
    }
    return { files, run }
  },
}

/** A file of torch.save, as SAM's weights are published. */
export const torchTarget: FuzzTarget = {
  name: 'torch checkpoint',
  make: (random) => {
    const name = random.pick(['small.pth', 'wrapped.pth', 'code.pth', 'object.pth'])
    const bytes = new Uint8Array(readFileSync(join('test/weights/fixtures/torch', name)))
    const run = async (folder: string) => {
      const { tensors } = await openCheckpoint(join(folder, 'weights.pth'))
      for (const { segments } of tensors.values()) {
        for (const { source, offset, sizeBytes } of segments) await source.read(offset, sizeBytes)
      }
    }
    return { files: new Map([['weights.pth', mutateBytes(bytes, random)]]), run }
  },
}

/** The config.json of a SAM, whose graph is built and counted. */
export const segmenterConfigTarget: FuzzTarget = {
  name: "a SAM's config.json",
  make: (random) => {
    const config = mutateJson(JSON.stringify(micro.json), random)
    const run = async (folder: string) => {
      analyze(await findConfiguration(folder))
    }
    return { files: new Map([['config.json', Buffer.from(config, 'latin1')]]), run }
  },
}
