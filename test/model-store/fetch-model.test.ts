import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fetchModel } from '../../src/model-store/fetch-model.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

const { architecture } = randomModel(shrunk('micro+16', { rows: 2, columns: 2 }))
const config = JSON.stringify(architecture.json)

let server: Server
let address: URL
beforeAll(async () => {
  server = createServer(({ url }, response) => {
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
