import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'rolldown'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const picture = join(root, 'examples/kite.jpg')
const folder = temporaryFolder()

/** A server's application; what it prints is JSON. */
const program = `
  import { load } from 'blvit'
  async function main() {
    const model = await load(process.argv[2])
    const { top } = await model.classify(process.argv[3], { top: 1 })
    await model.dispose()
    return { label: top[0].label, probability: top[0].probability, reason: model.engine.reason }
  }
  main().catch(({ name, code, message }) => ({ name, code, message }))
    .then((result) => console.log(JSON.stringify(result)))`

async function run(file: string, model: string) {
  const { stdout } = await promisify(execFile)(process.execPath, [file, model, picture], { cwd: folder })
  return JSON.parse(stdout) as Record<string, unknown>
}

describe('an application bundled into one file for a server', () => {
  beforeAll(async () => {
    await writeModelFolder(join(folder, 'model'), randomModel(shrunk('vit-tiny')), { card: '' })
    await mkdir(join(folder, 'node_modules'))
    await symlink(root, join(folder, 'node_modules/blvit'))
    // what is native can't be bundled and is installed beside the application
    for (const name of ['sharp', 'onnxruntime-node', 'onnxruntime-common', '@img']) {
      await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
    }
    await writeFile(join(folder, 'app.mjs'), program)
    for (const format of ['esm', 'cjs'] as const) {
      await build({
        input: join(folder, 'app.mjs'),
        platform: 'node',
        external: ['sharp', 'onnxruntime-node', 'onnxruntime-web'],
        logLevel: 'silent',
        output: {
          dir: join(folder, format),
          format,
          entryFileNames: format === 'esm' ? '[name].mjs' : '[name].cjs',
        },
      })
    }
  })

  test.each(['esm/app.mjs', 'cjs/app.cjs'])(
    '%s runs a folder’s model on the calling thread, and says why there',
    async (file) => {
      const { reason, ...answer } = await run(join(folder, file), 'model')
      const whole = await run(join(folder, 'app.mjs'), 'model')
      expect(answer).toEqual({ label: whole.label, probability: whole.probability })
      expect(whole.reason).toBe('the native library is the fastest here')
      expect(reason).toMatch(
        /^the native library is the fastest here, on the calling thread, which it blocks: The file of the engine's thread is missing .*external: \['blvit'\]/,
      )
    },
  )

  test.each(['esm/app.mjs', 'cjs/app.cjs'])('%s says what to do for a shipped model’s name', async (file) => {
    expect(await run(join(folder, file), 'vit-tiny')).toEqual({
      name: 'BlvitError',
      code: 'NOT_FOUND',
      message:
        "The model vit-tiny is missing beside blvit's code: a bundler left it out of this application. Tell it to " +
        "leave the package whole (external: ['blvit']) and install blvit beside the application. Or give the folder " +
        "of a model, e.g. load('./my-model').",
    })
  })

  test('holds no path of the machine that bundled it', async () => {
    expect(await readFile(join(folder, 'esm/app.mjs'), 'utf8')).not.toContain(root)
  })
})
