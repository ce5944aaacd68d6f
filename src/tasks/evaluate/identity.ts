import type { RunIdentity } from '../../base/run-identity.js'
import type { DataSet } from '../../data/data-set.js'
import type { Model } from '../model.js'

/**
 * All that decides the counts. Device, threads and batch are in it because sums in another order may differ in
 * their last bit, and with it a picture on the edge between two classes.
 */
export async function identityOf(
  model: Model,
  data: DataSet,
  {
    teacher,
    keepRatios,
    batch,
    limit,
  }: {
    teacher?: Model | undefined
    keepRatios: readonly (number | undefined)[]
    batch: number
    limit?: number | undefined
  },
): Promise<RunIdentity> {
  return {
    model: await model.fingerprint(),
    teacher: teacher ? await teacher.fingerprint() : 'none',
    data: await data.fingerprint(),
    'keep ratios': keepRatios.map((ratio) => ratio ?? 'none').join(','),
    batch: `${batch}`,
    limit: `${limit ?? 'none'}`,
    device: model.engine.runtime.description,
    threads: `${model.engineOptions.threads ?? 'as the engine chooses'}`,
    precision: model.engineOptions.precision ?? 'fp32',
  }
}
