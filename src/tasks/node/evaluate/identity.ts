import type { RunIdentity } from '../../../base/run-identity.js'
import type { DataSet } from '../../../data/data-set.js'
import { engineIdentity } from '../../../runtime/engine-identity.js'
import type { Model } from '../../model.js'
import type { EvaluatedSetting } from './tally.js'

/**
 * All that decides the counts. Device, threads and batch are in it because sums in another order may differ in
 * their last bit, and with it a picture on the edge between two classes.
 */
export async function identityOf(
  model: Model,
  data: DataSet,
  {
    teacher,
    settings,
    batch,
    limit,
    seed = 0,
  }: {
    teacher?: Model | undefined
    settings: readonly EvaluatedSetting[]
    batch?: number | undefined
    limit?: number | undefined
    seed?: number | undefined
  },
): Promise<RunIdentity> {
  return {
    model: await model.fingerprint(),
    teacher: teacher ? await teacher.fingerprint() : 'none',
    data: await data.fingerprint(),
    settings: settings.map(({ setting }) => setting).join('; '),
    batch: `${batch ?? 'as is fastest'}`,
    limit: `${limit ?? 'none'}`,
    seed: `${seed}`,
    ...engineIdentity(model.engine, model.engineOptions),
  }
}
