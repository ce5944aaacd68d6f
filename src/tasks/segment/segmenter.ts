import { BlvitError } from '../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../base/check-options.js'
import type { RunIdentity } from '../../base/run-identity.js'
import type { ImageInput } from '../../image/image-input.js'
import type { ImageDecoder } from '../../image/prepare.js'
import type { Architecture } from '../../models/architecture.js'
import type { ChosenRuntime } from '../../runtime/runtime.js'
import { type Settings, settingKeys, settingsOf } from '../../settings/settings.js'
import { EncodedPicture, type PictureEmbedding } from './encoded-picture.js'
import type { MaskEngine } from './mask-engine.js'

/** Settings among them, such as `{ reduce: 'evit:0.5' }`; default: the model's own. */
export interface EncodeOptions extends Settings {
  /** Largest accepted width × height of a picture, a file's or pixels'. Default 100 megapixels. */
  readonly maxPixels?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const encodeKeys: OptionKeys<EncodeOptions> = { ...settingKeys, maxPixels: true, signal: true }

/** A Segment Anything model with its weights, ready to run. Holds native memory until `dispose()`. */
export class Segmenter implements AsyncDisposable {
  private disposed = false

  constructor(
    /** What it was loaded by. */
    readonly name: string,
    private readonly masks: MaskEngine,
    private readonly decoder: ImageDecoder,
  ) {}

  get architecture(): Architecture {
    return this.masks.architecture
  }

  /** The engine that runs it, and why that one. */
  get engine(): ChosenRuntime {
    return this.masks.engine
  }

  /** Width, rows and columns of what pictures become. */
  get embeddingShape(): readonly [number, number, number] {
    return this.masks.frame.embedding
  }

  /**
   * Looks at a picture, which takes long; its prompts are answered in milliseconds then.
   * @throws BlvitError `BAD_IMAGE`, `NOT_FOUND`, `BAD_OPTION`, `ENGINE`, `ABORTED`
   * @example
   * const encoded = await sam.encode('photo.jpg')
   * const [best] = await encoded.predict({ points: [{ x: 210, y: 140 }] })
   */
  async encode(image: ImageInput, options: EncodeOptions = {}): Promise<EncodedPicture> {
    checkOptions('option of encode', options, encodeKeys)
    this.assertUsable()
    const { maxPixels, signal } = options
    const pixels = await this.decoder.decode(image, { ...(maxPixels !== undefined && { maxPixels }), signal })
    const settings = settingsOf(options)
    const { embedding, original } = await this.masks.encode(pixels, { ...settings, signal })
    return new EncodedPicture(this.masks, { embedding, picture: original }, { pixels, settings })
  }

  /**
   * A picture that was encoded before, here or elsewhere, by the same model.
   * @throws BlvitError `BAD_OPTION` for an embedding of another shape, or numbers that are none
   */
  fromEmbedding({ embedding, picture }: PictureEmbedding): EncodedPicture {
    this.assertUsable()
    const shape = this.embeddingShape
    const [width, rows, columns] = shape
    if (embedding.length !== width * rows * columns) {
      throw new BlvitError(
        'BAD_OPTION',
        `An embedding of ${embedding.length} numbers is of another model: ${this.name} has ${shape.join(' × ')}.`,
      )
    }
    if (!embedding.every(Number.isFinite)) {
      throw new BlvitError(
        'BAD_OPTION',
        'The embedding holds values that are no numbers. Encode the picture again.',
      )
    }
    const { height, width: across } = picture
    if (![height, across].every((side) => Number.isSafeInteger(side) && side > 0)) {
      throw new BlvitError(
        'BAD_OPTION',
        `A picture of ${across} × ${height} pixels is impossible: give its size.`,
      )
    }
    return new EncodedPicture(this.masks, { embedding, picture })
  }

  /** What its answers depend on, to tell runs apart: fingerprint of the model, device, threads, precision. Reads all weights. */
  identity(): Promise<RunIdentity> {
    return this.masks.identity()
  }

  private assertUsable(): void {
    if (this.disposed) throw new BlvitError('ENGINE', `${this.name} was disposed. Load it again to use it.`)
  }

  /** Frees memory and threads; neither the model nor its pictures can be used afterwards. */
  async dispose(): Promise<void> {
    this.disposed = true
    await this.masks.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}
