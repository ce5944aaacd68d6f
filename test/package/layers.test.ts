import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A tiny house with one file a layer, so that every import below leads somewhere. */
const house: Readonly<Record<string, string>> = {
  'src/base/room.ts': "import type { z } from 'zod'\nexport type Schema = z.ZodType",
  'src/graph/room.ts': "import type { Schema } from '../base/room.js'\nexport type Node = Schema",
  'src/nn/room.ts': "import type { Node } from '../graph/room.js'\nexport type Layer = Node",
  'src/models/room.ts': "import type { Layer } from '../nn/room.js'\nexport type Model = Layer",
  'src/weights/room.ts': 'export type Weights = Uint8Array',
  'src/weights/node/room.ts': "import { readFile } from 'node:fs/promises'\nexport const read = readFile",
  'src/image/room.ts': 'export type Pixels = Uint8Array',
  'src/image/node/room.ts': "import sharp from 'sharp'\nexport const decode = sharp",
  'src/runtime/room.ts': "export const load = () => import('onnxruntime-web')",
  'src/runtime/node/room.ts': "export const load = () => import('onnxruntime-node')",
  'src/training/room.ts': "import type { Model } from '../models/room.js'\nexport type Loss = Model",
  'src/tasks/room.ts': "import type { Model } from '../models/room.js'\nexport type Task = Model",
  'src/cli/room.ts': "import type { read } from '../weights/node/room.js'\nexport type Read = typeof read",
}

/** The name of the broken rule, then a file and the line in it that must not pass. */
const forbidden: readonly (readonly [rule: string, file: string, line: string])[] = [
  ['base-imports', 'src/base/up.ts', "export * from '../graph/room.js'"],
  ['graph-imports', 'src/graph/up.ts', "export type * from '../models/room.js'"],
  ['graph-imports', 'src/graph/reads-files.ts', "import 'node:fs'"],
  ['graph-imports', 'src/graph/names-files.ts', "import 'node:path'"],
  ['graph-imports', 'src/graph/knows-an-engine.ts', "import type {} from 'onnxruntime-common'"],
  ['graph-imports', 'src/graph/knows-an-engine-late.ts', "export const late = import('onnxruntime-web')"],
  ['nn-imports', 'src/nn/up.ts', "export * from '../models/room.js'"],
  ['nn-imports', 'src/nn/decodes.ts', "import 'sharp'"],
  ['models-imports', 'src/models/sideways.ts', "export * from '../weights/room.js'"],
  ['models-imports', 'src/models/reads-files.ts', "import 'node:fs/promises'"],
  ['models-imports', 'src/models/knows-training.ts', "export type * from '../training/room.js'"],
  ['training-imports', 'src/training/up.ts', "export type * from '../tasks/room.js'"],
  ['training-imports', 'src/training/reads-files.ts', "import 'node:fs'"],
  [
    'training-takes-only-types-of-the-outside-world',
    'src/training/opens-an-engine.ts',
    "export { load } from '../runtime/room.js'",
  ],
  ['weights-imports', 'src/weights/sideways.ts', "export * from '../image/room.js'"],
  ['weights-imports', 'src/weights/down.ts', "export * from '../graph/room.js'"],
  ['image-imports', 'src/image/sideways.ts', "export * from '../weights/room.js'"],
  ['image-imports', 'src/image/reads-files.ts', "import 'node:fs'"],
  ['image-imports', 'src/image/decodes.ts', "export const late = import('sharp')"],
  ['browsers-have-no-node', 'src/image/for-node.ts', "export type * from './node/room.js'"],
  ['image-node-imports', 'src/image/node/talks.ts', "import 'node:http'"],
  ['runtime-imports', 'src/runtime/native.ts', "export const late = import('onnxruntime-node')"],
  ['browsers-have-no-node', 'src/engine/for-node.ts', "export * from '../runtime/node/room.js'"],
  ['runtime-imports', 'src/runtime/knows-a-model.ts', "export * from '../models/room.js'"],
  ['tasks-imports', 'src/tasks/up.ts', "export * from '../cli/room.js'"],
  ['tasks-imports', 'src/tasks/knows-an-engine.ts', "export const late = import('onnxruntime-node')"],
  ['cli-imports', 'src/cli/jumps.ts', "export * from '../models/room.js'"],
  [
    'cli-takes-only-types-of-weights',
    'src/cli/reads-weights.ts',
    "export { read } from '../weights/node/room.js'",
  ],
  ['index-imports', 'src/index.ts', "export * from './cli/room.js'"],
  ['web-runs-in-a-browser', 'src/web.ts', "export * from './tasks/for-node.js'"],
  ['nothing-imports-the-faces', 'src/tasks/circular-face.ts', "export * from '../index.js'"],
  ['no-unknown-layer-importing', 'src/utils/anything.ts', "export * from '../base/room.js'"],
  ['no-unknown-layer', 'src/tasks/uses-unknown.ts', "export * from '../utils/anything.js'"],
  ['optional-packages-load-late', 'src/runtime/breaks-the-fallback.ts', "import 'onnxruntime-node'"],
  ['no-unresolvable', 'src/tasks/nowhere.ts', "import './nowhere-at-all.js'"],
  ['no-undeclared-package', 'src/weights/undeclared.ts', "import 'adm-zip'"],
  ['no-dev-package', 'src/weights/dev.ts', "import 'fast-check'"],
  ['no-cycles', 'src/nn/cycle-a.ts', "import { b } from './cycle-b.js'\nexport const a = () => b()"],
  ['no-cycles', 'src/nn/types-a.ts', "import type { B } from './types-b.js'\nexport type A = B | 1"],
]

