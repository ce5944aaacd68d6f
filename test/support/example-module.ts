import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * An example of `examples/` as a module that this Node can run, with the library that was built.
 * @returns its file's address
 */
export function exampleModule(name: string): string {
  const library = pathToFileURL(join(root, 'dist/index.js')).href
  const source = readFileSync(join(root, 'examples', name), 'utf8').replaceAll("'blvit'", `'${library}'`)
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
  })
  const folder = join(root, 'build', 'example-modules')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, name.replace(/\.ts$/, '.mjs'))
  writeFileSync(file, outputText)
  return pathToFileURL(file).href
}
