import { writeHuggingFacePreprocessing } from '../image/hugging-face-preprocessing.js'
import type { Preprocessing } from '../image/preprocessing.js'
import type { ConfigJson } from '../models/architecture.js'
import type { MaskFrame } from '../models/masks/mask-frame.js'

/** How a model that cuts things out of pictures sees them: its family decides, not a file. */
export function maskPreprocessing({ height, width, mean, std }: MaskFrame): Preprocessing {
  return { height, width, cropRatio: 1, cropMode: 'squash', filter: 'bilinear', mean, std }
}

/** What a preprocessor_config.json says otherwise, which isn't followed, in words for people. */
export function unfollowed(frame: MaskFrame, file: ConfigJson | undefined): readonly string[] {
  const differs = (key: string, own: readonly number[]) => {
    const said = file?.[key]
    const isOther =
      Array.isArray(said) && own.some((value, at) => !(Math.abs(value - Number(said[at])) < 1e-6))
    return isOther ? [`${key} [${said.join(', ')}], not [${own.join(', ')}]`] : []
  }
  const others = [...differs('image_mean', frame.mean), ...differs('image_std', frame.std)]
  if (others.length === 0) return []
  return [
    `preprocessor_config.json says ${others.join(' and ')}: the latter, its family's, ${others.length > 1 ? 'are' : 'is'} taken`,
  ]
}

/** The preprocessor_config.json of such a model, for transformers, which knows Segment Anything's way by a class of its own. */
export function writeMaskPreprocessing(frame: MaskFrame): ConfigJson {
  const { height, width, fit, mean, std } = frame
  if (fit === 'squash') return writeHuggingFacePreprocessing(maskPreprocessing(frame))
  return {
    image_processor_type: 'SamImageProcessor',
    processor_class: 'SamProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: { longest_edge: Math.max(height, width) },
    resample: 2,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
    do_pad: true,
    pad_size: { height, width },
  }
}
