import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../base/check-options.js'
import { checkWholeNumbers } from '../../base/whole-number.js'
import type { Size } from '../../image/crop-window.js'
import type { Pixels } from '../../image/pixels.js'
import { crop as cut } from '../../image/resize.js'
import type { Crop } from '../../segmentation/crops.js'
import {
  type EncodedCrop,
  type EverythingOptions,
  type FoundMask,
  findEverything,
} from '../../segmentation/everything.js'
import { scaleToPicture } from '../../segmentation/frame.js'
import type { LogitsScale } from '../../segmentation/logits-scale.js'
import { eachMask } from '../../segmentation/low-res-masks.js'
import {
  alikePrompts,
  checkPrompts,
  framePrompts,
  type MaskLogits,
  type Prompt,
} from '../../segmentation/prompts.js'
import { type RestoredMask, restoreMask } from '../../segmentation/restored-mask.js'
import type { Settings } from '../../settings/settings.js'
import type { MaskEngine } from './mask-engine.js'

export interface PredictOptions {
  /**
   * Several masks for each prompt, because one click may mean a shirt or who wears it; else one. Default true. For several
   * points, or a box with points, one is usually better.
   */
  readonly multimask?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a prompt may mean. */
export interface PredictedMask extends RestoredMask {
  /** How well the model thinks that the mask overlaps the object, about 0 … 1. */
  readonly predictedIou: number
  /** For the next prompt, to go on from this mask. */
  readonly logits: MaskLogits
}

const predictKeys: OptionKeys<PredictOptions> = { multimask: true, signal: true }
const everythingKeys: OptionKeys<EverythingOptions> = {
  pointsPerSide: true,
  pointsPerRun: true,
  minIou: true,
  minStability: true,
  maxOverlap: true,
  cropLayers: true,
  minArea: true,
  signal: true,
  onProgress: true,
}

/** What a picture was encoded as. */
export interface PictureEmbedding {
  /** `[width, rows, columns]`, e.g. 256 × 64 × 64 */
  readonly embedding: Float32Array
  /** The picture it is of, in pixels. */
  readonly picture: Size
}

// Masks of one call, at the picture's size and as logits. More than that at once is a slip.
const mostMaskBytes = 2 ** 31

// 1024 × 4 clicks a side and 64 × 64 crops would take weeks
const mostPointsPerSide = 256
const mostCropLayers = 4

/** A picture that the model has seen: prompts are answered again and again, in a few milliseconds each. */
export class EncodedPicture {
  private readonly scale: LogitsScale

  constructor(
    private readonly engine: MaskEngine,
    private readonly encoded: PictureEmbedding,
    /** What crops are cut from, and how they are encoded; absent for an embedding that was loaded. */
    private readonly source?: { readonly pixels: Pixels; readonly settings: Settings } | undefined,
  ) {
    this.scale = scaleToPicture(encoded.picture, engine.frame)
  }

  /** Of the picture, in pixels. */
  get size(): Size {
    return this.encoded.picture
  }

  /** To be kept, or sent to where prompts are answered. `[width, rows, columns]` */
  get embedding(): Float32Array {
    return this.encoded.embedding
  }

  /**
   * The masks that a prompt may mean, the best first; of an array of prompts, an array in the same order.
   * @throws BlvitError `BAD_OPTION` for what is no prompt, outside of the picture, or too many; `UNSUPPORTED` for what the model
   *   can't be told; `ABORTED`, `ENGINE`
   * @example
   * const [best] = await encoded.predict({ points: [{ x: 210, y: 140 }] })
   */
  async predict(prompt: Prompt, options?: PredictOptions): Promise<PredictedMask[]>
  async predict(prompts: readonly Prompt[], options?: PredictOptions): Promise<PredictedMask[][]>
  async predict(
    given: Prompt | readonly Prompt[],
    options: PredictOptions = {},
  ): Promise<PredictedMask[] | PredictedMask[][]> {
    checkOptions('option of predict', options, predictKeys)
    const isList = Array.isArray(given)
    const prompts: readonly Prompt[] = isList ? given : [given as Prompt]
    checkPrompts(prompts, this.size, this.engine.frame)
    this.assertEnoughMemory(prompts.length)
    const answers: PredictedMask[][] = []
    for (const { places, prompts: alike } of alikePrompts(prompts)) {
      const some = await this.predictAlike(alike, options)
      places.forEach((place, at) => {
        answers[place] = some[at] ?? []
      })
    }
    return isList ? answers : (answers[0] ?? [])
  }

