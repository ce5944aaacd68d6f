import { input } from '../../graph/ops/index.js'
import type { Tensor } from '../../graph/tensor.js'
import type { Architecture } from '../../models/architecture.js'
import { blvitFacts } from '../../models/blvit-facts.js'
import { isBlvit } from '../../models/blvit-family.js'
import { findPreset } from '../../models/index.js'
import { outputOf } from '../../models/model-definition.js'
import { vit } from '../../models/vit.js'
import type { VitConfig } from '../../models/vit-config.js'
import { usualVit } from '../../models/vit-family.js'
import { resolveSettings } from '../../settings/resolve.js'
import { blockImitation, learnsByImitation } from '../../training/block-imitation.js'
import { crossEntropy } from '../../training/objectives/index.js'
import { targetsInputs } from '../../training/stages/loss-parts.js'
import { type TrainingStep, trainingStep } from '../../training/training-step.js'

/** A training step that is measured. */
export interface TrainingCase {
  /** For people. */
  readonly title: string
  /** Pictures in a step. */
  readonly batch: number
  readonly build: () => TrainingStep
}

/** 6 layers of width 128 on 64 patches and a class token: small enough that products are a challenge. */
export const smallVit: VitConfig = usualVit({
  image: { height: 32, width: 32 },
  patchSize: 4,
  width: 128,
  depth: 6,
  heads: 4,
  classes: 10,
})

function supervised(name: string, logits: Tensor): TrainingStep {
  return trainingStep(name, crossEntropy(logits, input(targetsInputs.one, logits.shape)))
}

function tinyStudent() {
  const preset: Architecture | undefined = findPreset('t+48')
  if (!preset || !isBlvit(preset)) throw new Error('blvit bug: no preset t+48')
  return preset
}

/** Everything that `bench --train` measures here, in this order. */
export const trainingCases = {
  vit: {
    title: 'ViT 6×128, 65 tokens',
    batch: 64,
    build: () => supervised('vit', outputOf(vit(smallVit), 'classify', 'logits')),
  },
  student: {
    title: 'T+48 at 224 px, keep ratio 0.25',
    batch: 16,
    build: () => {
      const student = tinyStudent()
      const model = student.build({ sizes: resolveSettings(student).sizes })
      return supervised('student', outputOf(model, 'classify', 'logits'))
    },
  },
  imitation: {
    title: 'T+48 at 224 px, block imitation',
    batch: 16,
    build: () => {
      const { config } = tinyStudent()
      const imitation = blockImitation(config)
      const facts = blvitFacts(config)
      if (!imitation) throw new Error('blvit bug: T+48 has nothing to imitate with')
      const groups = [{ matches: (name: string) => !learnsByImitation(name, facts), frozen: true }]
      return trainingStep('imitation', imitation.loss, { groups })
    },
  },
} as const satisfies Readonly<Record<string, TrainingCase>>

export type TrainingCaseName = keyof typeof trainingCases
