import { seededRandom } from '../../base/random.js'
import { Engine } from '../../engine/engine.js'
import type { Feeds } from '../../engine/feeds.js'
import { initialise } from '../../model-store/initialise.js'
import type { ModelFiles } from '../../model-store/model-files.js'
import { openModel } from '../../model-store/node/open-model.js'
import { readArchitecture } from '../../models/index.js'
import { programOf } from '../../models/model-definition.js'
import { chooseRuntime } from '../../runtime/node/choose.js'
import type { Setting, Workload } from '../messages.js'
import type { Program, ProgramOptions } from './program.js'

async function filesOf({ model }: Extract<Workload, { kind: 'model' }>): Promise<ModelFiles> {
  return 'config' in model ? initialise(readArchitecture(model.config)) : openModel(model.folder)
}

function noise({ architecture }: ModelFiles, count: number): Feeds {
  const { channels, image } = architecture
  const random = seededRandom(0)
  const length = count * channels * image.height * image.width
  return { batch: count, inputs: { pixel_values: Float32Array.from({ length }, () => 2 * random() - 1) } }
}

/** Runs the classification graph of a model on noise. */
export async function modelProgram(
  workload: Extract<Workload, { kind: 'model' }>,
  options: ProgramOptions,
): Promise<Program> {
  const files = await filesOf(workload)
  const { runtime } = await chooseRuntime(options.device, { thread: 'caller' })
  const { threads, precision, profilePrefix } = options
  const engine = await Engine.load({ ...files, runtime }, (model) => programOf(model, 'classify'), {
    threads,
    precision,
    profilePrefix,
  })
  const batches = new Map<number, Feeds>()
  const run = async (setting: Setting) => {
    if (setting.kind !== 'model') throw new Error('blvit bug: not a setting of a model')
    const pixels = batches.get(setting.batch) ?? noise(files, setting.batch)
    batches.set(setting.batch, pixels)
    await engine.run(pixels, { keepRatio: setting.keepRatio })
  }
  return {
    engine: runtime.description,
    run,
    endProfile: () => engine.endProfile(),
    dispose: () => engine.dispose(),
  }
}
