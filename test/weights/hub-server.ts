import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface HubServer {
  readonly endpoint: string
  /** Every request so far, e.g. `GET /owner/name/resolve/…/model.safetensors bytes=10-`. */
  readonly requests: string[]
  /** Cut the connection of each file download after so many bytes of body; undefined: don't. */
  cutAfterBytes: number | undefined
  /** Answer file downloads with this status instead. */
  failWith: number | undefined
  /** Pretend not to know ranges. */
  ignoreRanges: boolean
  /** The content served differs from what its hash promises. */
  damaged: boolean
  readonly commit: string
  close(): Promise<void>
}

/** A server on this machine that answers the hub's own endpoints for one model, `owner/name`. */
export async function hubServer(files: ReadonlyMap<string, Uint8Array>): Promise<HubServer> {
  const commit = createHash('sha1')
    .update([...files.keys()].join())
    .digest('hex')
  const server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  const hub: HubServer = {
    endpoint: `http://127.0.0.1:${port}`,
    requests: [],
    cutAfterBytes: undefined,
    failWith: undefined,
    ignoreRanges: false,
    damaged: false,
    commit,
    close,
  }
  onTestFinished(close)
  return hub

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent((request.url ?? '').replace(/\?.*/, ''))
    hub.requests.push(`${request.method} ${path}${request.headers.range ? ` ${request.headers.range}` : ''}`)
    const resolved = `/owner/name/resolve/${commit}/`
    if (
      /^\/api\/models\/owner\/name\/revision\/(main|v1)$/.test(path) ||
      path === `/api/models/owner/name/revision/${commit}`
    ) {
      json(response, { _id: 'x', id: 'owner/name', sha: commit, lastModified: '2024-01-01', siblings: [] })
    } else if (path === `/api/models/owner/name/tree/${commit}`) {
      json(
        response,
        [...files].map(([name, content]) => entryOf(name, content)),
      )
    } else if (path.startsWith(resolved)) {
      const content = files.get(path.slice(resolved.length))
      if (content === undefined) notFound(response)
      else sendFile(request, response, content)
    } else notFound(response)
  }

  function sendFile(request: IncomingMessage, response: ServerResponse, content: Uint8Array): void {
    if (hub.failWith !== undefined) {
      response.writeHead(hub.failWith).end()
      return
    }
    const from = hub.ignoreRanges ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]
    const start = Number(from ?? 0)
    const body = Buffer.from(content.subarray(start))
    if (hub.damaged) body.fill(7)
    response.writeHead(from === undefined ? 200 : 206, {
      'Content-Length': body.byteLength,
      ...(from === undefined
        ? {}
        : { 'Content-Range': `bytes ${start}-${content.byteLength - 1}/${content.byteLength}` }),
    })
    if (hub.cutAfterBytes === undefined || hub.cutAfterBytes >= body.byteLength) response.end(body)
    else response.write(body.subarray(0, hub.cutAfterBytes), () => setTimeout(() => response.destroy(), 50))
  }
}

/** As the hub lists it: large files by SHA-256, small ones by git's blob id. */
function entryOf(path: string, content: Uint8Array): object {
  const sha256 = createHash('sha256').update(content).digest('hex')
  const git = createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex')
  const entry = { type: 'file', path, size: content.byteLength, oid: git }
  return path.endsWith('.json')
    ? entry
    : { ...entry, lfs: { oid: sha256, size: content.byteLength, pointerSize: 130 } }
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"error": "Repository not found"}')
}
