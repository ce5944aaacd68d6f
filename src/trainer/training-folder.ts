import { join, resolve } from 'node:path'
import { BlvitError } from '../base/blvit-error.js'
import { assertSameRun, type RunIdentity } from '../base/run-identity.js'
import { writeWholeFile } from '../files/output-files.js'
import { removeTemporaryFiles } from '../files/replace-file.js'
import type { ModelFiles } from '../model-store/model-files.js'
import { openCheckpoint } from '../weights/node/checkpoint.js'
import { writeSafetensors } from '../weights/node/write-safetensors.js'
import { Checkpoints } from './checkpoints.js'
import { accuracyCurves, lossCurves } from './curves.js'
import type { TrainingCheckpoint } from './training-checkpoint.js'
import { type Progress, TrainingLog } from './training-log.js'

/** Two, so that one is left should the newest turn out to be damaged. */
const keptCheckpoints = 2

/** What a training keeps while it runs: `<output>.training` with checkpoints, log, curves, the best weights. */
export class TrainingFolder {
  private constructor(
    readonly path: string,
    readonly checkpoints: Checkpoints,
    readonly log: TrainingLog,
    /** Where it goes on; undefined for a new training. */
    readonly resumed: TrainingCheckpoint | undefined,
  ) {}

  /** @throws BlvitError `WRITE_FAILED` if the checkpoints of another training would be lost; as {@link open} */
  static async check(
    output: string,
    { resume, overwrite }: { resume: boolean; overwrite: boolean },
  ): Promise<void> {
    const { path, checkpoints } = TrainingFolder.at(output)
    if (resume || overwrite || !(await checkpoints.exist())) return
    const message = `${path} holds the checkpoints of an earlier training. Go on (resume: true, --resume), or begin anew (overwrite: true, --overwrite).`
    throw new BlvitError('WRITE_FAILED', message)
  }

  /** @throws BlvitError `NOT_FOUND` without a checkpoint to resume from, `BAD_OPTION` if it is another training's */
  static async open(
    output: string,
    { resume, identity }: { resume: boolean; identity: RunIdentity },
  ): Promise<TrainingFolder> {
    const { path, checkpoints } = TrainingFolder.at(output)
    const resumed = resume ? await checkpoints.newest() : undefined
    // a checkpoint takes three times the trained weights
    await removeTemporaryFiles(path)
    if (resumed) {
      const identities = { found: resumed.identity, wanted: identity }
      const advice = 'Give the same options, or begin anew, without resume (--resume).'
      assertSameRun(path, identities, { is: 'belongs to another training', advice })
    } else await checkpoints.removeAll()
    const reached: Progress = resumed ? { stage: resumed.stage, step: resumed.steps } : { stage: 1, step: 0 }
    return new TrainingFolder(path, checkpoints, await TrainingLog.open(path, reached), resumed)
  }

  private static at(output: string) {
    const path = `${resolve(output)}.training`
    return { path, checkpoints: new Checkpoints(path, keptCheckpoints) }
  }

  /** Keeps the weights of a model that was never better. @throws BlvitError `WRITE_FAILED` */
  async keepBest(files: ModelFiles): Promise<void> {
    await writeSafetensors(join(this.path, 'best.safetensors'), [...files.weights], {
      metadata: { format: 'pt' },
    })
  }

  /** The same model with the best weights. @throws BlvitError `NOT_FOUND`, `BAD_WEIGHTS` */
  async best(files: ModelFiles): Promise<ModelFiles> {
    const { tensors } = await openCheckpoint(join(this.path, 'best.safetensors'))
    return { ...files, weights: tensors }
  }

  /** Draws the log: `loss.svg`, and `accuracy.svg` if there were validations. @throws BlvitError `WRITE_FAILED` */
  async draw(): Promise<void> {
    const pictures = {
      'loss.svg': lossCurves(this.log.records),
      'accuracy.svg': accuracyCurves(this.log.records),
    }
    for (const [name, svg] of Object.entries(pictures))
      if (svg !== undefined) await writeWholeFile(join(this.path, name), svg)
  }
}
