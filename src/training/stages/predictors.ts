import { z } from 'zod'
import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import { isBlvit } from '../../models/blvit-family.js'
import { routesOf } from '../../models/token-history.js'
import { checkAlike } from '../likeness.js'
import { rankingLoss } from '../objectives/index.js'
import { settingsPlan, trainedSettings } from '../settings-plan.js'
import { teacher as teacherOf } from '../teacher.js'
import type { StageGraph, StageKind } from './stage-kind.js'

const schema = z.strictObject({ objective: z.literal('predictors'), ...trainedSettings })

/**
 * Predictors alone learn where the teacher's class token looks in the later half of its layers, from what they will see: the
 * student's own tokens, routed by what they say themselves. All else stays as it is, and no gradient passes through a block,
 * so a step costs little more than two forward passes.
 */
export const predictorsStage = {
  schema,
  needsTeacher: () => true,
  build: ({ student, teacher }): StageGraph => {
    if (!isBlvit(student) || student.config.selection !== 'predictor') {
      const message =
        'A stage "predictors" is for a bLViT whose patches are ranked by predictors ("selection": "predictor"): this student has none.'
      throw new BlvitError('BAD_OPTION', message, { family: student.family })
    }
    const taughtBy = defined(teacher, 'a teacher')
    checkAlike(student, taughtBy, ['image size', 'channels', 'patch size'])
    const { history, sizes } = student.build({ predictorsAlone: true })
    const loss = rankingLoss(
      routesOf(history).map(({ tensors: { scores } }) => scores),
      teacherOf(taughtBy).lateAttention,
    )
    return { loss, reports: { ranking: loss }, sizes }
  },
  settings: (stage, student) => settingsPlan(stage, student),
  learns: (parameter, { facts }) => facts.partOf(parameter) === 'predictors',
} satisfies StageKind<z.infer<typeof schema>>
