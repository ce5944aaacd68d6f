import { describe, expect, test } from 'vitest'
import type { BlvitError } from '../../src/base/blvit-error.js'
import { presets } from '../../src/models/index.js'
import { parseReduction } from '../../src/reduction/parse-reduction.js'
import { reductionFacts } from '../../src/reduction/reduction-facts.js'
import { shrunk } from '../support/tiny-models.js'

/** What is thrown, as `CODE: message`. */
function complaint(make: () => unknown): string {
  try {
    make()
  } catch (thrown) {
    const { code, message } = thrown as BlvitError
    return `${code}: ${message}`
  }
  return 'nothing'
}

const examples = reductionFacts()
  .map(({ example }) => example)
  .join(', ')

describe('a reduction as text', () => {
  test.each([
    ['evit:0.7', 'evit:0.7'],
    [' EViT : 0.70 , fuse = true ', 'evit:0.7'],
    ['evit:0.7,fuse=false', 'evit:0.7,fuse=false'],
    ['evit:keep=0.7', 'evit:0.7'],
    ['evit:fuse=false,keep=.5', 'evit:0.5,fuse=false'],
    ['evit:0.9/0.7,blocks=3/6', 'evit:0.9/0.7,blocks=3/6'],
    ['evit:5e-1', 'evit:0.5'],
    ['tome:8', 'tome:8'],
    ['tome:8,schedule=constant,proportional=true', 'tome:8'],
    ['tome:8,schedule=decreasing', 'tome:8,schedule=decreasing'],
    ['tome:8,schedule=-1', 'tome:8,schedule=decreasing'],
    ['tome:8,schedule=-0.5', 'tome:8,schedule=-0.5'],
    ['tome:16/8/0/8', 'tome:16/8/0/8'],
    ['tome:13,proportional=false', 'tome:13,proportional=false'],
    ['mctf:16', 'mctf:16'],
    ['mctf:.35,blocks=3/6/9,one-step=true', 'mctf:0.35,blocks=3/6/9'],
    ['mctf:8,pooling=size,size=20', 'mctf:8,pooling=size,size=20'],
    ['top-k:0.5', 'top-k:0.5'],
    ['random:0.5,blocks=0', 'random:0.5,blocks=0'],
    ['ats', 'ats:1'],
    ['ats:64,blocks=3/6', 'ats:64,blocks=3/6'],
    ['ats:samples=0.5,gather=false', 'ats:0.5,gather=false'],
    ['a-vit:30', 'a-vit:tiny'],
    ['a-vit:small,scale=10,epsilon=0.01', 'a-vit:small'],
    ['a-vit:3.5,scale=4', 'a-vit:3.5,scale=4'],
  ])('%s is %s', (given, canonical) => {
    expect(parseReduction(given).text).toBe(canonical)
    expect(parseReduction(canonical).text).toBe(canonical)
  })

  test.each([
    [
      'evti:0.7',
      `BAD_OPTION: There is no reduction "evti". Did you mean "evit"? Known, for example: ${examples}.`,
    ],
    ['evit', `BAD_OPTION: "evit" doesn't say how much: write for example evit:0.7.`],
    [
      'evit:',
      `BAD_OPTION: evit's keep is "", but must be a number above 0 and up to 1, or one for each of its blocks, as in 0.9/0.7/0.5. For example: evit:0.7.`,
    ],
    [
      'evit:1.5',
      `BAD_OPTION: evit's keep is "1.5", but must be a number above 0 and up to 1, or one for each of its blocks, as in 0.9/0.7/0.5. For example: evit:0.7.`,
    ],
    [
      'evit:fuse=false',
      `BAD_OPTION: evit's keep is missing; it must be a number above 0 and up to 1, or one for each of its blocks, as in 0.9/0.7/0.5. For example: evit:0.7.`,
    ],
    [
      'evit:0.7,fuze=false',
      `BAD_OPTION: "evit:0.7,fuze=false": there is no parameter "fuze". Did you mean "fuse"? evit has keep (the first), fuse, blocks; for example evit:0.7.`,
    ],
    [
      'evit:0.7,fuse',
      `BAD_OPTION: "evit:0.7,fuse": "fuse" should be written parameter=value. evit has keep (the first), fuse, blocks; for example evit:0.7.`,
    ],
    [
      'evit:0.7,keep=0.6',
      `BAD_OPTION: "evit:0.7,keep=0.6": keep is given twice. evit has keep (the first), fuse, blocks; for example evit:0.7.`,
    ],
    [
      'evit:0.7,blocks=3/3',
      `BAD_OPTION: evit's blocks is "3/3", but must be blocks counted from 0, each once, as in the names of their parameters: 3/6/9. For example: evit:0.7.`,
    ],
    [
      'tome:0x10',
      `BAD_OPTION: tome's r is "0x10", but must be a whole number of tokens, or one for each block from the first, as in 16/8/0/8. For example: tome:8.`,
    ],
    [
      'tome:8,schedule=falling',
      `BAD_OPTION: tome's schedule is "falling", but must be constant, decreasing, increasing, or a number from -1 (decreasing) to 1. For example: tome:8.`,
    ],
    ['constructor:1', `BAD_OPTION: There is no reduction "constructor". Known, for example: ${examples}.`],
    [
      'tome:8,__proto__=1',
      `BAD_OPTION: "tome:8,__proto__=1": there is no parameter "__proto__". tome has r (the first), schedule, proportional; for example tome:8.`,
    ],
  ])('%s is refused with what to do', (given, expected) =>
    expect(complaint(() => parseReduction(given))).toBe(expected),
  )

  test.each([
    'evit:0',
    'evit:-1',
    'evit:NaN',
    'evit:0.5/',
    'tome:-1',
    'tome:1.5',
    'mctf:-1',
    'mctf:1.5',
    'mctf:8,size=0',
    'mctf:8,pooling=max',
    'tome:1e9999',
    'top-k:',
    'random:x',
    'evit:0.5:0.6',
    'ats:',
    'ats:0',
    'ats:1.5',
    'a-vit:medium',
    'a-vit:tiny,scale=0',
    'a-vit:tiny,epsilon=1',
  ])('%s is no value', (given) =>
    expect(complaint(() => parseReduction(given))).toMatch(/^BAD_OPTION: .* must be /),
  )

  test('each has its example, and says what it does and who says so', () => {
    for (const { name, example, about, paper, parameters } of reductionFacts()) {
      expect(parseReduction(example).text).toBe(example)
      expect(example.startsWith(`${name}:`)).toBe(true)
      expect(Math.min(about.length, paper.length)).toBeGreaterThan(5)
      expect(about).not.toMatch(/\.$/)
      for (const parameter of parameters) expect(parameter.about.length, parameter.name).toBeGreaterThan(5)
    }
  })

  test('a default is what is printed for nothing', () => {
    for (const { example, parameters } of reductionFacts())
      for (const { name, default: usual } of parameters.slice(1))
        if (usual !== null) expect(parseReduction(`${example},${name}=${usual}`).text).toBe(example)
  })
})

