import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AutoModelForImageClassification, env, pipeline, Tensor } from '@huggingface/transformers'
import { beforeAll, describe, expect, test } from 'vitest'
import { describeModel } from '../../src/model-store/node/open-model.js'
import type { Model } from '../../src/tasks/model.js'
import { load } from '../../src/tasks/node/load.js'
import { writeColours } from '../support/coloured-pictures.js'
import { expectClose } from '../support/expect-close.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { writeTinyVit } from '../support/tiny-training.js'

env.allowRemoteModels = false

const examples = fileURLToPath(new URL('../../examples', import.meta.url))
const photographs = readdirSync(examples).filter((name) => name.endsWith('.jpg'))

async function blvit(...args: string[]): Promise<void> {
  const { code, stderr } = await runInProcess(args)
  expect(code, stderr).toBe(0)
}

describe.each([
  ['a ViT', ['vit-tiny'], 1e-4],
  // 11 bits of significand; the largest logits are about 15
  ['a ViT in float16', ['vit-tiny', '--dtype', 'fp16'], 0.05],
  // at keep ratio 1 and with fresh small blocks it gives the ViT's labels
  ['a big.LITTLE model', ['t48', '--keep-ratio', '1'], 1e-4],
] as const)('transformers.js loads %s from its folder', (name, [source, ...options], atol) => {
  const folder = temporaryFolder()
  const exported = join(folder, 'exported')
  const reference = source === 't48' ? join(folder, 't48') : source
  const keepRatio = source === 't48' ? 1 : undefined
  const file = options[0] === '--dtype' ? `model_${options[1]}.onnx` : 'model.onnx'
  let ours: Model
  beforeAll(async () => {
    if (source === 't48') await blvit('convert', 'vit-tiny', '--to', 't+48', '-o', reference)
    await blvit('export', reference, '--for', 'transformers.js', ...options, '-o', exported)
    ours = await load(reference)
    return () => ours.dispose()
  })

  test('and its pipeline gives our labels, with nearly our probabilities', async () => {
    const classifier = await pipeline('image-classification', exported)
    let largest = 0
    for (const photograph of photographs) {
      const picture = join(examples, photograph)
      const [theirs] = await classifier(picture, { top_k: 1 })
      const { top } = await ours.classify(picture, { top: 1, keepRatio })
      expect(theirs?.label).toBe(top[0]?.label)
      largest = Math.max(largest, Math.abs((theirs?.score ?? 0) - (top[0]?.probability ?? 1)))
    }
    await classifier.dispose()
    console.log(
      `${name}: probabilities of ${photographs.length} photographs differ by up to ${largest.toFixed(4)}`,
    )
    // It resizes with another filter than Pillow's and ours.
    expect(largest).toBeLessThan(0.05)
  })

  test('and gives our logits for the same pixels, without being fed `kept`', async () => {
    const model = await AutoModelForImageClassification.from_pretrained(exported)
    const pictures = await Promise.all(photographs.map((name) => ours.prepare(join(examples, name))))
    const all = new Float32Array(pictures.flatMap((picture) => [...picture]))
    const pixels = new Tensor('float32', all, [pictures.length, 3, 224, 224])
    const { logits } = await model({ pixel_values: pixels })
    expectClose(logits.data, await ours.logits(pictures, { keepRatio }), { atol })
    await model.dispose()
  })

  test('while blvit still knows what the folder holds', async () => {
    const description = await describeModel(exported)
    expect(description.architecture).toMatchObject({
      family: ours.architecture.family,
      json: ours.architecture.json,
    })
    expect(description.labels).toEqual(ours.labels)
    expect(description.preprocessing).toEqual(ours.preprocessing)
    expect(readdirSync(exported).sort()).toEqual([
      'README.md',
      'config.json',
      'onnx',
      'preprocessor_config.json',
    ])
    expect(readdirSync(join(exported, 'onnx'))).toEqual([file])
    expect(readFileSync(join(exported, 'README.md'), 'utf8')).toMatch(
      /^---\nlibrary_name: transformers\.js\n/,
    )
  })
})

test('transformers.js runs a ViT whose linear maps are in int8', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'blvit-interop-'))
  try {
    const exported = join(folder, 'exported')
    await blvit('export', 'vit-tiny', '--for', 'transformers.js', '--dtype', 'int8', '-o', exported)
    expect(readdirSync(join(exported, 'onnx'))).toEqual(['model_int8.onnx'])
    const classifier = await pipeline('image-classification', exported)
    const [best] = await classifier(join(examples, 'kite.jpg'), { top_k: 1 })
    expect(best?.label).toBe('kite')
    await classifier.dispose()
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('transformers.js runs a big.LITTLE model at the keep ratio that it was exported with', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'blvit-interop-'))
  try {
    const [routed, exported] = [join(folder, 'routed'), join(folder, 'exported')]
    await blvit('convert', 'vit-tiny', '--to', 't+48', '--set', 'selection=cls', '-o', routed)
    await blvit('export', routed, '--for', 'transformers.js', '--keep-ratio', '0.5', '-o', exported)
    await using ours = await load(routed)
    const picture = await ours.prepare(join(examples, 'kite.jpg'))
    const model = await AutoModelForImageClassification.from_pretrained(exported)
    const { logits } = await model({ pixel_values: new Tensor('float32', picture, [1, 3, 224, 224]) })
    await model.dispose()
    expectClose(logits.data, await ours.logits([picture], { keepRatio: 0.5 }), { atol: 1e-4 })
    const whole = await ours.logits([picture], { keepRatio: 1 })
    expect(Math.abs((whole[21] ?? 0) - logits.data[21])).toBeGreaterThan(0.1)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('transformers.js gives the labels of a model of one’s own classes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'blvit-interop-'))
  try {
    const [vit, mine, exported] = [join(folder, 'vit'), join(folder, 'mine'), join(folder, 'exported')]
    await writeTinyVit(vit)
    await writeColours(join(folder, 'photos'), { count: 4 })
    await blvit('finetune', '--data', join(folder, 'photos'), '-m', vit, '-o', mine, '--no-cache')
    await blvit('export', mine, '--for', 'transformers.js', '-o', exported)
    const classifier = await pipeline('image-classification', exported)
    await using ours = await load(mine)
    for (const colour of ['red', 'green', 'blue']) {
      const picture = join(folder, 'photos', colour, '0.png')
      const [theirs] = await classifier(picture, { top_k: 1 })
      const { top } = await ours.classify(picture, { top: 1 })
      expect([theirs?.label, top[0]?.label]).toEqual([colour, colour])
    }
    await classifier.dispose()
  } finally {
    await rm(folder, { recursive: true })
  }
})
