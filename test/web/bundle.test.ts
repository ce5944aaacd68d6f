import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type OutputChunk, rolldown } from 'rolldown'
import { build } from 'vite'
import { beforeAll, expect, test } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = temporaryFolder()

beforeAll(async () => {
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/blvit'))
})

/** What a bundler makes of a module that uses the package. */
async function bundled(code: string): Promise<string> {
  await writeFile(join(folder, 'page.js'), code)
  await using bundle = await rolldown({
    input: join(folder, 'page.js'),
    platform: 'browser',
    external: /^onnxruntime-web/,
  })
  const { output } = await bundle.generate()
  const chunks = output.filter((file): file is OutputChunk => file.type === 'chunk')
  return chunks.map((chunk) => chunk.code).join('\n')
}

/** Marks of what only teaching, training and tracing need: names of graphs, options, classes. */
const others = ['head_loss', 'option of teach', 'TrainingSession', 'take the big path']

test('who only classifies gets no code that trains, and nothing of Node', async () => {
  const code = await bundled(
    "import { load } from 'blvit/web'\nawait (await load('m')).classify('photo.jpg')",
  )
  expect(others.filter((mark) => code.includes(mark))).toEqual([])
  expect(code.match(/["'`]node:\w+|\brequire\(|\bBuffer\./)?.[0]).toBeUndefined()
})

test('the marks are there where the code is', async () => {
  const code = await bundled(
    "import { teach, TrainingSession, tracePanels } from 'blvit/web'\nconsole.log(teach, TrainingSession, tracePanels)",
  )
  expect(others.filter((mark) => !code.includes(mark))).toEqual([])
})

test('the example is built by Vite as it stands', async () => {
  const output = await build({
    root: join(root, 'examples/web'),
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { 'blvit/web': join(root, 'dist/web/index.js') } },
    worker: { format: 'es' },
    build: { write: false },
  })
  const names = [output]
    .flat()
    .flatMap((built) => ('output' in built ? built.output.map(({ fileName }) => fileName) : []))
  expect(names).toEqual(expect.arrayContaining([expect.stringMatching(/worker-.*\.js$/), 'index.html']))
})
