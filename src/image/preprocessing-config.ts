import type { Size } from './crop-window.js'
import { readHuggingFacePreprocessing } from './hugging-face-preprocessing.js'
import type { Preprocessing } from './preprocessing.js'
import { readTimmPreprocessing } from './timm-preprocessing.js'

/** The parsed JSON files of a model's folder that may say how its pictures are prepared. */
export interface PreprocessingSources {
  /** `preprocessor_config.json` of transformers */
  readonly preprocessorConfig?: unknown
  /** `config.json`, of use when it is timm's, with `pretrained_cfg` */
  readonly config?: unknown
}

/** timm's preprocessing of the ViTs trained by Google (`vit_*_patch16_224`). */
export const defaultPreprocessing: Preprocessing = {
  height: 224,
  width: 224,
  cropRatio: 0.9,
  cropMode: 'center',
  filter: 'bicubic',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
}

/**
 * Finds a model's preprocessing: `preprocessor_config.json` if there is one, else timm's `pretrained_cfg`, else
 * {@link defaultPreprocessing}.
 * @param options.imageSize the side or sides of the model's input, in pixels; the model knows them best, so they
 * replace those of the files, while the crop ratio stays
 * @throws BlvitError `BAD_CONFIG` when the file that counts has a value that isn't understood
 */
export function readPreprocessing(
  { preprocessorConfig, config }: PreprocessingSources,
  { imageSize }: { imageSize?: number | Size | undefined } = {},
): Preprocessing {
  const found = readFirst(preprocessorConfig, config)
  if (imageSize === undefined) return found
  const { height, width } =
    typeof imageSize === 'number' ? { height: imageSize, width: imageSize } : imageSize
  return { ...found, height, width }
}

function readFirst(preprocessorConfig: unknown, config: unknown): Preprocessing {
  if (preprocessorConfig !== undefined) return readHuggingFacePreprocessing(preprocessorConfig)
  if (typeof config === 'object' && config !== null && 'pretrained_cfg' in config) {
    return readTimmPreprocessing(config.pretrained_cfg)
  }
  return defaultPreprocessing
}
