import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.jpg': 'image/jpeg',
}

/** Where a browser finds the packages that the library's modules name. */
const importMap = {
  imports: {
    '@bufbuild/protobuf/wire': '/node_modules/@bufbuild/protobuf/dist/esm/wire/index.js',
    'fastest-levenshtein': '/node_modules/fastest-levenshtein/esm/mod.js',
    'onnxruntime-web': '/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs',
    'onnxruntime-web/webgpu': '/node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs',
    zod: '/node_modules/zod/index.js',
  },
}

const emptyPage = `<!doctype html><meta charset="utf-8"><title>blvit</title>
<link rel="icon" href="data:,"><script type="importmap">${JSON.stringify(importMap)}</script>`

/** Serves the built library and the pages of tests to a browser, as ES modules without a bundler. */
export interface PageServer extends AsyncDisposable {
  readonly url: string
}

export interface PageServerOptions {
  /** Folders beside the repository's: first part of the address → folder. */
  readonly folders?: Readonly<Record<string, string>>
  /** Send the headers that let a page share memory between threads. Default false. */
  readonly isolated?: boolean
  /** Whether the connection is lost in the middle of an answer. Default: never. */
  readonly isLost?: (address: string) => boolean
}

/** `/src/…` are the built modules, so that those of tests import as they do in Node; the rest lies as it does. */
function fileOf(address: string, folders: Readonly<Record<string, string>>): string | undefined {
  const [, first = '', ...rest] = normalize(decodeURIComponent(address)).split('/')
  const known = {
    src: join(root, 'dist/modules'),
    node_modules: join(root, 'node_modules'),
    test: join(root, 'test'),
  }
  const folder = { ...known, ...folders }[first]
  return folder === undefined ? undefined : join(folder, ...rest)
}

async function contentOf(file: string): Promise<string | Buffer> {
  // Pages of tests are TypeScript, checked like all tests.
  const source = file.startsWith(join(root, 'test')) ? file.replace(/\.js$/, '.ts') : file
  if (extname(source) !== '.ts') return readFile(source)
  const { target, module } = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 }
  return ts.transpileModule(await readFile(source, 'utf8'), { compilerOptions: { target, module } })
    .outputText
}

export async function servePages({
  folders = {},
  isolated = false,
  isLost = () => false,
}: PageServerOptions = {}): Promise<PageServer> {
  const server = createServer(async ({ url = '/' }, response) => {
    const address = url.split('?')[0] ?? '/'
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    }
    const file = fileOf(address.replace(/(.)\/$/, '$1/index.html'), folders)
    try {
      const content = address === '/' ? emptyPage : await contentOf(file ?? '')
      const type =
        contentTypes[address.endsWith('/') ? '.html' : extname(address)] ?? 'application/octet-stream'
      response.setHeader('Content-Type', type)
      if (!isLost(address)) response.writeHead(200).end(content)
      else {
        response.writeHead(200, { 'Content-Length': content.length })
        response.write(content.slice(0, content.length >> 1), () => response.destroy())
      }
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
