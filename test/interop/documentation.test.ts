import { execFile } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { hasChromium, launchChromium, withoutChromium } from '../support/chromium.js'
import { servePages } from '../support/page-server.js'
import { pythonWith } from '../support/python.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/interop.md'), 'utf8')
const run = promisify(execFile)

const python = pythonWith('onnxruntime', 'numpy')
const withoutPython = python ? '' : ' (skipped: no Python here has onnxruntime)'

/** The code of the page's blocks in a language. */
function blocks(language: string): string[] {
  return [...page.matchAll(/```(\w+)\n(.*?)```/gs)].flatMap(([, name, code = '']) =>
    name === language ? [code] : [],
  )
}

/** What a block's last lines of comment say that it prints. */
function printedBy(code: string, mark: string): string {
  const lines = code.trimEnd().split('\n')
  const from = lines.findLastIndex((line) => !line.startsWith(mark)) + 1
  return lines
    .slice(from)
    .map((line) => line.slice(mark.length))
    .join('\n')
}

describe('docs/interop.md', () => {
  // stands for a user's folder: the repository's examples and packages, and what the blocks write
  const folder = temporaryFolder()
  beforeAll(async () => {
    for (const name of ['examples', 'node_modules']) symlinkSync(join(root, name), join(folder, name))
    for (const command of blocks('sh')) {
      const ours = command.replace('npx blvit', `${process.execPath} ${join(root, 'dist/cli/main.js')}`)
      await run('bash', ['-ec', ours], { cwd: folder })
    }
  })

  test('has blocks of every kind', () => {
    expect(['sh', 'js', 'html', 'python'].map((language) => blocks(language).length)).toEqual([2, 1, 1, 1])
  })

  test.each(blocks('js'))('transformers.js prints what the page says', async (code) => {
    const file = join(folder, 'block.mjs')
    writeFileSync(file, code)
    const { stdout } = await run(process.execPath, [file], { cwd: folder })
    expect(stdout.trimEnd()).toBe(printedBy(code, '// '))
  })

  test.skipIf(!python).each(blocks('python'))(
    `Python prints what the page says${withoutPython}`,
    async (code) => {
      const { stdout } = await run(python ?? '', ['-c', code], { cwd: folder })
      expect(stdout.trimEnd()).toBe(printedBy(code, '# '))
    },
  )

  test.skipIf(!hasChromium).each(blocks('html'))(
    `the page shows the label of its picture${withoutChromium}`,
    async (code) => {
      writeFileSync(join(folder, 'page.html'), code)
      await using server = await servePages({ folders: { mine: folder } })
      const browser = await launchChromium()
      try {
        const shown = await browser.newPage()
        await shown.goto(`${server.url}mine/page.html`)
        await shown.waitForFunction("document.querySelector('#label').textContent !== ''", undefined, {
          timeout: 100_000,
        })
        expect(await shown.textContent('#label')).toBe('kite')
      } finally {
        await browser.close()
      }
    },
    120_000,
  )
})
