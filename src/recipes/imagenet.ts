import type { Recipe } from './recipe.js'

const pictures = 1_281_167

/** Papers take hundreds at once, which want tens of GB; 16 fit where a ViT-B can be trained at all. */
const batch = 16

type EndToEnd = Extract<Recipe['stages'][number], { objective: 'end to end' }>

interface ImageNetOptions
  extends Omit<EndToEnd, 'objective' | 'pictures' | 'batch' | 'accumulate' | 'warmUp' | 'augmentation'> {
  readonly epochs: number
  /** Epochs in which the learning rate rises. Default none. */
  readonly warmUpEpochs?: number
  /** Default 1024, as DeiT. */
  readonly picturesPerStep?: number
}

/**
 * A stage as papers write it that train as DeiT does: so many epochs of ImageNet-1k (1.28 million pictures), with DeiT's
 * augmentation and weight decay, in steps of so many pictures, of which the engine takes 16 at once. Shorter by `--images`.
 */
export function onImageNet({
  epochs,
  warmUpEpochs = 0,
  picturesPerStep = 1024,
  ...stage
}: ImageNetOptions): EndToEnd {
  return {
    objective: 'end to end',
    pictures: epochs * pictures,
    batch,
    accumulate: picturesPerStep / batch,
    warmUp: warmUpEpochs / epochs,
    augmentation: 'deit',
    weightDecay: 0.05,
    ...stage,
  }
}
