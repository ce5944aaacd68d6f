import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type CliRun, runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

/** The standard output of a run that ends well and has nothing to complain about. */
async function output(...args: string[]): Promise<string> {
  return outputOf(await runInProcess(['analyze', ...args]))
}

function outputOf({ code, stdout, stderr }: CliRun): string {
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return stdout
}

describe('blvit analyze', () => {
  test('says on one screen what a configuration costs', async () => {
    expect(outputOf(await runCli(['analyze', 'b+t']))).toMatchInlineSnapshot(`
      "b+t (blvit): 224×224 pixels in 16×16 patches, 196 patch tokens + 1 prefix token
      keep ratio 0.25: P-blocks process 49 of 196 patches

      parameters     99,616,600  398.5 MB as F32
      multiply-adds     9.891 G  thop    linear + 4 per LayerNorm element: the bLViT paper's count
                        9.868 G  linear  linear maps and convolutions only
                       10.258 G  full    linear + the attention products q·kᵀ and A·v
      activations      18.909 M  elements written by all these products, attention maps included: fvcore's count

      part                        parameters  MB as F32  multiply-adds, M (thop)   share
      patch embedding                590,592        2.4                    115.6   1.2 %
      position and prefix tokens     152,064        0.6                        –   0.0 %
      P-blocks                    85,054,464      340.2                  7,204.2  72.8 %
      E-blocks                    13,045,824       52.2                  2,569.6  26.0 %
      α and γ                             44        0.0                        –   0.0 %
      predictors                       3,076        0.0                      0.6   0.0 %
      final norm                       1,536        0.0                      0.6   0.0 %
      head                           769,000        3.1                      0.8   0.0 %
      "
    `)
  })

  test('counts what pictures decide at its most, or for pictures', async () => {
    expect(await output('vit-tiny', '--reduce', 'ats')).toContain(
      'ats:1: each picture decides how many of 197 tokens are left; counted at the most (--data counts for pictures)',
    )
    const pictures = ['vit-tiny', '--reduce', 'ats', '--data', 'examples']
    const { pictures: seen, counted, multiplyAdds } = JSON.parse(await output(...pictures, '--json'))
    expect(seen).toBe(6)
    // 3 to 11 of 12 blocks
    const counts: number[] = Object.values(counted)
    expect(counts).toHaveLength(9)
    expect(counts).toEqual(counts.toSorted((a, b) => b - a))
    expect(multiplyAdds.full).toBeLessThan(0.7e9)
    const { code, stderr } = await runInProcess([
      'analyze',
      'vit-tiny',
      '--reduce',
      'evit:0.7',
      '--data',
      'examples',
    ])
    expect(code).toBe(2)
    expect(stderr).toContain(
      '--data is for methods with which each picture decides how many tokens go on (--reduce ats)',
    )
  })

  test('lists layers and scopes', async () => {
    expect(
      await output('micro+16', '--keep-ratio', '0.5', '--convention', 'full', '--layers', '--depth', '2'),
    ).toMatchInlineSnapshot(`
      "micro+16 (blvit): 32×32 pixels in 4×4 patches, 64 patch tokens + 1 prefix token
      keep ratio 0.5: P-blocks process 32 of 64 patches

      parameters       234,376  937.5 kB as F32
      multiply-adds   12.420 M  full    linear + the attention products q·kᵀ and A·v
                      10.650 M  linear  linear maps and convolutions only
                      10.875 M  thop    linear + 4 per LayerNorm element: the bLViT paper's count
      activations    232.957 k  elements written by all these products, attention maps included: fvcore's count

      part                        parameters  kB as F32  multiply-adds, k (full)   share
      patch embedding                  3,136       12.5                    196.6   1.6 %
      position and prefix tokens       4,224       16.9                        –   0.0 %
      P-blocks                       199,936      799.7                 10,211.8  82.2 %
      E-blocks                        26,160      104.6                  2,003.0  16.1 %
      α and γ                             12        0.0                        –   0.0 %
      predictors                         130        0.5                      8.2   0.1 %
      final norm                         128        0.5                        –   0.0 %
      head                               650        2.6                      0.6   0.0 %

      layer         parameters  multiply-adds, k (full)   share  tokens of P  done by E  then selects
      stem               7,360                    196.6   1.6 %
      blocks.0          49,984                  3,735.7  30.1 %           65               32 patches
      predictors.0          65                      4.1   0.0 %
      blocks.1          58,708                  2,826.4  22.8 %           33     23.6 %
      blocks.2          58,708                  2,826.4  22.8 %           33     23.6 %    32 patches
      predictors.1          65                      4.1   0.0 %
      blocks.3          58,708                  2,826.4  22.8 %           33     23.6 %
      norm                 128                        –   0.0 %
      head                 650                      0.6   0.0 %

      scope           parameters  multiply-adds, k (full)
      micro+16           234,376                 12,420.3
      ├─ (its own)         4,224                        –
      ├─ patch_embed       3,136                    196.6
      │  └─ proj           3,136                    196.6
      ├─ blocks          226,108                 12,214.9
      │  ├─ 0             49,984                  3,735.7
      │  ├─ 1             58,708                  2,826.4
      │  ├─ 2             58,708                  2,826.4
      │  └─ 3             58,708                  2,826.4
      ├─ predictors          130                      8.2
      │  ├─ 0                 65                      4.1
      │  └─ 1                 65                      4.1
      ├─ norm                128                        –
      └─ head                650                      0.6
      "
    `)
  })

  test('compares, each at its own keep ratio', async () => {
    expect(await output('--compare', 'vit-base,b+t@0.5,b+t')).toMatchInlineSnapshot(`
      "configuration  setting          parameters          multiply-adds, G          activations, M
      vit-base       plain            86,567,656  ×1.000            16.864  ×1.000          23.896  ×1.000
      b+t            keep ratio 0.5   99,616,600  ×1.151            13.072  ×0.775          23.495  ×0.983
      b+t            keep ratio 0.25  99,616,600  ×1.151             9.891  ×0.587          18.909  ×0.791

      multiply-adds (thop): linear + 4 per LayerNorm element: the bLViT paper's count
      ×: compared with vit-base
      "
    `)
  })

  test('compares a changed configuration with the usual one', async () => {
    const text = await output('b+t', '--set', 'semi_cross=false', '--set', 'little=null', '--compare', 'b+t')
    expect(text).toContain('b+t semi_cross=false little=null  keep ratio 0.25  86,570,754  ×1.000')
  })

  test('prints the graph with symbolic sizes, or with those of a keep ratio', async () => {
    const symbolic = await output('micro+16', '--graph')
    expect(symbolic.split('\n')[0]).toBe('blvit(kept, pixel_values)')
    expect(symbolic).toContain('[batch, kept+1, 64]')
    const at = await output('micro+16@0.5', '--graph')
    expect(at.split('\n')[0]).toBe('blvit(pixel_values)')
    expect(at).toContain('[batch, 33, 64]')
  })

  test('reads a folder or a config.json', async () => {
    const folder = temporaryFolder()
    const { config } = JSON.parse(await output('t+48', '--json'))
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, keep_ratio: 0.5 }))
    for (const path of [folder, join(folder, 'config.json')]) {
      expect(await output(path)).toContain('keep ratio 0.5: P-blocks process 98 of 196 patches')
    }
  })
})

