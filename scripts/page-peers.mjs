// A photo's bytes to its label in a browser, by blvit/web or transformers.js: for measure-page.mjs.

const libraries = {
  async blvit(threads) {
    const { load } = await import('/dist/web/index.js')
    const model = await load('/models/vit-tiny', { device: 'wasm', threads })
    return async (photo) => {
      const { top, elapsedMs } = await model.classify(photo, { top: 1 })
      return { label: top[0].label, engineMs: elapsedMs }
    }
  },
  async 'transformers.js'(threads) {
    const { env, pipeline, RawImage } = await import(
      '/node_modules/@huggingface/transformers/dist/transformers.min.js'
    )
    env.allowRemoteModels = false
    env.allowLocalModels = true
    env.localModelPath = '/'
    env.backends.onnx.wasm.numThreads = threads
    env.backends.onnx.wasm.wasmPaths = new URL(
      '/node_modules/@huggingface/transformers/node_modules/onnxruntime-web/dist/',
      location.href,
    ).href
    const classifier = await pipeline('image-classification', 'exported', { device: 'wasm', dtype: 'fp32' })
    const { model } = classifier
    const run = model._call.bind(model)
    let engineMs = 0
    model._call = async (...inputs) => {
      const began = performance.now()
      const outputs = await run(...inputs)
      engineMs = performance.now() - began
      return outputs
    }
    return async (photo) => {
      const [{ label }] = await classifier(await RawImage.fromBlob(photo), { top_k: 1 })
      return { label, engineMs }
    }
  },
}

/** Loads a library and fetches the photos; then `ask()` gives a label and milliseconds for each. */
export async function start({ library, threads, photos }) {
  const classify = await libraries[library](threads)
  const blobs = await Promise.all(photos.map(async (address) => (await fetch(address)).blob()))
  globalThis.ask = async () => {
    const answers = []
    for (const blob of blobs) {
      const began = performance.now()
      const { label, engineMs } = await classify(blob)
      answers.push({ label, ms: performance.now() - began, engineMs })
    }
    return answers
  }
}