/** What the web face reaches, and what closes the circles: of files, of types alone, and of folders whose files stand in none. */
const waysBack: Readonly<Record<string, string>> = {
  'src/tasks/for-node.ts': "export * from '../runtime/node/room.js'",
  'src/nn/cycle-b.ts': "import { a } from './cycle-a.js'\nexport const b = (): unknown => a()",
  'src/nn/types-b.ts': "import type { A } from './types-a.js'\nexport type B = { a: A }",
  'src/nn/left/up.ts': "export type { Down } from '../right/down.js'",
  'src/nn/right/down.ts': 'export type Down = 1',
  'src/nn/right/up.ts': "export type { Down } from '../left/down.js'",
  'src/nn/left/down.ts': 'export type Down = 1',
}

interface Violation {
  readonly rule: string
  readonly from: string
}

let folder = ''
let violations: readonly Violation[] = []

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), `${text}\n`)
  }
}

/** Runs the committed rule as `npm run lint` does, in the folder. */
async function cruise(): Promise<readonly Violation[]> {
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const args = [cruiser, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src']
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  })
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: { from: string; rule: { name: string } }[] }
  }
  return summary.violations.map(({ from, rule }) => ({ rule: rule.name, from }))
}

describe('the layer rule', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blvit-layers-'))
    for (const file of ['.dependency-cruiser.cjs', 'package.json', 'tsconfig.json']) {
      await copyFile(join(root, file), join(folder, file))
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    await write(house)
    await expect(cruise(), 'the house before anything forbidden').resolves.toEqual([])
    await write(Object.fromEntries(forbidden.map(([, file, line]) => [file, line])))
    await write(waysBack)
    violations = await cruise()
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  test.each(forbidden)('%s fails on %s: %s', (rule, file) => {
    expect(violations).toContainEqual({ rule, from: file })
  })

  test.each(['left', 'right'])(
    'no-folder-cycles fails on src/nn/%s, though no files form a circle',
    (side) => {
      expect(violations).toContainEqual({ rule: 'no-folder-cycles', from: `src/nn/${side}` })
    },
  )
})
