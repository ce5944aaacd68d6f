import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, describe, expect, test } from 'vitest'

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

describe('the examples in the documentation', () => {
  mkdirSync(scratch, { recursive: true })
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  test('examples/find-similar.ts finds the bird beside a bird', async () => {
    const code = readFileSync(join(root, 'examples/find-similar.ts'), 'utf8')
    const { outputText } = ts.transpileModule(code.replaceAll("'blvit'", `'${library}'`), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
    })
    const file = join(scratch, 'find-similar.mjs')
    writeFileSync(file, outputText)
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: root })
    const lines = stdout.trim().split('\n')
    expect(lines[0]).toBe('1.000 hummingbird.jpg')
    expect(lines).toHaveLength(5)
    const cosines = lines.map((line) => Number(line.split(' ')[0]))
    expect(cosines).toEqual(cosines.toSorted((a, b) => b - a))
  })

  test.each(examples)('$title runs and prints what it says', async ({ title, code, printed }) => {
    const { outputText } = ts.transpileModule(code.replaceAll("'blvit'", `'${library}'`), {
      // Node 20 has no `await using`; the compiler spells it out
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
    })
    const file = join(scratch, `${title.replace(/\W+/g, '-')}.mjs`)
    writeFileSync(file, outputText)
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: root })
    if (printed !== '') expect(stdout.trimEnd()).toBe(printed)
  })
})
