import { seededRandom } from '../../base/random.js'
import { Engine, type PixelBatch } from '../../engine/engine.js'
import { initialise } from '../../model-store/initialise.js'
import { type ModelFiles, openModel } from '../../model-store/model-files.js'
import { readArchitecture } from '../../models/index.js'
import { chooseRuntime } from '../../runtime/node/choose.js'
import type { Job, Program, ProgramOptions, Workload } from '../messages.js'

async function filesOf({ model }: Extract<Workload, { kind: 'model' }>): Promise<ModelFiles> {
  return 'config' in model ? initialise(readArchitecture(model.config)) : openModel(model.folder)
}

function noise({ architecture }: ModelFiles, count: number): PixelBatch {
  const { channels, image } = architecture
  const random = seededRandom(0)
  const length = count * channels * image.height * image.width
  return { count, values: Float32Array.from({ length }, () => 2 * random() - 1) }
}

/** Runs the classification graph of a model on noise. */
export async function modelProgram(
  workload: Extract<Workload, { kind: 'model' }>,
  options: ProgramOptions,
): Promise<Program> {
  const files = await filesOf(workload)
  const { runtime } = await chooseRuntime(options.device, { thread: 'caller' })
  const { threads, precision, profilePrefix } = options
  const engine = await Engine.load({ ...files, runtime }, ({ outputs }) => ({ logits: outputs.logits }), {
    threads,
    precision,
    profilePrefix,
  })
  const batches = new Map<number, PixelBatch>()
  const run = async (job: Job) => {
    if (job.kind !== 'model') throw new Error('blvit bug: not a job of a model')
    const pixels = batches.get(job.batch) ?? noise(files, job.batch)
    batches.set(job.batch, pixels)
    await engine.run(pixels, { keepRatio: setting.keepRatio })
  }
  return {
    engine: runtime.description,
    run,
    endProfile: () => engine.endProfile(),
    dispose: () => engine.dispose(),
  }
}
