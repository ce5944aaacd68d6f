import { z } from 'zod'
import { BlvitError } from '../../base/blvit-error.js'
import { isBlvit } from '../../models/blvit-family.js'
import { blockImitation, learnsByImitation } from '../block-imitation.js'
import type { StageKind } from './stage-kind.js'

const schema = z.strictObject({ objective: z.literal('block imitation') })

/** E-blocks and predictors learn, all at once, from the activations of the ViT that the P-blocks make. */
export const blockImitationStage = {
  schema,
  // the P-blocks are the teacher
  needsTeacher: () => false,
  build: ({ student }) => {
    const parts = isBlvit(student) ? blockImitation(student.config) : undefined
    if (!parts) {
      throw new BlvitError(
        'BAD_OPTION',
        'This configuration has neither E-blocks nor predictors: there is nothing to distil into. Use t+48, s+96 or b+t.',
      )
    }
    const { loss, imitation, ranking } = parts
    return { loss, reports: { ...(imitation && { imitation }), ...(ranking && { ranking }) }, sizes: [] }
  },
  learns: (parameter, { facts }) => learnsByImitation(parameter, facts),
  startsAs: (parameter, { facts }) => facts.imitationStart?.(parameter),
} satisfies StageKind<z.infer<typeof schema>>
