import type { Precision } from '../../graph/lowering.js'
import type { ModelFiles } from '../../model-store/model-files.js'
import type { ConfigJson } from '../../models/architecture.js'
import { huggingFaceKeys } from '../../models/hugging-face-keys.js'
import { writeScoreFunction } from '../../models/score-function.js'

/**
 * What transformers.js reads of config.json: the type, which decides the class, and the labels. It refuses types
 * that it doesn't know, and the class of a ViT does no more than run the file, so every model here is a "vit" to
 * it; what it really is stands under `blvit`.
 */
export function transformersJsConfig(
  { architecture, labels, scores }: ModelFiles,
  dtype: Precision,
): ConfigJson {
  return {
    ...huggingFaceKeys(architecture),
    ...writeScoreFunction(scores, architecture.classes),
    id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
    label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
    // In a browser it would otherwise look for onnx/model_quantized.onnx.
    'transformers.js_config': { dtype },
  }
}
