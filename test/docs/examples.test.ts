import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scratch = join(root, 'build', 'examples')
const library = pathToFileURL(join(root, 'dist/index.js')).href

/** The TypeScript blocks of a page; lines of comment at a block's end are what it prints. */
function examplesOf(page: string): { title: string; code: string; printed: string }[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ''], index) => {
    const lines = code.trimEnd().split('\n')
    const firstPrinted = lines.findLastIndex((line) => !line.startsWith('// ')) + 1
    const printed = lines.slice(firstPrinted).map((line) => line.slice(3))
    return { title: `${page}, block ${index + 1}`, code, printed: printed.join('\n') }
  })
}

const examples = ['README.md', 'docs/library.md', 'docs/finetune.md']
  .filter((page) => existsSync(join(root, page)))
  .flatMap(examplesOf)

/** What `run-example.mjs` tells of an example. */
interface Ran {
  readonly address: string
  readonly printed: string
  readonly error?: string
}

/** What an example has printed, once all of it has run. */
async function runIn(runner: ChildProcess, title: string, code: string): Promise<string> {
  const { outputText } = ts.transpileModule(code.replaceAll("'blvit'", `'${library}'`), {
    // Node 20 has no `await using`; the compiler spells it out
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
  })
  const file = join(scratch, `${title.replace(/\W+/g, '-')}.mjs`)
  writeFileSync(file, outputText)
  const address = pathToFileURL(file).href
  const { printed, error } = await new Promise<Ran>((resolve, reject) => {
    const ended = () => reject(new Error('the process that runs the examples has ended'))
    const listen = (ran: Ran) => {
      // one that came too late for its own test
      if (ran.address !== address) return
      runner.off('message', listen).off('exit', ended)
      resolve(ran)
    }
    runner.on('message', listen).on('exit', ended)
    runner.send(address)
  })
  if (error !== undefined) throw new Error(`${title} failed: ${error}`)
  return printed.trimEnd()
}

describe('the examples in the documentation', () => {
  let runner: ChildProcess
  beforeAll(() => {
    mkdirSync(scratch, { recursive: true })
    runner = fork(join(root, 'test/docs/run-example.mjs'), { cwd: root })
  })
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  test('examples/find-similar.ts finds the bird beside a bird', async () => {
    const code = readFileSync(join(root, 'examples/find-similar.ts'), 'utf8')
    const lines = (await runIn(runner, 'find-similar', code)).split('\n')
    expect(lines[0]).toBe('1.000 hummingbird.jpg')
    expect(lines).toHaveLength(5)
    const cosines = lines.map((line) => Number(line.split(' ')[0]))
    expect(cosines).toEqual(cosines.toSorted((a, b) => b - a))
  })

  test.each(examples)('$title runs and prints what it says', async ({ title, code, printed }) => {
    const lines = await runIn(runner, title, code)
    if (printed !== '') expect(lines).toBe(printed)
  })

  test('once all is disposed, nothing keeps the process alive', async () => {
    const ended = once(runner, 'exit')
    runner.disconnect()
    expect(await ended).toEqual([0, null])
  })
})
