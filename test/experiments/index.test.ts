import { describe, expect, test } from 'vitest'
import { parseWith } from '../../src/base/parse.js'
import { experiments } from '../../src/experiments/index.js'
import { methods } from '../../src/experiments/methods.js'
import { readArchitecture, withChanges } from '../../src/models/index.js'
import { recipeSchema } from '../../src/recipes/recipe.js'
import { analyze } from '../../src/tasks/analyze/analyze.js'

describe.each(Object.values(experiments))('the table $name', ({ name, rows, whole, claims }) => {
  test('names its rows once, and knows those that it speaks of', () => {
    const names = rows.map((row) => row.name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain(whole)
    // of a row with several scores a claim names one behind a slash
    for (const { rows: about } of claims) for (const row of about) expect(names).toContain(row.split('/')[0])
    expect(Object.hasOwn(experiments, name)).toBe(true)
  })

  test('all recipes are sound, and show the same pictures in steps of the same size', () => {
    const trained = rows.flatMap(({ recipe }) => recipe ?? [])
    const budgets = trained.map((recipe) =>
      parseWith(recipeSchema, recipe, 'a row').stages.reduce((sum, { pictures }) => sum + pictures, 0),
    )
    expect(new Set(budgets).size).toBe(1)
    expect(new Set(trained.flatMap(({ stages }) => stages.map(({ batch }) => batch))).size).toBe(1)
  })
})

test('methods that decide how many patches stay have about 60 % of the work', () => {
  const teacher = readArchitecture(methods.teacher.config)
  const whole = analyze(teacher).multiplyAdds.full
  const shares = methods.rows.flatMap(
    ({ name, isControl, student: { to, set, firstLayers, calibratedMask } }) => {
      if (isControl || firstLayers !== undefined || calibratedMask !== undefined || !(to || set)) return []
      const { multiplyAdds, counted } = analyze(withChanges(to ? readArchitecture(to) : teacher, set ?? {}))
      return counted ? [] : [[name, multiplyAdds.full / whole] as const]
    },
  )
  expect(shares.length).toBeGreaterThan(5)
  for (const [, share] of shares) expect(Math.abs(share - 0.6)).toBeLessThan(0.015)
})
