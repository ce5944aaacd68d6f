// Serves folders to a browser as a static host would: gzipped where that helps, with or without the headers that let a page share memory.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { gzipSync } from 'node:zlib'

const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.jpg': 'image/jpeg',
  '.JPEG': 'image/jpeg',
}

/** For an HTML page: where a browser finds the packages that the library's modules name. */
export function importMap({ engine = '/node_modules/onnxruntime-web' } = {}) {
  const imports = {
    '@bufbuild/protobuf/wire': '/node_modules/@bufbuild/protobuf/dist/esm/wire/index.js',
    'fastest-levenshtein': '/node_modules/fastest-levenshtein/esm/mod.js',
    'onnxruntime-web': `${engine}/dist/ort.wasm.bundle.min.mjs`,
    'onnxruntime-web/webgpu': `${engine}/dist/ort.webgpu.bundle.min.mjs`,
    zod: '/node_modules/zod/index.js',
  }
  return `<script type="importmap">${JSON.stringify({ imports })}</script>`
}

const packed = new Map()

/** @param folders first part of the address → folder. @returns its address, what it has sent, and a way to end it */
export async function serveFolders(folders, { isolated = true } = {}) {
  const sent = []
  const server = createServer(async ({ url = '/' }, response) => {
    const path = normalize(decodeURIComponent(url.split('?')[0])).replace(/\/$/, '/index.html')
    const [, first = '', ...rest] = path.split('/')
    const file = join(folders[first] ?? '/nowhere', ...rest)
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    }
    try {
      const content = packed.get(file) ?? gzipSync(await readFile(file))
      packed.set(file, content)
      response.writeHead(200, {
        'Content-Type': types[extname(file)] ?? 'application/octet-stream',
        'Content-Encoding': 'gzip',
        'Content-Length': String(content.byteLength),
      })
      response.end(content)
      sent.push({ path, bytes: content.byteLength })
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const end = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${server.address().port}/`, sent, end }
}
