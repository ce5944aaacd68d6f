import { BlvitError } from '../../base/blvit-error.js'
import { nodeDecoder } from '../../image/node/decode.js'
import { countedSizes } from '../../problems/counted-sizes.js'
import { chooseRuntime } from '../../runtime/node/choose.js'
import { Model } from '../../tasks/model.js'
import type { Job, Program, ProgramOptions, Workload } from '../messages.js'
import { countedOf, filesOf, noise } from './model-program.js'

/** Runs of each lane in a job: the last ones end alone, which is to be a small part of it. */
const runsPerLane = 8

/** Runs the classification graph of a model on noise, as a model does it with many pictures. */
export async function manyProgram(
  workload: Extract<Workload, { kind: 'many' }>,
  { device, threads, precision }: ProgramOptions,
): Promise<Program> {
  const files = await filesOf(workload)
  const chosen = await chooseRuntime(device)
  const { runtime } = chosen
  if (!runtime.lanes) {
    await runtime.rest()
    throw new BlvitError('ENGINE', `"many" needs the native library, and ${chosen.reason}.`)
  }
  const options = { threads, precision, settings: workload.settings, decoder: nodeDecoder }
  const model = new Model('the model', files, chosen, { ...options, queue: Number.MAX_SAFE_INTEGER })
  const pictures = Number.POSITIVE_INFINITY
  await model.warmUp(undefined, { pictures })
  const plan = model.planFor(pictures)
  const batch = model.batchFor(pictures, workload.settings)
  const [pixels = new Float32Array()] = Object.values(noise(model.architecture, batch).inputs)
  const size = pixels.length / batch
  const batchOfNoise = Array.from({ length: batch }, (_, i) => pixels.subarray(i * size, (i + 1) * size))
  const runs = runsPerLane * plan.lanes
  const run = async (job: Job) => {
    if (job.kind !== 'many') throw new Error('blvit bug: not a job of many pictures')
    await Promise.all(Array.from({ length: runs }, () => model.logits(batchOfNoise, job.settings)))
  }
  const { settings } = workload
  const counts = await countedOf(files, settings, async () => {
    const [counted] = await model.answerPrepared(countedSizes, batchOfNoise.slice(0, 1), settings)
    return counted?.answer
  })
  return {
    engine: runtime.description,
    ...counts,
    many: { ...plan, batch, pictures: runs * batch },
    run,
    endProfile: async () => {},
    dispose: () => model.dispose(),
  }
}