  private async predictAlike(
    prompts: readonly Prompt[],
    options: PredictOptions,
  ): Promise<PredictedMask[][]> {
    const { frame } = this.engine
    const framed = framePrompts(prompts, this.size, frame)
    const answer = await this.engine.decode(this.encoded.embedding, framed, options)
    const from = { height: answer.rows, width: answer.columns }
    const answers: PredictedMask[][] = prompts.map(() => [])
    for (const { prompt, logits, predictedIou } of eachMask(answer)) {
      throwIfAborted(options.signal)
      const own = { rows: answer.rows, columns: answer.columns, logits: logits.slice() }
      answers[prompt]?.push({ ...restoreMask(logits, from, this.scale), predictedIou, logits: own })
    }
    for (const masks of answers) masks.sort((a, b) => b.predictedIou - a.predictedIou)
    return answers
  }

  private assertEnoughMemory(prompts: number): void {
    const { maskRows, maskColumns } = this.engine.frame
    const bytesEach = 3 * (this.size.height * this.size.width + 4 * maskRows * maskColumns)
    if (prompts * bytesEach <= mostMaskBytes) return
    throw new BlvitError(
      'BAD_OPTION',
      `The masks of ${prompts} prompts would take ${Math.ceil((prompts * bytesEach) / 2 ** 30)} GB. Ask ` +
        `${Math.max(1, Math.floor(mostMaskBytes / bytesEach))} at a time.`,
      { prompts },
    )
  }

  /**
   * Masks of all that is in the picture, the best first, by a grid of clicks.
   * @throws BlvitError `BAD_OPTION`; `UNSUPPORTED` for crops of an embedding that was loaded; `ABORTED`, `ENGINE`
   */
  async everything(options: EverythingOptions = {}): Promise<FoundMask[]> {
    checkOptions('option of everything', options, everythingKeys)
    const { pointsPerSide, pointsPerRun, cropLayers = 0, signal } = options
    checkWholeNumbers({ pointsPerSide }, { most: mostPointsPerSide })
    checkWholeNumbers({ pointsPerRun })
    if (!Number.isInteger(cropLayers) || cropLayers < 0 || cropLayers > mostCropLayers) {
      throw new BlvitError(
        'BAD_OPTION',
        `cropLayers is ${cropLayers}; it must be a whole number from 0 to ${mostCropLayers}.`,
      )
    }
    if (cropLayers > 0 && !this.source) {
      throw new BlvitError(
        'UNSUPPORTED',
        'Crops must be encoded, and of this picture only its embedding is here. Encode the picture, or take no crops.',
      )
    }
    return await findEverything(this.size, (crop) => this.encodeCrop(crop, signal), options)
  }

  private async encodeCrop(crop: Crop, signal: AbortSignal | undefined): Promise<EncodedCrop> {
    const { engine, source } = this
    const embedding =
      crop.layer === 0 || !source
        ? this.encoded.embedding
        : (await engine.encode(cut(source.pixels, crop), { ...source.settings, signal })).embedding
    return {
      scale: scaleToPicture(crop, engine.frame),
      predict: (points) => {
        const prompts = Array.from({ length: points.length / 2 }, (_, at) => ({
          points: [{ x: points[2 * at] ?? 0, y: points[2 * at + 1] ?? 0 }],
        }))
        return engine.decode(embedding, framePrompts(prompts, crop, engine.frame), { signal })
      },
    }
  }
}
