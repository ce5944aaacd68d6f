import type { ConfigJson } from '../models/architecture.js'
import type { Recipe } from '../recipes/recipe.js'
import { isBetter, losesAtMost } from './claims.js'
import type { Experiment, ExperimentRow } from './experiment.js'

/** A SAM of pictures of 96 px: windows of 3 on a grid of 8, so that some reach beyond it, and two layers that see all. */
const smallSam: ConfigJson = {
  model_type: 'sam',
  vision_config: {
    ...{ image_size: 96, patch_size: 12, window_size: 3, global_attn_indexes: [1, 3], output_channels: 32 },
    ...{ hidden_size: 48, num_hidden_layers: 4, num_attention_heads: 3, mlp_dim: 192 },
  },
  prompt_encoder_config: { mask_input_channels: 16 },
  mask_decoder_config: {
    ...{ mlp_dim: 64, num_attention_heads: 4, num_multimask_outputs: 3 },
    ...{ iou_head_hidden_dim: 24, layer_norm_eps: 1e-5 },
  },
}

/** The proportions of B+T: one full layer, E-blocks of a third of the width beside all others, selections two layers apart. */
const bigLittle: ConfigJson = {
  ...smallSam,
  routing: {
    ...{ full_layers: 1, predictor_after: [1, 3], keep_ratio: 0.25 },
    little: { embed_dim: 16, num_heads: 1, layers: [2, 3, 4] },
  },
}

/** Parts of the scenes, mirrored and in other colours. */
const pictures: Pick<Recipe['stages'][number], 'batch' | 'weightDecay' | 'clipNorm' | 'augmentation'> = {
  ...{ batch: 16, weightDecay: 0.1, clipNorm: 1 },
  augmentation: {
    crop: { scale: [0.5, 1], ratio: [3 / 4, 4 / 3] },
    flip: true,
    colorJitter: { brightness: 0.2, contrast: 0.2, saturation: 0.2 },
  },
}

const fromNothing: Recipe = {
  about: 'A small SAM from random weights, on scenes',
  stages: [
    {
      ...{ objective: 'masks', ...pictures, pictures: 6_400, learningRate: 2e-3 },
      // with SAM's weight of dice, 1, no mask had crossed its threshold after a thousand steps from nothing
      loss: { focal: 20, dice: 5, overlap: 1 },
    },
  ],
}

/** The losses that it began with, and the paper's 2.5 times the distance to the teacher's embeddings: the same for every row. */
const underBudget: Recipe = {
  about: 'The small SAM goes on learning, with another encoder',
  stages: [
    {
      ...{ objective: 'masks', ...pictures, pictures: 800, learningRate: 1.5e-3, warmUp: 0.1 },
      loss: { focal: 20, dice: 5, overlap: 1, features: 2.5 },
      parameters: [
        { match: String.raw`\.little\.|\.predictors\.|\.(gamma|alpha)\d$`, learningRateScale: 1 },
        // what the teacher has learned already
        { match: '.', learningRateScale: 0.3 },
      ],
    },
  ],
}

function reduced(name: string, title: string, reduction: string): ExperimentRow {
  return { name, title, student: { set: { reduction } }, recipe: underBudget }
}

const box = 'photographs, box'
const click = 'photographs, 1 point'
const sceneBox = 'scenes, box'
const sceneClick = 'scenes, 1 point'
const source = 'Table 2'

/** What the paper's Table 2 says of big.LITTLE SAM, one sentence for each way of asking. */
function claimsOf(score: string) {
  const of = (row: string) => `${row}/${score}`
  return [
    losesAtMost(source, of('blvit'), of('plain'), 1, `big.LITTLE loses at most a point (${score})`),
    isBetter(source, of('blvit'), of('evo-vit'), `big.LITTLE is better than Evo-ViT (${score})`),
    isBetter(source, of('blvit'), of('evit'), `big.LITTLE is better than EViT (${score})`),
    isBetter(
      source,
      of('evo-vit'),
      of('evit'),
      `Evo-ViT, whose tokens come back, is better than EViT (${score})`,
    ),
  ]
}

/** The paper's second task: an encoder that saves work and still has to find what a click means. */
export const table2: Experiment = {
  name: 'table2',
  title: 'Table 2 of the bLViT paper in miniature: Segment Anything with encoders of equal work',
  about:
    'A SAM of 4 layers of 48 channels on pictures of 96 px, trained from nothing on 2,000 scenes (shapes with the textures of photographs, and things cut out of these) and parts of the photographs; each row starts from its weights and learns from 800 of the same pictures, 50 steps of 16, four objects each, by SAM’s losses (dice five times as heavy) and 2.5·(1 − cos) of the embeddings. Photographs and scenes to test with are of photographs that nothing was learned from.',
  task: 'masks',
  teacher: { config: smallSam, labels: [], recipe: fromNothing, pictures: 6_400 },
  whole: 'teacher',
  seeds: 3,
  rows: [
    { name: 'teacher', title: 'SAM', student: {} },
    { name: 'plain', title: 'SAM, trained on', isControl: true, student: {}, recipe: underBudget },
    { name: 'blvit', title: 'big.LITTLE', student: { to: bigLittle }, recipe: underBudget },
    reduced('evit', 'EViT', 'evit:0.45'),
    reduced('evo-vit', 'Evo-ViT', 'evo-vit:0.7'),
  ],
  claims: [click, box, sceneClick, sceneBox].flatMap(claimsOf),
}
