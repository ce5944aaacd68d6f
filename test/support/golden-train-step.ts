import { symbol } from '../../src/graph/dim.js'
import { gradients } from '../../src/graph/gradients.js'
import { graphOf } from '../../src/graph/graph.js'
import { add, input, scaleShift, stopGradient } from '../../src/graph/ops/index.js'
import { scope } from '../../src/graph/scope.js'
import { blvit } from '../../src/models/blvit.js'
import type { BlvitConfig } from '../../src/models/blvit-config.js'
import { blvitFacts } from '../../src/models/blvit-facts.js'
import { vit } from '../../src/models/vit.js'
import { cosineDistance } from '../../src/training/objectives/cosine-distance.js'
import { crossEntropy, smoothedTargets } from '../../src/training/objectives/cross-entropy.js'
import { type TrainingStep, trainingStep } from '../../src/training/training-step.js'
import { outputsOf } from './tiny-models.js'

/** What the golden training step was made with. */
export const goldenTraining = {
  learningRate: 1e-3,
  smoothing: 0.1,
  lossParts: ['loss', 'supervised', 'distilled'],
}

/**
 * Cross-entropy with label smoothing 0.1 plus 2.5 times the feature distillation from a frozen plain ViT; every
 * gradient is reported under `gradient of <parameter>`. Runs in browsers too.
 * @param options `kept`: patches for the big blocks, default an input; `softTargets`: the input is `targets`, a
 * distribution over the classes, instead of `labels`
 */
export function goldenStep(
  config: BlvitConfig,
  { kept, softTargets = false }: { kept?: number; softTargets?: boolean } = {},
): TrainingStep {
  const { fullLayers: _, predictorAfter: __, little: ___, ...plain } = config
  const student = blvit(config, kept === undefined ? {} : { sizes: { kept } })
  const teacher = scope('teacher', () => vit({ ...plain, family: 'vit' }))
  const { classes } = config
  const { smoothing } = goldenTraining
  const targets = softTargets
    ? input('targets', [symbol('batch'), classes])
    : smoothedTargets(input('labels', [symbol('batch')], { dtype: 'int64' }), { classes, smoothing })
  const supervised = crossEntropy(outputsOf(student).logits, targets)
  const distilled = cosineDistance(outputsOf(student).features, stopGradient(outputsOf(teacher).features))
  const loss = add(supervised, scaleShift(distilled, { scale: 2.5 }))
  const parameters = graphOf('student', outputsOf(student)).nodes.filter(
    ({ leaf }) => leaf?.kind === 'parameter',
  )
  const ofParameters = gradients(loss, parameters)
  const named = parameters.map(({ leaf }, i) => [`gradient of ${leaf?.name}`, ofParameters[i] ?? loss])
  return trainingStep('golden', loss, {
    groups: [{ matches: (name) => name.startsWith('teacher.'), frozen: true }],
    reports: { supervised, distilled, ...Object.fromEntries(named) },
    sizes: student.sizes,
    weightDecay: 0.05,
    isDecayed: blvitFacts(config).isDecayed,
  })
}
