import { expect, test } from 'vitest'
import { listMethods } from '../../src/tasks/list-methods.js'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'

test('blvit methods lists what --reduce takes and the families that take none', async () => {
  const { code, stdout, stderr } = await runCli(['methods'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { reductions, families } = listMethods()
  for (const { example } of reductions) expect(stdout).toContain(`\n  ${example}\n`)
  for (const { name, title } of families) expect(stdout).toContain(`\n  ${name}, ${title}\n`)
  expect(stdout).toContain(`  tome:8
    merges the r most similar pairs of patches in every block.
    needs no training
    parameters: r, schedule=constant, proportional=true
    paper: Bolya et al., "Token Merging: Your ViT But Faster", ICLR 2023
`)
  expect(stdout).toMatch(
    /works without training, better with it; the model must have a class token and no distillation token/,
  )
})

test('blvit methods tome explains its parameters', async () => {
  const { code, stdout } = await runInProcess(['methods', 'tome'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ {2}r: how many tokens merge .*\n {4}a whole number of tokens.*; must be given$/m)
  expect(stdout).toMatch(/^ {2}schedule: how r is spread.*\n.*\(default: constant\)$/m)
  expect(stdout).toContain('example: blvit classify photo.jpg -m vit-tiny --reduce tome:8')
})

test('blvit methods --json is what the library gives; an unknown name is a wrong command line', async () => {
  const [all, wrong] = await Promise.all([
    runInProcess(['methods', '--json']),
    runInProcess(['methods', 'evitt']),
  ])
  expect(JSON.parse(all.stdout)).toEqual(listMethods())
  expect(wrong.stderr).toMatch(/^error: There is no method "evitt"\. Did you mean "evit"\?/)
  expect(wrong).toMatchObject({ code: 2, stdout: '' })
})
