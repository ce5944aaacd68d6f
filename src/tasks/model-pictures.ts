import { defined } from '../base/assert.js'
import type { ImageInput } from '../image/image-input.js'
import {
  type ImageDecoder,
  type PreparedPicture,
  type PrepareOptions,
  preparePicture,
  preparePictures,
} from '../image/prepare.js'
import type { Preprocessing } from '../image/preprocessing.js'
import type { Architecture } from '../models/architecture.js'
import { prepareInFrame } from '../segmentation/frame-pixels.js'
import type { StagedSettings } from '../settings/resolve.js'
import type { Settings } from '../settings/settings.js'
import type { ObjectFinder } from './object-finder.js'
import { forBoth } from './two-stages.js'

export interface ModelPicturesOptions {
  /** At the size of its files: other settings may ask for another. */
  readonly preprocessing: Preprocessing
  readonly decoder: ImageDecoder
  /** Told of each picture that is prepared. */
  readonly objects: ObjectFinder
  /** What all settings of a run, the model's own included, decide. */
  readonly resolve: (settings: Settings) => StagedSettings
}

/** How pictures become a model's input, at any of its settings. */
export class ModelPictures {
  private readonly preprocessings = new Map<string, Preprocessing>()

  constructor(private readonly options: ModelPicturesOptions) {}

  /** Loads the decoder. */
  async warmUp(): Promise<void> {
    await this.options.decoder.warmUp?.()
  }

  /** Of a run with these settings: resize and crop keep their proportion at any image size. */
  preprocessingFor(settings: Settings): Preprocessing {
    return this.preprocessingOf(this.options.resolve(settings).architecture)
  }

  /** The same for each of its stages, if it has two. */
  preprocessingsFor(settings: Settings): readonly Preprocessing[] {
    const { first, architecture } = this.options.resolve(settings)
    const stages = first ? [first.resolved.architecture, architecture] : [architecture]
    return stages.map((each) => this.preprocessingOf(each))
  }

  private preprocessingOf({ image: { height, width } }: Architecture): Preprocessing {
    const size = `${height}×${width}`
    // one object a size: its tables are kept by it
    const made = this.preprocessings.get(size) ?? { ...this.options.preprocessing, height, width }
    this.preprocessings.set(size, made)
    return made
  }

  /** @returns `[channels, height, width]`; for two stages that of the first and behind it that of the second */
  async prepare(image: ImageInput, options: PrepareOptions & Settings): Promise<Float32Array> {
    const ways = this.preprocessingsFor(options)
    if (ways.length === 1) return (await this.preparedPicture(image, options)).input
    const { decoder } = this.options
    const [small, whole] = await preparePictures(image, ways, { ...options, decoder })
    return forBoth(defined(small, 'the small picture').input, defined(whole, 'the whole one').input)
  }

  /** For a run in one stage, with the pixels that a drawing shows. */
  async preparedPicture(image: ImageInput, options: PrepareOptions & Settings): Promise<PreparedPicture> {
    const { resolve, decoder, objects } = this.options
    const run = resolve(options)
    const { masks } = run.architecture.facts
    if (masks) return prepareInFrame(image, masks, { ...options, decoder })
    const preprocessing = this.preprocessingOf(run.architecture)
    const picture = await preparePicture(image, preprocessing, { ...options, decoder })
    await objects.see(image, picture, { run, preprocessing })
    return picture
  }
}
