import type { Architecture } from '../models/architecture.js'
import { families } from '../models/index.js'
import type { Misfit } from '../weights/fit.js'

/** The other family that knows all these parameters, as parts that this one doesn't have. */
function otherFamily(names: readonly string[], { family, facts }: Architecture): string | undefined {
  const other = families.find(({ name: otherName, presets }) => {
    const theirs = Object.values(presets)[0]?.facts
    if (otherName === family || !theirs) return false
    return names.every((name) => !['other', facts.partOf(name)].includes(theirs.partOf(name)))
  })
  return other?.title
}

/** Whether all of these are parts that the plain model of another family doesn't have. */
function areAdded(names: readonly string[], { family, facts, plain }: Architecture): boolean {
  if (plain === undefined || plain.family === family || names.length === 0) return false
  return names.every((name) => plain.facts.partOf(name) !== facts.partOf(name))
}

interface Advice {
  when(misfit: Misfit, architecture: Architecture): boolean
  text(misfit: Misfit, architecture: Architecture): string
}

function onlyShapes({ missing, misshapen }: Misfit): boolean {
  return missing.length === 0 && misshapen.length > 0
}

// The first rule that applies gives the advice; each names the cause that we saw most often.
const advices: readonly Advice[] = [
  {
    when: (misfit, { facts }) =>
      onlyShapes(misfit) && misfit.misshapen.every(({ name }) => name === facts.positionEmbedding?.parameter),
    text: () =>
      'The weights are for another image or patch size: resample the position embedding, or use their size.',
  },
  {
    when: (misfit, { facts }) =>
      onlyShapes(misfit) && misfit.misshapen.every(({ name }) => facts.partOf(name) === 'head'),
    text: () => 'The weights are for another number of classes: set it in the config, or leave out the head.',
  },
  {
    when: ({ misshapen }) => misshapen.length > 0,
    text: () => 'The weights are for a model of another size: choose the model that they were made for.',
  },
  {
    when: ({ missing }, architecture) => areAdded(missing, architecture),
    text: (_, { family }) =>
      `These are weights of a plain ViT: convert them to a ${families.find(({ name }) => name === family)?.title} first.`,
  },
  {
    when: ({ missing, unexpected }) =>
      missing.some((name) => name.startsWith('norm.')) &&
      unexpected.some((name) => name.startsWith('fc_norm.')),
    text: () =>
      'The head of these weights reads the mean of the patches: set "global_pool" to "avg" in config.json.',
  },
  {
    when: ({ missing, unexpected }) =>
      missing.length === 0 &&
      unexpected.length > 0 &&
      unexpected.every((name) => /^(head_cls|norm_cls)\./.test(name)),
    text: () =>
      'These are weights of an Evo-ViT with the head that its class token learns by: set "reduction" to "evo-vit:0.5,class-head=true" in config.json.',
  },
  {
    when: ({ missing, unexpected }, { facts, takesHooks }) =>
      takesHooks &&
      missing.length === 0 &&
      unexpected.length > 0 &&
      unexpected.every((name) => facts.partOf(name) === 'predictors'),
    text: (_, { settings: { reduce = 'dynamic-vit:0.7' } }) =>
      `These are weights of a method that has learned to let tokens go: say which one in config.json, as in "reduction": "${reduce}".`,
  },
  {
    when: ({ missing, unexpected }, { facts, settings: { reduce } }) =>
      reduce !== undefined &&
      unexpected.length === 0 &&
      missing.length > 0 &&
      missing.every((name) => facts.partOf(name) === 'predictors'),
    text: (_, { settings: { reduce } }) =>
      `The weights lack those of the "reduction" that config.json names, ${reduce}: leave it out, or have them start anew with blvit convert --set reduction=${reduce}.`,
  },
  {
    when: ({ unexpected }, architecture) =>
      unexpected.length > 0 && otherFamily(unexpected, architecture) !== undefined,
    text: ({ unexpected }, architecture) =>
      `These are weights of a ${otherFamily(unexpected, architecture)}: load them with its config.json.`,
  },
  {
    when: ({ missing, unexpected }, { facts, classes }) =>
      unexpected.length === 0 &&
      missing.length > 0 &&
      missing.every((name) => facts.partOf(name) === 'head') &&
      classes > 0,
    text: () =>
      'The weights are a backbone without a head: set "num_classes" to 0 in config.json, and embed instead of classify.',
  },
]

/** What to do about weights that don't fit an architecture; undefined if nothing is known. */
export function misfitAdvice(architecture: Architecture): (misfit: Misfit) => string | undefined {
  return (misfit) => advices.find(({ when }) => when(misfit, architecture))?.text(misfit, architecture)
}
