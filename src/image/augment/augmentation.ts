import { z } from 'zod'
import { parseWith } from '../../base/parse.js'
import { didYouMean } from '../../base/suggest.js'
import { type ErasingMode, erasingModes } from './random-erasing.js'

const share = z.number().min(0).max(1)
const ascending = (range: readonly [number, number]) => range[0] <= range[1]
const rangeOf = (bound: z.ZodNumber) =>
  z.tuple([bound, bound]).refine(ascending, 'expected the lower bound first')

// A crop of less than a thousandth of the area, or a hundred times as wide as high, shows nothing.
const randomCrop = z.strictObject({
  scale: rangeOf(z.number().min(0.001).max(1)).default([0.08, 1]),
  ratio: rangeOf(z.number().min(0.01).max(100)).default([3 / 4, 4 / 3]),
})
const shift = z.strictObject({ padding: z.int().min(0).max(65_536) })

// A beta distribution with a smaller α is 0 or 1 in nearly all cases, with a larger one a half.
const alpha = z.number().min(0.001).max(1_000)
const jitter = z.number().min(0).max(10).default(0)

const settings = z.strictObject({
  // `scale` and `ratio` of a random crop (random-crop.ts), or pixels by which the whole picture is moved at most
  crop: z
    .union([z.literal(false), randomCrop, shift], 'expected { scale, ratio }, { padding } or false')
    .default(false),
  flip: z.boolean().default(false),
  randAugment: z
    .strictObject({
      layers: z.int().min(0).max(100).default(2),
      magnitude: z.number().min(0).max(10).default(9),
      magnitudeStd: z.number().min(0).max(100).default(0.5),
      probability: share.default(0.5),
    })
    .optional(),
  colorJitter: z.strictObject({ brightness: jitter, contrast: jitter, saturation: jitter }).optional(),
  erasing: z
    .strictObject({
      probability: share.default(0.25),
      mode: z.enum(erasingModes as [ErasingMode, ...ErasingMode[]]).default('pixel'),
    })
    .optional(),
  mixup: z.strictObject({ alpha: alpha.default(0.8) }).optional(),
  cutmix: z.strictObject({ alpha: alpha.default(1) }).optional(),
  // of a batch to be mixed; of cutmix, where mixup could be as well; what targets spread over all classes
  mixProbability: share.default(1),
  switchProbability: share.default(0.5),
  labelSmoothing: share.default(0),
})

/**
 * What training does to its pictures. What isn't named isn't done; without `crop` a picture is resized and cropped as
 * for evaluation.
 */
export type Augmentation = z.infer<typeof settings>

const presets = {
  /** As for evaluation. */
  none: {},
  /** A random crop, every second one in a mirror. */
  'crop-flip': { crop: {}, flip: true },
  /** DeiT (Touvron et al., 2021, table 9). timm leaves out the colour jitter that DeiT names wherever RandAugment is on. */
  deit: {
    crop: {},
    flip: true,
    randAugment: {},
    erasing: {},
    mixup: {},
    cutmix: {},
    labelSmoothing: 0.1,
  },
} satisfies Record<string, z.input<typeof settings>>

/** The name of a set of augmentations. */
export type AugmentationName = keyof typeof presets

export const augmentationNames = Object.keys(presets) as AugmentationName[]

/** A name, or what to do; see {@link Augmentation}. */
export type AugmentationInput = AugmentationName | z.input<typeof settings>

/** Takes a name or an object, and fills in what the object leaves open: timm's values for what it names. */
export const augmentationSchema = z
  .transform((value: unknown, context) => {
    if (typeof value !== 'string') return value
    const preset = Object.entries(presets).find(([name]) => name === value)?.[1]
    if (preset) return preset
    const known = `expected ${augmentationNames.join(', ')} or an object.${didYouMean(value, augmentationNames)}`
    context.issues.push({
      code: 'custom',
      message: `no augmentation is called "${value}"; ${known}`,
      input: value,
    })
    return z.NEVER
  })
  .pipe(settings)

/**
 * @param what names the value in messages
 * @throws BlvitError `BAD_OPTION`
 */
export function parseAugmentation(value: unknown, what = 'augmentation'): Augmentation {
  return parseWith(augmentationSchema, value, what, 'BAD_OPTION')
}
