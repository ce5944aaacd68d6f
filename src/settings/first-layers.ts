import { BlvitError } from '../base/blvit-error.js'
import type { Setting } from './setting.js'

function check(count: unknown): number {
  if (typeof count === 'number' && Number.isSafeInteger(count) && count > 0) return count
  throw new BlvitError('BAD_OPTION', `First layers ${count} is not a whole number of layers, such as 10.`)
}

/** A model without its last layers: the norm and the head read what the first ones make. */
export const firstLayers = {
  flags: '--first-layers',
  placeholder: 'n',
  about: 'only the first n layers, then norm and head (default: all)',
  unit: 'layers',
  parse: (text) => check(/^\d+$/.test(text.trim()) ? Number(text) : text),
  check,
  print: (count, { facts }) => (count === facts.depth ? '' : `first ${count} layers`),
  ladder: (_, { facts }) => Array.from({ length: facts.depth }, (_, i) => i + 1),
  remake: (count, architecture, { withChanges }) => {
    const { facts, family, takesHooks, windows } = architecture
    if (count === facts.depth) return architecture
    if (!takesHooks || windows) {
      const message = `Layers of a ${family} don't all do the same, so its first ${count} are no model. Take a plain ViT (-m vit-tiny).`
      throw new BlvitError('BAD_OPTION', message, { family })
    }
    if (count < facts.depth) return withChanges(architecture, { depth: count })
    const message = `The model has ${facts.depth} layers, and the first ${count} were asked for. Give a number from 1 to ${facts.depth}.`
    throw new BlvitError('BAD_OPTION', message, { depth: facts.depth })
  },
} as const satisfies Setting<number>
