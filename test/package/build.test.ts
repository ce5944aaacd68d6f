import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))

const filesIn = (folder: string) => readdirSync(join(dist, folder)).filter((file) => file.endsWith('.js'))

const files = [...filesIn('.'), 'cli/main.js']

function read(file: string): string {
  return readFileSync(join(dist, file), 'utf8')
}

/** The names that a file imports as it is read. */
function importsOf(file: string): string[] {
  return [...read(file).matchAll(/^(?:import|export)\b[^'"\n]*?["']([^'"\n]+)["'];$/gm)].map(
    ([, name = '']) => name,
  )
}

/** The files that are read with one, itself included, and the packages that they import. */
function readWith(file: string) {
  const [found, packages] = [new Set<string>(), new Set<string>()]
  const pending = [file]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next)) continue
    found.add(next)
    for (const name of importsOf(next)) {
      if (name.startsWith('.')) pending.push(normalize(join(dirname(next), name)))
      else if (!name.startsWith('node:')) packages.add(name)
    }
  }
  return { files: [...found], packages: [...packages] }
}

describe('the built package', () => {
  test('has the files of threads and processes where their addresses lead', () => {
    const addresses = files.flatMap((file) =>
      [...read(file).matchAll(/new URL\(["']([^'"]+)["'],\s*import\.meta\.url\)/g)].map(([, path = '']) =>
        join(dirname(file), path),
      ),
    )
    expect(addresses.length).toBeGreaterThan(2)
    expect(addresses.filter((path) => !files.includes(path))).toEqual([])
  })

  test('starts the command line without what its commands need', () => {
    const { files: started, packages } = readWith('cli/main.js')
    expect(started).not.toContain('label.js')
    expect(packages).toEqual([])
  })

  test('reads few files for a first label, and no packages but those that are native', () => {
    const { files: readFiles, packages } = readWith('label.js')
    expect(readFiles).not.toContain('library.js')
    expect(readFiles.length).toBeLessThan(8)
    expect(packages).toEqual([])
    // what the command asks for when it runs lies there too, behind names that lead to it
    const [, command = ''] = /async function preparation\(([\s\S]*?)\n}/.exec(read('command-line.js')) ?? []
    const late = [...command.matchAll(/import\("\.\/([^"]+)"\)/g)].map(([, file = '']) => file)
    expect(late.length).toBeGreaterThan(1)
    for (const file of late) expect(readWith(file).files).not.toContain('library.js')
  })

  test('gives browsers files without Node', () => {
    const texts = filesIn('web').map((file) => read(`web/${file}`))
    for (const text of texts) expect(text.match(/["'`]node:\w+|\brequire\(|\bBuffer\./)?.[0]).toBeUndefined()
  })
})
