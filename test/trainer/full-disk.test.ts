import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import { presets } from '../../src/models/index.js'
import type { Recipe } from '../../src/recipes/recipe.js'
import type { StepReport } from '../../src/trainer/step-report.js'
import { train } from '../../src/trainer/train.js'
import type { TrainOptions } from '../../src/trainer/train-options.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { randomModel } from '../support/tiny-models.js'

const folder = temporaryFolder()
const disk = join(folder, 'small-disk')
const vit = join(folder, 'vit')
const photos = new URL('../fixtures/images/', import.meta.url).pathname

/** A file system of a few megabytes; only root may make one. */
function mounted(): boolean {
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const hasDisk = mounted()
afterAll(() => {
  if (hasDisk) execFileSync('umount', [disk])
})

function fillDisk(): void {
  const file = openSync(join(disk, 'filler'), 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(65_536))
  } catch {
    closeSync(file)
  }
}

const recipe: Recipe = {
  about: 'Four steps',
  stages: [{ objective: 'block imitation', pictures: 8, batch: 2, learningRate: 1e-3 }],
}

describe.skipIf(!hasDisk)('a disk that is full (skipped where this process may not mount one)', () => {
  beforeAll(async () => {
    const architecture = defined(presets['vit-micro'], 'vit-micro')
    await writeModelFolder(vit, randomModel(architecture), { card: '' })
  })

  test('ends the training with a reason; the checkpoint before is whole, and the training goes on from it', async () => {
    const options: TrainOptions = {
      to: 'micro+16',
      output: join(disk, 'out'),
      threads: 1,
      checkpointEvery: 1,
    }
    const onStep = ({ step }: StepReport) => step === 3 && fillDisk()
    await expect(train(vit, photos, recipe, { ...options, onStep })).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringMatching(/out\.training.*(ENOSPC|no space left)/),
    })
    const left = await readdir(join(disk, 'out.training'))
    expect(left.filter((name) => name.endsWith('safetensors'))).toEqual([
      'stage-1-step-1.safetensors',
      'stage-1-step-2.safetensors',
    ])
    expect(await readdir(disk)).not.toContain('out')

    rmSync(join(disk, 'filler'))
    const steps: number[] = []
    const listen = ({ step }: StepReport) => steps.push(step)
    await train(vit, photos, recipe, { ...options, resume: true, onStep: listen })
    expect(steps).toEqual([3, 4])
  })
})
