import { Option } from 'commander'
import { BlvitError } from '../../base/blvit-error.js'
import { visible } from '../../base/visible-text.js'
import { settingNames } from '../../settings/settings.js'
import type { Sampler } from '../../tasks/node/segment/evaluate/ask-objects.js'
import type { PromptKind } from '../../tasks/node/segment/evaluate/mask-outcome.js'
import { type CliContext, endWith } from '../context.js'
import { type EngineFlags, loadOptions } from '../model-options.js'
import { commaSeparated, oneOf } from '../option-values.js'
import { runProgress } from '../progress.js'
import { type ManySettingFlags, manySettingsFrom } from '../setting-options.js'
import type { EvaluationTask } from './evaluation.js'

// spelled out here so that help needs no evaluation
const promptKinds: readonly PromptKind[] = ['point', 'points', 'box']
const samplers: readonly Sampler[] = ['uniform', 'centre']

interface Flags extends EngineFlags, ManySettingFlags {
  readonly data: readonly string[]
  readonly pictures?: string
  readonly prompts?: readonly PromptKind[]
  readonly sampler?: Sampler
  readonly single?: boolean
  readonly limit?: number
  readonly resume?: string | true
  readonly json?: boolean
}

/** `blvit eval --task segment` */
export const segmentEvaluation: EvaluationTask = {
  honours: [...settingNames, 'pictures', 'prompts', 'sampler', 'single', 'limit', 'resume', 'json', 'seed'],
  options: (command) =>
    command
      .option(
        '--pictures <folder>',
        'of --task segment: where the pictures lie (default: beside the file, or in its images/)',
      )
      .option(
        '--prompts <kinds>',
        'of --task segment: point, points (three), box, with commas between them (default: all)',
        commaSeparated(oneOf(promptKinds)),
      )
      .addOption(
        new Option(
          '--sampler <how>',
          'of --task segment: clicks anywhere on the object, or where a patient user would click',
        ).choices(samplers),
      )
      .option(
        '--single',
        'of --task segment: three points are answered by the single mask, not by the best of three',
      ),
  run: async (reference, flags, context) => evaluateSegmenter(reference, flags, context),
}

async function evaluateSegmenter(reference: string, flags: Flags, context: CliContext): Promise<void> {
  const { data, pictures, prompts, sampler, single, limit, resume, seed, json } = flags
  const [file] = data
  if (file === undefined || data.length > 1) {
    throw new BlvitError(
      'BAD_OPTION',
      `--data names ${data.length} files; of masks it is one, in COCO's form.`,
    )
  }
  const { assertNotInput } = await import('../../files/output-files.js')
  if (typeof resume === 'string') await assertNotInput(resume, [file])
  const { loadSegmenter } = await import('../../tasks/node/segment/load-segmenter.js')
  const { resolveSettings } = await import('../../settings/resolve.js')
  const { evaluateMasks } = await import('../../tasks/node/segment/evaluate/evaluate-masks.js')
  const { parallel: _, ...options } = loadOptions(flags, context)
  const settings = (await manySettingsFrom(flags)) ?? [{}]
  if (settings.length > 1 && typeof resume === 'string') {
    const message = `--resume ${resume} keeps one evaluation, and there are ${settings.length} settings. Leave the file's name out.`
    throw new BlvitError('BAD_OPTION', message)
  }
  await using segmenter = await loadSegmenter(reference, options)
  for (const setting of settings) resolveSettings(segmenter.architecture, setting)
  const { maskReportText } = await import('../mask-report.js')
  const ends = { failures: 0, of: 0 }
  for (const setting of settings) {
    const progress = runProgress(context)
    const report = await evaluateMasks(segmenter, file, {
      ...{
        ...setting,
        images: pictures,
        prompts,
        sampler,
        single,
        limit,
        resume,
        seed,
        signal: context.signal,
      },
      onProgress: progress.show,
    }).finally(progress.stop)
    for (const { picture, message } of report.failures)
      context.note(`error: ${visible(picture)}: ${visible(message)}`)
    await context.out(
      json ? JSON.stringify({ model: reference, data: file, ...report }) : maskReportText(report),
    )
    ends.failures += report.failures.length
    ends.of += report.pictures
  }
  endWith(context, ends)
}
