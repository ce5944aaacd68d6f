import { join } from 'node:path'
import { BlvitError, throwIfAborted } from '../../../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../../../base/check-options.js'
import { checkWholeNumbers } from '../../../../base/whole-number.js'
import { openInstances } from '../../../../data/instances-file.js'
import { packageVersion } from '../../../../files/package-file.js'
import { defaultStatePath, StateFile } from '../../../../files/state-file.js'
import { resolveSettings } from '../../../../settings/resolve.js'
import { type Settings, settingKeys, settingsOf } from '../../../../settings/settings.js'
import type { Segmenter } from '../../../segment/segmenter.js'
import { askObjects, type Sampler } from './ask-objects.js'
import { type MaskOutcome, maskEvaluationKind, type PromptKind, promptKinds } from './mask-outcome.js'
import { type MaskReport, maskReport } from './mask-report.js'

/** Settings among them, which pictures are encoded in; default: the model's own. */
export interface EvaluateMasksOptions extends Settings {
  /** Folder of the pictures. Default: that of the file, or `images` in it. */
  readonly images?: string | undefined
  /** What objects are asked by. Default: all of `point`, `points` (three), `box`. */
  readonly prompts?: readonly PromptKind[] | undefined
  /** Default `uniform`. */
  readonly sampler?: Sampler | undefined
  /** Three points are answered by the single mask, not by the best of three. Default false. */
  readonly single?: boolean | undefined
  /** Only the first so many pictures. Default: all. */
  readonly limit?: number | undefined
  /** Of the clicks. Default 0. */
  readonly seed?: number | undefined
  /** A file that keeps what is done; `true`: one in the user's cache, deleted at the end. Default: nothing is kept. */
  readonly resume?: string | true | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: { done: number; total: number; resumed: number }) => void) | undefined
}

const keys: OptionKeys<EvaluateMasksOptions> = {
  ...settingKeys,
  images: true,
  prompts: true,
  sampler: true,
  single: true,
  limit: true,
  seed: true,
  resume: true,
  signal: true,
  onProgress: true,
}

/** Failures that are a picture's own; after any other one the next picture would fail too. */
const ofPicture = ['BAD_IMAGE', 'BAD_DATA', 'NOT_FOUND', 'BAD_OPTION']

/**
 * How well a model cuts out objects whose masks are known: each is asked for by a point, by three and by its box.
 * @param data a file in COCO's or LVIS's form
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`, `BAD_OPTION`, `ENGINE`, `ABORTED`, `WRITE_FAILED`
 */
export async function evaluateMasks(
  segmenter: Segmenter,
  data: string,
  options: EvaluateMasksOptions = {},
): Promise<MaskReport> {
  checkOptions('option of evaluateMasks', options, keys)
  const {
    prompts = promptKinds,
    sampler = 'uniform',
    single = false,
    limit,
    seed = 0,
    resume,
    signal,
  } = options
  checkWholeNumbers({ limit })
  const settings = settingsOf(options)
  const { key: setting } = resolveSettings(segmenter.architecture, settings)
  const { file, fingerprint, pictures: all, folder: own } = await openInstances(data)
  const pictures = all.slice(0, limit)
  const folder = options.images ?? own
  const identity = {
    ...{
      version: packageVersion(),
      data: fingerprint,
      prompts: prompts.join(),
      sampler,
      single: `${single}`,
    },
    ...{ limit: `${limit ?? 'none'}`, seed: `${seed}`, setting },
    ...(await segmenter.identity()),
  }
  await using state =
    resume === undefined
      ? undefined
      : await StateFile.open(
          resume === true ? await defaultStatePath(identity, maskEvaluationKind) : resume,
          identity,
          maskEvaluationKind,
        )
  const outcomes: MaskOutcome[] = [...(state?.outcomes ?? [])]
  const resumed = outcomes.length
  const done = new Set(outcomes.map(({ image }) => image))
  for (const { id, name, size, annotations } of pictures) {
    if (done.has(id)) continue
    throwIfAborted(signal)
    const ask = { prompts, sampler, single, seed, signal }
    const outcome = await asked(id, async () => {
      const encoded = await segmenter.encode(join(folder, name), { ...settings, signal })
      if (encoded.size.height !== size.height || encoded.size.width !== size.width) {
        const [is, says] = [encoded.size, size].map(({ width, height }) => `${width} × ${height}`)
        throw new BlvitError('BAD_DATA', `${name} is ${is} pixels, but ${data} says ${says}.`)
      }
      return await askObjects(encoded, annotations, ask)
    })
    await state?.append([outcome])
    outcomes.push(outcome)
    options.onProgress?.({ done: outcomes.length, total: pictures.length, resumed })
  }
  const report = maskReport(outcomes, {
    ...{ setting, file, prompts, sampler },
    pictures: pictures.map(({ id }) => id),
  })
  if (resume === true) await state?.remove()
  return report
}

async function asked(image: number, ask: () => ReturnType<typeof askObjects>): Promise<MaskOutcome> {
  try {
    return { image, answers: await ask() }
  } catch (thrown) {
    if (!(thrown instanceof BlvitError) || !ofPicture.includes(thrown.code)) throw thrown
    return { image, error: { code: thrown.code, message: thrown.message } }
  }
}
