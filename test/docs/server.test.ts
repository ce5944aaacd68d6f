import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exampleModule } from '../support/example-module.js'

const names = ['kite', 'hummingbird', 'yurt', 'fly', 'traffic-light', 'fire-engine']
const labels = [/kite/, /hummingbird/, /yurt/, /fly/, /traffic light/, /fire engine/]
const pictures = names.map((name) => readFileSync(new URL(`../../examples/${name}.jpg`, import.meta.url)))
const kite = pictures[0] ?? new Uint8Array()

/** The server in a process of its own, as people run it. */
async function startServer() {
  const child = spawn(process.execPath, [fileURLToPath(exampleModule('server.ts')), '0'])
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const [line] = await once(child.stdout, 'data')
  const { port } = new URL(String(line).trim())
  const memory = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024
  return { child, port: Number(port), memory, stderr: () => stderr }
}

describe('the example server', () => {
  let server: Awaited<ReturnType<typeof startServer>>
  let base = ''
  beforeAll(async () => {
    server = await startServer()
    base = `http://127.0.0.1:${server.port}`
  })
  afterAll(() => {
    server.child.kill('SIGKILL')
  })

  const ask = (body: Uint8Array, query = '') =>
    fetch(`${base}/classify${query}`, { method: 'POST', body: Uint8Array.from(body) })
  const answer = async (body: Uint8Array, query = '') => {
    const response = await ask(body, query)
    return { status: response.status, body: await response.json() }
  }
  const isWell = async () => {
    const { status, body } = await answer(kite, '?top=1')
    expect(status).toBe(200)
    expect(body.labels[0].label).toMatch(/kite/)
  }

  test('answers uploads with labels, and says that it is well', async () => {
    expect(await (await fetch(`${base}/health`)).json()).toEqual({ status: 'ok' })
    for (const [i, picture] of pictures.entries()) {
      const { status, body } = await answer(picture, '?top=2')
      expect(status).toBe(200)
      expect(body.labels).toHaveLength(2)
      expect(body.labels[0].label).toMatch(labels[i] ?? /^$/)
    }
  })

  test('takes the file of a form too', async () => {
    const form = new FormData()
    form.set('picture', new Blob([Uint8Array.from(kite)]), 'kite.jpg')
    const response = await fetch(`${base}/classify?top=1`, { method: 'POST', body: form })
    expect(response.status).toBe(200)
    expect((await response.json()).labels[0].label).toMatch(/kite/)
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    const noForm = await fetch(`${base}/classify`, { method: 'POST', body: 'nothing', headers })
    expect(noForm.status).toBe(422)
  })

  test('a garbage body, an empty one, a cut picture, a wrong option: a status and a reason', async () => {
    const garbage = await answer(new TextEncoder().encode('no picture at all'))
    expect(garbage).toMatchObject({ status: 422, body: { code: 'BAD_IMAGE' } })
    expect(await answer(new Uint8Array())).toMatchObject({
      status: 422,
      body: { error: expect.stringMatching(/no picture in the body/) },
    })
    expect(await answer(kite.subarray(0, 3000))).toMatchObject({ status: 422 })
    const wrong = await answer(kite, '?top=none')
    expect(wrong).toMatchObject({
      status: 400,
      body: { code: 'BAD_OPTION', error: expect.stringMatching(/"none"/) },
    })
    expect((await fetch(`${base}/other`)).status).toBe(404)
    await isWell()
  })

  test('a picture bomb is refused before it is unpacked', async () => {
    const create = { width: 9000, height: 9000, channels: 3 as const, background: 'white' }
    const bomb = await sharp({ create }).png({ compressionLevel: 9 }).toBuffer()
    expect(bomb.length).toBeLessThan(3e6)
    const before = server.memory()
    const { status, body } = await answer(bomb)
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'BAD_IMAGE' })
    expect(body.error).toMatch(/the limit is 25000000/)
    expect(server.memory() - before).toBeLessThan(150)
  })

  test('an upload of 1 GB ends early, told or not how large it is, and memory doesn’t grow', async () => {
    const before = server.memory()
    const chunk = Buffer.alloc(1e6, 1)
    for (const headers of [{ 'content-length': 1e9 }, { 'transfer-encoding': 'chunked' }]) {
      const call = request(`${base}/classify`, { method: 'POST', headers })
      let status: number | undefined
      let gone = false
      call.on('response', (response) => {
        status = response.statusCode
        response.resume()
      })
      call.on('error', () => {
        gone = true
      })
      let sentBytes = 0
      while (status === undefined && !gone && sentBytes < 1e9) {
        sentBytes += chunk.length
        if (!call.write(chunk)) await Promise.race([once(call, 'drain').catch(() => {}), wait(50)])
      }
      if (!gone) expect(status).toBe(413)
      expect(sentBytes).toBeLessThan(500e6)
      call.destroy()
    }
    expect(server.memory() - before).toBeLessThan(200)
    await isWell()
  })

  test('clients that are killed in the middle harm nobody', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = connect(server.port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write(`POST /classify HTTP/1.1\r\nhost: x\r\ncontent-length: ${kite.length}\r\n\r\n`)
      // half of them before their picture is there, half while they wait for the answer
      socket.write(i % 2 === 0 ? kite.subarray(0, 1000) : kite)
      await wait(2)
      socket.destroy()
    }
    await isWell()
  })

  test('takes 128 requests, 64 at a time, each with its own answer, and memory stays', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 64 })
    const post = (picture: Uint8Array) =>
      new Promise<string>((resolve, reject) => {
        const call = request(`${base}/classify?top=1`, { method: 'POST', agent }, async (response) => {
          let text = ''
          for await (const part of response) text += part
          resolve(text)
        })
        call.on('error', reject)
        call.end(picture)
      })
    const answers = await Promise.all(Array.from({ length: 128 }, (_, i) => post(pictures[i % 6] ?? kite)))
    agent.destroy()
    answers.forEach((text, i) => {
      expect(JSON.parse(text).labels[0].label).toMatch(labels[i % 6] ?? /^$/)
    })
  })

  test('stops gracefully: what is in work is answered, then the process ends', async () => {
    // the server says "continue" when it has a request's head: it waits for the picture then
    const begun = pictures.map((picture) => {
      const headers = { expect: '100-continue' }
      const call = request(`${base}/classify?top=1`, { method: 'POST', headers })
      const status = once(call, 'response').then(([response]) => response.resume().statusCode)
      call.flushHeaders()
      return { taken: once(call, 'continue'), send: () => call.end(picture), status }
    })
    await Promise.all(begun.map(({ taken }) => taken))
    for (const { send } of begun.slice(0, 3)) send()
    server.child.kill('SIGTERM')
    for (const { send } of begun.slice(3)) send()
    expect(await Promise.all(begun.map(({ status }) => status))).toEqual([200, 200, 200, 200, 200, 200])
    const [code] = server.child.exitCode === null ? await once(server.child, 'exit') : [server.child.exitCode]
    expect({ code, stderr: server.stderr() }).toEqual({ code: 0, stderr: '' })
  })
})
