// Pictures in, labels out, over HTTP. With Node from 22.18: node examples/server.ts [port]
//   curl --data-binary @photo.jpg http://localhost:8080/classify?top=3
//   curl --form picture=@photo.jpg http://localhost:8080/classify
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { serve } from '@hono/node-server'
import { BlvitError, load } from 'blvit'
import { Hono, type HonoRequest } from 'hono'
import { bodyLimit } from 'hono/body-limit'

interface Label {
  readonly label: string
  readonly probability: number
}

/** What the server needs of a model. */
interface PictureClassifier {
  classify(picture: Uint8Array, options: { top: number; signal: AbortSignal }): Promise<readonly Label[]>
  dispose(): Promise<void>
}

interface ServerOptions {
  readonly port?: number
  readonly hostname?: string
  /** Of an upload. Default 20 MB. */
  readonly maxBytes?: number
  /** From the complete upload to the answer. Default 30 s. */
  readonly timeoutMs?: number
}

/** How errors of the library are told: status codes by their stable codes. */
const statuses = { BAD_IMAGE: 422, BAD_OPTION: 400, BUSY: 503, ABORTED: 504 } as const

function isTold(code: string): code is keyof typeof statuses {
  return Object.hasOwn(statuses, code)
}

/** The bytes of an upload: the body itself, or the first file of a form. */
async function uploaded(request: HonoRequest): Promise<Uint8Array> {
  if (!request.header('content-type')?.startsWith('multipart/form-data')) {
    return new Uint8Array(await request.arrayBuffer())
  }
  const form = await request.parseBody().catch(() => ({}))
  const file = Object.values(form).find((value) => value instanceof File)
  return file ? new Uint8Array(await file.arrayBuffer()) : new Uint8Array()
}

/** How many labels are asked for. */
function topOf(text = '5'): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new BlvitError('BAD_OPTION', `top is "${text}"; it must be a whole number from 1.`)
}

function pictureApp({ classify }: PictureClassifier, { maxBytes = 20e6, timeoutMs = 30_000 }: ServerOptions) {
  const app = new Hono()
  const tooLarge = bodyLimit({
    maxSize: maxBytes,
    onError: (context) => context.json({ error: `A picture has at most ${maxBytes} bytes here.` }, 413),
  })
  app.get('/health', (context) => context.json({ status: 'ok' }))
  app.post('/classify', tooLarge, async (context) => {
    const top = topOf(context.req.query('top'))
    const picture = await uploaded(context.req)
    // whoever has hung up leaves the queue
    const signal = AbortSignal.any([context.req.raw.signal, AbortSignal.timeout(timeoutMs)])
    return context.json({ labels: await classify(picture, { top, signal }) })
  })
  app.onError((error, context) => {
    const code = 'code' in error ? String(error.code) : ''
    // nobody is there to read an answer
    if (code === 'ECONNRESET' || context.req.raw.signal.aborted) return context.body(null, 408)
    if (code === 'BUSY') context.header('retry-after', '1')
    if (isTold(code)) return context.json({ error: error.message, code }, statuses[code])
    console.error(error)
    return context.json({ error: 'The server has failed.' }, 500)
  })
  return app
}

/** Starts to listen. @returns the port, and what stops the server: calls in work are answered, no new ones taken */
export async function startServer(classifier: PictureClassifier, options: ServerOptions = {}) {
  const { port = 8080, hostname = '127.0.0.1' } = options
  const { fetch } = pictureApp(classifier, options)
  const server = serve({ fetch, port, hostname })
  if ('requestTimeout' in server) {
    // an upload that trickles in
    server.requestTimeout = 30_000
    server.headersTimeout = 10_000
    // each may hold an upload in memory
    server.maxConnections = 512
  }
  const stop = async () => {
    await new Promise((resolve) => {
      server.close(resolve)
      if ('closeIdleConnections' in server) server.closeIdleConnections()
    })
    await classifier.dispose()
  }
  await once(server, 'listening')
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : port, stop }
}

/** Our models: engines are opened before the first request, and 100 megapixels are nobody's upload. */
export async function blvitClassifier(
  reference = 'vit-tiny',
  options: Parameters<typeof load>[1] = {},
): Promise<PictureClassifier> {
  const model = await load(reference, options)
  await model.warmUp(undefined, { pictures: Number.POSITIVE_INFINITY })
  return {
    classify: async (picture, { top, signal }) => {
      if (picture.length === 0) throw new BlvitError('BAD_IMAGE', 'There is no picture in the body: send its bytes, or a form with a file.')
      return (await model.classify(picture, { top, signal, maxPixels: 25e6 })).top
    },
    dispose: () => model.dispose(),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { port, stop } = await startServer(await blvitClassifier(), { port: Number(process.argv[2] ?? 8080) })
  console.log(`http://127.0.0.1:${port}/classify`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
}
