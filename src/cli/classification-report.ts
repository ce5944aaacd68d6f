import { messageAbout } from '../base/blvit-error.js'
import { visible } from '../base/visible-text.js'
import type { Classification } from '../problems/classify.js'
import type { Model } from '../tasks/model.js'
import type { PictureResult } from '../tasks/node/classify-many.js'
import type { CliContext } from './context.js'

interface ReportOptions {
  readonly json: boolean | undefined
  readonly scores: Model['scores']
}

/** Prints what was said of a picture, and notes why another failed. */
export async function printClassification(
  result: PictureResult,
  { json, scores }: ReportOptions,
  { out, note }: Pick<CliContext, 'out' | 'note'>,
): Promise<void> {
  const { name } = result
  if ('error' in result) {
    const { code, message } = result.error
    note(`error: ${visible(messageAbout(name, message))}`)
    if (json) await out(JSON.stringify({ picture: name, error: { code, message } }))
  } else {
    const { classification } = result
    await out(json ? resultJson(name, classification) : resultText(name, classification, scores))
  }
}

function resultJson(picture: string, { top, elapsedMs, stage }: Classification): string {
  const none = top.length === 0 && { none: true }
  return JSON.stringify({
    picture,
    top,
    ...none,
    elapsedMs: Number(elapsedMs.toFixed(3)),
    ...(stage && { stage }),
  })
}

function resultText(
  name: string,
  { top, elapsedMs, stage }: Classification,
  scores: ReportOptions['scores'],
): string {
  // the numbers of a regression are no shares
  const text = (score: number) =>
    scores === 'none' ? score.toPrecision(5).padStart(9) : `${(100 * score).toFixed(1).padStart(5)} %`
  const lines = top.map(({ label, probability }) => `  ${text(probability)}  ${visible(label)}`)
  if (lines.length === 0) lines.push('  none of them: no class reaches the threshold')
  const by = stage === undefined ? '' : `, by the ${stage === 1 ? 'first' : 'second'} stage`
  return [`${visible(name)}  (${elapsedMs.toFixed(1)} ms${by})`, ...lines].join('\n')
}
