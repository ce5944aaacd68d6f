import { paper } from '../recipes/paper.js'
import { ownLosses, underBudget } from './budget.js'
import { bigLittleParts, cifarBigLittle } from './cifar-big-little.js'
import { cifarTeacher } from './cifar-teacher.js'
import { isBetter, losesAtMost } from './claims.js'
import type { Experiment } from './experiment.js'
import { ofPaper } from './paper-figures.js'

/** The paper prunes after 4 of 12 layers, chosen by the class token and gone from the P-blocks, without E-blocks. */
const pruned = {
  ...cifarBigLittle,
  full_layers: 2,
  predictor_after: [2, 4],
  selection: 'cls',
  semi_cross: false,
  little: null,
}

const { full_layers, predictor_after, little } = cifarBigLittle
const early = { ...pruned, full_layers, predictor_after }
const withLittle = { ...early, little }
const withPredictor = { ...withLittle, selection: 'predictor' }
const withSemiCross = { ...withPredictor, semi_cross: true }

const labels = underBudget({}, bigLittleParts)
const source = 'Table 3'

/** What each part of a big.LITTLE ViT is worth. */
export const table3: Experiment = {
  name: 'table3',
  title: 'Table 3 of the bLViT paper in miniature: what each part is worth',
  about:
    "The small ViT of cifar-teacher.ts, on 8 × 8 patches of CIFAR-10; each row has one part more than the one before, and learns from the labels of the same 6,400 pictures in the same order, 100 steps of 64, cosine: new weights at 1e-3, those of the teacher at 3e-4. The paper begins all rows but the last two with random weights, for 300 epochs; here, where a hundred steps from random weights teach little, all begin with the teacher's, and one row shows what random ones come to.",
  teacher: cifarTeacher,
  whole: 'whole',
  seeds: 3,
  rows: [
    {
      name: 'whole',
      title: '0 % pruned',
      student: {},
      recipe: underBudget(),
      paper: ofPaper(81.8, 16.86),
    },
    {
      name: 'half',
      title: '50 % from layer 3',
      student: { to: { ...pruned, keep_ratio: 0.5 } },
      recipe: labels,
      paper: ofPaper(81.0, 11.3),
    },
    {
      name: 'quarter',
      title: '75 % from layer 3',
      student: { to: pruned },
      recipe: labels,
      paper: ofPaper(79.0, 8.5),
    },
    {
      name: 'early',
      title: '75 % from layer 2 (early prune)',
      student: { to: early },
      recipe: labels,
      paper: ofPaper(74.2, 5.4),
    },
    {
      name: 'e-block',
      title: '+ E-block',
      student: { to: withLittle },
      recipe: labels,
      paper: ofPaper(78.7, 7.9),
    },
    {
      name: 'predictor',
      title: '+ predictor',
      student: { to: withPredictor },
      recipe: labels,
      paper: ofPaper(78.8, 8.0),
    },
    {
      name: 'semi-cross',
      title: '+ semi-cross attention',
      student: { to: withSemiCross },
      recipe: labels,
      paper: ofPaper(80.8, 9.89),
    },
    {
      name: 'random-weights',
      title: 'the same from random weights',
      student: { to: withSemiCross, isFresh: true },
      recipe: underBudget({}, '.'),
      paper: ofPaper(79.5, 9.89),
    },
    {
      name: 'distillation',
      title: '+ distillation',
      student: { to: withSemiCross },
      recipe: underBudget(ownLosses(paper), bigLittleParts),
      paper: ofPaper(81.9, 9.89),
    },
  ],
  claims: [
    isBetter(source, 'whole', 'half', 'to prune half of the patches costs accuracy'),
    isBetter(source, 'half', 'quarter', 'to prune three quarters costs more'),
    isBetter(source, 'quarter', 'early', 'to prune from an earlier layer costs more still'),
    isBetter(source, 'e-block', 'early', 'E-blocks win most of it back'),
    isBetter(source, 'predictor', 'e-block', 'a predictor chooses better than the class token'),
    isBetter(source, 'semi-cross', 'predictor', 'semi-cross attention is worth its work'),
    isBetter(source, 'semi-cross', 'random-weights', 'pretrained P-blocks are better than random ones'),
    isBetter(source, 'distillation', 'semi-cross', 'distillation adds to it'),
    losesAtMost(source, 'distillation', 'whole', 0, 'with all of it a quarter of the patches loses nothing'),
  ],
}
