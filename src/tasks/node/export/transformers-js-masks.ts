import { defined } from '../../../base/assert.js'
import { BlvitError } from '../../../base/blvit-error.js'
import type { ModelFiles } from '../../../model-store/model-files.js'
import type { ConfigJson } from '../../../models/architecture.js'
import type { MaskFrame } from '../../../models/masks/mask-frame.js'
import type { TransformersJsLayout } from './transformers-js-layout.js'

/** Pillow's number of bilinear. */
const bilinear = 2

/** What transformers' processor does to a picture, which is what Segment Anything's code does. */
function preprocessorJson({ height, width, mean, std, maskRows, maskColumns }: MaskFrame): ConfigJson {
  return {
    image_processor_type: 'SamImageProcessor',
    processor_class: 'SamProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: { longest_edge: Math.max(height, width) },
    mask_size: { longest_edge: Math.max(maskRows, maskColumns) },
    resample: bilinear,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [...mean],
    image_std: [...std],
    do_pad: true,
    pad_size: { height, width },
    mask_pad_size: { height: maskRows, width: maskColumns },
  }
}

/**
 * A model that cuts things out of pictures as `SamModel` loads it: one file for pictures, one for prompts.
 * @throws BlvitError `UNSUPPORTED` for one that `SamModel` isn't made for
 */
export function maskLayout({ architecture }: ModelFiles): TransformersJsLayout {
  const { facts, family, json } = architecture
  const frame = defined(facts.masks, 'masks')
  const { portable } = architecture.build()
  if (!portable) {
    const message = `transformers.js knows Segment Anything's prompts and pictures, and a ${family} has others. Export its encoder alone: --part encoder, without --for.`
    throw new BlvitError('UNSUPPORTED', message, { family })
  }
  return {
    // a family that is unknown there is a SAM to it: it runs the files, whatever is in them
    config: (precision) => ({
      ...(json.model_type === 'sam' ? json : { blvit: json }),
      model_type: 'sam',
      architectures: ['SamModel'],
      'transformers.js_config': {
        dtype: { vision_encoder: precision, prompt_encoder_mask_decoder: 'fp32' },
      },
    }),
    preprocessor: preprocessorJson(frame),
    files: [
      {
        name: 'vision_encoder',
        outputs: (model) => defined(model.portable, 'portable programs').visionEncoder(),
      },
      {
        name: 'prompt_encoder_mask_decoder',
        // places in pixels need all digits
        precision: 'fp32',
        outputs: (model) => defined(model.portable, 'portable programs').promptDecoder(),
      },
    ],
    task: 'mask-generation',
    example: `import { AutoProcessor, RawImage, SamModel } from '@huggingface/transformers'

const model = await SamModel.from_pretrained('<this folder or hub id>')
const processor = await AutoProcessor.from_pretrained('<this folder or hub id>')
const inputs = await processor(await RawImage.read('photo.jpg'), { input_points: [[[210, 140]]] })
const { pred_masks, iou_scores } = await model(inputs)
const masks = await processor.post_process_masks(pred_masks, inputs.original_sizes, inputs.reshaped_input_sizes)`,
  }
}
