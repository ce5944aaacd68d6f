import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BlvitError } from '../../base/blvit-error.js'
import { packageRoot } from '../../files/package-file.js'
import type { Job, Program, ProgramOptions, Workload } from '../messages.js'
import { smallVit, trainingCases } from '../training/cases.js'

// Beside the sources, not in the package: whoever installs blvit has no use for it.
const script = join(packageRoot(), 'scripts/torch-training.py')

function withTorch(pythons: readonly string[]): string | undefined {
  return pythons.find((python) => spawnSync(python, ['-c', 'import torch']).status === 0)
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

/** The next line that a process prints. @throws BlvitError `ENGINE` if it ends instead */
function nextLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new BlvitError('ENGINE', 'Python has ended.'))
    if (hasEnded(child)) return ended()
    child.once('exit', ended)
    child.stdout?.once('data', (text) => {
      child.off('exit', ended)
      resolve(String(text).trim())
    })
  })
}

/**
 * The same small ViT trained by PyTorch, for comparison. It is asked for one step at a time, so that both libraries
 * are timed by the same clock and in turn.
 * @throws BlvitError `UNSUPPORTED` where there is no torch
 */
export async function torchProgram(
  { pythons }: Extract<Workload, { kind: 'torch training' }>,
  { threads }: ProgramOptions,
): Promise<Program> {
  if (!existsSync(script))
    throw new BlvitError('UNSUPPORTED', 'the comparison runs in a checkout of blvit only')
  const python = withTorch(pythons)
  if (python === undefined) throw new BlvitError('UNSUPPORTED', 'no python3 here has torch')
  const { depth, heads, width, patchSize, classes, image } = smallVit
  const sizes = { depth, heads, width, patch: patchSize, classes, image: image.height }
  const options = JSON.stringify({ ...sizes, batch: trainingCases.vit.batch, threads: threads ?? 0 })
  const child = spawn(python, [script, options], { stdio: ['pipe', 'pipe', 'ignore'] })
  // A step asked of a Python that has ended: its end is what is told.
  child.stdin.on('error', () => {})
  const engine = await nextLine(child)
  const run = async (job: Job) => {
    if (job.kind !== 'training') throw new Error('blvit bug: not a job of a training')
    const done = nextLine(child)
    child.stdin.write('step\n')
    await done
  }
  const dispose = async () => {
    if (hasEnded(child)) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.stdin.end()
    await ended
  }
  return { engine, run, endProfile: async () => {}, dispose }
}
