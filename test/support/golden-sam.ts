import { defined } from '../../src/base/assert.js'
import { readDescription, withWeights } from '../../src/model-store/model-files.js'
import { presets } from '../../src/models/index.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { MaskEngine } from '../../src/tasks/segment/mask-engine.js'
import { readGolden } from './golden.js'
import { shared } from './shared-data.js'

/** The golden file of a whole small SAM: its weights, a picture, prompts and what the official code answers. */
export function readGoldenSam(path = shared('golden/sam/sam_end_to_end_small.safetensors')) {
  return readGolden(path)
}

/** The small SAM of the golden file, ready to run. Dispose it. */
export async function goldenMaskEngine(path?: string): Promise<MaskEngine> {
  const golden = await readGoldenSam(path)
  const { json } = defined(presets['sam-micro'], 'sam-micro')
  const files = await withWeights(readDescription({ config: json }), golden.weights('w/'), {
    source: 'the golden file',
  })
  return new MaskEngine(files, { runtime: await nativeRuntime(), reason: 'for a test' })
}
