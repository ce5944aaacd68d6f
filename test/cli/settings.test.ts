import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const picture = fileURLToPath(new URL('../../examples/kite.jpg', import.meta.url))
const folder = temporaryFolder()
const output = (name: string) => ['-o', join(folder, name)]
const data = ['--data', join(folder, 'nothing')]

describe('values that no command can take blame the command line', () => {
  test.each<[string[], RegExp]>([
    [['classify', picture, '--keep-ratio', '2'], /Keep ratio "?2"?/],
    [['classify', picture, '--keep-ratio', '0.001'], /Keep ratio 0\.001 keeps none of 196 patches/],
    [['classify', picture, '--threads', '-1'], /--threads <n>' argument '-1'/],
    [['classify', picture, '--threads', '5000'], /threads is 5000; it must be a whole number from 1 to 1024/],
    [['classify', picture, '--batch', '100000000'], /batch is 100000000; .* from 1 to 4096/],
    [
      ['classify', picture, '--image-size', '225'],
      /image_size=225 is not possible: .*multiple of patch_size/,
    ],
    [['classify', picture, '--seed', '-1'], /--seed <n>' argument '-1'/],
    [['embed', picture, ...output('a.npy'), '--keep-ratio', '2'], /Keep ratio "?2"?/],
    [['trace', picture, ...output('a.png'), '--keep-ratio', '2'], /Keep ratio "?2"?/],
    [['eval', 'vit-tiny', ...data, '--reduce', 'evit:2'], /evit's keep is "2"/],
    [['bench', 'b+t', '--keep-ratio', '0.5,2'], /Keep ratio "?2"?/],
    [['analyze', 'b+t', '--keep-ratio', '0.001'], /keeps none of 196 patches/],
    [['analyze', 'b+t', '--set', 'keep_ratio=7'], /keep_ratio=7 is not possible: keep_ratio: Too big/],
    [['analyze', 'b+t', '--set', 'keep_ratio=0.001'], /keep_ratio=0\.001 is not possible: .*keeps none/],
    [['export', 'vit-tiny', ...output('a.onnx'), '--reduce', 'evit:9'], /evit's keep is "9"/],
    [['init', 'vit-micro', ...output('a'), '--set', 'depth=0'], /depth=0 is not possible: depth: Too small/],
    [
      ['convert', 'vit-tiny', '--to', 't+48', ...output('b'), '--set', 'keep_ratio=7'],
      /keep_ratio=7 is not possible/,
    ],
    [
      ['train', 'vit-tiny', '--recipe', 'end-to-end', ...data, ...output('c'), '--reduce', 'a:1'],
      /no reduction "a"/,
    ],
    [['distill', ...data, ...output('d'), '--keep-ratio', '2'], /Keep ratio "?2"?/],
    [['distill', ...data, ...output('d'), '--validate-at', '0.5', 'half'], /"half" is no setting/],
    [['distill', ...data, ...output('d'), '--batch', '99999999999'], /batch is 99999999999; .* to 4096/],
  ])('%j', async (args, complaint) => {
    const { code, stdout, stderr } = await runInProcess(args)
    expect(stderr).toMatch(complaint)
    expect(stderr).not.toMatch(/config\.json|blvit has a bug/)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  test('a setting given twice to a command that takes one', async () => {
    const words = ['analyze', 'vit-base', '--reduce', 'tome:8', '--reduce', 'tome:4']
    const { code, stderr } = await runInProcess(words)
    expect(stderr).toMatch(/--reduce <method>' argument 'tome:4' is invalid\. It was given before, as tome:8/)
    expect(code).toBe(2)
  })

  test('given twice to one that takes several: all of them', async () => {
    const args = ['bench', 'vit-tiny', '--reduce', 'tome:8', '--reduce', 'evit:0.5', '--profile']
    const { code, stderr } = await runInProcess(args)
    expect(stderr).toMatch(/tome:8, evit:0\.5 are 2 settings/)
    expect(code).toBe(2)
  })
})

describe('--seed', () => {
  const best = async (seed: string) => {
    const reduced = ['--model', 'vit-tiny', '--reduce', 'random:0.2', '--json', '--top', '1']
    const { code, stdout } = await runInProcess(['classify', picture, ...reduced, '--seed', seed])
    expect(code).toBe(0)
    return JSON.parse(stdout).top[0]
  }

  test('decides what is picked at random', async () => {
    const [first, again, other] = [await best('1'), await best('1'), await best('2')]
    expect(again).toEqual(first)
    expect(other.probability).not.toBe(first.probability)
  })

  test('is refused where nothing is', async () => {
    const { code, stderr } = await runInProcess(['classify', picture, '--model', 'vit-tiny', '--seed', '1'])
    expect(stderr).toMatch(/--seed 1 would change nothing: vit-tiny picks nothing at random/)
    expect(code).toBe(2)
  })
})

test('analyze and export say at which setting', async () => {
  const analysed = await runInProcess(['analyze', 'vit-base', '--reduce', 'evit:0.7'])
  expect(analysed.stdout).toMatch(/^evit:0\.7: 72 of 197 tokens are left at the end$/m)
  const exported = await runInProcess(['export', 'vit-tiny', '--reduce', 'tome:8', ...output('at.onnx')])
  expect(exported.stdout).toMatch(/MB\) of vit-tiny at tome:8: pixel_values → logits/)
})
