import { paper } from '../recipes/paper.js'
import { ownLosses, underBudget } from './budget.js'
import { bigLittleParts, cifarBigLittle } from './cifar-big-little.js'
import { cifarTeacher } from './cifar-teacher.js'
import { isBetter, losesAtMost } from './claims.js'
import type { Experiment, ExperimentRow } from './experiment.js'
import { ofPaper } from './paper-figures.js'

const source = 'Table 5'

/** @param top1 the paper's, percent @param multiplyAdds B+T's in 10⁹, linear maps alone, as the paper prints none */
function pruned(share: number, top1: number, multiplyAdds: number): ExperimentRow {
  return {
    name: `pruned-${share}`,
    title: `${100 * share} % pruned`,
    student: { to: { ...cifarBigLittle, keep_ratio: 1 - share } },
    recipe: underBudget(ownLosses(paper), bigLittleParts),
    paper: ofPaper(top1, multiplyAdds),
  }
}

/** How many patches the P-blocks can do without. */
export const table5: Experiment = {
  name: 'table5',
  title: 'Table 5 of the bLViT paper in miniature: the share of patches that P-blocks are spared',
  about:
    'The big.LITTLE ViT of table3 with all its parts and λ = 2.5, a model for each share, under the same budget: 100 steps of 64 pictures.',
  teacher: cifarTeacher,
  whole: 'whole',
  seeds: 3,
  rows: [
    { name: 'whole', title: '0 % pruned', student: {}, recipe: underBudget(), paper: ofPaper(81.8, 16.86) },
    pruned(0.5, 82.3, 13.05),
    pruned(0.625, 82.1, 11.43),
    pruned(0.75, 81.9, 9.87),
    pruned(0.875, 81.2, 8.25),
  ],
  claims: [
    isBetter(source, 'pruned-0.5', 'whole', 'with half of the patches it is better than the whole ViT'),
    losesAtMost(
      source,
      'pruned-0.75',
      'pruned-0.5',
      0.4,
      'from a half to a quarter of the patches it loses 0.4 points',
    ),
    isBetter(source, 'pruned-0.75', 'pruned-0.875', 'at an eighth accuracy falls'),
  ],
}
