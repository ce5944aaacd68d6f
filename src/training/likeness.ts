import { BlvitError } from '../base/blvit-error.js'
import type { Architecture } from '../models/architecture.js'

/** What student and teacher can have in common, as people read it. */
const likenesses = {
  'image size': ({ image: { height, width } }) => `${height} × ${width}`,
  channels: ({ channels }) => `${channels}`,
  'patch size': ({ patchSize }) => (patchSize === undefined ? 'none' : `${patchSize}`),
  width: ({ facts: { width } }) => `${width}`,
  'prefix tokens': ({ prefix }) => `${prefix}`,
  classes: ({ classes }) => `${classes}`,
  embedding: ({ facts: { masks } }) => masks?.embedding.join(' × ') ?? 'none',
  // the mean and std of pixels stand with the frame
  frame: ({ facts: { masks } }) =>
    masks ? `${masks.fit}, mean ${masks.mean.join(', ')}, std ${masks.std.join(', ')}` : 'none',
} satisfies Record<string, (architecture: Architecture) => string>

export type Likeness = keyof typeof likenesses

/** @throws BlvitError `SHAPE_MISMATCH` naming all that differs of what must not */
export function checkAlike(student: Architecture, teacher: Architecture, needed: Iterable<Likeness>): void {
  const differing = [...new Set(needed)].filter(
    (name) => likenesses[name](student) !== likenesses[name](teacher),
  )
  if (differing.length === 0) return
  const list = differing
    .map((name) => `${name} ${likenesses[name](teacher)}, not ${likenesses[name](student)}`)
    .join('; ')
  const message = `The teacher doesn't fit the student: it has ${list}. Give another with --teacher.`
  throw new BlvitError('SHAPE_MISMATCH', message, { differing })
}
