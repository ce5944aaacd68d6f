import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ModelFiles } from '../../../../src/model-store/model-files.js'
import { openModel } from '../../../../src/model-store/node/open-model.js'
import { writeModelFolder } from '../../../../src/model-store/node/write-model-folder.js'
import { programOf } from '../../../../src/models/model-definition.js'
import { exportOnnx } from '../../../../src/tasks/node/export/export-onnx.js'
import { load } from '../../../../src/tasks/node/load.js'
import { expectClose } from '../../../support/expect-close.js'
import { randomFeeds, randomModel, randomPixels, shrunk } from '../../../support/tiny-models.js'

// Debian's own Python, whatever other Python stands first in the path
const python = '/usr/bin/python3'
const hasChecker = spawnSync(python, ['-c', 'import onnx']).status === 0

async function logits(path: string, files: ModelFiles, kept?: number): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(path, { logSeverityLevel: 3 })
  const { channels, image } = files.architecture
  const { values } = randomPixels(files.architecture, { count: 2 })
  const pixels = new ort.Tensor('float32', values, [2, channels, image.height, image.width])
  const keptFeed =
    kept === undefined ? {} : { kept: new ort.Tensor('int64', BigInt64Array.of(BigInt(kept)), [1]) }
  const outputs = await session.run({ pixel_values: pixels, ...keptFeed })
  await session.release()
  return outputs.logits?.data as Float32Array
}

const square = { rows: 4, columns: 4 }

describe.each([
  ['vit-tiny', shrunk('vit-tiny', { ...square, depth: 4 })],
  ['t+48', shrunk('t+48', square)],
  // E-blocks in every other layer of 6, not of 32
  [
    'h+b',
    shrunk('h+b', {
      ...{ ...square, depth: 6, full_layers: 2, predictor_after: [1, 3] },
      little: { ...(shrunk('h+b').json.little as object), layers: [3, 5] },
    }),
  ],
] as const)('an exported %s', (name, architecture) => {
  const files = randomModel(architecture)
  let folder: string
  let stored: ModelFiles
  beforeAll(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'blvit-export-')), 'model')
    await writeModelFolder(folder, files, { card: '' })
    stored = await openModel(folder)
  })
  afterAll(() => rm(join(folder, '..'), { recursive: true }))

  test('gives the logits of the loaded model: fused or standard, weights inside or external', async () => {
    await using model = await load(folder)
    const { count, values } = randomPixels(files.architecture, { count: 2 })
    const size = values.length / count
    const expected = await model.logits([values.slice(0, size), values.slice(size)])
    for (const target of ['native', 'standard'] as const) {
      for (const weights of ['inside', 'external'] as const) {
        const path = join(folder, `${target}-${weights}.onnx`)
        await exportOnnx(stored, path, { target, weights })
        expectClose(await logits(path, files), expected, { atol: 1e-5, rtol: 1e-5 })
      }
    }
  })

  test('for WebGPU has no input but the pictures: how many patches the big blocks take is decided', async () => {
    const [open, fixed] = ['open', 'fixed'].map((word) => join(folder, `${word}.onnx`))
    if (open === undefined || fixed === undefined) throw new Error('no paths')
    const keepRatio = name === 'vit-tiny' ? {} : { keepRatio: 0.25 }
    const { inputs } = await exportOnnx(stored, fixed, { target: 'webgpu', ...keepRatio })
    await exportOnnx(stored, open, { target: 'standard', ...keepRatio })
    expect(inputs).toEqual(['pixel_values'])
    expectClose(await logits(fixed, files), await logits(open, files), { atol: 1e-5, rtol: 1e-5 })
  })

  test.each(['native', 'standard'] as const)(
    'in float16 takes and gives float32, and differs little: %s',
    async (target) => {
      const [exact, half] = ['exact', 'half'].map((word) => join(folder, `${target}-${word}.onnx`))
      if (exact === undefined || half === undefined) throw new Error('no paths')
      await exportOnnx(stored, exact, { target })
      await exportOnnx(stored, half, { target, precision: 'fp16' })
      const expected = await logits(exact, files)
      const scale = Math.max(...expected.map(Math.abs))
      expectClose(await logits(half, files), expected, { atol: 0.02 * scale })
    },
  )

  test.skipIf(!hasChecker)(
    `passes Debian's onnx.checker with shapes inferred${hasChecker ? '' : ' (skipped: no python3-onnx)'}`,
    async () => {
      const paths: string[] = []
      for (const [weights, precision] of [
        ['inside', 'fp32'],
        ['external', 'fp32'],
        ['inside', 'fp16'],
        ['external', 'fp16'],
      ] as const) {
        const path = join(folder, `checked-${weights}-${precision}.onnx`)
        await exportOnnx(stored, path, { target: 'standard', weights, precision, allOutputs: true })
        paths.push(path)
      }
      // one Python for all: it reads its packages for longer than it checks
      const script = `
import onnx, sys
for path in sys.argv[1:]:
  onnx.checker.check_model(path, full_check=True)
  m = onnx.load(path)
  print(m.opset_import[0].version, m.graph.input[-1].type.tensor_type.shape.dim[0].dim_param)
  print(sum(n.name.startswith('blocks.3.attn.q/') for n in m.graph.node))
  print({p.key for p in m.metadata_props} >= {'configuration', 'preprocessing', 'labels'})
`
      const lines = execFileSync(python, ['-c', script, ...paths], { encoding: 'utf8' })
        .trim()
        .split('\n')
      for (const [i] of paths.entries()) {
        const [version, nodes, hasMetadata] = lines.slice(3 * i)
        expect({ version, hasMetadata }).toEqual({ version: '17 batch', hasMetadata: 'True' })
        expect(Number(nodes)).toBeGreaterThan(0)
      }
    },
  )
})

describe('the keep ratio of an exported model', () => {
  test('is the default of the input "kept"', async () => {
    const files = randomModel(shrunk('t+48', { rows: 4, columns: 4 }))
    const folder = await mkdtemp(join(tmpdir(), 'blvit-export-'))
    try {
      const path = (ratio: number) => join(folder, `${ratio}.onnx`)
      const exported = await exportOnnx(files, path(0.5), { keepRatio: 0.5 })
      expect(exported).toMatchObject({ inputs: ['kept', 'pixel_values'], outputs: ['logits'] })
      await exportOnnx(files, path(1), { keepRatio: 1 })
      const runtimeRun = async (keepRatio: number) => {
        const { Engine } = await import('../../../../src/engine/engine.js')
        const { nativeRuntime } = await import('../../../../src/runtime/node/native.js')
        const { architecture, weights } = files
        const engine = await Engine.load({ architecture, weights, runtime: await nativeRuntime() }, (model) =>
          programOf(model, 'classify'),
        )
        const { outputs } = await engine.run(randomFeeds(architecture, { count: 2 }), { keepRatio })
        await engine.dispose()
        return outputs.logits?.values as Float32Array
      }
      for (const ratio of [0.5, 1]) {
        expectClose(await logits(path(ratio), files), await runtimeRun(ratio), { atol: 1e-5, rtol: 1e-5 })
      }
      await expect(exportOnnx(files, path(2), { keepRatio: 0.01 })).rejects.toThrow(
        /keeps none of 16 patches/,
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
