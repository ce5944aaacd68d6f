import { clearCachedModels, load, teachLayers } from '../../../src/web.js'

/** What a page is to teach a model. */
export interface PageLesson {
  readonly device: 'wasm' | 'webgpu'
  /** The address of its folder. */
  readonly model: string
  /** Addresses of pictures, by their classes. */
  readonly classes: readonly { readonly label: string; readonly pictures: readonly string[] }[]
  readonly epochs: number
  /** Addresses of pictures to try it with. */
  readonly others: readonly string[]
  /** Ends it after so many steps. Default: never. */
  readonly stopAfter?: number
}

/** Teaches all layers of a model, with the library's own modules. */
export async function teachModel({ device, model: address, classes, epochs, others, stopAfter }: PageLesson) {
  await using model = await load(address, { device })
  const stop = new AbortController()
  const losses: number[] = []
  const taught = await teachLayers(model, classes, {
    epochs,
    stop: stop.signal,
    onProgress: (progress) => {
      if (progress.phase !== 'layers') return
      losses.push(progress.loss)
      if (progress.done === stopAfter) stop.abort()
    },
  })
  await using made = taught.model
  const answers = await made.classify(others, { top: classes.length })
  const contents = Object.entries(await taught.contents()).map(([name, bytes]) => {
    // as text on the way: a list of so many numbers takes long
    return [name, Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')] as const
  })
  await clearCachedModels()
  const { accuracy, headAccuracy, bestEpoch, epochs: curve, pictures } = taught
  return {
    ...{ losses, accuracy, headAccuracy, bestEpoch, curve, pictures },
    tops: answers.map(({ top }) => top),
    contents: Object.fromEntries(contents),
  }
}
