import { fromScratch } from '../recipes/from-scratch.js'
import type { TeacherPlan } from './experiment.js'

/**
 * The teacher of the tables on CIFAR-10: 6 blocks of 128 channels on 8 × 8 patches, 84 million multiply-adds, five epochs
 * from random weights; half an hour of one core.
 */
export const cifarTeacher: TeacherPlan = {
  config: {
    model_type: 'vit',
    image_size: 32,
    patch_size: 4,
    num_classes: 10,
    embed_dim: 128,
    depth: 6,
    num_heads: 4,
  },
  labels: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  recipe: fromScratch,
  pictures: 256_000,
}
