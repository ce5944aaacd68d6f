import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { runCli, stackTrace } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const kite = fileURLToPath(new URL('../../examples/kite.jpg', import.meta.url))

describe('blvit convert and export', () => {
  const folder = temporaryFolder()

  test('a folder that loads: at keep ratio 1 the labels of the ViT', async () => {
    const output = join(folder, 'my-t48')
    const { code, stdout, stderr } = await runCli(['convert', 'vit-tiny', '--to', 'T+48', '-o', output])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Wrote .*my-t48: T\+48 with 152 tensors of vit-tiny, 228 new\./)
    expect(stderr).toMatch(/not trained yet/)
    expect(readdirSync(output).sort()).toEqual([
      'README.md',
      'config.json',
      'model.safetensors',
      'preprocessor_config.json',
    ])
    const card = readFileSync(join(output, 'README.md'), 'utf8')
    expect(card).toMatch(
      /^---\nlibrary_name: blvit\npipeline_tag: image-classification\nlicense: apache-2\.0\n/,
    )
    const classified = await runInProcess([
      'classify',
      kite,
      '-m',
      output,
      '--keep-ratio',
      '1',
      '--json',
      '--top',
      '1',
    ])
    expect(JSON.parse(classified.stdout).top[0].index).toBe(21)
  })

  test('changed settings, another dtype, a summary as JSON', async () => {
    const output = join(folder, 'changed')
    const args = ['convert', 'vit-tiny', '--to', 't+48', '-o', output, '--dtype', 'F16', '--json']
    const { code, stdout } = await runInProcess([
      ...args,
      '--set',
      'keep_ratio=0.5',
      '--set',
      'selection=cls',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ output, config: { keep_ratio: 0.5, selection: 'cls' } })
    const config = JSON.parse(readFileSync(join(output, 'config.json'), 'utf8'))
    expect(config).toMatchObject({
      model_type: 'blvit',
      keep_ratio: 0.5,
      selection: 'cls',
      id2label: { 21: 'kite' },
    })
  })

  test('exports an ONNX file, a small one if the weights stay outside', async () => {
    const inside = join(folder, 'inside.onnx')
    const { code, stdout } = await runCli(['export', 'vit-tiny', '-o', inside, '--standard'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Wrote .*inside\.onnx \(11\.\d MB\) of vit-tiny: pixel_values → logits/)
    const model = join(folder, 'my-t48')
    const outside = join(model, 'model.onnx')
    const external = await runInProcess(['export', model, '-o', outside, '--external', '--json'])
    expect(JSON.parse(external.stdout)).toMatchObject({
      inputs: ['kept', 'pixel_values'],
      outputs: ['logits'],
    })
    expect(readFileSync(outside).length).toBeLessThan(500_000)
  })

  test('exports in float16, of half the size, and says so', async () => {
    const whole = join(folder, 'float32')
    await runInProcess(['convert', 'vit-tiny', '--to', 'vit-tiny', '-o', whole, '--dtype', 'F32'])
    const paths = ['fp32', 'fp16'].map((dtype) => join(folder, `${dtype}.onnx`))
    for (const path of paths) {
      const args = ['export', whole, '--standard', '--dtype', basename(path, '.onnx'), '-o', path]
      const { code, stdout } = await runInProcess(args)
      expect(code).toBe(0)
      if (path.endsWith('fp16.onnx'))
        expect(stdout).toMatch(/\(11\.\d MB, fp16\) of .*: pixel_values → logits/)
    }
    const [fp32 = 0, fp16 = 0] = paths.map((path) => statSync(path).size)
    expect(fp16 / fp32).toBeCloseTo(0.5, 2)
  })

  test.each([
    [
      'an unknown configuration',
      ['convert', 'vit-tiny', '--to', 't+84'],
      /no configuration "t\+84"\. Did you mean "t\+48"\?/,
    ],
    [
      'a P-block of another size',
      ['convert', 'vit-tiny', '--to', 'b+t'],
      /embed_dim 192, not 768.*Use t\+48/,
    ],
    [
      'an unknown setting',
      ['convert', 'vit-tiny', '--to', 't+48', '--set', 'keepratio=1'],
      /no setting "keepratio"\. Did you mean "keep_ratio"\?/,
    ],
    [
      'a setting out of range',
      ['convert', 'vit-tiny', '--to', 't+48', '--set', 'keep_ratio=1.5'],
      /keep_ratio/,
    ],
    ['a setting that is none', ['convert', 'vit-tiny', '--to', 't+48', '--set', 'keep_ratio'], /key=value/],
    ['a missing source', ['convert', './nowhere', '--to', 't+48'], /no model "\.\/nowhere"/],
    ['no target', ['convert', 'vit-tiny'], /--to <configuration>' not specified/],
    ['an impossible keep ratio', ['export', 'vit-tiny', '--keep-ratio', '2'], /above 0 and up to 1/],
    ['external weights elsewhere', ['export', 'vit-tiny', '--external'], /outside .*put the weights inside/],
  ])('%s: a clear message, nothing written', async (name, args, message) => {
    const ending = args[0] === 'export' ? '.onnx' : ''
    const output = join(folder, `${name.replaceAll(' ', '-')}${ending}`)
    const { code, stderr } = await runInProcess([...args, '-o', output])
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(stackTrace)
    expect(code).toBeGreaterThan(0)
    expect(existsSync(output)).toBe(false)
  })

  test('an output that can’t be written is refused and what is there stays', async () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, 'mine')
    const full = join(folder, 'full')
    mkdirSync(full)
    writeFileSync(join(full, 'notes.txt'), 'mine')
    for (const [args, message] of [
      [['convert', 'vit-tiny', '--to', 't+48', '-o', file], /is a file, not a folder/],
      [['convert', 'vit-tiny', '--to', 't+48', '-o', full], /is there already and holds 1 files/],
      [
        ['convert', 'vit-tiny', '--to', 't+48', '-o', '/proc/model'],
        /Can't write \/proc\/model: no such file/,
      ],
      [['export', 'vit-tiny', '-o', '/proc/model.onnx'], /can't be written|\/proc\/model\.onnx/],
      [['export', 'vit-tiny', '-o', join(folder, 'no/such/model.onnx')], /there is no folder/],
      [['export', 'vit-tiny', '-o', full], /full/],
    ] as const) {
      const { code, stderr } = await runInProcess(args)
      expect(stderr).toMatch(message)
      expect(stderr).not.toMatch(stackTrace)
      expect(code).toBe(1)
    }
    expect(readFileSync(file, 'utf8')).toBe('mine')
    expect(readdirSync(full)).toEqual(['notes.txt'])
    expect(readdirSync(folder).filter((name) => /incomplete|tmp/.test(name))).toEqual([])
  })
})
