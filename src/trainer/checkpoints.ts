import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BlvitError, messageOf } from '../base/blvit-error.js'
import { makeFolder } from '../files/output-files.js'
import { readCheckpoint, type TrainingCheckpoint, writeCheckpoint } from './training-checkpoint.js'

const namePattern = /^stage-(\d+)-step-(\d+)\.safetensors$/

/** The checkpoints of a training, the newest of which it goes on from. */
export class Checkpoints {
  /** @param keep how many stay; the oldest go */
  constructor(
    readonly folder: string,
    private readonly keep: number,
  ) {}

  /** Names, oldest first. */
  private async names(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => [])
    const numbered = names.flatMap((name) => {
      const [, stage, step] = namePattern.exec(name) ?? []
      return stage === undefined ? [] : [{ name, stage: Number(stage), step: Number(step) }]
    })
    return numbered.sort((a, b) => a.stage - b.stage || a.step - b.step).map(({ name }) => name)
  }

  async exist(): Promise<boolean> {
    return (await this.names()).length > 0
  }

  /** @throws BlvitError `WRITE_FAILED`, e.g. when the disk is full; the older ones are still there then */
  async write(checkpoint: Parameters<typeof writeCheckpoint>[1]): Promise<void> {
    await makeFolder(this.folder)
    const name = `stage-${checkpoint.stage}-step-${checkpoint.steps}.safetensors`
    await writeCheckpoint(join(this.folder, name), checkpoint)
    for (const old of (await this.names()).slice(0, -this.keep)) await rm(join(this.folder, old))
  }

  /** The newest one. @throws BlvitError `NOT_FOUND`, `BAD_WEIGHTS` if it is damaged or something else */
  async newest(): Promise<TrainingCheckpoint> {
    const names = await this.names()
    const name = names.at(-1)
    if (name === undefined) {
      const message = `There is no checkpoint in ${this.folder} to go on from. Leave out resume (--resume).`
      throw new BlvitError('NOT_FOUND', message)
    }
    const path = join(this.folder, name)
    try {
      return await readCheckpoint(path)
    } catch (cause) {
      const older = names.at(-2)
      const advice =
        older === undefined
          ? 'Begin anew (overwrite: true, --overwrite).'
          : `Delete it to go on from ${older}.`
      throw new BlvitError('BAD_WEIGHTS', `${messageOf(cause)} ${advice}`, { path }, { cause })
    }
  }

  async removeAll(): Promise<void> {
    for (const name of await this.names()) await rm(join(this.folder, name))
  }
}
