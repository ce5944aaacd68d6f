// The example server under load on loopback, with our library and with transformers.js on the same weights, in turn.
//   npm run build && node scripts/bench-server.mjs [--requests 2000] [--at-once 64] [--rounds 3] [--model vit-tiny] [folder of pictures, default examples]
// Each server is a process of its own; the requests come from this one, which takes a few percent of the processors.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: 'string', default: '2000' },
    'at-once': { type: 'string', default: '64' },
    rounds: { type: 'string', default: '3' },
    model: { type: 'string', default: 'vit-tiny' },
    serve: { type: 'string' },
    folder: { type: 'string' },
  },
})

/** The example as JavaScript, with the library as it was built. */
async function exampleServer() {
  const library = pathToFileURL(join(root, 'dist/index.js')).href
  const source = readFileSync(join(root, 'examples/server.ts'), 'utf8').replaceAll("'blvit'", `'${library}'`)
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
  })
  const file = join(root, 'build/bench-server/server.mjs')
  mkdirSync(join(root, 'build/bench-server'), { recursive: true })
  writeFileSync(file, outputText)
  return import(pathToFileURL(file).href)
}

/** The same work by transformers.js: it runs what it is given one after the other. */
async function transformersClassifier(folder) {
  const { env, pipeline, RawImage } = await import('@huggingface/transformers')
  env.allowRemoteModels = false
  const classifier = await pipeline('image-classification', folder, { dtype: 'fp32', device: 'cpu' })
  return {
    classify: async (picture, { top }) => {
      const image = await RawImage.fromBlob(new Blob([picture]))
      const labels = await classifier(image, { top_k: top })
      return labels.map(({ label, score }) => ({ label, probability: score }))
    },
    dispose: async () => {
      await classifier.dispose()
    },
  }
}

async function serve(library, folder) {
  const { startServer, blvitClassifier } = await exampleServer()
  const classifier =
    library === 'blvit' ? await blvitClassifier(folder) : await transformersClassifier(folder)
  const { port, stop } = await startServer(classifier, { port: 0, timeoutMs: 300_000 })
  console.log(port)
  process.once('SIGTERM', () => void stop())
}

const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]

/** Sends all requests, so many at a time. @returns milliseconds of each that was answered, and how many weren't */
async function load(port, pictures, { requests, atOnce }) {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  const times = []
  let refused = 0
  const post = (picture) =>
    new Promise((resolve, reject) => {
      const start = performance.now()
      const call = request(
        {
          port,
          path: '/classify?top=5',
          method: 'POST',
          agent,
          headers: { 'content-length': picture.length },
        },
        (response) => {
          response.resume()
          response.on('end', () => {
            if (response.statusCode === 200) times.push(performance.now() - start)
            else refused += 1
            resolve()
          })
        },
      )
      call.on('error', reject)
      call.end(picture)
    })
  let sent = 0
  const one = async () => {
    while (sent < requests) await post(pictures[sent++ % pictures.length])
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: atOnce }, one))
  const seconds = (performance.now() - start) / 1000
  agent.destroy()
  times.sort((a, b) => a - b)
  return { perSecond: times.length / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99), refused }
}

async function start(library, folder) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), '--serve', library, '--folder', folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const [port] = await once(child.stdout, 'data')
  return { library, child, port: Number(port), results: [] }
}

async function main() {
  const pictureFolder = positionals[0] ?? join(root, 'examples')
  const pictures = readdirSync(pictureFolder)
    .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
    .map((name) => readFileSync(join(pictureFolder, name)))
  const scratch = mkdtempSync(join(tmpdir(), 'blvit-server-'))
  const options = { requests: Number(values.requests), atOnce: Number(values['at-once']) }
  const servers = []
  try {
    const { exportForTransformersJs } = await import('../dist/index.js')
    const { locateModel } = await import('../dist/modules/model-store/node/locate-model.js')
    const { folder } = await locateModel(values.model)
    const exported = join(scratch, 'model')
    await exportForTransformersJs(folder, exported)
    servers.push(await start('blvit', folder), await start('transformers.js', exported))
    for (const { port } of servers)
      await load(port, pictures, { requests: options.atOnce, atOnce: options.atOnce })
    for (let round = 0; round < Number(values.rounds); round++)
      for (const { port, results } of servers) results.push(await load(port, pictures, options))
  } finally {
    for (const { child } of servers) child.kill('SIGTERM')
    rmSync(scratch, { recursive: true, force: true })
  }
  console.log(
    `${values.model}, ${options.requests} requests, ${options.atOnce} at a time, ${pictures.length} pictures`,
  )
  for (const { library, results } of servers)
    for (const { perSecond, p50, p99, refused } of results)
      console.log(
        `${library.padEnd(16)} ${perSecond.toFixed(1).padStart(6)} requests/s, p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms` +
          (refused > 0 ? `, ${refused} refused` : ''),
      )
  const median = (server) =>
    server.results.map(({ perSecond }) => perSecond).sort((a, b) => a - b)[server.results.length >> 1]
  console.log(`blvit ÷ transformers.js: ×${(median(servers[0]) / median(servers[1])).toFixed(2)}`)
}

if (values.serve !== undefined) await serve(values.serve, values.folder)
else await main()
