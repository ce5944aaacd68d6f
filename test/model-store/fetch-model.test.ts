import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { download } from '../../src/model-store/download.js'
import { fetchModel } from '../../src/model-store/fetch-model.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

const { architecture } = randomModel(shrunk('micro+16', { rows: 2, columns: 2 }))
const config = JSON.stringify(architecture.json)

let server: Server
let address: URL
const content = Buffer.from(Array.from({ length: 1000 }, (_, at) => at % 251))
const ranges: (string | undefined)[] = []

/** Sends a file whose connection is lost once, after 600 bytes; `changes`: it is another one afterwards. */
function sendInParts(request: IncomingMessage, response: ServerResponse, changes: boolean) {
  const isFirst = ranges.push(request.headers.range) === 1
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  response.writeHead(from > 0 ? 206 : 200, {
    etag: isFirst || !changes ? '"first"' : '"second"',
    'content-length': String(1000 - from),
    ...(from > 0 && { 'content-range': `bytes ${from}-999/1000` }),
  })
  if (!isFirst) return response.end(content.subarray(from))
  response.write(content.subarray(0, 600))
  return setTimeout(() => response.destroy(), 20)
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const { url } = request
    if (url === '/lasting') return sendInParts(request, response, false)
    if (url === '/changing') return sendInParts(request, response, true)
    if (url === '/model/config.json') return response.end(config)
    if (url !== '/model/model.safetensors') return response.writeHead(404).end()
    response.writeHead(200, { 'content-length': '1000' }).write(Buffer.alloc(300))
    setTimeout(() => response.destroy(), 50)
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/model/`)
})
afterAll(() => void server.close())

test('a connection that is lost in the middle of a download is told, with how far it came', async () => {
  const told: (readonly [number, number | undefined])[] = []
  const loading = fetchModel(address, {
    onProgress: ({ file, downloadedBytes, totalBytes }) => {
      if (file === 'model.safetensors') told.push([downloadedBytes, totalBytes])
    },
  })
  await expect(loading).rejects.toMatchObject({
    code: 'OFFLINE',
    message: expect.stringMatching(/lost after 300 bytes of 1000 of .*model\.safetensors/),
  })
  expect(told.at(-1)).toEqual([300, 1000])
})

test('where nothing can be kept, as in Node, that is told for each file, and loading goes on', async () => {
  const reasons: string[] = []
  const loading = fetchModel(address, { cache: true, onCacheFailure: (reason) => reasons.push(reason) })
  await expect(loading).rejects.toMatchObject({ code: 'OFFLINE' })
  expect(reasons).toEqual(['this page may not store files'])
})

test.each([
  ['goes on where it ended', '/lasting', [undefined, 'bytes=600-'], [600, 1000]],
  ['begins anew if it is another one now', '/changing', [undefined, 'bytes=600-', undefined], [600, 1000]],
] as const)('a file whose state the server tells %s', async (_, path, asked, expected) => {
  ranges.length = 0
  const told = new Set<number>()
  const bytes = await download(new URL(path, address), {
    onProgress: ({ downloadedBytes }) => told.add(downloadedBytes),
  })
  expect(ranges).toEqual(asked)
  expect([...told]).toEqual(expected)
  expect(Buffer.from(bytes ?? [])).toEqual(content)
})
