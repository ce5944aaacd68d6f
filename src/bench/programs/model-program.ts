import { BlvitError } from '../../base/blvit-error.js'
import { seededRandom } from '../../base/random.js'
import { Engine } from '../../engine/engine.js'
import type { Feeds } from '../../engine/feeds.js'
import { outputRows } from '../../engine/rows.js'
import type { Bindings } from '../../graph/dim.js'
import { initialise } from '../../model-store/initialise.js'
import type { ModelFiles } from '../../model-store/model-files.js'
import { openModel } from '../../model-store/node/open-model.js'
import type { Architecture } from '../../models/architecture.js'
import { readArchitecture } from '../../models/index.js'
import { pixelsInput, programOf } from '../../models/model-definition.js'
import { countedSizes, sizesOf } from '../../problems/counted-sizes.js'
import { chooseRuntime } from '../../runtime/node/choose.js'
import { resolveSettings } from '../../settings/resolve.js'
import type { Settings } from '../../settings/settings.js'
import { analyze } from '../../tasks/analyze/analyze.js'
import type { Job, MeasuredModel, Program, ProgramOptions, Workload } from '../messages.js'
import { measuredProgram } from '../variants.js'

/** A model's files, or random weights for a configuration. */
export async function filesOf({ model }: { readonly model: MeasuredModel }): Promise<ModelFiles> {
  return 'config' in model ? initialise(readArchitecture(model.config)) : openModel(model.folder)
}

/** Pictures of noise, of the size that a model takes. */
export function noise({ channels, image }: Pick<Architecture, 'channels' | 'image'>, count: number): Feeds {
  const random = seededRandom(0)
  const length = count * channels * image.height * image.width
  return { batch: count, inputs: { [pixelsInput]: Float32Array.from({ length }, () => 2 * random() - 1) } }
}

/** What one picture decides, where pictures decide sizes. @param answer runs {@link countedSizes} on it */
export async function countedOf(
  { architecture }: ModelFiles,
  settings: Settings,
  answer: () => Promise<Bindings | undefined>,
): Promise<Pick<Program, 'counted'>> {
  const counted = analyze(architecture, settings).counted && (await answer())
  return counted ? { counted } : {}
}

/** Runs what is measured of a model on noise. */
export async function modelProgram(
  workload: Extract<Workload, { kind: 'model' }>,
  options: ProgramOptions,
): Promise<Program> {
  const files = await filesOf(workload)
  const { runtime } = await chooseRuntime(options.device, { thread: 'caller' })
  const { threads, precision, profilePrefix } = options
  if (profilePrefix !== undefined && runtime.device === 'wasm') {
    throw new BlvitError(
      'UNSUPPORTED',
      'The WebAssembly engine keeps no profile; ONNX Runtime native does: --device cpu or webgpu.',
    )
  }
  const program = measuredProgram(files.architecture)
  const engine = await Engine.load({ ...files, runtime }, (model) => programOf(model, program), {
    ...{ settings: workload.settings, threads, precision, profilePrefix },
  })
  const { architecture } = resolveSettings(files.architecture, workload.settings)
  const batches = new Map<number, Feeds>()
  const run = async (job: Job) => {
    if (job.kind !== 'model') throw new Error('blvit bug: not a job of a model')
    // what one process runs has one graph, and so one size of pictures
    const pixels = batches.get(job.batch) ?? noise(architecture, job.batch)
    batches.set(job.batch, pixels)
    await engine.run(pixels, job.settings)
  }
  const { settings } = workload
  const counts = await countedOf(files, settings, async () => {
    const parts = { ...files, runtime }
    await using counting = await Engine.load(parts, countedSizes.outputs, { settings, threads, precision })
    const { outputs } = await counting.run(noise(architecture, 1), settings)
    return sizesOf(outputRows(outputs, 0))
  })
  return {
    engine: runtime.description,
    ...counts,
    run,
    endProfile: () => engine.endProfile(),
    dispose: () => engine.dispose(),
  }
}