describe('blvit analyze --json', () => {
  test('holds everything but the tree', async () => {
    const result = JSON.parse(await output('micro+16', '--json'))
    expect(Object.keys(result)).toEqual([
      'name',
      'family',
      'config',
      'image',
      'patchSize',
      'batch',
      'patches',
      'prefix',
      'setting',
      'keepRatio',
      'kept',
      'parameters',
      'multiplyAdds',
      'formulas',
      'activations',
      'parts',
      'layers',
    ])
    expect(result).toMatchObject({
      name: 'micro+16',
      family: 'blvit',
      kept: 16,
      // by hand, with the formulas of the specification, section 4: N = 65, K = 17, C = 64, c = 16
      parameters: 234_376,
      multiplyAdds: { linear: 8_684_160, thop: 8_896_896, full: 10_054_880 },
      formulas: { linear: '122880·batch·kept+6718080·batch' },
    })
    expect(Object.keys(result.parts[0])).toEqual(['part', 'parameters', 'sizeBytes', 'multiplyAdds'])
    expect(Object.keys(result.layers[2])).toEqual(['name', 'parameters', 'multiplyAdds'])
  })

  test('holds the tree down to --depth', async () => {
    const { scopes } = JSON.parse(await output('vit-micro', '--json', '--depth', '1'))
    expect(scopes.scopes.map(({ path }: { path: string }) => path)).toEqual([
      'patch_embed',
      'blocks',
      'norm',
      'head',
    ])
    expect(scopes.scopes[1].scopes).toEqual([])
  })

  test('is a list when comparing', async () => {
    const results = JSON.parse(await output('--compare', 'vit-micro,micro+16@0.5', '--json'))
    expect(results.map(({ name, kept }: { name: string; kept?: number }) => [name, kept])).toEqual([
      ['vit-micro', undefined],
      ['micro+16', 32],
    ])
  })
})

describe('blvit analyze refuses', () => {
  test.each([
    ['a name that is no configuration', ['b-t'], 1, 'There is no configuration "b-t". Did you mean "b+t"?'],
    ['an unknown setting', ['b+t', '--set', 'semi_cros=false'], 2, 'Did you mean "semi_cross"?'],
    ['a setting without a value', ['b+t', '--set', 'semi_cross'], 2, 'must have the form key=value'],
    ['a setting of a wrong kind', ['b+t', '--set', 'semi_cross=maybe'], 2, 'semi_cross'],
    ['keep ratio 0', ['b+t', '-r', '0'], 2, 'must be a number above 0 and up to 1'],
    ['keep ratio 1.5', ['b+t', '-r', '1.5'], 2, 'must be a number above 0 and up to 1'],
    ['keep ratio NaN', ['b+t', '-r', 'NaN'], 2, 'must be a number above 0 and up to 1'],
    ['keep ratio 1.5 behind a name', ['b+t@1.5'], 2, 'Keep ratio "1.5" must be a number above 0'],
    ['a keep ratio that keeps nothing', ['b+t', '-r', '0.001'], 2, 'keeps none of 196 patches'],
    ['a keep ratio for a plain ViT', ['vit-base', '-r', '0.5'], 2, 'processes every token'],
    ['an unknown convention', ['b+t', '-c', 'flops'], 2, 'Allowed choices are thop, linear, full'],
    ['depth 0', ['b+t', '--depth', '0'], 2, 'must be a whole number from 1'],
    ['no configuration at all', [], 2, 'Name a configuration'],
    ['changes to nothing', ['--compare', 'b+t,vit-base', '-r', '0.5'], 2, 'take a setting as b+t@0.5'],
    ['an empty comparison', ['--compare', ','], 2, 'Between its commas something is missing'],
    ['a graph as JSON', ['b+t', '--graph', '--json'], 2, 'cannot be used with'],
  ])('%s', async (_, args, expectedCode, complaint) => {
    const { code, stdout, stderr } = await runInProcess(['analyze', ...args])
    expect(stderr).toContain(complaint)
    expect(stdout).toBe('')
    expect(code).toBe(expectedCode)
  })
})
