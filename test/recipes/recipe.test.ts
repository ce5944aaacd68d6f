import { describe, expect, test } from 'vitest'
import { parseWith } from '../../src/base/parse.js'
import { recipes } from '../../src/recipes/index.js'
import { adjusted, recipeSchema, stepsOf } from '../../src/recipes/recipe.js'

const read = (name: string) => parseWith(recipeSchema, recipes[name], name)
const sizes = (recipe: ReturnType<typeof read>) =>
  recipe.stages.map(({ batch, accumulate }) => [batch, accumulate])

describe.each(Object.keys(recipes))('the recipe %s', (name) => {
  test('can be read, and asks the engine for no more than 64 small or 16 large pictures at once', () => {
    for (const { batch, objective } of read(name).stages) {
      expect(objective).toMatch(/^(block imitation|end to end|predictors|masks)$/)
      expect(batch).toBeLessThanOrEqual(name === 'from-scratch' ? 64 : 16)
    }
  })
})

describe('steps of many batches', () => {
  test('a step of the paper has 1,024 pictures, whatever the memory', () => {
    const paper = read('paper')
    expect(sizes(paper)).toEqual([[16, 64]])
    expect(paper.stages.map(stepsOf)).toEqual([Math.ceil((300 * 1_281_167) / 1024)])
    expect(paper.stages[0]?.learningRate).toBe(5e-4)
    expect(sizes(adjusted(paper, { batch: 4 }))).toEqual([[4, 256]])
    expect(sizes(adjusted(paper, { batch: 2048 }))).toEqual([[2048, 1]])
    expect(sizes(adjusted(paper, { accumulate: 2 }))).toEqual([[16, 2]])
    expect(sizes(adjusted(paper, { batch: 4, accumulate: 2 }))).toEqual([[4, 2]])
    expect(sizes(adjusted(paper, { pictures: 100 }))).toEqual([[16, 64]])
  })

  test('a recipe that takes its pictures at once goes on to', () => {
    expect(sizes(adjusted(read('distill'), { batch: 8 }))).toEqual([
      [8, 1],
      [8, 1],
    ])
    expect(sizes(adjusted(read('distill'), { batch: 8, accumulate: 2 }))).toEqual([
      [8, 2],
      [8, 2],
    ])
  })
})
