import { BlvitError, messageOf } from '../../base/blvit-error.js'
import { withoutTelemetry } from '../../runtime/node/telemetry.js'
import type { Job, Program, ProgramOptions, Workload } from '../messages.js'
import { packageName, transformersClassifier } from '../transformers-js.js'

type PicturesWorkload = Extract<Workload, { kind: 'pictures' }>

async function transformersJs({ folder }: PicturesWorkload, { threads }: ProgramOptions) {
  // it loads the same native library
  await withoutTelemetry()
  try {
    const { version, classify } = await transformersClassifier(folder, { threads })
    return {
      name: `transformers.js ${version}`,
      classify: (pictures: readonly string[]) => classify(pictures),
      dispose: async () => {
        await classify.dispose()
      },
    }
  } catch (cause) {
    throw new BlvitError(
      'UNSUPPORTED',
      `transformers.js can't be loaded (${messageOf(cause).split('\n')[0]}). Install it: npm install ${packageName}.`,
      {},
      { cause },
    )
  }
}

async function blvit({ folder }: PicturesWorkload, { device, threads, precision }: ProgramOptions) {
  const { load } = await import('../../tasks/node/load.js')
  const model = await load(folder, { device, threads, precision })
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
