import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { compareCase, openGoldenFolder, passed } from './compare.js'

/** Made by `from-specification/make.py`: what the official code's vectors leave out. */
const methods = ['adavit', 'tome', 'mctf']

const folders = await Promise.all(
  methods.map((method) =>
    openGoldenFolder(fileURLToPath(new URL(`from-specification/${method}`, import.meta.url))),
  ),
)

const cases = folders.flatMap((folder) =>
  Object.keys(folder.file.cases).map((name) => ({ method: folder.file.method, name, folder })),
)

test.each(cases)(
  '$method $name as NumPy computes it from the specification, together and alone',
  async ({ folder, name }) => {
    const report = await compareCase(folder, name)
    expect(passed(report), JSON.stringify(report)).toBe(true)
  },
)
