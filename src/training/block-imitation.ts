import { add, constant, scaleShift, slice } from '../graph/ops/index.js'
import type { Tensor } from '../graph/tensor.js'
import { type BlockHooks, blockLoop } from '../models/block-loop.js'
import { littleAttention, littleMlp } from '../models/blvit.js'
import type { BlvitConfig } from '../models/blvit-config.js'
import type { FamilyFacts } from '../models/facts.js'
import { predictorLogits } from '../models/rankings.js'
import { pixelInput, stem } from '../models/vit.js'
import { prefixCount } from '../models/vit-config.js'
import { isLate, lateAttention } from './late-attention.js'
import { crossEntropy, normalisedSquaredError } from './objectives/index.js'

/** What learns by imitation, as losses `[1]`. */
export interface BlockImitation {
  /** The sum of the parts. */
  readonly loss: Tensor
  /**
   * Squared error ÷ squared norm of the teacher's updates, averaged over the E half-blocks: 0 is perfect, 1 as good
   * as no E-block. Undefined without E-blocks.
   */
  readonly imitation: Tensor | undefined
  /**
   * Cross-entropy of the predictors' scores with the teacher's late attention, averaged over the predictors: their KL
   * divergence and the entropy of the attention, which nothing that learns can change. Undefined where something else
   * than predictors ranks the patches.
   */
  readonly ranking: Tensor | undefined
}

/** Whether a parameter learns by imitation. Everything else belongs to the teacher, which is the P-blocks. */
export function learnsByImitation(parameter: string, { partOf }: Pick<FamilyFacts, 'partOf'>): boolean {
  const part = partOf(parameter)
  return part === 'littleBlocks' || part === 'predictors'
}

function meanOf(losses: readonly Tensor[]): Tensor | undefined {
  const [first, ...others] = losses
  return first && scaleShift(others.reduce(add, first), { scale: 1 / losses.length })
}

/**
 * Block-wise imitation, the first stage of a distillation. The model that the P-blocks make without any selection is
 * the teacher: it runs once on all tokens, and from its activations every E half-block learns to produce the update of
 * the teacher's half-layer, every predictor to foretell where the class token looks in the later half of the layers.
 * All learn at once and none depends on another: no gradient passes through depth.
 *
 * Make a {@link trainingStep} of it in which all but {@link learnsByImitation} is frozen.
 */
export function blockImitation(config: BlvitConfig): BlockImitation | undefined {
  const prefix = prefixCount(config)
  const errors: Tensor[] = []
  const attentions: Tensor[] = []
  /** By the index of the predictor that sees them. */
  const seen: (readonly [number, Tensor])[] = []
  const imitating: BlockHooks = {
    after: ({ tokens }, { layer, input, attention, attentionUpdate, middle, mlpUpdate }) => {
      if (isLate(layer, config)) attentions.push(attention.clsRow())
      const { little } = config
      if (little?.layers.includes(layer)) {
        if (little.attention)
          errors.push(normalisedSquaredError(littleAttention(input, little, config), attentionUpdate))
        errors.push(normalisedSquaredError(littleMlp(middle, little, config), mlpUpdate))
      }
      const index = config.predictorAfter.indexOf(layer)
      if (index >= 0) seen.push([index, tokens])
      return undefined
    },
  }
  blockLoop(stem(pixelInput(config), config), config, imitating)
  const predictions =
    config.selection === 'predictor'
      ? seen.map(([index, tokens]) =>
          predictorLogits(index, slice(tokens, { axis: 1, start: prefix }), config),
        )
      : []
  const imitation = meanOf(errors)
  const target = lateAttention(attentions, prefix)
  const ranking = meanOf(predictions.map((logits) => crossEntropy(logits, target)))
  const parts = [imitation, ranking].filter((part) => part !== undefined)
  if (parts.length === 0) return undefined
  return { loss: parts.reduce(add, constant(0, [1])), imitation, ranking }
}
