import { resolve } from 'node:path'
import { assertEnding, assertNotInput, checkWritable } from '../files/output-files.js'
import type { Answered } from '../tasks/segment/mask-json.js'
import { dashed, refused, type SegmentFlags } from './segment-flags.js'

/** The picture and all else that `blvit segment` was given. */
export interface AskedFiles {
  /** A file, a URL, or - for standard input. */
  readonly picture: string
  readonly flags: SegmentFlags
}

function inputsOf({ picture, flags: { mask, embedding } }: AskedFiles): string[] {
  return [picture, mask, embedding].flatMap((path) => (path === undefined || path === '-' ? [] : path))
}

function namedTwice(path: string): Error {
  return refused(`${path} is named twice: give each output a name of its own.`)
}

/**
 * Complains before anything is computed.
 * @throws BlvitError `BAD_OPTION` for outputs of another ending, in place of an input or of each other; `WRITE_FAILED`
 */
export async function checkOutputs(asked: AskedFiles): Promise<void> {
  const seen = new Set<string>()
  for (const name of ['output', 'cutout', 'overlay', 'saveEmbedding'] as const) {
    const path = asked.flags[name]
    if (path === undefined) continue
    assertEnding(dashed(name), path, name === 'saveEmbedding' ? '.npy' : '.png')
    await checkWritable(path)
    await assertNotInput(path, inputsOf(asked))
    if (seen.has(resolve(path))) throw namedTwice(path)
    seen.add(resolve(path))
  }
}

/** `mask.png` → `mask-2.png` where there are several. */
function numbered(path: string, index: number, count: number): string {
  return count === 1 ? path : path.replace(/(\.[^.]*)$/, `-${index + 1}$1`)
}

/** An answer with the name of the file that each of its masks goes to, if they go to files. */
export interface NamedAnswer extends Answered {
  readonly files: readonly string[]
}

/**
 * Names the files of masks, of which nobody could say the number before.
 * @throws BlvitError `BAD_OPTION` where a numbered mask would take the place of a file that is read, or of another output
 */
export async function withFiles(answers: readonly Answered[], asked: AskedFiles): Promise<NamedAnswer[]> {
  const { output, cutout, overlay, saveEmbedding } = asked.flags
  if (output === undefined) return answers.map((answer) => ({ ...answer, files: [] }))
  const count = answers.reduce((sum, { masks }) => sum + masks.length, 0)
  let index = 0
  const named = answers.map((answer) => ({
    ...answer,
    files: answer.masks.map(() => numbered(output, index++, count)),
  }))
  const beside = [cutout, overlay, saveEmbedding].map((path) => path && resolve(path))
  for (const path of named.flatMap(({ files }) => files)) {
    await assertNotInput(path, inputsOf(asked))
    if (beside.includes(resolve(path))) throw namedTwice(path)
  }
  return named
}