describe('a reduction of a model that it can’t work on', () => {
  const hooksOf = (text: string, architecture: Parameters<ReturnType<typeof parseReduction>['hooks']>[0]) =>
    complaint(() => parseReduction(text).hooks(architecture))
  const plain = shrunk('vit-tiny')
  const preset = (name: string) => presets[name] ?? plain

  test.each(reductionFacts().map(({ example }) => example))('%s of a bLViT', (text) =>
    expect(hooksOf(text, preset('t+48'))).toBe(
      `BAD_OPTION: ${text.split(':')[0]} is for plain ViTs and DeiTs; a blvit decides in its own blocks which tokens save work. Turn its --keep-ratio, or take a plain ViT (-m vit-tiny).`,
    ),
  )

  test('a distillation token is no patch', () => {
    expect(hooksOf('evit:0.7', preset('deit-tiny-distilled'))).toMatch(
      /^BAD_OPTION: evit has code that takes a distillation token for a patch.* Take one that is not distilled, or tome/,
    )
    expect(hooksOf('ats', preset('deit-tiny-distilled'))).toMatch(
      /^BAD_OPTION: ats .* this model is distilled/,
    )
    expect(hooksOf('a-vit:30', preset('deit-tiny-distilled'))).toMatch(
      /^BAD_OPTION: a-vit .* this model is distilled/,
    )
    expect(hooksOf('tome:8', preset('deit-tiny-distilled'))).toBe('nothing')
  })

  test('no class token, nobody who looks', () => {
    const blind = { ...plain, facts: { ...plain.facts, classToken: false } }
    expect(hooksOf('evit:0.7', blind)).toMatch(/^BAD_OPTION: evit .* has no class token/)
    expect(hooksOf('top-k:0.7', blind)).toMatch(/^BAD_OPTION: top-k .* has no class token/)
    expect(hooksOf('ats', blind)).toMatch(/^BAD_OPTION: ats .* has no class token/)
    expect(hooksOf('a-vit:30', blind)).toMatch(/^BAD_OPTION: a-vit .* has no class token/)
    expect(hooksOf('tome:6', blind)).toBe('nothing')
    expect(hooksOf('mctf:6', blind)).toBe('nothing')
    expect(hooksOf('random:0.7', blind)).toBe('nothing')
  })

  test('blocks and numbers that it doesn’t have', () => {
    expect(hooksOf('evit:0.7,blocks=3/12', plain)).toBe(
      "BAD_OPTION: evit shall reduce in block 12, but this model's blocks are 0 to 11.",
    )
    expect(hooksOf('ats:1,blocks=12', plain)).toBe(
      "BAD_OPTION: ats shall reduce in block 12, but this model's blocks are 0 to 11.",
    )
    expect(hooksOf('random:0.7/0.5', plain)).toBe(
      'BAD_OPTION: random has 2 keep rates for 3 blocks (3, 6, 9). Give one rate, or one for each block.',
    )
    expect(hooksOf('tome:1/1/1/1/1/1/1/1/1/1/1/1/1', plain)).toBe(
      'BAD_OPTION: tome has 13 numbers of tokens for 12 blocks. Give one number, or at most 12.',
    )
    expect(hooksOf('tome:4/2,schedule=decreasing', plain)).toBe(
      "BAD_OPTION: tome's schedule is for a single r, but r is 4/2. Give one number, or no schedule.",
    )
  })
})
