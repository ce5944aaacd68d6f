import { BlvitError, messageOf } from '../../base/blvit-error.js'
import { withoutTelemetry } from '../../runtime/node/telemetry.js'
import type { Job, Program, ProgramOptions, Workload } from '../messages.js'

type PicturesWorkload = Extract<Workload, { kind: 'pictures' }>

/** What is used of transformers.js, which is no dependency: whoever wants the comparison installs it. */
interface TransformersJs {
  readonly env: { version: string; allowRemoteModels: boolean }
  pipeline(
    task: 'image-classification',
    folder: string,
    options: { dtype: 'fp32'; device: 'cpu'; session_options: { intraOpNumThreads?: number } },
  ): Promise<Classifier>
}

interface Classifier {
  (pictures: readonly string[]): Promise<unknown>
  dispose(): Promise<unknown>
}

const packageName = '@huggingface/transformers'

async function importTransformersJs(): Promise<TransformersJs> {
  // it loads the same native library
  await withoutTelemetry()
  try {
    return await import(packageName)
  } catch (cause) {
    throw new BlvitError(
      'UNSUPPORTED',
      `transformers.js can't be loaded (${messageOf(cause).split('\n')[0]}). Install it: npm install ${packageName}.`,
      {},
      { cause },
    )
  }
}

async function transformersJs({ folder }: PicturesWorkload, { threads }: ProgramOptions) {
  const { env, pipeline } = await importTransformersJs()
  env.allowRemoteModels = false
  const session = threads === undefined ? {} : { intraOpNumThreads: threads }
  const classifier = await pipeline('image-classification', folder, {
    dtype: 'fp32',
    device: 'cpu',
    session_options: session,
  })
  return {
    name: `transformers.js ${env.version}`,
    classify: (pictures: readonly string[]) => classifier(pictures),
    dispose: async () => {
      await classifier.dispose()
    },
  }
}

async function blvit({ folder }: PicturesWorkload, { device, threads, precision }: ProgramOptions) {
  // as the command line does: the engine starts beside the reading of modules, which a label of a new process waits for
  const { startEngineBeside } = await import('../../tasks/node/start-engine.js')
  const { runtime, done } = await startEngineBeside(device, () => import('../../tasks/node/load.js'))
  const model = await done.load(folder, { runtime, threads, precision })
  return {
    name: model.engine.runtime.description,
    classify: (pictures: readonly string[]) => model.classify(pictures),
    dispose: () => model.dispose(),
  }
}

const libraries = { blvit, 'transformers.js': transformersJs } as const

/** From files to labels, as users of a library go. */
export async function picturesProgram(workload: PicturesWorkload, options: ProgramOptions): Promise<Program> {
  const { name, classify, dispose } = await libraries[workload.library](workload, options)
  const run = async (job: Job) => {
    if (job.kind !== 'pictures') throw new Error('blvit bug: not a job of pictures')
    await classify(workload.pictures.slice(0, job.count))
  }
  return { engine: name, run, endProfile: async () => {}, dispose }
}
