import { join } from 'node:path'
import { defined } from '../../../src/base/assert.js'
import { constant, scatterAdd } from '../../../src/graph/ops/index.js'
import { sizeAt, type Tensor } from '../../../src/graph/tensor.js'
import type { SamConfig } from '../../../src/models/sam-config.js'
import { samEncoder, samPixels } from '../../../src/models/sam-encoder.js'
import { microSam } from '../../../src/models/sam-family.js'
import type { StoredTensors } from '../../../src/weights/stored-tensor.js'
import { readGolden } from '../../support/golden.js'
import { Findings, type OwnCase } from './findings.js'
import { runTensors } from './run-tensors.js'

/** The names of the reference, which was written before ours were decided. */
const renamed: readonly (readonly [RegExp, string])[] = [
  [/alpha_attn$/, 'alpha1'],
  [/alpha_mlp$/, 'alpha2'],
  [/gamma_attn$/, 'gamma1'],
  [/gamma_mlp$/, 'gamma2'],
  [/little\.mlp\.in\./, 'little.mlp.down.'],
  [/little\.mlp\.out\./, 'little.mlp.up.'],
]

function ourNames(weights: StoredTensors): StoredTensors {
  const rename = (name: string) => renamed.reduce((text, [pattern, by]) => text.replace(pattern, by), name)
  return new Map([...weights].map(([name, tensor]) => [`image_encoder.${rename(name)}`, tensor]))
}

function configOf(quota: 'equal' | 'proportional'): SamConfig {
  return {
    ...microSam,
    quota,
    routing: {
      ...{ fullLayers: 1, predictorAfter: [1, 3], keepRatio: 0.25 },
      little: {
        ...{ width: 24, heads: 2, mlpRatio: 4, attention: true, layers: [2, 3] },
        initialisation: 'normal',
      },
    },
  }
}

/** A big.LITTLE encoder under both quotas, half-block by half-block. */
export const routedSamCase: OwnCase = async (folder) => {
  const golden = await readGolden(join(folder, 'bl_sam_own_reference.safetensors'))
  const found = new Findings()
  for (const quota of ['equal', 'proportional'] as const) {
    const config = configOf(quota)
    const { embedding, layers, routes } = samEncoder(samPixels(config), config)
    const outputs: Record<string, Tensor> = { image_embedding: embedding }
    for (const [at, { middle, tokens }] of layers.entries()) {
      outputs[`block${at}`] = tokens
      if (middle) outputs[`block${at}.after_attn`] = middle
    }
    for (const [at, { scores, chosen }] of routes.entries()) {
      outputs[`score${at}`] = scores
      const ones = constant(1, [sizeAt(chosen, 0), sizeAt(chosen, 1)])
      outputs[`select${at}`] = scatterAdd(ones, chosen, { tokens: sizeAt(scores, 1) })
    }
    const ours = await runTensors(outputs, {
      weights: ourNames(golden.weights('w/')),
      feeds: { pixel_values: { shape: golden.shape('in/image'), values: golden.floats('in/image') } },
    })
    for (const name of golden.names(`out/${quota}.`)) {
      const values = defined(ours[name.slice(`out/${quota}.`.length)], name)
      if (golden.isInteger(name)) found.equal(name, [...values], golden.integers(name))
      else found.close(name, values, golden.floats(name), 3e-4)
    }
  }
  return found
}
