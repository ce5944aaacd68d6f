import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { linearMsOf, rowsOf } from '../../src/bench/profile-rows.js'
import { type ProfiledNode, readProfile } from '../../src/bench/read-profile.js'
import { graphOf } from '../../src/graph/graph.js'
import { zeros } from '../../src/graph/initialiser.js'
import { gelu, input, linear, parameter } from '../../src/graph/ops/index.js'
import { scope } from '../../src/graph/scope.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const node = (scope: string, operator: string, microseconds = 100): ProfiledNode => ({
  node: `${scope}/${operator}`,
  operator,
  microseconds,
  calls: 1,
})

describe('the rows of a profile', () => {
  test.each([
    'Gemm',
    'FusedGemm',
    'MatMul',
    'DynamicQuantizeMatMul',
    'MatMulIntegerToFloat',
    'MatMulInteger',
    'QLinearMatMul',
    'MatMulNBits',
    'Attention',
    'MultiHeadAttention',
    'Conv',
    'NhwcFusedConv',
  ])('%s has a rate: it does the multiply-adds of its scope', (operator) => {
    const nodes = [node('blocks.0.fc1', 'Reshape'), node('blocks.0.fc1', operator)]
    const rows = rowsOf(nodes, new Map([['blocks.0.fc1', 1e6]]), 1)
    expect(rows).toHaveLength(2)
    expect(rows.find((row) => row.operator === operator)?.gflops).toBeCloseTo(20) // 2e6 in 100 µs
    expect(rows.find((row) => row.operator === 'Reshape')?.gflops).toBeUndefined()
  })
})

describe('the time in linear maps', () => {
  const x = input('x', [1, 8])
  const map = () => linear(x, parameter('weight', [8, 8], zeros), parameter('bias', [8], zeros))
  const graph = graphOf('two maps', {
    a: scope('a', map),
    b: scope('b', () => gelu(scope('inner', map))),
  })

  test('is that of all nodes of their scopes, whatever the precision makes of them', () => {
    const int8 = [
      node('a', 'DynamicQuantizeLinear', 1000),
      node('a', 'MatMulIntegerToFloat', 4000),
      node('b.inner', 'DynamicQuantizeMatMul', 2000),
      node('b', 'Gelu', 9000),
      node('b.inner', 'Reshape', 9000),
    ]
    expect(linearMsOf(int8, graph, 2)).toBeCloseTo(3.5)
    expect(linearMsOf([node('a', 'Gemm', 3000), node('b', 'Gelu', 9000)], graph, 1)).toBeCloseTo(3)
  })
})

describe('reading what the engine wrote', () => {
  const folder = temporaryFolder()
  const written = (...files: readonly string[]) => {
    const own = mkdtempSync(join(folder, 'profile-'))
    const event = { cat: 'Node', name: 'a.b/Gemm_kernel_time', dur: 7, args: { op_name: 'Gemm' } }
    for (const file of files) writeFileSync(join(own, file), JSON.stringify([event, event, event]))
    return own
  }

  test('runs at the beginning are left out', async () => {
    expect(await readProfile(written('run_1.json'), { skippedRuns: 1 })).toEqual([
      { node: 'a.b/Gemm', operator: 'Gemm', microseconds: 14, calls: 3 },
    ])
  })

  test('two profiles are never taken for one: they are of two graphs', async () => {
    await expect(readProfile(written('run_1.json', 'run_2.json'), { skippedRuns: 1 })).rejects.toThrow(
      /several profiles: run_1\.json, run_2\.json/,
    )
  })
})
