import { underBudget } from './budget.js'
import { bigLittleParts, cifarBigLittle } from './cifar-big-little.js'
import { cifarTeacher } from './cifar-teacher.js'
import { isBetter } from './claims.js'
import type { Experiment, ExperimentRow } from './experiment.js'
import { ofPaper } from './paper-figures.js'

const source = 'Table 4'

function weighted(lambda: number, top1: number): ExperimentRow {
  return {
    name: `lambda-${lambda}`,
    title: `λ = ${lambda}`,
    student: { to: cifarBigLittle },
    recipe: underBudget({ tokens: lambda }, bigLittleParts),
    paper: ofPaper(top1, 9.89),
  }
}

/** How much the distillation of features should weigh. */
export const table4: Experiment = {
  name: 'table4',
  title: 'Table 4 of the bLViT paper in miniature: the weight λ of feature distillation',
  about:
    'The big.LITTLE ViT of table3 with all its parts, a quarter of the patches in the P-blocks, under the same budget: 100 steps of 64 pictures with their labels, and λ·(1 − cos) of the tokens beside the teacher’s.',
  teacher: cifarTeacher,
  whole: 'whole',
  seeds: 3,
  rows: [
    { name: 'whole', title: '0 % pruned', student: {}, recipe: underBudget(), paper: ofPaper(81.8, 16.86) },
    weighted(1, 81.3),
    weighted(2.5, 81.9),
    weighted(5, 81.7),
    weighted(10, 81.2),
  ],
  claims: [
    isBetter(source, 'lambda-2.5', 'lambda-1', 'λ = 2.5 is better than 1'),
    isBetter(source, 'lambda-2.5', 'lambda-5', 'λ = 2.5 is better than 5'),
    isBetter(source, 'lambda-5', 'lambda-10', 'λ = 5 is better than 10'),
  ],
}
