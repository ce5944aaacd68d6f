import { describe, expect, test } from 'vitest'
import { defined } from '../../../src/base/assert.js'
import { gradients } from '../../../src/graph/gradients.js'
import { graphOf, reachable } from '../../../src/graph/graph.js'
import type { Architecture } from '../../../src/models/architecture.js'
import { predictorsStage } from '../../../src/training/stages/predictors.js'
import { shrunk } from '../../support/tiny-models.js'

const stage = predictorsStage.schema.parse({ objective: 'predictors', keepRatio: [0.25, 0.5] })
const built = (student: Architecture, teacher = shrunk('vit-tiny')) =>
  predictorsStage.build({ student, teacher })

describe('a stage of predictors', () => {
  test.each(['linear', 'mlp'])(
    'lets nothing learn but %s predictors, and no gradient through a block',
    (predictor) => {
      const student = shrunk('t+48', { predictor })
      const { loss } = built(student)
      const { parameters, nodes } = graphOf('predictors', { loss })
      const learning = parameters.filter(({ name }) => predictorsStage.learns(name, student))
      expect(new Set(learning.map(({ name }) => name.split('.', 2).join('.')))).toEqual(
        new Set([0, 1, 2, 3].map((index) => `predictors.${index}`)),
      )
      const leaves = nodes.filter(({ leaf }) => learning.some(({ name }) => name === leaf?.name))
      const scopes = reachable(gradients(loss, leaves)).map(({ scope }) => scope)
      expect(scopes).toContain('gradient/predictors.3')
      expect(scopes.filter((scope) => scope.startsWith('gradient/blocks'))).toEqual([])
    },
  )

  test('asks only for what predictors see: layers behind the last one aren’t computed', () => {
    const { parameters } = graphOf('predictors', { loss: built(shrunk('t+48')).loss })
    const names = parameters.map(({ name }) => name)
    expect(names).toContain('blocks.9.little.mlp.up.weight')
    expect(names).not.toContain('blocks.10.mlp.fc1.weight')
    // the teacher's are, for where its class token looks
    expect(names).toContain('teacher.blocks.11.attn.qkv.weight')
  })

  test.each([
    [shrunk('vit-tiny'), /for a bLViT whose patches are ranked by predictors/],
    [shrunk('t+48', { selection: 'cls' }), /for a bLViT whose patches are ranked by predictors/],
  ])('is refused for a student without any', (student, complaint) => {
    expect(() => built(student)).toThrow(complaint)
  })

  test('is refused with a teacher of another grid', () => {
    expect(() => built(shrunk('t+48'), shrunk('vit-tiny', { rows: 5 }))).toThrow(
      /The teacher doesn't fit the student: it has image size 20 × 16, not 12 × 16/,
    )
    expect(defined(predictorsStage.settings(stage, shrunk('t+48')), 'a plan').drawn).toHaveLength(2)
  })
})
